#pragma once
// kpid's own endpoints about KPIs and goals.

#include "evaluate/evaluator.h"
#include "kpid/base/json_writer.h"
#include "kpid/kpi/status.h"
#include "net/http_message.h"

#include <optional>
#include <string>
#include <vector>

namespace kpid::http {

/// A KPI as the API shows it. Of the past not every status is known.
struct ShownKpi {
    evaluate::KpiView view;
    std::optional<kpi::Status> status;
    std::vector<std::optional<kpi::Status>> statuses = {};  ///< One for each instance of the view.
};
[[nodiscard]] ShownKpi shown_now(evaluate::KpiView view);
/// One object of the list.
void write_kpi(JsonWriter& json, const ShownKpi& kpi);
/// A number; null without one. A condition likewise.
void write_number_or_null(JsonWriter& json, const std::optional<double>& value);
void write_condition(JsonWriter& json, const std::optional<kpi::ResolvedCondition>& condition);
/// The list as the parameters status, sort=gap and limit want it. `kpis` are in order of id.
[[nodiscard]] Result<net::HttpResponse> list_response(std::vector<ShownKpi> kpis,
                                                      const net::HttpParams& params);

/// `kpis`: the list in order of id; parameters status, sort=gap, limit.
[[nodiscard]] Result<net::HttpResponse> kpis_response(const evaluate::Evaluator& evaluator,
                                                      const net::HttpParams& params);
/// `kpis/<id>`: one object of the list; kNotFound.
[[nodiscard]] Result<net::HttpResponse> kpi_response(const evaluate::Evaluator& evaluator,
                                                     const std::string& id);
[[nodiscard]] Error no_such_kpi(std::string_view id);
/// `goals`: with the KPIs that point to each; the status is the worst of theirs.
[[nodiscard]] net::HttpResponse goals_response(const evaluate::Evaluator& evaluator);

/// How far the worst instance misses its target, as a share of the target; negative when all reach
/// it.
[[nodiscard]] double gap_of(const evaluate::KpiView& kpi);
/// The target in force: that of the only instance; with none or several the KPI's own, where its
/// bounds are numbers.
[[nodiscard]] std::optional<kpi::ResolvedCondition> target_of(const evaluate::KpiView& kpi);

}  // namespace kpid::http
