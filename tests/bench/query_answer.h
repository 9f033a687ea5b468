#pragma once
// The answers that kpid and its peers give to a query, read and compared.

#include "kpid/base/result.h"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::bench {

/// A vector or a matrix.
struct QueryAnswer {
    struct Point {
        double time = 0;  ///< Seconds since the epoch.
        double value = 0;
    };
    using Labels = std::map<std::string, std::string>;
    std::map<Labels, std::vector<Point>> series;

    [[nodiscard]] std::size_t point_count() const;
};

/// Reads the JSON of /api/v1/query and query_range.
[[nodiscard]] Result<QueryAnswer> read_answer(const std::string& body);

/// An error that names the first difference in series, times, or values by more than 1e-9 of them.
[[nodiscard]] Result<void> check_same(const QueryAnswer& ours, const QueryAnswer& theirs);

}  // namespace kpid::bench
