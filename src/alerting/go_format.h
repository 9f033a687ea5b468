#pragma once
// Go's fmt: Sprint, Sprintln, Sprintf for the values of templates.

#include "kpid/alerting/template_value.h"

#include <span>
#include <string>
#include <string_view>

namespace kpid::alerting {

/// Widths and precisions above this are refused, as Go does.
inline constexpr int kFormatWidthMax = 10'000;

/// Blanks stand between operands when neither is a text.
[[nodiscard]] std::string go_sprint(std::span<const TemplateValue> operands);
[[nodiscard]] std::string go_sprintln(std::span<const TemplateValue> operands);
/// Mistakes become text, as in Go: `%!d(string=x)`, `%!s(MISSING)`, `%!(EXTRA int=1)`.
[[nodiscard]] std::string go_sprintf(std::string_view format,
                                     std::span<const TemplateValue> operands);

/// `%.<precision>g` and its kin by the C library, whose rules for explicit precisions are Go's.
[[nodiscard]] std::string format_fixed(double value, char verb, int precision);
/// `%.4g`: what the humanize functions write numbers with.
[[nodiscard]] std::string format_four_digits(double value);

}  // namespace kpid::alerting
