// Numbers in Go's notation.

#include "promql/number_literal.h"

#include "kpid/base/number.h"
#include "kpid/promql/printer.h"
#include "promql/characters.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace kpid::promql {
namespace {

struct Prefix {
    int base = 10;
    std::size_t length = 0;
};

Prefix integer_prefix(std::string_view text) {
    if (text.size() < 2 || text[0] != '0') {
        return {};
    }
    switch (text[1]) {
        case 'x':
        case 'X':
            return {16, 2};
        case 'b':
        case 'B':
            return {2, 2};
        case 'o':
        case 'O':
            return {8, 2};
        default:
            return {8, 1};
    }
}

// Underscores stand one at a time between digits, or between the prefix and a digit.
bool underscores_are_well_placed(std::string_view text, bool has_prefix) {
    bool digit_before = has_prefix;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool digit = is_letter_or_digit(text[i]) && text[i] != '_';
        if (text[i] == '_') {
            const bool digit_behind =
                i + 1 < text.size() && is_letter_or_digit(text[i + 1]) && text[i + 1] != '_';
            if (!digit_before || !digit_behind) {
                return false;
            }
        }
        digit_before = digit;
    }
    return true;
}

std::string without_underscores(std::string_view text) {
    std::string plain(text);
    std::erase(plain, '_');
    return plain;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
    const Prefix prefix = integer_prefix(text);
    const std::string_view digits = text.substr(prefix.length);
    if (!underscores_are_well_placed(digits, prefix.length > 0)) {
        return std::nullopt;
    }
    const std::string plain = without_underscores(digits);
    std::int64_t value = 0;
    const auto [end, error] =
        std::from_chars(plain.data(), plain.data() + plain.size(), value, prefix.base);
    const bool whole = error == std::errc() && end == plain.data() + plain.size() &&
                       !plain.empty() && plain.front() != '-';
    return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<double> parse_number_literal(std::string_view text) {
    if (const std::optional<std::int64_t> integer = parse_integer(text)) {
        return static_cast<double>(*integer);
    }
    if (underscores_are_well_placed(text, false)) {
        const Result<double> value = parse_float(without_underscores(text));
        if (value) {
            return *value;
        }
        if (value.error().message.starts_with("number out of range")) {
            return invalid_argument("strconv.ParseFloat: parsing " + quote_string(text) +
                                    ": value out of range");
        }
    }
    return invalid_argument("strconv.ParseFloat: parsing " + quote_string(text) +
                            ": invalid syntax");
}

}  // namespace kpid::promql
