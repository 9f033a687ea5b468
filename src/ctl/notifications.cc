// kpictl notifications list.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/report.h"
#include "ctl/table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

namespace kpid::ctl {
namespace {

constexpr std::size_t kNamesShown = 3;

struct AlertCounts {
    std::size_t firing = 0;
    std::size_t resolved = 0;
    std::string names;  // each once; the first kNamesShown
};

AlertCounts count_alerts(const wire::JsonValue& message) {
    AlertCounts counts;
    std::vector<std::string> names;
    if (const auto alerts = message.member("alerts")) {
        alerts->for_each([&](std::string_view, const wire::JsonValue& alert) {
            ++(member_text(alert, "status") == "firing" ? counts.firing : counts.resolved);
            std::string name = member_text(alert, "alertname");
            if (std::find(names.begin(), names.end(), name) == names.end()) {
                names.push_back(std::move(name));
            }
        });
    }
    const std::size_t more = names.size() - std::min(names.size(), kNamesShown);
    names.resize(names.size() - more);
    counts.names = fmt::format("{}", fmt::join(names, ", "));
    if (more > 0) {
        counts.names += fmt::format(" and {} more", more);
    }
    return counts;
}

std::vector<std::string> message_row(const wire::JsonValue& message) {
    std::size_t attempts = 0;
    std::string last_error;
    if (const auto list = message.member("attempts")) {
        attempts = list->size();
        list->for_each([&](std::string_view, const wire::JsonValue& attempt) {
            last_error = member_text(attempt, "error");
        });
    }
    const AlertCounts alerts = count_alerts(message);
    return {member_text(message, "created"),
            member_text(message, "receiver"),
            member_text(message, "state"),
            std::to_string(attempts),
            std::to_string(alerts.firing),
            std::to_string(alerts.resolved),
            alerts.names,
            last_error,
            member_text(message, "id")};
}

}  // namespace

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
    std::vector<std::vector<std::string>> rows{{"CREATED", "RECEIVER", "STATE", "ATTEMPTS",
                                                "FIRING", "RESOLVED", "ALERTS", "LAST ERROR",
                                                "ID"}};
    // The answer is in order of id; times are all UTC and of one length, so that they sort as text.
    const auto newer = [](const std::vector<std::string>& a, const std::vector<std::string>& b) {
        return a.front() > b.front();
    };
    answer->data().for_each([&](std::string_view, const wire::JsonValue& message) {
        rows.push_back(message_row(message));
    });
    std::stable_sort(rows.begin() + 1, rows.end(), newer);
    fmt::print("{}", format_table(rows));
    return kExitFine;
}

}  // namespace kpid::ctl
