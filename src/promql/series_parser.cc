// Metrics and the values of series.

#include "promql/series_parser.h"

#include "kpid/model/sample.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace kpid::promql {
namespace {

constexpr std::string_view kLabelSet = "label set";
constexpr std::string_view kSeriesValues = "series values";

}  // namespace

Result<model::Labels> SeriesParser::parse_metric() {
    KPID_TRY(model::Labels labels, read_metric());
    if (!reader_.peek_is(TokenKind::kEnd)) {
        return reader_.unexpected();
    }
    return labels;
}

Result<SeriesDescription> SeriesParser::parse_series() {
    SeriesDescription series;
    KPID_TRY(series.labels, read_metric());
    while (!reader_.peek_is(TokenKind::kEnd)) {
        if (!reader_.accept(TokenKind::kSpace)) {
            return reader_.unexpected(kSeriesValues);
        }
        if (!reader_.peek_is(TokenKind::kEnd)) {
            KPID_CHECK_OK(read_item(series.values));
        }
    }
    return series;
}

// `name`, `name{…}`, `{…}` or nothing, which is the series without labels.
Result<model::Labels> SeriesParser::read_metric() {
    std::string name;
    if (may_name_metric(reader_.peek().kind)) {
        name = std::string(reader_.take().text);
    }
    std::vector<model::Label> labels;
    if (reader_.accept(TokenKind::kLeftBrace)) {
        while (!reader_.accept(TokenKind::kRightBrace)) {
            KPID_TRY(model::Label label, read_label());
            labels.push_back(std::move(label));
            if (reader_.accept(TokenKind::kComma)) {
                continue;
            }
            if (!reader_.peek_is(TokenKind::kRightBrace)) {
                return reader_.unexpected(kLabelSet, "\",\" or \"}\"");
            }
        }
    }
    if (!name.empty()) {
        labels.push_back({std::string(model::kMetricName), std::move(name)});
    }
    return model::Labels::from(std::move(labels));
}

// `label="value"`, `"label"="value"` or `"metric"`.
Result<model::Label> SeriesParser::read_label() {
    const TokenKind kind = reader_.peek().kind;
    if (kind != TokenKind::kIdentifier && kind != TokenKind::kString) {
        return reader_.unexpected(kLabelSet, "identifier or \"}\"");
    }
    const Token token = reader_.take();
    model::Label label{std::string(token.text), {}};
    if (kind == TokenKind::kString) {
        KPID_TRY(label.name, reader_.string_value(token));
    }
    if (!reader_.accept(TokenKind::kEqual)) {
        if (kind == TokenKind::kIdentifier) {
            return reader_.unexpected(kLabelSet, "\"=\"");
        }
        return model::Label{std::string(model::kMetricName), std::move(label.name)};
    }
    if (!reader_.peek_is(TokenKind::kString)) {
        return reader_.unexpected(kLabelSet, "string");
    }
    KPID_TRY(label.value, reader_.string_value(reader_.take()));
    return label;
}

Result<void> SeriesParser::read_item(std::vector<SequenceValue>& values) {
    switch (reader_.peek().kind) {
        case TokenKind::kBlank:
            return read_blanks(values);
        case TokenKind::kOpenHistogram:
            return read_histograms(values);
        default:
            return read_floats(values);
    }
}

// `_` or `_xN`: N times nothing.
Result<void> SeriesParser::read_blanks(std::vector<SequenceValue>& values) {
    reader_.take();
    std::uint64_t count = 1;
    if (reader_.accept(TokenKind::kTimes)) {
        KPID_TRY(count, read_repetition());
    }
    KPID_CHECK_OK(reserve(values, count));
    SequenceValue nothing;
    nothing.omitted = true;
    values.insert(values.end(), count, nothing);
    return {};
}

// `a`, `axN` (N + 1 times), `a+bxN` (a, and N times b more); also `stale`.
Result<void> SeriesParser::read_floats(std::vector<SequenceValue>& values) {
    KPID_TRY(SequenceValue current, [&]() -> Result<SequenceValue> {
        SequenceValue value;
        KPID_TRY(value.value, read_float());
        return value;
    }());
    double step = 0;
    const bool stepped = reader_.peek_is(TokenKind::kAdd) || reader_.peek_is(TokenKind::kSub);
    if (stepped) {
        KPID_TRY(step, read_number(true));
    }
    KPID_TRY(const std::uint64_t repetitions, read_repetitions(stepped));
    KPID_CHECK_OK(reserve(values, repetitions));
    for (std::uint64_t i = 0; i <= repetitions; ++i) {
        values.push_back(current);
        // Adding nothing must not touch the bits of a stale marker.
        if (stepped) {
            current.value += step;
        }
    }
    return {};
}

Result<double> SeriesParser::read_float() {
    if (reader_.peek_is(TokenKind::kIdentifier)) {
        if (reader_.peek().text != "stale") {
            return reader_.unexpected(kSeriesValues, "number or \"stale\"");
        }
        reader_.take();
        return model::stale_marker();
    }
    return read_number(false);
}

Result<double> SeriesParser::read_number(bool sign_required) {
    const bool negative = reader_.peek_is(TokenKind::kSub);
    if (negative || reader_.peek_is(TokenKind::kAdd)) {
        reader_.take();
    } else if (sign_required) {
        return reader_.unexpected(kSeriesValues);
    }
    if (!reader_.peek_is(TokenKind::kNumber)) {
        return reader_.unexpected(kSeriesValues);
    }
    KPID_TRY(const double value, reader_.number_value(reader_.take()));
    return negative ? -value : value;
}

Result<std::uint64_t> SeriesParser::read_repetitions(bool stepped) {
    if (reader_.accept(TokenKind::kTimes)) {
        return read_repetition();
    }
    if (stepped) {
        return reader_.unexpected(kSeriesValues);
    }
    return std::uint64_t{0};
}

Result<std::uint64_t> SeriesParser::read_repetition() {
    if (!reader_.peek_is(TokenKind::kNumber)) {
        return reader_.unexpected(kSeriesValues);
    }
    const Token token = reader_.take();
    std::uint64_t count = 0;
    const char* const begin = token.text.data();
    const char* const end = begin + token.text.size();
    const auto [last, error] = std::from_chars(begin, end, count);
    if (error != std::errc() || last != end) {
        return reader_.error_at(
            token.position.start,
            fmt::format(
                "invalid repetition in series values: strconv.ParseUint: parsing \"{}\": {}",
                token.text,
                error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax"));
    }
    return count;
}

Result<void> SeriesParser::reserve(const std::vector<SequenceValue>& values, std::uint64_t more) {
    if (more >= kSeriesValuesMax || values.size() + more >= kSeriesValuesMax) {
        return reader_.error_at(reader_.taken_end(),
                                fmt::format("series has more than {} values", kSeriesValuesMax));
    }
    return {};
}

}  // namespace kpid::promql
