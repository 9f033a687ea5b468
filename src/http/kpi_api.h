#pragma once
// kpid's own endpoints about KPIs and goals.

#include "evaluate/evaluator.h"
#include "net/http_message.h"

#include <optional>
#include <string>

namespace kpid::http {

/// `kpis`: the list in order of id; parameters status, sort=gap, limit.
[[nodiscard]] Result<net::HttpResponse> kpis_response(const evaluate::Evaluator& evaluator,
                                                      const net::HttpParams& params);
/// `kpis/<id>`: one object of the list; kNotFound.
[[nodiscard]] Result<net::HttpResponse> kpi_response(const evaluate::Evaluator& evaluator,
                                                     const std::string& id,
                                                     const net::HttpParams& params);
/// `goals`: with the KPIs that point to each; the status is the worst of theirs.
[[nodiscard]] net::HttpResponse goals_response(const evaluate::Evaluator& evaluator);

/// How far the worst instance misses its target, as a share of the target; negative when all reach
/// it.
[[nodiscard]] double gap_of(const evaluate::KpiView& kpi);
/// The target in force: that of the only instance; with none or several the KPI's own, where its
/// bounds are numbers.
[[nodiscard]] std::optional<kpi::ResolvedCondition> target_of(const evaluate::KpiView& kpi);

}  // namespace kpid::http
