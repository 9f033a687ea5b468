#pragma once
// Reads the answers of a Prometheus-compatible server to instant and range queries.

#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

/// What a server says beside its result.
struct QueryNotes {
    /// Notes of one answer that are kept, of each kind.
    static constexpr std::size_t kNotesMax = 32;

    std::vector<std::string> warnings;
    std::vector<std::string> infos;
    /// VictoriaMetrics' `isPartial`: a part of its cluster did not answer.
    bool is_partial = false;
};

enum class QueryResultType { kVector, kScalar };

struct QueryResult {
    /// Series of one answer.
    static constexpr std::size_t kSeriesMax = 500'000;

    QueryResultType type = QueryResultType::kVector;
    std::vector<model::SeriesSample> samples;  ///< A scalar is one sample without labels.
    QueryNotes notes;
};

/// A matrix: the points of each series, in the order of the answer.
struct QueryMatrix {
    /// Points of one answer.
    static constexpr std::size_t kPointsMax = 500'000;

    std::vector<model::SeriesColumns> series;  ///< Times ascend, no instant twice.
    QueryNotes notes;
};

/// An error answer keeps the server's words: `bad_data: parse error: …` as kInvalidArgument,
/// `execution` as kUnprocessable, `timeout` as kDeadlineExceeded, other types as kUnavailable;
/// likewise where the type is the status as a number, as VictoriaMetrics has it. A matrix or string
/// result is kUnsupported; a text that is not such an answer (HTML) kInvalidArgument; more series
/// than allowed kResourceExhausted. Native histograms are skipped with a warning.
[[nodiscard]] Result<QueryResult> decode_query_result(std::string_view body);
/// The same for a range query: its result is a matrix.
[[nodiscard]] Result<QueryMatrix> decode_query_matrix(std::string_view body);

}  // namespace kpid::wire
