// OpenMetrics 1.0 text.

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "wire/exposition_scanner.h"
#include "wire/openmetrics_checker.h"

#include <fmt/format.h>

#include <cmath>

namespace kpid::wire::detail {
namespace {

using model::MetricType;

struct TypeWord {
    std::string_view word;
    MetricType type;
};
constexpr TypeWord kTypeWords[] = {
    {"counter", MetricType::kCounter},     {"gauge", MetricType::kGauge},
    {"histogram", MetricType::kHistogram}, {"gaugehistogram", MetricType::kGaugeHistogram},
    {"summary", MetricType::kSummary},     {"info", MetricType::kInfo},
    {"stateset", MetricType::kStateset},   {"unknown", MetricType::kUnknown},
};

std::optional<MetricType> type_of_word(std::string_view word) {
    for (const TypeWord& entry : kTypeWords) {
        if (entry.word == word) {
            return entry.type;
        }
    }
    return std::nullopt;
}

class OpenMetricsReader {
public:
    OpenMetricsReader(std::string_view text, Strictness strictness, ExpositionSink& sink)
        : scanner_(text),
          strict_(strictness == Strictness::kStrict),
          grammar_{.trailing_comma = !strict_, .metric_name = true},
          exemplar_grammar_{.trailing_comma = !strict_},
          sink_(sink) {}

    Result<void> read() {
        while (!ended_) {
            if (!read_line()) {
                return sink_error_ ? std::move(*sink_error_) : scanner_.error();
            }
        }
        return {};
    }

private:
    bool read_line() {
        if (scanner_.at_end()) {
            return scanner_.fail("data does not end with # EOF");
        }
        return scanner_.looking_at('#') ? read_metadata() : read_sample();
    }

    bool end_line() {
        return scanner_.take_newline() ||
               scanner_.fail(scanner_.at_end() ? "data does not end with # EOF"
                                               : "expected end of line");
    }

    bool read_metadata() {
        if (scanner_.take_word("# EOF")) {
            return read_end();
        }
        using Kind = MetadataEvent::Kind;
        MetadataEvent event{.line = scanner_.line()};
        if (scanner_.take_word("# HELP ")) {
            event.kind = Kind::kHelp;
        } else if (scanner_.take_word("# TYPE ")) {
            event.kind = Kind::kType;
        } else if (scanner_.take_word("# UNIT ")) {
            event.kind = Kind::kUnit;
        } else {
            return scanner_.fail("a line that begins with # is none of HELP, TYPE, UNIT, EOF");
        }
        if (!read_family_name()) {
            return false;
        }
        if (!scanner_.take(' ')) {
            return scanner_.fail_expected("blank and text after metric name");
        }
        event.family = family_;
        return read_metadata_text(scanner_.take_rest_of_line(), event) && deliver(event) &&
               end_line();
    }

    bool read_end() {
        scanner_.take_newline();
        if (!scanner_.at_end()) {
            return scanner_.fail("unexpected data after # EOF");
        }
        ended_ = true;
        return !strict_ || no_problem(checker_.finish());
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
        return !family_.empty() || scanner_.fail_expected("metric name");
    }

    bool read_metadata_text(std::string_view rest, MetadataEvent& event) {
        switch (event.kind) {
            case MetadataEvent::Kind::kHelp:
                if (!is_valid_utf8(rest)) {
                    return scanner_.fail("invalid UTF-8 in HELP");
                }
                text_ = unescape(rest, true);
                event.text = text_;
                return true;
            case MetadataEvent::Kind::kUnit:
                text_ = rest;
                event.text = text_;
                if (!rest.empty() && !family_.ends_with("_" + text_)) {
                    return scanner_.fail(
                        fmt::format("unit \"{}\" not a suffix of metric \"{}\"", rest, family_));
                }
                return true;
            case MetadataEvent::Kind::kType:
                break;
        }
        const std::optional<MetricType> type = type_of_word(rest);
        if (!type) {
            return scanner_.fail(fmt::format("unknown metric type \"{}\"", rest.substr(0, 64)));
        }
        event.type = *type;
        typed_family_ = family_;
        family_type_ = *type;
        return true;
    }

    bool read_sample() {
        event_ = SampleEvent{.line = scanner_.line()};
        parts_.labels.clear();
        parts_.name_has_escapes = false;
        const char* const start = scanner_.position();
        parts_.name = scanner_.take_name();
        if (parts_.name.empty() && !scanner_.looking_at('{')) {
            return scanner_.fail_expected("metric name or #");
        }
        if (scanner_.take('{') && !scanner_.take_labels(grammar_, parts_)) {
            return false;
        }
        if (parts_.name.empty()) {
            return scanner_.fail("metric name not set");
        }
        event_.series = {start, static_cast<std::size_t>(scanner_.position() - start)};
        if (!read_number_and_time(event_.value, event_.time) || !read_exemplar()) {
            return false;
        }
        return finish_sample() && end_line();
    }

    // ` value` and, unless an exemplar follows, ` timestamp`.
    bool read_number_and_time(double& value, std::optional<Timestamp>& time) {
        if (!scanner_.take(' ')) {
            return scanner_.fail_expected("blank and value");
        }
        const std::string_view token = scanner_.take_token("");
        if (!read_value(token, value)) {
            return scanner_.fail(
                fmt::format("expected float as value, got \"{}\"", token.substr(0, 64)));
        }
        at_exemplar_ = scanner_.take_word(kExemplarStart);
        if (at_exemplar_ || !scanner_.take(' ')) {
            return true;
        }
        const std::string_view time_token = scanner_.take_token("");
        double seconds = 0;
        if (!read_value(time_token, seconds)) {
            return scanner_.fail(
                fmt::format("expected float as timestamp, got \"{}\"", time_token.substr(0, 64)));
        }
        const Result<Timestamp> converted = timestamp_from_seconds(seconds);
        if (!converted) {
            return scanner_.fail(fmt::format("invalid timestamp \"{}\"", time_token.substr(0, 64)));
        }
        time = *converted;
        at_exemplar_ = scanner_.take_word(kExemplarStart);
        return true;
    }

    bool read_exemplar() {
        if (!std::exchange(at_exemplar_, false)) {
            return true;
        }
        exemplar_parts_.labels.clear();
        exemplar_ = RawExemplar{};
        if (!scanner_.take_labels(exemplar_grammar_, exemplar_parts_) ||
            !read_number_and_time(exemplar_.value, exemplar_.time)) {
            return false;
        }
        if (at_exemplar_) {
            return scanner_.fail("a sample has two exemplars");
        }
        exemplar_.labels = exemplar_parts_.labels;
        event_.exemplar = &exemplar_;
        return true;
    }

    bool finish_sample() {
        event_.name = parts_.name;
        event_.name_has_escapes = parts_.name_has_escapes;
        std::string resolved;
        std::string_view name = event_.name;
        if (event_.name_has_escapes) {
            resolved = unescape(name, true);
            name = resolved;
        }
        const std::optional<std::string_view> suffix = suffix_of(name, typed_family_);
        if (suffix && is_suffix_of_type(family_type_, *suffix)) {
            event_.type = family_type_;
            event_.is_created = *suffix == "_created";
        }
        mark_bounds(event_.type, parts_.labels);
        event_.labels = parts_.labels;
        if (strict_ && !no_problem(checker_.on_sample(event_, name, event_.type))) {
            return false;
        }
        Result<void> delivered = sink_.on_sample(event_);
        if (!delivered) {
            sink_error_ = std::move(delivered).error();
        }
        return !sink_error_;
    }

    bool deliver(const MetadataEvent& event) {
        if (strict_ && !no_problem(checker_.on_metadata(event))) {
            return false;
        }
        Result<void> delivered = sink_.on_metadata(event);
        if (!delivered) {
            sink_error_ = std::move(delivered).error();
        }
        return !sink_error_;
    }

    bool no_problem(OpenMetricsChecker::Problem problem) {
        return !problem || scanner_.fail(std::move(*problem));
    }

    static constexpr std::string_view kExemplarStart = " # {";

    ExpositionScanner scanner_;
    const bool strict_;
    const LabelGrammar grammar_;
    const LabelGrammar exemplar_grammar_;
    ExpositionSink& sink_;
    std::optional<Error> sink_error_;
    OpenMetricsChecker checker_;  // strict only

    bool ended_ = false;
    std::string family_;
    std::string text_;
    std::string typed_family_;  // named by the last TYPE line
    MetricType family_type_ = MetricType::kUnknown;
    SampleParts parts_;
    SampleEvent event_;
    SampleParts exemplar_parts_;
    RawExemplar exemplar_;
    bool at_exemplar_ = false;
};

}  // namespace

Result<void> read_openmetrics(std::string_view text, Strictness strictness, ExpositionSink& sink) {
    return OpenMetricsReader(text, strictness, sink).read();
}

}  // namespace kpid::wire::detail
