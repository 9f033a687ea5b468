#pragma once
// What a PromQL query gives back: scalar, string, instant vector or range vector.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace kpid::promql {

/// A number at an instant.
struct Scalar {
    Timestamp time;
    double value = 0;
};

/// A text at an instant.
struct String {
    Timestamp time;
    std::string value;
};

/// One series' value at an instant. A native histogram gets its place beside `value`, as
/// `std::shared_ptr<const model::Histogram> histogram` that is null for floats; the same holds for
/// Point.
struct VectorSample {
    model::Labels labels;
    Timestamp time;
    double value = 0;
};

/// The answer of an instant query. Label sets are unique. In the order that the expression gives it
/// (`sort`, `topk`), else in no promised order.
using Vector = std::vector<VectorSample>;

/// One value of a series of a Matrix.
struct Point {
    Timestamp time;
    double value = 0;
};

/// One series with its points, times strictly ascending, at least one.
struct MatrixSeries {
    model::Labels labels;
    std::vector<Point> points;
};

/// The answer of a range query, or of an instant query on a range vector. In order of labels, which
/// are unique.
using Matrix = std::vector<MatrixSeries>;

/// Exactly what the type of the expression says; a range query gives a Matrix always.
using Value = std::variant<Scalar, String, Vector, Matrix>;

/// "scalar", "string", "vector", "matrix", as the HTTP API names them in `resultType`.
[[nodiscard]] std::string_view value_type_name(const Value& value);

}  // namespace kpid::promql
