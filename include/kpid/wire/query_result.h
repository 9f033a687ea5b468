#pragma once
// Reads the answer of a Prometheus-compatible server to an instant query.

#include "kpid/base/result.h"
#include "kpid/model/sample.h"

#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

enum class QueryResultType { kVector, kScalar };

struct QueryResult {
    /// Series of one answer.
    static constexpr std::size_t kSeriesMax = 500'000;

    QueryResultType type = QueryResultType::kVector;
    std::vector<model::SeriesSample> samples;  ///< A scalar is one sample without labels.
    std::vector<std::string> warnings;         ///< Warnings, then infos.
};

/// An error answer keeps the server's words: `bad_data: parse error: …` as kInvalidArgument,
/// `execution` as kUnprocessable, `timeout` as kDeadlineExceeded, other types as kUnavailable. A
/// matrix or string result is kUnsupported; a text that is not such an answer (HTML)
/// kInvalidArgument. Native histograms are skipped with a warning.
[[nodiscard]] Result<QueryResult> decode_query_result(std::string_view body);

}  // namespace kpid::wire
