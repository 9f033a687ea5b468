#pragma once
// What can be said of a regular expression without running it, for lookups in sorted or hashed
// values.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::model {

/// `a|b[12]` is the literals a, b1 and b2; `abc.*` is the prefix abc and anything behind it. What
/// is said always holds; of an expression that is not understood nothing is said.
struct RegexShape {
    /// Literals beyond this number, or this size together, are not listed.
    static constexpr std::size_t kLiteralsMax = 1024;
    static constexpr std::size_t kLiteralBytesMax = 256 * 1024;

    /// What may stand behind the prefix. Texts are UTF-8.
    enum class Rest : std::uint8_t {
        kAnything,   ///< `abc.*`: every text with the prefix matches.
        kSomething,  ///< `abc.+`: every text with the prefix that is longer than it.
        kOther,      ///< Only the expression knows.
    };

    /// When set: these texts match and no other does. Sorted, unique.
    std::optional<std::vector<std::string>> literals;
    /// Without literals: every text that matches begins so.
    std::string prefix;
    Rest rest = Rest::kOther;
};

/// The shape of a pattern that Regex::compile has accepted, anchored at both ends as there.
[[nodiscard]] RegexShape regex_shape(std::string_view pattern);

}  // namespace kpid::model
