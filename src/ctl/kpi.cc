// kpictl kpi list and show.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/kpi_text.h"
#include "ctl/report.h"
#include "ctl/table.h"

#include <fmt/format.h>

#include <cstdio>

namespace kpid::ctl {
namespace {

std::vector<std::string> kpi_row(const wire::JsonValue& kpi) {
    const std::string unit_name = member_text(kpi, "unit");
    const model::Unit unit = unit_named(unit_name);
    return {member_text(kpi, "id"),
            member_text(kpi, "status"),
            value_text(kpi, unit),
            target_text(kpi, unit),
            unit_name,
            member_text(kpi, "owner"),
            member_text(kpi, "since")};
}

net::HttpParams past_params(const PastOptions& past) {
    net::HttpParams params;
    if (!past.time.empty()) {
        params.add("time", past.time);
    }
    if (!past.known_at.empty()) {
        params.add("known_at", past.known_at);
    }
    return params;
}

}  // namespace

int run_kpi_list(const KpiListOptions& options, const CommonOptions& common) {
    net::HttpParams params = past_params(options.past);
    if (!options.status.empty()) {
        params.add("status", options.status);
    }
    if (options.by_gap) {
        params.add("sort", "gap");
    }
    const Result<ApiAnswer> answer = ApiClient(common.server).get("/api/v1/kpis", params);
    if (!answer) {
        return report_error(answer.error());
    }
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", json_text(answer->data()));
        return kExitFine;
    }
    std::vector<std::vector<std::string>> rows{
        {"KPI", "STATUS", "VALUE", "TARGET", "UNIT", "OWNER", "SINCE"}};
    answer->data().for_each(
        [&](std::string_view, const wire::JsonValue& kpi) { rows.push_back(kpi_row(kpi)); });
    fmt::print("{}", format_table(rows));
    return kExitFine;
}

int run_kpi_show(const std::string& id, const PastOptions& past, const CommonOptions& common) {
    const Result<ApiAnswer> answer =
        ApiClient(common.server).get("/api/v1/kpis/" + net::url_encode(id), past_params(past));
    if (!answer) {
        return report_error(answer.error());
    }
    const wire::JsonValue kpi = answer->data();
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", json_text(kpi));
        return kExitFine;
    }
    std::vector<std::vector<std::string>> facts;
    for (const char* name :
         {"id", "title", "owner", "goal", "category", "unit", "better", "status", "since"}) {
        facts.push_back({name, member_text(kpi, name)});
    }
    const model::Unit unit = unit_named(member_text(kpi, "unit"));
    facts.push_back({"value", value_text(kpi, unit)});
    facts.push_back({"target", target_text(kpi, unit)});
    fmt::print("{}\n", format_table(facts));
    std::vector<std::vector<std::string>> rows{{"INSTANCE", "STATUS", "VALUE", "TARGET", "SINCE"}};
    if (const auto instances = kpi.member("instances")) {
        instances->for_each([&](std::string_view, const wire::JsonValue& instance) {
            rows.push_back({member_text(instance, "labels"), member_text(instance, "status"),
                            value_text(instance, unit), target_text(instance, unit),
                            member_text(instance, "since")});
        });
    }
    fmt::print("{}", format_table(rows));
    return kExitFine;
}

}  // namespace kpid::ctl
