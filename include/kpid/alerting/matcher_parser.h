#pragma once
// Reads the matcher texts of Alertmanager: `a="b"`, `{a=~"b.*", c!=d}`.

#include "kpid/base/result.h"
#include "kpid/model/matcher.h"

#include <string>
#include <string_view>
#include <vector>

namespace kpid::alerting {

/// Texts above this size are refused.
inline constexpr std::size_t kMatcherTextBytesMax = 64 * 1024;
/// Lists of more matchers are refused.
inline constexpr std::size_t kMatchersMax = 1'000;

/// Which of Alertmanager's two grammars reads a text.
enum class MatcherSyntax {
    kFallback,  ///< Alertmanager's default: UTF-8, else classic; classic wins where they disagree.
    kUtf8,      ///< Names and values may be quoted, with Go's escapes; reserved characters must be.
    kClassic,   ///< Names are [a-zA-Z_:][a-zA-Z0-9_:]*; values may be quoted, `\"`, `\\`, `\n`
                ///< escaped.
};

/// One matcher, with or without braces. Errors say the position as `start:end: …` in characters.
[[nodiscard]] Result<model::Matcher> parse_matcher(std::string_view text,
                                                   MatcherSyntax syntax = MatcherSyntax::kFallback);
/// Any number of them, separated by commas, with or without braces; "" and "{}" are none.
[[nodiscard]] Result<std::vector<model::Matcher>> parse_matchers(
    std::string_view text, MatcherSyntax syntax = MatcherSyntax::kFallback);

/// `name="value"` as Alertmanager writes it: a name with reserved characters is quoted.
[[nodiscard]] std::string format_matcher(const model::Matcher& matcher);
/// `{a="b",c!="d"}`.
[[nodiscard]] std::string format_matchers(const std::vector<model::Matcher>& matchers);

}  // namespace kpid::alerting
