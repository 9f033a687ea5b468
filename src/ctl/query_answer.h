#pragma once
// A query's answer as rows for people and scripts.

#include "kpid/wire/json_document.h"

#include <string>
#include <utility>
#include <vector>

namespace kpid::ctl {

/// The answer of /api/v1/query or query_range. A scalar or string is one series without labels.
struct QueryAnswer {
    struct Point {
        double seconds = 0;  ///< Since the epoch.
        std::string value;   ///< As it was answered: "1.5", "NaN", "+Inf", a text.
    };
    struct Series {
        std::vector<std::pair<std::string, std::string>> labels;  ///< Sorted by name.
        std::vector<Point> points;
        /// `up{job="a"}`.
        [[nodiscard]] std::string text() const;
    };

    std::string type;  ///< "vector", "matrix", "scalar", "string".
    std::vector<Series> series;
};

/// Reads an answer's `data`; what is missing is left out.
[[nodiscard]] QueryAnswer read_query_answer(const wire::JsonValue& data);

/// Columns SERIES, TIME, VALUE, one row a point.
[[nodiscard]] std::string query_table(const QueryAnswer& answer);
/// RFC 4180 with a head line and CRLF: `time,value`, then the labels of all series by name, empty
/// where a series has none of it. Times are RFC 3339 in UTC.
[[nodiscard]] std::string query_csv(const QueryAnswer& answer);

}  // namespace kpid::ctl
