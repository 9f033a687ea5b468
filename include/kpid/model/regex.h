#pragma once
// Regular expressions as Prometheus has them: RE2, anchored at both ends, `.` matches newlines.

#include "kpid/base/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace kpid::model {

/// A compiled expression. Immutable, cheap to copy, thread-safe.
class Regex {
public:
    /// Patterns above this size are refused.
    static constexpr std::size_t kPatternBytesMax = 64 * 1024;

    /// The error names what is wrong in the pattern.
    [[nodiscard]] static Result<Regex> compile(std::string_view pattern);

    [[nodiscard]] bool full_match(std::string_view text) const;
    /// Matches all of `text` and replaces `$1`, `${1}`, `${name}`, `$name`, `$$` in `replacement`
    /// (Go's Expand; unknown groups are empty). False when `text` does not match.
    [[nodiscard]] bool expand(std::string_view text, std::string_view replacement,
                              std::string& out) const;
    [[nodiscard]] const std::string& pattern() const { return pattern_; }

private:
    Regex(std::string pattern, std::shared_ptr<const re2::RE2> re);

    std::string pattern_;
    std::shared_ptr<const re2::RE2> re_;
};

}  // namespace kpid::model
