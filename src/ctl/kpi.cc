// kpictl kpi list and show, kpictl notifications list.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/report.h"
#include "ctl/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace kpid::ctl {
namespace {

std::vector<std::string> kpi_row(const wire::JsonValue& kpi) {
    return {member_text(kpi, "id"),     member_text(kpi, "status"), member_text(kpi, "value"),
            member_text(kpi, "target"), member_text(kpi, "unit"),   member_text(kpi, "owner"),
            member_text(kpi, "since")};
}

}  // namespace

int run_kpi_list(const std::string& status, bool by_gap, const CommonOptions& common) {
    net::HttpParams params;
    if (!status.empty()) {
        params.add("status", status);
    }
    if (by_gap) {
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

int run_kpi_show(const std::string& id, const CommonOptions& common) {
    const Result<ApiAnswer> answer =
        ApiClient(common.server).get("/api/v1/kpis/" + net::url_encode(id));
    if (!answer) {
        return report_error(answer.error());
    }
    const wire::JsonValue kpi = answer->data();
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", json_text(kpi));
        return kExitFine;
    }
    std::vector<std::vector<std::string>> facts;
    for (const char* name : {"id", "title", "owner", "goal", "category", "unit", "better", "status",
                             "value", "target", "since"}) {
        facts.push_back({name, member_text(kpi, name)});
    }
    fmt::print("{}\n", format_table(facts));
    std::vector<std::vector<std::string>> rows{{"INSTANCE", "STATUS", "VALUE", "TARGET", "SINCE"}};
    if (const auto instances = kpi.member("instances")) {
        instances->for_each([&](std::string_view, const wire::JsonValue& instance) {
            rows.push_back({member_text(instance, "labels"), member_text(instance, "status"),
                            member_text(instance, "value"), member_text(instance, "target"),
                            member_text(instance, "since")});
        });
    }
    fmt::print("{}", format_table(rows));
    return kExitFine;
}

int run_notifications_list(const NotificationsOptions& options, const CommonOptions& common) {
    net::HttpParams params;
    for (const auto& [name, value] :
         {std::pair<const char*, const std::string&>{"receiver", options.receiver},
          {"state", options.state},
          {"limit", options.limit}}) {
        if (!value.empty()) {
            params.add(name, value);
        }
    }
    const Result<ApiAnswer> answer = ApiClient(common.server).get("/api/v1/notifications", params);
    if (!answer) {
        return report_error(answer.error());
    }
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", json_text(answer->data()));
        return kExitFine;
    }
    std::vector<std::vector<std::string>> rows{
        {"CREATED", "RECEIVER", "STATE", "ATTEMPTS", "FIRING", "RESOLVED", "LAST ERROR", "ID"}};
    // The answer is in order of id; times are all UTC and of one length, so that they sort as text.
    const auto newer = [](const std::vector<std::string>& a, const std::vector<std::string>& b) {
        return a.front() > b.front();
    };
    answer->data().for_each([&](std::string_view, const wire::JsonValue& message) {
        std::size_t firing = 0;
        std::size_t resolved = 0;
        if (const auto alerts = message.member("alerts")) {
            alerts->for_each([&](std::string_view, const wire::JsonValue& alert) {
                ++(member_text(alert, "status") == "firing" ? firing : resolved);
            });
        }
        std::size_t attempts = 0;
        std::string last_error;
        if (const auto list = message.member("attempts")) {
            attempts = list->size();
            list->for_each([&](std::string_view, const wire::JsonValue& attempt) {
                last_error = member_text(attempt, "error");
            });
        }
        rows.push_back({member_text(message, "created"), member_text(message, "receiver"),
                        member_text(message, "state"), std::to_string(attempts),
                        std::to_string(firing), std::to_string(resolved), last_error,
                        member_text(message, "id")});
    });
    std::stable_sort(rows.begin() + 1, rows.end(), newer);
    fmt::print("{}", format_table(rows));
    return kExitFine;
}

}  // namespace kpid::ctl
