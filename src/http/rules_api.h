#pragma once
// Prometheus' endpoints about rules and alerts.

#include "evaluate/evaluator.h"
#include "net/http_message.h"

#include <vector>

namespace kpid::http {

/// `rules` with its filters type, rule_name[], rule_group[], file[], match[], exclude_alerts, and
/// its pages: group_limit, group_next_token. A group that the filters leave no rule is left out.
[[nodiscard]] Result<net::HttpResponse> rules_response(
    const std::vector<evaluate::RuleGroupView>& groups, const net::HttpParams& params);
/// `alerts`: pending and firing ones, of rules and KPIs.
[[nodiscard]] net::HttpResponse alerts_response(const evaluate::Evaluator& evaluator);

}  // namespace kpid::http
