#pragma once
// Whether two short texts are the same, without a call.

#include <cstdint>
#include <cstring>
#include <string_view>

namespace kpid::storage {

/// As a == b. Labels are mostly some ten bytes long, and mostly the same when they are compared.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) {
    const std::size_t size = a.size();
    if (size != b.size()) {
        return false;
    }
    const auto same_words = [&](std::size_t at) {
        std::uint64_t left = 0;
        std::uint64_t right = 0;
        std::memcpy(&left, a.data() + at, sizeof(left));
        std::memcpy(&right, b.data() + at, sizeof(right));
        return left == right;
    };
    constexpr std::size_t kWord = sizeof(std::uint64_t);
    constexpr std::size_t kShort = 4 * kWord;
    if (size > kShort) {
        return std::memcmp(a.data(), b.data(), size) == 0;
    }
    if (size >= kWord) {
        for (std::size_t at = 0; at + kWord < size; at += kWord) {
            if (!same_words(at)) {
                return false;
            }
        }
        return same_words(size - kWord);  // It may overlap what was compared.
    }
    for (std::size_t at = 0; at < size; ++at) {
        if (a[at] != b[at]) {
            return false;
        }
    }
    return true;
}

}  // namespace kpid::storage
