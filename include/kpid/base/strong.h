#pragma once
// Identifiers that do not mix.

#include <compare>
#include <cstddef>
#include <functional>

namespace kpid {

/// A value of type Rep that is a Tag and nothing else: `using SeriesId = Strong<struct SeriesIdTag,
/// std::uint64_t>;`
template <class Tag, class Rep>
class Strong {
public:
    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : value_(value) {}
    [[nodiscard]] constexpr const Rep& value() const { return value_; }
    constexpr auto operator<=>(const Strong&) const = default;

private:
    Rep value_{};
};

}  // namespace kpid

template <class Tag, class Rep>
struct std::hash<kpid::Strong<Tag, Rep>> {
    std::size_t operator()(const kpid::Strong<Tag, Rep>& id) const noexcept {
        return std::hash<Rep>{}(id.value());
    }
};
