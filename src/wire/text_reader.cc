// Prometheus' text format 0.0.4.

#include "kpid/base/hash.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "wire/exposition_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace kpid::wire::detail {
namespace {

using model::MetricType;

struct TypeWord {
    std::string_view word;
    MetricType type;
};
constexpr TypeWord kTypeWords[] = {
    {"counter", MetricType::kCounter},
    {"gauge", MetricType::kGauge},
    {"histogram", MetricType::kHistogram},
    {"summary", MetricType::kSummary},
    {"untyped", MetricType::kUnknown},
    {"unknown", MetricType::kUnknown},
    {"gaugehistogram", MetricType::kGaugeHistogram},
    {"gauge_histogram", MetricType::kGaugeHistogram},
    {"info", MetricType::kInfo},
    {"stateset", MetricType::kStateset},
};

std::optional<MetricType> type_of_word(std::string_view word) {
    std::string lower(word);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const TypeWord& entry : kTypeWords) {
        if (entry.word == lower) {
            return entry.type;
        }
    }
    return std::nullopt;
}

// In text a family's samples may carry these behind its name; counters carry `_total` in the name
// itself.
bool is_text_suffix(MetricType type, std::string_view suffix) {
    if (suffix.empty()) {
        return true;
    }
    if (type == MetricType::kHistogram || type == MetricType::kGaugeHistogram) {
        return suffix == "_bucket" || suffix == "_sum" || suffix == "_count" ||
               (type == MetricType::kGaugeHistogram && is_suffix_of_type(type, suffix));
    }
    return type == MetricType::kSummary && (suffix == "_sum" || suffix == "_count");
}

// What strict reading remembers of a family.
struct Family {
    bool has_help = false;
    bool has_type = false;
    bool has_samples = false;
    MetricType type = MetricType::kUnknown;
};

class TextReader {
public:
    TextReader(std::string_view text, Strictness strictness, ExpositionSink& sink)
        : scanner_(text),
          strict_(strictness == Strictness::kStrict),
          grammar_{.blanks = true,
                   .trailing_comma = true,
                   .metric_name = true,
                   .known_escapes = strict_,
                   .newlines = !strict_},
          sink_(sink) {}

    Result<void> read() {
        while (!scanner_.at_end()) {
            if (!read_line()) {
                return sink_error_ ? std::move(*sink_error_) : scanner_.error();
            }
        }
        return {};
    }

private:
    bool read_line() {
        scanner_.skip_blanks();
        if (scanner_.at_end() || scanner_.take_newline()) {
            return true;
        }
        return scanner_.looking_at('#') ? read_comment() : read_sample();
    }

    bool end_line() {
        if (scanner_.at_end()) {
            return !strict_ || scanner_.fail("the last line does not end with a newline");
        }
        return scanner_.take_newline();
    }

    bool read_comment() {
        scanner_.take('#');
        scanner_.skip_blanks();
        const std::string_view word = scanner_.take_name();
        const bool blank = scanner_.looking_at(' ') || scanner_.looking_at('\t');
        if (!blank || (word != "HELP" && word != "TYPE")) {
            scanner_.take_rest_of_line();
            return end_line();
        }
        scanner_.skip_blanks();
        if (!read_family_name()) {
            return false;
        }
        scanner_.skip_blanks();
        MetadataEvent event{.family = family_, .line = scanner_.line()};
        std::string_view rest = scanner_.take_rest_of_line();
        const bool read = word == "HELP" ? read_help(rest, event) : read_type(rest, event);
        return read && deliver(event) && end_line();
    }

    bool read_family_name() {
        if (scanner_.looking_at('"')) {
            std::string_view inside;
            bool has_escapes = false;
            if (!scanner_.take_quoted(grammar_, inside, has_escapes)) {
                return false;
            }
            family_ = has_escapes ? unescape(inside, true) : std::string(inside);
        } else {
            family_ = scanner_.take_name();
        }
        if (family_.empty()) {
            return scanner_.fail_expected("metric name");
        }
        if (!scanner_.at_end() && !scanner_.looking_at(' ') && !scanner_.looking_at('\t') &&
            !scanner_.looking_at('\n')) {
            return scanner_.fail_expected("blank after metric name");
        }
        return true;
    }

    bool read_help(std::string_view rest, MetadataEvent& event) {
        if (!is_valid_utf8(rest)) {
            return scanner_.fail("invalid UTF-8 in HELP");
        }
        if (strict_ && std::exchange(families_[family_].has_help, true)) {
            return scanner_.fail(fmt::format("second HELP line for metric \"{}\"", family_));
        }
        help_ = unescape(rest, false);
        event.kind = MetadataEvent::Kind::kHelp;
        event.text = help_;
        return true;
    }

    bool read_type(std::string_view rest, MetadataEvent& event) {
        while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t')) {
            rest.remove_suffix(1);
        }
        const std::optional<MetricType> type = type_of_word(rest);
        if (!type) {
            return scanner_.fail(fmt::format("unknown metric type \"{}\"", rest.substr(0, 64)));
        }
        if (strict_) {
            Family& family = families_[family_];
            if (family.has_type || family.has_samples) {
                return scanner_.fail(fmt::format(
                    "second TYPE line for metric \"{}\", or TYPE after its samples", family_));
            }
            family.has_type = true;
            family.type = *type;
        }
        typed_family_ = family_;
        family_type_ = *type;
        event.kind = MetadataEvent::Kind::kType;
        event.type = *type;
        return true;
    }

    bool read_sample() {
        event_ = SampleEvent{.line = scanner_.line()};
        parts_.labels.clear();
        parts_.name_has_escapes = false;
        const char* const start = scanner_.position();
        parts_.name = scanner_.take_name();
        const char* series_end = scanner_.position();
        const bool named = !parts_.name.empty();
        const char* const before_blanks = scanner_.position();
        scanner_.skip_blanks();
        if (scanner_.take('{')) {
            if (!scanner_.take_labels(grammar_, parts_)) {
                return false;
            }
            series_end = scanner_.position();
            if (parts_.name.empty()) {
                return scanner_.fail("metric name not set");
            }
        } else if (!named) {
            return scanner_.fail_expected("metric name");
        } else if (before_blanks == scanner_.position()) {
            return scanner_.fail_expected("blank after metric name");
        }
        event_.series = {start, static_cast<std::size_t>(series_end - start)};
        return read_value_and_time() && finish_sample() && end_line();
    }

    bool read_value_and_time() {
        scanner_.skip_blanks();
        const std::string_view token = scanner_.take_token("\t{");
        if (token.empty()) {
            return scanner_.fail_expected("value");
        }
        if (!read_value(token, event_.value)) {
            return scanner_.fail(
                fmt::format("expected float as value, got \"{}\"", token.substr(0, 64)));
        }
        scanner_.skip_blanks();
        if (scanner_.at_end() || scanner_.looking_at('\n')) {
            return true;
        }
        const std::string_view time = scanner_.take_token("\t");
        std::int64_t milliseconds = 0;
        const auto [end, error] =
            std::from_chars(time.data(), time.data() + time.size(), milliseconds);
        const bool negative = time.starts_with('-');
        if (error != std::errc{} || end != time.data() + time.size() || (negative && !strict_)) {
            return scanner_.fail(
                fmt::format("expected integer as timestamp, got \"{}\"", time.substr(0, 64)));
        }
        event_.time = Timestamp(milliseconds);
        scanner_.skip_blanks();
        if (!scanner_.at_end() && !scanner_.looking_at('\n')) {
            return scanner_.fail_expected("end of line after timestamp");
        }
        return true;
    }

    bool finish_sample() {
        event_.name = parts_.name;
        event_.name_has_escapes = parts_.name_has_escapes;
        event_.type = strict_ ? strict_type() : current_type();
        mark_bounds(event_.type, parts_.labels);
        event_.labels = parts_.labels;
        if (strict_ && !check_sample()) {
            return false;
        }
        Result<void> delivered = sink_.on_sample(event_);
        if (!delivered) {
            sink_error_ = std::move(delivered).error();
        }
        return !sink_error_;
    }

    // The type of the family declared last, where the sample belongs to it.
    MetricType current_type() {
        if (event_.name_has_escapes) {
            return unescape(event_.name, true) == typed_family_ ? family_type_
                                                                : MetricType::kUnknown;
        }
        const std::optional<std::string_view> suffix = suffix_of(event_.name, typed_family_);
        return suffix && is_text_suffix(family_type_, *suffix) ? family_type_
                                                               : MetricType::kUnknown;
    }

    // The type of the family that the sample belongs to, wherever it was declared.
    MetricType strict_type() {
        const std::string name =
            event_.name_has_escapes ? unescape(event_.name, true) : std::string(event_.name);
        for (const std::string_view suffix :
             {"", "_bucket", "_sum", "_count", "_gsum", "_gcount"}) {
            if (!name.ends_with(suffix)) {
                continue;
            }
            const auto found =
                families_.find(std::string_view(name).substr(0, name.size() - suffix.size()));
            if (found != families_.end() && is_text_suffix(found->second.type, suffix)) {
                found->second.has_samples = true;
                return found->second.type;
            }
        }
        families_[name].has_samples = true;
        return MetricType::kUnknown;
    }

    bool check_sample() {
        for (const RawLabel& label : parts_.labels) {
            if (label.is_bound && !parse_float(label.value)) {
                return scanner_.fail(
                    fmt::format("expected float as value for label \"{}\", got \"{}\"", label.name,
                                label.value.substr(0, 64)));
            }
        }
        const bool histogram = event_.type == MetricType::kHistogram;
        const bool count = event_.name.ends_with("_bucket") || event_.name.ends_with("_count");
        if (histogram && count && (std::isnan(event_.value) || event_.value < 0)) {
            return scanner_.fail("a histogram counts with numbers that are not negative");
        }
        return true;
    }

    bool deliver(const MetadataEvent& event) {
        Result<void> delivered = sink_.on_metadata(event);
        if (!delivered) {
            sink_error_ = std::move(delivered).error();
        }
        return !sink_error_;
    }

    ExpositionScanner scanner_;
    const bool strict_;
    const LabelGrammar grammar_;
    ExpositionSink& sink_;
    std::optional<Error> sink_error_;

    std::string family_;        // named by the last HELP or TYPE line
    std::string typed_family_;  // named by the last TYPE line
    MetricType family_type_ = MetricType::kUnknown;
    std::string help_;
    StringMap<Family> families_;  // strict only
    SampleParts parts_;
    SampleEvent event_;
};

}  // namespace

Result<void> read_text(std::string_view text, Strictness strictness, ExpositionSink& sink) {
    return TextReader(text, strictness, sink).read();
}

}  // namespace kpid::wire::detail
