// kpictl query.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/query_params.h"
#include "ctl/report.h"
#include "ctl/table.h"
#include "kpid/base/clock.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <fmt/format.h>

#include <cstdio>

namespace kpid::ctl {
namespace {

std::string metric_text(const wire::JsonValue& series) {
    std::vector<model::Label> labels;
    if (const auto metric = series.member("metric")) {
        metric->for_each([&](std::string_view name, const wire::JsonValue& value) {
            labels.push_back({std::string(name), std::string(value.string())});
        });
    }
    return model::Labels::from(std::move(labels)).to_string();
}

// A pair [time, "value"].
std::pair<std::string, std::string> point_text(const wire::JsonValue& point) {
    std::string time;
    std::string value;
    point.for_each([&](std::string_view, const wire::JsonValue& part) {
        if (part.kind() == wire::JsonValue::Kind::kNumber) {
            const Result<Timestamp> at = timestamp_from_seconds(part.number());
            time = at ? format_rfc3339(*at) : "";
        } else {
            value = std::string(part.string());
        }
    });
    return {time, value};
}

std::vector<std::vector<std::string>> result_rows(const wire::JsonValue& data) {
    std::vector<std::vector<std::string>> rows{{"SERIES", "TIME", "VALUE"}};
    const auto result = data.member("result");
    if (!result) {
        return rows;
    }
    const std::string type = member_text(data, "resultType");
    if (type == "scalar" || type == "string") {
        const auto [time, value] = point_text(*result);
        rows.push_back({type, time, value});
        return rows;
    }
    result->for_each([&](std::string_view, const wire::JsonValue& series) {
        const std::string metric = metric_text(series);
        if (const auto point = series.member("value")) {
            const auto [time, value] = point_text(*point);
            rows.push_back({metric, time, value});
        }
        if (const auto points = series.member("values")) {
            points->for_each([&](std::string_view, const wire::JsonValue& point) {
                const auto [time, value] = point_text(point);
                rows.push_back({metric, time, value});
            });
        }
    });
    return rows;
}

}  // namespace

int run_query(const QueryOptions& options, const CommonOptions& common) {
    const char* path = options.start.empty() ? "/api/v1/query" : "/api/v1/query_range";
    const Result<ApiAnswer> answer =
        ApiClient(common.server).get(path, query_params(options, SystemClock().wall_now()));
    if (!answer) {
        return report_error(answer.error());
    }
    if (common.output == OutputFormat::kJson) {
        fmt::print("{}\n", json_text(answer->data()));
        return kExitFine;
    }
    fmt::print("{}", format_table(result_rows(answer->data())));
    for (const char* kind : {"warnings", "infos"}) {
        if (const auto list = answer->document.root().member(kind)) {
            list->for_each([&](std::string_view, const wire::JsonValue& text) {
                fmt::print(stderr, "{}: {}\n", kind, text.string());
            });
        }
    }
    return kExitFine;
}

}  // namespace kpid::ctl
