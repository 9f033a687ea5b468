#include "wire/exposition_scanner.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "kpid/model/sample.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace kpid::wire::detail {
namespace {

// 1: may begin a name, 2: may continue one.
constexpr std::array<unsigned char, 256> kNameClass = [] {
    std::array<unsigned char, 256> table{};
    for (int c = 0; c < 256; ++c) {
        const bool letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
        const bool digit = c >= '0' && c <= '9';
        table[static_cast<std::size_t>(c)] =
            static_cast<unsigned char>(letter ? 3 : (digit ? 2 : 0));
    }
    return table;
}();

unsigned char name_class(char c) {
    return kNameClass[static_cast<unsigned char>(c)];
}

bool is_known_escape(char c) {
    return c == '\\' || c == '"' || c == 'n';
}

std::string resolved_name(const RawLabel& label) {
    return label.name_has_escapes ? unescape(label.name, true) : std::string(label.name);
}

}  // namespace

bool ExpositionScanner::take_word(std::string_view word) {
    const auto left = static_cast<std::size_t>(end_ - at_);
    if (left < word.size() || std::memcmp(at_, word.data(), word.size()) != 0) {
        return false;
    }
    at_ += word.size();
    return true;
}

bool ExpositionScanner::take_newline() {
    if (!looking_at('\n')) {
        return false;
    }
    if (static_cast<std::size_t>(at_ - line_start_) > ExpositionOptions::kLineBytesMax) {
        return fail(fmt::format("line of more than {} bytes", ExpositionOptions::kLineBytesMax));
    }
    ++at_;
    ++line_;
    line_start_ = at_;
    return true;
}

std::string_view ExpositionScanner::take_name() {
    const char* const start = at_;
    if (at_ != end_ && (name_class(*at_) & 1U) != 0) {
        do {
            ++at_;
        } while (at_ != end_ && name_class(*at_) != 0);
    }
    return {start, static_cast<std::size_t>(at_ - start)};
}

std::string_view ExpositionScanner::take_token(std::string_view stops) {
    const char* const start = at_;
    while (at_ != end_ && *at_ != ' ' && *at_ != '\n' &&
           stops.find(*at_) == std::string_view::npos) {
        ++at_;
    }
    return {start, static_cast<std::size_t>(at_ - start)};
}

std::string_view ExpositionScanner::take_rest_of_line() {
    const char* const start = at_;
    const auto left = static_cast<std::size_t>(end_ - at_);
    const auto* const newline =
        left == 0 ? nullptr : static_cast<const char*>(std::memchr(at_, '\n', left));
    at_ = newline == nullptr ? end_ : newline;
    return {start, static_cast<std::size_t>(at_ - start)};
}

bool ExpositionScanner::take_quoted(const LabelGrammar& grammar, std::string_view& inside,
                                    bool& has_escapes) {
    const char* const start = ++at_;
    has_escapes = false;
    unsigned char seen = 0;
    for (;; ++at_) {
        if (at_ == end_) {
            return fail("a quoted string does not end");
        }
        const char c = *at_;
        seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(c));
        if (c == '"') {
            break;
        }
        if (c == '\n') {
            if (!grammar.newlines) {
                return fail("unescaped newline in a quoted string");
            }
            ++line_;
        } else if (c == '\\') {
            has_escapes = true;
            ++at_;
            if (at_ == end_ || *at_ == '\n') {
                return fail("a quoted string does not end");
            }
            if (grammar.known_escapes && !is_known_escape(*at_)) {
                return fail("invalid escape sequence in a quoted string");
            }
            seen = static_cast<unsigned char>(seen | static_cast<unsigned char>(*at_));
        }
    }
    inside = {start, static_cast<std::size_t>(at_ - start)};
    ++at_;
    if ((seen & 0x80U) != 0 && !is_valid_utf8(inside)) {
        return fail("invalid UTF-8 in a quoted string");
    }
    return true;
}

bool ExpositionScanner::take_label(const LabelGrammar& grammar, SampleParts& parts) {
    RawLabel label;
    const bool quoted = looking_at('"');
    if (quoted) {
        if (!take_quoted(grammar, label.name, label.name_has_escapes)) {
            return false;
        }
    } else {
        label.name = take_name();
        if (label.name.empty() || label.name.find(':') != std::string_view::npos) {
            return fail_expected("label name");
        }
    }
    if (grammar.blanks) {
        skip_blanks();
    }
    if (!take('=')) {
        if (!quoted || !grammar.metric_name) {
            return fail_expected("'=' after label name");
        }
        if (!parts.name.empty()) {
            return fail("metric name given twice");
        }
        if (label.name.empty()) {
            return fail("metric name is empty");
        }
        parts.name = label.name;
        parts.name_has_escapes = label.name_has_escapes;
        return true;
    }
    if (grammar.blanks) {
        skip_blanks();
    }
    if (!looking_at('"')) {
        return fail_expected("label value");
    }
    if (label.name.empty()) {
        return fail("label name is empty");
    }
    if (parts.labels.size() == ExpositionOptions::kLabelsMax) {
        return fail(fmt::format("more than {} labels", ExpositionOptions::kLabelsMax));
    }
    if (!take_quoted(grammar, label.value, label.value_has_escapes)) {
        return false;
    }
    parts.labels.push_back(label);
    return true;
}

bool ExpositionScanner::take_labels(const LabelGrammar& grammar, SampleParts& parts) {
    bool after_comma = false;
    for (;;) {
        if (grammar.blanks) {
            skip_blanks();
        }
        if (looking_at('}')) {
            if (after_comma && !grammar.trailing_comma) {
                return fail("comma before '}'");
            }
            break;
        }
        if (!take_label(grammar, parts)) {
            return false;
        }
        if (grammar.blanks) {
            skip_blanks();
        }
        after_comma = take(',');
        if (!after_comma && !looking_at('}')) {
            return fail_expected("',' or '}'");
        }
    }
    ++at_;
    return check_labels(parts);
}

bool ExpositionScanner::check_labels(const SampleParts& parts) {
    constexpr std::size_t kFewLabels = 16;
    const std::vector<RawLabel>& labels = parts.labels;
    bool plain = labels.size() <= kFewLabels;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i].name == model::kMetricName) {
            return fail("label name __name__ is reserved");
        }
        plain = plain && !labels[i].name_has_escapes;
        for (std::size_t j = 0; plain && j < i; ++j) {
            if (labels[i].name == labels[j].name) {
                return fail(fmt::format("duplicate label name \"{}\"", labels[i].name));
            }
        }
    }
    if (plain) {
        return true;
    }
    std::vector<std::string> names;
    names.reserve(labels.size());
    for (const RawLabel& label : labels) {
        names.push_back(resolved_name(label));
    }
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    return twice == names.end() || fail(fmt::format("duplicate label name \"{}\"", *twice));
}

bool ExpositionScanner::fail(std::string message) {
    if (message_.empty()) {
        message_ = std::move(message);
    }
    return false;
}

bool ExpositionScanner::fail_expected(std::string_view what) {
    if (at_ == end_) {
        return fail(fmt::format("expected {}, got the end of the text", what));
    }
    const auto byte = static_cast<unsigned char>(*at_);
    if (byte == '\n') {
        return fail(fmt::format("expected {}, got the end of the line", what));
    }
    if (byte < 0x20 || byte >= 0x7f) {
        return fail(fmt::format("expected {}, got byte 0x{:02x}", what, byte));
    }
    return fail(fmt::format("expected {}, got '{}'", what, *at_));
}

Error ExpositionScanner::error() const {
    return invalid_argument(fmt::format("line {}: {}", line_, message_));
}

bool read_value(std::string_view token, double& value) {
    const Result<double> parsed = parse_float(token);
    if (!parsed) {
        return false;
    }
    value = std::isnan(*parsed) ? std::bit_cast<double>(model::kNormalNanBits) : *parsed;
    return true;
}

std::string unescape(std::string_view raw, bool quotes) {
    std::string text;
    text.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] == '\\' && i + 1 < raw.size()) {
            const char next = raw[i + 1];
            if (next == '\\' || next == 'n' || (quotes && next == '"')) {
                text += next == 'n' ? '\n' : next;
                ++i;
                continue;
            }
        }
        text += raw[i];
    }
    return text;
}

void mark_bounds(model::MetricType type, std::vector<RawLabel>& labels) {
    std::string_view bound;
    if (type == model::MetricType::kHistogram || type == model::MetricType::kGaugeHistogram) {
        bound = "le";
    } else if (type == model::MetricType::kSummary) {
        bound = "quantile";
    } else {
        return;
    }
    for (RawLabel& label : labels) {
        label.is_bound = label.name == bound;
    }
}

std::optional<std::string_view> suffix_of(std::string_view name, std::string_view family) {
    if (!name.starts_with(family)) {
        return std::nullopt;
    }
    return name.substr(family.size());
}

bool is_suffix_of_type(model::MetricType type, std::string_view suffix) {
    using model::MetricType;
    switch (type) {
        case MetricType::kCounter:
            return suffix == "_total" || suffix == "_created";
        case MetricType::kHistogram:
            return suffix == "_bucket" || suffix == "_count" || suffix == "_sum" ||
                   suffix == "_created";
        case MetricType::kGaugeHistogram:
            return suffix == "_bucket" || suffix == "_gcount" || suffix == "_gsum";
        case MetricType::kSummary:
            return suffix.empty() || suffix == "_count" || suffix == "_sum" || suffix == "_created";
        case MetricType::kInfo:
            return suffix == "_info";
        case MetricType::kUnknown:
        case MetricType::kGauge:
        case MetricType::kStateset:
            return suffix.empty();
    }
    return false;
}

}  // namespace kpid::wire::detail
