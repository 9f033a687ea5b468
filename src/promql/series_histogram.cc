// The native histograms of series.

#include "promql/series_parser.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace kpid::promql {
namespace {

constexpr std::string_view kHistogram = "histogram description";
constexpr std::string_view kSeriesValues = "series values";

}  // namespace

// `{{…}}`, `{{…}}xN`, `{{…}}+{{…}}xN`, `{{…}}-{{…}}xN`.
Result<void> SeriesParser::read_histograms(std::vector<SequenceValue>& values) {
    HistogramValue histogram;
    KPID_TRY(HistogramLiteral base, read_histogram());
    histogram.base = std::make_shared<const HistogramLiteral>(std::move(base));
    const bool stepped = reader_.peek_is(TokenKind::kAdd) || reader_.peek_is(TokenKind::kSub);
    if (stepped) {
        histogram.subtract = reader_.take().kind == TokenKind::kSub;
        if (!reader_.peek_is(TokenKind::kOpenHistogram)) {
            return reader_.unexpected(kSeriesValues);
        }
        KPID_TRY(HistogramLiteral increment, read_histogram());
        histogram.increment = std::make_shared<const HistogramLiteral>(std::move(increment));
    }
    KPID_TRY(const std::uint64_t repetitions, read_repetitions(stepped));
    KPID_CHECK_OK(reserve(values, repetitions));
    for (std::uint64_t i = 0; i <= repetitions; ++i) {
        histogram.increments = stepped ? i : 0;
        SequenceValue value;
        value.histogram = histogram;
        values.push_back(std::move(value));
    }
    return {};
}

// The next token is known to be `{{`.
Result<HistogramLiteral> SeriesParser::read_histogram() {
    reader_.take();
    HistogramLiteral histogram;
    std::set<std::string_view> seen;
    reader_.accept(TokenKind::kSpace);
    while (!reader_.accept(TokenKind::kCloseHistogram)) {
        if (!reader_.peek_is(TokenKind::kHistogramKey)) {
            return reader_.unexpected(kHistogram,
                                      "histogram description key, e.g. buckets:[5 10 7]");
        }
        const Token key = reader_.take();
        if (!seen.insert(key.text).second) {
            return reader_.error_at(key.position.start,
                                    fmt::format("duplicate key \"{}\" in histogram", key.text));
        }
        if (!reader_.accept(TokenKind::kColon)) {
            return reader_.unexpected(kHistogram);
        }
        KPID_CHECK_OK(read_histogram_entry(histogram, key.text));
        if (!reader_.accept(TokenKind::kSpace) && !reader_.peek_is(TokenKind::kCloseHistogram)) {
            return reader_.unexpected(kHistogram,
                                      "histogram description key, e.g. buckets:[5 10 7]");
        }
    }
    return histogram;
}

Result<void> SeriesParser::read_histogram_entry(HistogramLiteral& histogram, std::string_view key) {
    if (key == "schema") {
        KPID_TRY(histogram.schema, read_integer());
    } else if (key == "sum") {
        KPID_TRY(histogram.sum, read_number(false));
    } else if (key == "count") {
        KPID_TRY(histogram.count, read_number(false));
    } else if (key == "z_bucket") {
        KPID_TRY(histogram.zero_count, read_number(false));
    } else if (key == "z_bucket_w") {
        KPID_TRY(histogram.zero_threshold, read_number(false));
    } else if (key == "offset") {
        KPID_TRY(histogram.offset, read_integer());
    } else if (key == "n_offset") {
        KPID_TRY(histogram.negative_offset, read_integer());
    } else if (key == "buckets") {
        KPID_TRY(histogram.buckets, read_buckets());
    } else if (key == "n_buckets") {
        KPID_TRY(histogram.negative_buckets, read_buckets());
    } else if (key == "custom_values") {
        KPID_TRY(histogram.custom_values, read_buckets());
    } else {
        KPID_TRY(histogram.counter_reset_hint, read_hint());
    }
    return {};
}

// `[1 2 3]`.
Result<std::vector<double>> SeriesParser::read_buckets() {
    std::vector<double> buckets;
    if (!reader_.accept(TokenKind::kLeftBracket)) {
        return reader_.unexpected(kHistogram);
    }
    do {
        KPID_TRY(const double bucket, read_number(false));
        buckets.push_back(bucket);
    } while (reader_.accept(TokenKind::kSpace) && !reader_.peek_is(TokenKind::kRightBracket));
    if (!reader_.accept(TokenKind::kRightBracket)) {
        return reader_.unexpected(kHistogram);
    }
    return buckets;
}

Result<std::int64_t> SeriesParser::read_integer() {
    const bool negative = reader_.accept(TokenKind::kSub);
    KPID_TRY(const std::uint64_t magnitude, read_repetition());
    constexpr std::uint64_t kMagnitudeMax = 1U << 30;
    if (magnitude > kMagnitudeMax) {
        return reader_.error_at(reader_.taken_end(), "number in histogram is out of range");
    }
    const auto value = static_cast<std::int64_t>(magnitude);
    return negative ? -value : value;
}

Result<HistogramLiteral::CounterResetHint> SeriesParser::read_hint() {
    if (!reader_.peek_is(TokenKind::kCounterResetHint)) {
        return reader_.unexpected(kHistogram);
    }
    const std::string_view word = reader_.take().text;
    using Hint = HistogramLiteral::CounterResetHint;
    return word == "reset"       ? Hint::kReset
           : word == "not_reset" ? Hint::kNotReset
           : word == "gauge"     ? Hint::kGauge
                                 : Hint::kUnknown;
}

}  // namespace kpid::promql
