#pragma once
// /api/v1/format_query and parse_query: what the parser makes of an expression.

#include "kpid/promql/ast.h"
#include "kpid/promql/parser.h"
#include "net/http_message.h"

#include <string>

namespace kpid::http {

/// `format_query?query=`: the expression over several lines where it is long.
[[nodiscard]] Result<net::HttpResponse> format_query_response(const promql::ParseOptions& options,
                                                              const net::HttpParams& params);
/// `parse_query?query=`: the tree as Prometheus' page reads it.
[[nodiscard]] Result<net::HttpResponse> parse_query_response(const promql::ParseOptions& options,
                                                             const net::HttpParams& params);
/// The tree as JSON. Ranges, offsets and steps are milliseconds; those that are computed are 0.
[[nodiscard]] std::string expression_json(const promql::Expr& expr);

}  // namespace kpid::http
