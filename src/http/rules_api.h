#pragma once
// Prometheus' endpoints about rules and alerts.

#include "evaluate/evaluator.h"
#include "net/http_message.h"

namespace kpid::http {

/// `rules` with its filters type, rule_name[], rule_group[], file[], exclude_alerts.
[[nodiscard]] Result<net::HttpResponse> rules_response(const evaluate::Evaluator& evaluator,
                                                       const net::HttpParams& params);
/// `alerts`: pending and firing ones, of rules and KPIs.
[[nodiscard]] net::HttpResponse alerts_response(const evaluate::Evaluator& evaluator);

}  // namespace kpid::http
