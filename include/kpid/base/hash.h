#pragma once
// Hash maps with string keys that are looked up by string_view without a copy.

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace kpid {

/// 64-bit XXH3 of the bytes; stable over processes and machines.
[[nodiscard]] std::uint64_t hash_bytes(std::string_view bytes);

/// Transparent hash for string keys.
struct StringHash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return static_cast<std::size_t>(hash_bytes(text));
    }
};

template <class T>
using StringMap = boost::unordered_flat_map<std::string, T, StringHash, std::equal_to<>>;
using StringSet = boost::unordered_flat_set<std::string, StringHash, std::equal_to<>>;

}  // namespace kpid
