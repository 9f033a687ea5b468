#pragma once
// PromQL's texts: expressions, selectors, metrics and the series of test scripts.

#include "kpid/base/result.h"
#include "kpid/model/labels.h"
#include "kpid/model/matcher.h"
#include "kpid/promql/ast.h"
#include "kpid/promql/series_description.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {

/// How deep a tree may be, and how many nested constructs one may hold.
inline constexpr std::size_t kExprDepthMax = 1000;
/// Longer texts are refused.
inline constexpr std::size_t kExprBytesMax = 1024 * 1024;

/// What is accepted beyond the stable language; the experimental parts are off as in Prometheus.
struct ParseOptions {
    bool experimental_functions = false;    ///< Functions marked so, limitk, limit_ratio.
    bool duration_expressions = false;      ///< Arithmetic in ranges, offsets and steps.
    bool extended_range_selectors = false;  ///< `anchored` and `smoothed`.
    bool fill_modifiers = false;            ///< `fill`, `fill_left`, `fill_right`.
    std::size_t depth_max = kExprDepthMax;
    std::size_t bytes_max = kExprBytesMax;
};

/// Parses and checks an expression. The tree refers to nothing of `text`. Errors are
/// kInvalidArgument, worded as Prometheus words them with line and column (both from 1, in bytes):
/// `1:5: parse error: unexpected …`. Linear in the text; never recurses deeper than the options
/// allow.
[[nodiscard]] Result<ExprPtr> parse_expr(std::string_view text, const ParseOptions& options = {});

/// Parses an instant vector selector without `offset` or `@` (`up{job="x"}`), as match[] takes it.
/// Whether it excludes the empty value is not checked.
[[nodiscard]] Result<std::vector<model::Matcher>> parse_metric_selector(std::string_view text);

/// Parses a metric: `name{a="b", "c.d"="e"}`, `{"name.x"}`; the empty text has no labels.
[[nodiscard]] Result<model::Labels> parse_metric(std::string_view text);

/// Parses a line of a test script's `load`: a metric and its values (`up 1 _ stale 0+1x5`).
[[nodiscard]] Result<SeriesDescription> parse_series_description(std::string_view text);

/// "line:column" of a byte offset in a text, both from 1; "invalid position" beyond the text's end.
[[nodiscard]] std::string line_and_column(std::string_view text, std::size_t offset);

}  // namespace kpid::promql
