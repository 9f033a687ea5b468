#pragma once
// Whether two short texts are the same, without a call.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace kpid {

namespace detail {

/// Both texts have `size` bytes, at least a word; the last word may overlap what was compared.
template <class Word>
[[nodiscard]] inline bool same_words(std::string_view a, std::string_view b) {
    const std::size_t size = a.size();
    const auto same_at = [a, b](std::size_t at) {
        Word left = 0;
        Word right = 0;
        std::memcpy(&left, a.data() + at, sizeof(Word));
        std::memcpy(&right, b.data() + at, sizeof(Word));
        return left == right;
    };
    for (std::size_t at = 0; at + sizeof(Word) < size; at += sizeof(Word)) {
        if (!same_at(at)) {
            return false;
        }
    }
    return same_at(size - sizeof(Word));
}

}  // namespace detail

/// As a == b. Labels are mostly some ten bytes long, and mostly the same when they are compared.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) {
    const std::size_t size = a.size();
    if (size != b.size()) {
        return false;
    }
    if (size > 4 * sizeof(std::uint64_t)) {
        return std::memcmp(a.data(), b.data(), size) == 0;
    }
    if (size >= sizeof(std::uint64_t)) {
        return detail::same_words<std::uint64_t>(a, b);
    }
    if (size >= sizeof(std::uint32_t)) {
        return detail::same_words<std::uint32_t>(a, b);
    }
    for (std::size_t at = 0; at < size; ++at) {
        if (a[at] != b[at]) {
            return false;
        }
    }
    return true;
}

}  // namespace kpid
