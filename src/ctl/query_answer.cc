// Tables of a query's answer.
#include "ctl/query_answer.h"

#include "ctl/json_text.h"
#include "ctl/table.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <algorithm>
#include <set>

namespace kpid::ctl {
namespace {

using Kind = wire::JsonValue::Kind;

// A pair [time, "value"].
QueryAnswer::Point read_point(const wire::JsonValue& pair) {
    QueryAnswer::Point point;
    pair.for_each([&](std::string_view, const wire::JsonValue& part) {
        if (part.kind() == Kind::kNumber) {
            point.seconds = part.number();
        } else if (part.kind() == Kind::kString) {
            point.value = std::string(part.string());
        }
    });
    return point;
}

QueryAnswer::Series read_series(const wire::JsonValue& item) {
    QueryAnswer::Series series;
    if (const auto metric = item.member("metric")) {
        metric->for_each([&](std::string_view name, const wire::JsonValue& value) {
            const bool is_text = value.kind() == Kind::kString;
            series.labels.emplace_back(name, is_text ? value.string() : std::string_view());
        });
    }
    std::sort(series.labels.begin(), series.labels.end());
    if (const auto point = item.member("value")) {
        series.points.push_back(read_point(*point));
    }
    if (const auto points = item.member("values")) {
        points->for_each([&](std::string_view, const wire::JsonValue& point) {
            series.points.push_back(read_point(point));
        });
    }
    return series;
}

std::string time_text(double seconds) {
    const Result<Timestamp> at = timestamp_from_seconds(seconds);
    return at ? format_rfc3339(*at) : std::string();
}

void add_field(std::string& csv, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        csv += text;
        return;
    }
    csv += '"';
    for (const char c : text) {
        csv += c;
        if (c == '"') {
            csv += c;
        }
    }
    csv += '"';
}

}  // namespace

std::string QueryAnswer::Series::text() const {
    std::vector<model::Label> all;
    all.reserve(labels.size());
    for (const auto& [name, value] : labels) {
        all.push_back({name, value});
    }
    return model::Labels::from(std::move(all)).to_string();
}

QueryAnswer read_query_answer(const wire::JsonValue& data) {
    QueryAnswer answer{.type = member_text(data, "resultType"), .series = {}};
    const auto result = data.member("result");
    if (!result) {
        return answer;
    }
    if (answer.type == "scalar" || answer.type == "string") {
        answer.series.push_back({.labels = {}, .points = {read_point(*result)}});
        return answer;
    }
    result->for_each([&](std::string_view, const wire::JsonValue& item) {
        answer.series.push_back(read_series(item));
    });
    return answer;
}

std::string query_table(const QueryAnswer& answer) {
    std::vector<std::vector<std::string>> rows{{"SERIES", "TIME", "VALUE"}};
    const bool is_plain = answer.type == "scalar" || answer.type == "string";
    for (const QueryAnswer::Series& series : answer.series) {
        const std::string name = is_plain ? answer.type : series.text();
        for (const QueryAnswer::Point& point : series.points) {
            rows.push_back({name, time_text(point.seconds), point.value});
        }
    }
    return format_table(rows);
}

std::string query_csv(const QueryAnswer& answer) {
    std::set<std::string> names;
    for (const QueryAnswer::Series& series : answer.series) {
        for (const auto& [name, value] : series.labels) {
            names.insert(name);
        }
    }
    std::string csv = "time,value";
    for (const std::string& name : names) {
        csv += ',';
        add_field(csv, name);
    }
    csv += "\r\n";
    for (const QueryAnswer::Series& series : answer.series) {
        std::string labels;
        auto label = series.labels.begin();
        for (const std::string& name : names) {
            labels += ',';
            if (label != series.labels.end() && label->first == name) {
                add_field(labels, label->second);
                ++label;
            }
        }
        for (const QueryAnswer::Point& point : series.points) {
            csv += time_text(point.seconds) + ',';
            add_field(csv, point.value);
            csv += labels + "\r\n";
        }
    }
    return csv;
}

}  // namespace kpid::ctl
