#pragma once
// Numbers as text, exactly as Go's strconv reads and writes them: what Prometheus' users see.

#include "kpid/base/result.h"

#include <string>
#include <string_view>

namespace kpid {

/// Shortest text that reads back the same, never with an exponent: strconv 'f', -1. Prometheus'
/// sample values. "NaN", "+Inf", "-Inf".
[[nodiscard]] std::string format_float(double value);
/// Shortest, with an exponent where it is < -4 or >= 21: Go's %v; "NaN", "+Inf", "-Inf".
[[nodiscard]] std::string format_float_general(double value);
/// Shortest, with an exponent where it is < -4 or >= 6: strconv 'g', -1; the text formats.
[[nodiscard]] std::string format_float_text(double value);

/// Reads a float as Go's ParseFloat, without underscores or hexadecimal: "1", "+1.5e3", "NaN",
/// "inf", "Infinity" in any case. Overflow (1e400) is an error, underflow (1e-400) is 0.
[[nodiscard]] Result<double> parse_float(std::string_view text);

}  // namespace kpid
