// The entries to PromQL's parsers.

#include "kpid/promql/parser.h"

#include "promql/check.h"
#include "promql/expression_parser.h"
#include "promql/series_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace kpid::promql {
namespace {

// Positions have 32 bits, whatever the options allow.
std::optional<Error> too_long(std::string_view text, std::size_t bytes_max) {
    const std::size_t limit =
        std::min<std::size_t>(bytes_max, std::numeric_limits<std::uint32_t>::max());
    if (text.size() <= limit) {
        return std::nullopt;
    }
    return invalid_argument(fmt::format("expression is longer than {} bytes", limit));
}

}  // namespace

Result<ExprPtr> parse_expr(std::string_view text, const ParseOptions& options) {
    if (std::optional<Error> error = too_long(text, options.bytes_max)) {
        return *std::move(error);
    }
    KPID_TRY(ExprPtr expr, ExpressionParser(text, options).parse());
    KPID_CHECK_OK(check_expression(*expr, text));
    return expr;
}

Result<std::vector<model::Matcher>> parse_metric_selector(std::string_view text) {
    if (std::optional<Error> error = too_long(text, kExprBytesMax)) {
        return *std::move(error);
    }
    const ParseOptions options;
    return ExpressionParser(text, options).parse_selector();
}

Result<model::Labels> parse_metric(std::string_view text) {
    if (std::optional<Error> error = too_long(text, kExprBytesMax)) {
        return *std::move(error);
    }
    return SeriesParser(text, Lexer::Mode::kExpression).parse_metric();
}

Result<SeriesDescription> parse_series_description(std::string_view text) {
    if (std::optional<Error> error = too_long(text, kExprBytesMax)) {
        return *std::move(error);
    }
    return SeriesParser(text, Lexer::Mode::kSeries).parse_series();
}

std::string line_and_column(std::string_view text, std::size_t offset) {
    if (offset > text.size()) {
        return "invalid position";
    }
    const std::string_view before = text.substr(0, offset);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t line_break = before.rfind('\n');
    const std::size_t column =
        line_break == std::string_view::npos ? offset + 1 : offset - line_break;
    return fmt::format("{}:{}", line, column);
}

}  // namespace kpid::promql
