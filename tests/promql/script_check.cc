// Comparison of results, with the tolerance that scripts are written for.

#include "promql/script_check.h"

#include "kpid/base/number.h"
#include "kpid/model/regex.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace kpid::promql::testing {
namespace {

// Prometheus' own measure of its scripts.
bool nearly_equal(double a, double b) {
    constexpr double kEpsilon = 1e-6;
    constexpr double kSmallest = std::numeric_limits<double>::min();
    if ((std::isnan(a) && std::isnan(b)) || a == b) {
        return true;
    }
    const double sum = std::abs(a) + std::abs(b);
    const double difference = std::abs(a - b);
    if (a == 0 || b == 0 || sum < kSmallest) {
        return difference < kEpsilon * kSmallest;
    }
    return difference / std::min(sum, std::numeric_limits<double>::max()) < kEpsilon;
}

bool fits(const Pattern& pattern, const std::string& text) {
    switch (pattern.kind) {
        case Pattern::Kind::kAny:
            return true;
        case Pattern::Kind::kMessage:
            return text == pattern.text;
        case Pattern::Kind::kRegex: {
            const auto regex = model::Regex::compile(".*(?:" + pattern.text + ").*");
            return regex && regex->full_match(text);
        }
    }
    return false;
}

std::string check_annotations(const std::string& kind, const std::vector<Pattern>& patterns,
                              bool none, const std::vector<std::string>& found) {
    if (none && !found.empty()) {
        return fmt::format("unexpected {}: {}", kind, found.front());
    }
    for (const Pattern& pattern : patterns) {
        if (std::none_of(found.begin(), found.end(),
                         [&](const std::string& text) { return fits(pattern, text); })) {
            return fmt::format("no {} like \"{}\", but {}: {}", kind, pattern.text, found.size(),
                               found.empty() ? "" : found.front());
        }
    }
    for (const std::string& text : found) {
        if (!patterns.empty() && std::none_of(patterns.begin(), patterns.end(),
                                              [&](const Pattern& p) { return fits(p, text); })) {
            return fmt::format("{} that no expectation names: {}", kind, text);
        }
    }
    return "";
}

// Time to value, by labels: every kind of answer can be shown so.
using Points = std::map<Timestamp, double>;
using Table = std::map<model::Labels, Points>;

std::string show(const Table& table) {
    std::string text;
    for (const auto& [labels, points] : table) {
        text += (text.empty() ? "" : "; ") + labels.to_string();
        for (const auto& [time, value] : points) {
            text += fmt::format(" {}@{}", format_float(value), time.ms());
        }
    }
    return text.empty() ? "nothing" : text;
}

std::string compare(const Table& expected, const Table& found) {
    bool same = expected.size() == found.size();
    for (auto a = expected.begin(), b = found.begin(); same && a != expected.end(); ++a, ++b) {
        same = a->first == b->first &&
               std::equal(a->second.begin(), a->second.end(), b->second.begin(), b->second.end(),
                          [](const auto& x, const auto& y) {
                              return x.first == y.first && nearly_equal(x.second, y.second);
                          });
    }
    return same ? "" : fmt::format("expected {}, found {}", show(expected), show(found));
}

Table expected_table(const Evaluation& evaluation) {
    Table table;
    for (const SeriesDescription& series : evaluation.series) {
        Table::mapped_type& points = table[series.labels];
        Timestamp time =
            evaluation.range_vector ? evaluation.range_vector->first : evaluation.start;
        const Duration step =
            evaluation.range_vector ? evaluation.range_vector->second : evaluation.step;
        for (const SequenceValue& item : series.values) {
            if (!item.omitted) {
                points[time] = item.value;
            }
            time += step;
        }
    }
    return table;
}

// An instant vector has no times of its own: all of it stands at `time`.
Table table_of(const Value& value, Timestamp time) {
    Table table;
    if (const auto* vector = std::get_if<Vector>(&value)) {
        for (const VectorSample& sample : *vector) {
            table[sample.labels][time] = sample.value;
        }
    } else if (const auto* matrix = std::get_if<Matrix>(&value)) {
        for (const MatrixSeries& series : *matrix) {
            for (const Point& point : series.points) {
                table[series.labels][point.time] = point.value;
            }
        }
    }
    return table;
}

std::string check_order(const Evaluation& evaluation, const Value& value) {
    const auto* vector = std::get_if<Vector>(&value);
    if (vector == nullptr) {
        return "not an instant vector";
    }
    for (std::size_t i = 0; i < vector->size(); ++i) {
        if ((*vector)[i].labels != evaluation.series[i].labels) {
            return fmt::format("at place {} stands {}", i + 1, (*vector)[i].labels.to_string());
        }
    }
    return "";
}

std::string check_sorted(const Value& value) {
    const auto* matrix = std::get_if<Matrix>(&value);
    const auto later = [](const MatrixSeries& a, const MatrixSeries& b) {
        return a.labels < b.labels;
    };
    return matrix == nullptr || std::is_sorted(matrix->begin(), matrix->end(), later)
               ? ""
               : "the series are not sorted by their labels";
}

std::string show_kind(const Value& value) {
    const auto* scalar = std::get_if<Scalar>(&value);
    return scalar == nullptr ? fmt::format("a {}", value_type_name(value))
                             : fmt::format("the scalar {}", format_float(scalar->value));
}

}  // namespace

std::string check_value(const Evaluation& evaluation, const Value& value) {
    if (evaluation.scalar) {
        const auto* scalar = std::get_if<Scalar>(&value);
        const bool same = scalar != nullptr && nearly_equal(scalar->value, *evaluation.scalar);
        return same ? ""
                    : fmt::format("expected the scalar {}, found {}",
                                  format_float(*evaluation.scalar), show_kind(value));
    }
    if (std::holds_alternative<Scalar>(value)) {
        return "expected no scalar, found " + show_kind(value);
    }
    if (const auto* string = std::get_if<String>(&value)) {
        const std::string expected = evaluation.string.value_or("");
        return string->value == expected ? ""
                                         : fmt::format("expected the string \"{}\", found \"{}\"",
                                                       expected, string->value);
    }
    std::string wrong = compare(expected_table(evaluation), table_of(value, evaluation.start));
    if (wrong.empty()) {
        wrong = check_sorted(value);
    }
    return wrong.empty() && evaluation.ordered ? check_order(evaluation, value) : wrong;
}

std::string check_result(const Evaluation& evaluation, const QueryResult& result) {
    if (evaluation.must_fail) {
        return "expected an error";
    }
    std::string wrong = check_value(evaluation, result.value);
    if (wrong.empty()) {
        wrong = check_annotations("warning", evaluation.warnings, evaluation.no_warnings,
                                  result.warnings);
    }
    if (wrong.empty()) {
        wrong = check_annotations("info", evaluation.infos, evaluation.no_infos, result.infos);
    }
    return wrong;
}

std::string check_failure(const Evaluation& evaluation, const Error& error) {
    if (!evaluation.must_fail) {
        return "unexpected error: " + error.message;
    }
    for (const Pattern& pattern : evaluation.failures) {
        if (!fits(pattern, error.message)) {
            return "another error: " + error.message;
        }
    }
    return "";
}

std::string check_middle(const Evaluation& evaluation, const Value& matrix, Timestamp middle,
                         ValueType type) {
    std::string wrong = check_sorted(matrix);
    Vector found;
    for (const MatrixSeries& series : std::get<Matrix>(matrix)) {
        for (const Point& point : series.points) {
            if (point.time == middle) {
                found.push_back({series.labels, evaluation.start, point.value});
            }
        }
    }
    if (wrong.empty() && type != ValueType::kScalar) {
        wrong = check_value(evaluation, found);
    } else if (wrong.empty()) {
        wrong = found.size() == 1
                    ? check_value(evaluation, Scalar{evaluation.start, found[0].value})
                    : "not one series";
    }
    return wrong;
}

}  // namespace kpid::promql::testing
