#pragma once
// The parser of metrics and of the series of test scripts.

#include "kpid/base/result.h"
#include "kpid/promql/series_description.h"
#include "promql/token_reader.h"

#include <string_view>
#include <vector>

namespace kpid::promql {

/// Parses one text; used once. The first error ends it.
class SeriesParser {
public:
    SeriesParser(std::string_view text, Lexer::Mode mode) : reader_(text, mode) {}

    /// The whole text as a metric.
    [[nodiscard]] Result<model::Labels> parse_metric();
    /// The whole text as a metric and its values.
    [[nodiscard]] Result<SeriesDescription> parse_series();

private:
    Result<model::Labels> read_metric();
    Result<model::Label> read_label();

    Result<void> read_item(std::vector<SequenceValue>& values);
    Result<void> read_blanks(std::vector<SequenceValue>& values);
    Result<void> read_floats(std::vector<SequenceValue>& values);
    Result<void> read_histograms(std::vector<SequenceValue>& values);
    Result<double> read_float();
    Result<double> read_number(bool sign_required);
    Result<std::uint64_t> read_repetition();
    /// `xN` where it stands; it must stand behind a step.
    Result<std::uint64_t> read_repetitions(bool stepped);
    Result<void> reserve(const std::vector<SequenceValue>& values, std::uint64_t more);

    Result<HistogramLiteral> read_histogram();
    Result<void> read_histogram_entry(HistogramLiteral& histogram, std::string_view key);
    Result<std::vector<double>> read_buckets();
    Result<std::int64_t> read_integer();
    Result<HistogramLiteral::CounterResetHint> read_hint();

    TokenReader reader_;
};

}  // namespace kpid::promql
