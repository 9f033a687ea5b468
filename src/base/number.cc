#include "kpid/base/number.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace kpid {
namespace {

std::string format_not_finite(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    return value > 0 ? "+Inf" : "-Inf";
}

// Significant digits and the decimal exponent of the first one: 1234.5 is {"12345", 3}.
struct Digits {
    bool negative = false;
    std::string digits;
    int exponent = 0;
};

Digits shortest_digits(double value) {
    std::array<char, 40> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                       std::chars_format::scientific);
    std::string_view text(buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data()));
    Digits result;
    if (text.front() == '-') {
        result.negative = true;
        text.remove_prefix(1);
    }
    const std::size_t e = text.find('e');
    result.digits = std::string(text.substr(0, 1));
    if (e > 2) {
        result.digits += text.substr(2, e - 2);
    }
    std::string_view exponent = text.substr(e + 1);
    if (exponent.front() == '+') {
        exponent.remove_prefix(1);
    }
    std::from_chars(exponent.data(), exponent.data() + exponent.size(), result.exponent);
    return result;
}

std::string write_fixed(const Digits& d) {
    std::string text = d.negative ? "-" : "";
    if (d.exponent < 0) {
        text += "0.";
        text.append(static_cast<std::size_t>(-d.exponent - 1), '0');
        return text + d.digits;
    }
    const auto integer_digits = static_cast<std::size_t>(d.exponent) + 1;
    if (d.digits.size() <= integer_digits) {
        text += d.digits;
        text.append(integer_digits - d.digits.size(), '0');
        return text;
    }
    text.append(d.digits, 0, integer_digits);
    text += '.';
    text.append(d.digits, integer_digits);
    return text;
}

std::string write_scientific(const Digits& d) {
    std::string text = d.negative ? "-" : "";
    text += d.digits[0];
    if (d.digits.size() > 1) {
        text += '.';
        text.append(d.digits, 1);
    }
    return text + fmt::format("e{}{:02}", d.exponent < 0 ? '-' : '+', std::abs(d.exponent));
}

std::string write_general(double value, int exponent_limit) {
    const Digits d = shortest_digits(value);
    return d.exponent < -4 || d.exponent >= exponent_limit ? write_scientific(d) : write_fixed(d);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
    if (text.size() != lower.size()) {
        return false;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((text[i] | 0x20) != lower[i]) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string format_float(double value) {
    return std::isfinite(value) ? write_fixed(shortest_digits(value)) : format_not_finite(value);
}

std::string format_float_general(double value) {
    return std::isfinite(value) ? write_general(value, 21) : format_not_finite(value);
}

std::string format_float_text(double value) {
    return std::isfinite(value) ? write_general(value, 6) : format_not_finite(value);
}

Result<double> parse_float(std::string_view text) {
    const std::string_view whole = text;
    const auto bad = [&] {
        return invalid_argument(fmt::format("not a number: \"{}\"", whole.substr(0, 64)));
    };
    bool negative = false;
    if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
        negative = text.front() == '-';
        text.remove_prefix(1);
    }
    if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity")) {
        const double infinity = std::numeric_limits<double>::infinity();
        return negative ? -infinity : infinity;
    }
    if (equals_ignoring_case(text, "nan") && text.size() == whole.size()) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (text.empty() || !((text.front() >= '0' && text.front() <= '9') || text.front() == '.')) {
        return bad();
    }
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) {
        return bad();
    }
    if (error == std::errc::result_out_of_range) {
        // from_chars does not tell overflow from underflow: a negative exponent can only underflow
        // here, as can a mantissa of zeros behind the point.
        const std::size_t e = text.find_first_of("eE");
        const bool tiny =
            (e != std::string_view::npos && e + 1 < text.size() && text[e + 1] == '-') ||
            (e == std::string_view::npos && text.front() != '.' && text.starts_with("0.")) ||
            (e == std::string_view::npos && text.front() == '.');
        if (!tiny) {
            return invalid_argument(
                fmt::format("number out of range: \"{}\"", whole.substr(0, 64)));
        }
        value = 0;
    }
    return negative ? -value : value;
}

}  // namespace kpid
