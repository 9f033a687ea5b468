// Go's fmt verbs over template values.

#include "alerting/go_format.h"

#include "alerting/go_text.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

namespace kpid::alerting {
namespace {

struct Directive {
    char32_t verb = 'v';
    std::string verb_text;
    std::optional<int> width;
    std::optional<int> precision;
    bool plus = false;
    bool minus = false;
    bool sharp = false;
    bool space = false;
    bool zero = false;
};

std::string pad(std::string text, const Directive& d, bool numeric) {
    const std::size_t length = count_code_points(text);
    const auto width = static_cast<std::size_t>(d.width.value_or(0));
    if (length >= width) {
        return text;
    }
    const std::size_t missing = width - length;
    if (d.minus) {
        return text + std::string(missing, ' ');
    }
    if (d.zero && numeric) {
        const std::size_t sign = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
        return text.insert(sign, missing, '0');
    }
    return std::string(missing, ' ') + text;
}

std::string with_sign(const std::string& digits, bool negative, const Directive& d) {
    if (negative) {
        return "-" + digits;
    }
    return (d.plus ? "+" : d.space ? " " : "") + digits;
}

std::string shown_with_type(const TemplateValue& value) {
    if (value.is_nothing()) {
        return "<nil>";
    }
    return fmt::format("{}={}", value.type_name(), value.to_string());
}

std::string bad_verb(const Directive& d, const TemplateValue& value) {
    return fmt::format("%!{}({})", d.verb_text, shown_with_type(value));
}

std::string format_float_verb(double value, const Directive& d) {
    std::string text;
    const char verb = d.verb == 'v' ? 'g' : static_cast<char>(d.verb);
    const double magnitude = std::fabs(value);
    if (!std::isfinite(value)) {
        Directive plain = d;
        plain.zero = false;
        text = std::isnan(value) ? "NaN" : "Inf";
        const bool always = std::isinf(value) && (d.plus || value > 0);
        return pad(value < 0 ? "-Inf" : always ? "+" + text : text, plain, true);
    }
    if ((verb == 'g' || verb == 'G') && !d.precision) {
        text = format_float_text(magnitude);
    } else {
        text = format_fixed(magnitude, verb == 'F' ? 'f' : verb, d.precision.value_or(6));
    }
    return pad(with_sign(text, std::signbit(value), d), d, true);
}

std::string format_integer_verb(std::uint64_t magnitude, bool negative, const Directive& d) {
    std::string digits;
    switch (d.verb) {
        case 'v':
        case 'd':
            digits = fmt::format("{}", magnitude);
            break;
        case 'b':
            digits = fmt::format("{}{:b}", d.sharp ? "0b" : "", magnitude);
            break;
        case 'o':
            digits = fmt::format("{}{:o}", d.sharp ? "0" : "", magnitude);
            break;
        case 'x':
            digits = fmt::format("{}{:x}", d.sharp ? "0x" : "", magnitude);
            break;
        case 'X':
            digits = fmt::format("{}{:X}", d.sharp ? "0X" : "", magnitude);
            break;
        default:
            digits = fmt::format("U+{:04X}", magnitude);
            break;
    }
    if (d.precision && digits.size() < static_cast<std::size_t>(*d.precision)) {
        digits.insert(0, static_cast<std::size_t>(*d.precision) - digits.size(), '0');
    }
    return pad(with_sign(digits, negative, d), d, !d.precision);
}

std::string format_code_point(std::uint64_t value, const Directive& d) {
    std::string text;
    append_utf8(text, value <= 0x10FFFF ? static_cast<char32_t>(value) : char32_t{0xFFFD});
    if (d.verb == 'q') {
        text = fmt::format("'{}'", text);
    }
    return pad(std::move(text), d, false);
}

std::string format_text_verb(std::string text, const Directive& d) {
    if (d.verb == 'x' || d.verb == 'X') {
        std::string digits;
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            digits += d.verb == 'x' ? fmt::format("{:02x}", byte) : fmt::format("{:02X}", byte);
        }
        return pad(std::move(digits), d, false);
    }
    if (d.precision) {
        std::size_t bytes = 0;
        for (int i = 0; i < *d.precision && bytes < text.size(); ++i) {
            bytes += decode_utf8(std::string_view(text).substr(bytes)).length;
        }
        text.resize(bytes);
    }
    if (d.verb == 'q') {
        text = d.sharp && text.find('`') == std::string::npos ? fmt::format("`{}`", text)
                                                              : go_quote(text);
    }
    return pad(std::move(text), d, false);
}

bool is_one_of(char32_t verb, std::string_view verbs) {
    return verb < 0x80 && verbs.find(static_cast<char>(verb)) != std::string_view::npos;
}

std::string format_value(const TemplateValue& value, const Directive& d) {
    if (d.verb == 'T') {
        return pad(value.is_nothing() ? "<nil>" : std::string(value.type_name()), d, false);
    }
    if (value.is_nothing()) {
        return d.verb == 'v' ? pad("<nil>", d, false) : bad_verb(d, value);
    }
    if (const auto* text = value.get_if<std::string>()) {
        return is_one_of(d.verb, "vsqxX") ? format_text_verb(*text, d) : bad_verb(d, value);
    }
    if (const auto* number = value.get_if<double>()) {
        return is_one_of(d.verb, "vgGeEfF") ? format_float_verb(*number, d) : bad_verb(d, value);
    }
    const auto* integer = value.get_if<std::int64_t>();
    const auto* natural = value.get_if<std::uint64_t>();
    if (integer != nullptr || natural != nullptr) {
        const bool negative = integer != nullptr && *integer < 0;
        const std::uint64_t bits =
            integer != nullptr ? static_cast<std::uint64_t>(*integer) : *natural;
        if (is_one_of(d.verb, "cq")) {
            return format_code_point(bits, d);
        }
        return is_one_of(d.verb, "vdboxXU")
                   ? format_integer_verb(negative ? ~bits + 1 : bits, negative, d)
                   : bad_verb(d, value);
    }
    if (value.get_if<bool>() != nullptr) {
        return is_one_of(d.verb, "vt") ? pad(value.to_string(), d, false) : bad_verb(d, value);
    }
    if (const auto* list = value.as_list()) {
        std::string text = "[";
        for (const TemplateValue& item : *list) {
            text += (text.size() > 1 ? " " : "") + format_value(item, d);
        }
        return text + "]";
    }
    return is_one_of(d.verb, "vs") ? pad(value.to_string(), d, false) : bad_verb(d, value);
}

class Printer {
public:
    Printer(std::string_view format, std::span<const TemplateValue> operands)
        : rest_(format), operands_(operands) {}

    std::string run() {
        while (!rest_.empty()) {
            const std::size_t percent = std::min(rest_.find('%'), rest_.size());
            out_ += rest_.substr(0, percent);
            rest_.remove_prefix(percent);
            if (!rest_.empty()) {
                rest_.remove_prefix(1);
                put_directive();
            }
        }
        if (next_ < operands_.size()) {
            out_ += "%!(EXTRA ";
            for (std::size_t i = next_; i < operands_.size(); ++i) {
                out_ += (i > next_ ? ", " : "") + shown_with_type(operands_[i]);
            }
            out_ += ')';
        }
        return std::move(out_);
    }

private:
    void read_flags(Directive& d) {
        for (; !rest_.empty(); rest_.remove_prefix(1)) {
            switch (rest_[0]) {
                case '+':
                    d.plus = true;
                    break;
                case '-':
                    d.minus = true;
                    break;
                case '#':
                    d.sharp = true;
                    break;
                case ' ':
                    d.space = true;
                    break;
                case '0':
                    d.zero = true;
                    break;
                default:
                    return;
            }
        }
    }

    std::optional<int> read_number() {
        if (rest_.starts_with('*')) {
            rest_.remove_prefix(1);
            const auto* integer =
                next_ < operands_.size() ? operands_[next_].get_if<std::int64_t>() : nullptr;
            next_ = std::min(next_ + 1, operands_.size());
            if (integer == nullptr || *integer > kFormatWidthMax || *integer < -kFormatWidthMax) {
                out_ += "%!(BADWIDTH)";
                return std::nullopt;
            }
            return static_cast<int>(*integer);
        }
        std::optional<int> number;
        while (!rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9') {
            number = std::min(number.value_or(0) * 10 + (rest_[0] - '0'), kFormatWidthMax);
            rest_.remove_prefix(1);
        }
        return number;
    }

    void put_directive() {
        Directive d;
        read_flags(d);
        d.width = read_number();
        if (d.width && *d.width < 0) {
            d.minus = true;
            d.width = -*d.width;
        }
        if (rest_.starts_with('.')) {
            rest_.remove_prefix(1);
            d.precision = std::max(0, read_number().value_or(0));
        }
        if (rest_.empty()) {
            out_ += "%!(NOVERB)";
            return;
        }
        const CodePoint verb = decode_utf8(rest_);
        d.verb = verb.value;
        d.verb_text = rest_.substr(0, verb.length);
        rest_.remove_prefix(verb.length);
        if (d.verb == '%') {
            out_ += '%';
        } else if (next_ >= operands_.size()) {
            out_ += fmt::format("%!{}(MISSING)", d.verb_text);
        } else {
            out_ += format_value(operands_[next_++], d);
        }
    }

    std::string_view rest_;
    std::span<const TemplateValue> operands_;
    std::size_t next_ = 0;
    std::string out_;
};

std::string print_operand(const TemplateValue& value) {
    return value.is_nothing() ? "<nil>" : value.to_string();
}

}  // namespace

std::string format_fixed(double value, char verb, int precision) {
    std::string text(static_cast<std::size_t>(precision) + 350, '\0');
    const int length = [&] {
        switch (verb) {
            case 'e':
                return std::snprintf(text.data(), text.size(), "%.*e", precision, value);
            case 'E':
                return std::snprintf(text.data(), text.size(), "%.*E", precision, value);
            case 'g':
                return std::snprintf(text.data(), text.size(), "%.*g", precision, value);
            case 'G':
                return std::snprintf(text.data(), text.size(), "%.*G", precision, value);
            default:
                return std::snprintf(text.data(), text.size(), "%.*f", precision, value);
        }
    }();
    text.resize(static_cast<std::size_t>(std::max(length, 0)));
    return text;
}

std::string format_four_digits(double value) {
    return std::isfinite(value) ? format_fixed(value, 'g', 4) : format_float_text(value);
}

std::string go_sprint(std::span<const TemplateValue> operands) {
    std::string out;
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const bool text = operands[i].get_if<std::string>() != nullptr;
        const bool text_before = i > 0 && operands[i - 1].get_if<std::string>() != nullptr;
        out += (i > 0 && !text && !text_before ? " " : "") + print_operand(operands[i]);
    }
    return out;
}

std::string go_sprintln(std::span<const TemplateValue> operands) {
    std::string out;
    for (const TemplateValue& operand : operands) {
        out += (out.empty() ? "" : " ") + print_operand(operand);
    }
    return out + '\n';
}

std::string go_sprintf(std::string_view format, std::span<const TemplateValue> operands) {
    return Printer(format, operands).run();
}

}  // namespace kpid::alerting
