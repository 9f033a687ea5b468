// Reads answers to queries with simdjson and compares them number by number.

#include "bench/query_answer.h"

#include "kpid/base/number.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace kpid::bench {
namespace {

Result<QueryAnswer::Point> read_point(simdjson::dom::element pair) {
    std::string_view text;
    QueryAnswer::Point point;
    if (pair.at(0).get(point.time) != simdjson::SUCCESS ||
        pair.at(1).get(text) != simdjson::SUCCESS) {
        return invalid_argument("a point is no pair of time and value");
    }
    KPID_TRY(point.value, parse_float(text));
    return point;
}

Result<std::vector<QueryAnswer::Point>> read_points(simdjson::dom::element series) {
    std::vector<QueryAnswer::Point> points;
    simdjson::dom::array values;
    if (series["values"].get(values) == simdjson::SUCCESS) {
        for (const simdjson::dom::element pair : values) {
            KPID_TRY(const QueryAnswer::Point point, read_point(pair));
            points.push_back(point);
        }
        return points;
    }
    simdjson::dom::element pair;
    if (series["value"].get(pair) != simdjson::SUCCESS) {
        return invalid_argument("a series has no values");
    }
    KPID_TRY(const QueryAnswer::Point point, read_point(pair));
    points.push_back(point);
    return points;
}

std::string text_of(const QueryAnswer::Labels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ", ", name, value);
    }
    return "{" + text + "}";
}

bool is_same(double ours, double theirs) {
    constexpr double kRelative = 1e-9;
    return (std::isnan(ours) && std::isnan(theirs)) || ours == theirs ||
           std::abs(ours - theirs) <= kRelative * std::max(std::abs(ours), std::abs(theirs));
}

Result<void> check_points(const std::vector<QueryAnswer::Point>& ours,
                          const std::vector<QueryAnswer::Point>& theirs) {
    // Both print milliseconds.
    constexpr double kTimeSlack = 0.0005;
    if (ours.size() != theirs.size()) {
        return internal_error(fmt::format("{} points, not {}", ours.size(), theirs.size()));
    }
    for (std::size_t i = 0; i < ours.size(); ++i) {
        if (std::abs(ours[i].time - theirs[i].time) > kTimeSlack ||
            !is_same(ours[i].value, theirs[i].value)) {
            return internal_error(fmt::format("point {} is {} at {:.3f}, not {} at {:.3f}", i,
                                              ours[i].value, ours[i].time, theirs[i].value,
                                              theirs[i].time));
        }
    }
    return {};
}

}  // namespace

std::size_t QueryAnswer::point_count() const {
    std::size_t count = 0;
    for (const auto& [labels, points] : series) {
        count += points.size();
    }
    return count;
}

Result<QueryAnswer> read_answer(const std::string& body) {
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    simdjson::dom::array result;
    if (parser.parse(body).get(document) != simdjson::SUCCESS ||
        document["data"]["result"].get(result) != simdjson::SUCCESS) {
        return invalid_argument("not an answer: " + body.substr(0, 200));
    }
    QueryAnswer answer;
    for (const simdjson::dom::element series : result) {
        simdjson::dom::object metric;
        if (series["metric"].get(metric) != simdjson::SUCCESS) {
            return invalid_argument("a series has no labels");
        }
        QueryAnswer::Labels labels;
        for (const auto& [name, value] : metric) {
            labels.emplace(name, value.get_string().value_unsafe());
        }
        KPID_TRY(auto points, read_points(series));
        answer.series.emplace(std::move(labels), std::move(points));
    }
    return answer;
}

Result<void> check_same(const QueryAnswer& ours, const QueryAnswer& theirs) {
    if (ours.series.size() != theirs.series.size()) {
        return internal_error(
            fmt::format("{} series, not {}", ours.series.size(), theirs.series.size()));
    }
    for (const auto& [labels, points] : ours.series) {
        const auto found = theirs.series.find(labels);
        if (found == theirs.series.end()) {
            return internal_error("nobody else has the series " + text_of(labels));
        }
        const Result<void> same = check_points(points, found->second);
        if (!same) {
            return same.error().with_context(text_of(labels));
        }
    }
    return {};
}

}  // namespace kpid::bench
