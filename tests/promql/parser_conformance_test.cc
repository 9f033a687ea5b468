// The parser against the conformance tables: errors word for word and at their places, trees node
// by node.

#include "promql/conformance_json.h"
#include "promql/parse_fixture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>

namespace kpid::promql {
namespace {

using simdjson::dom::element;

bool has(element object, std::string_view key) {
    return object.is_object() && object[key].error() == simdjson::SUCCESS && !object[key].is_null();
}

std::string type_of(element node) {
    return std::string(std::string_view(node["_type"]));
}

// The value of `"10" * time . Minute + "5" * time . Second`.
Duration evaluate_span(element value) {
    if (value.is_int64()) {
        return Duration(std::int64_t(value) / 1'000'000);
    }
    static const std::map<std::string, std::int64_t> kUnits{
        {"Hour", 3'600'000}, {"Minute", 60'000}, {"Second", 1000}, {"Millisecond", 1}};
    std::istringstream words{std::string(std::string_view(value["_expr"]))};
    std::int64_t sum = 0;
    std::int64_t product = 1;
    for (std::string word; words >> word;) {
        if (word.front() == '"') {
            product *= std::stoll(word.substr(1));
        } else if (const auto unit = kUnits.find(word); unit != kUnits.end()) {
            sum += product * unit->second;
            product = 1;
        }
    }
    return Duration(sum);
}

// Compares a tree with its JSON; every difference is a failure of the test.
class TreeComparison {
public:
    void compare(const Expr& got, element want);

private:
    void compare_number(const NumberLiteral& got, element want);
    void compare_selector(const VectorSelector& got, element want);
    void compare_matchers(const VectorSelector& got, element want);
    void compare_modifiers(const TimeModifiers& got, element want);
    void compare_subquery(const SubqueryExpr& got, element want);
    void compare_binary(const BinaryExpr& got, element want);
    void compare_aggregate(const AggregateExpr& got, element want);
    void compare_duration(const DurationExpr& got, element want);
    void compare_span(Duration got, const DurationExprPtr& got_expr, element want,
                      std::string_view key);
    void compare_labels(const std::vector<std::string>& got, element want, std::string_view key);
    void compare_position(Position got, element want);
};

void TreeComparison::compare_position(Position got, element want) {
    if (has(want, "PosRange")) {
        const element range = want["PosRange"];
        const std::int64_t start = has(range, "Start") ? std::int64_t(range["Start"]) : 0;
        EXPECT_EQ(got.start, start);
        EXPECT_EQ(got.end, std::int64_t(range["End"]));
    }
    if (has(want, "EndPos") && type_of(want) != "DurationExpr") {
        EXPECT_EQ(got.end, std::int64_t(want["EndPos"]));
    }
}

void TreeComparison::compare(const Expr& got, element want) {
    const std::string type = type_of(want);
    SCOPED_TRACE(type + " " + to_string(got));
    compare_position(got.position, want);
    switch (got.kind) {
        case ExprKind::kNumberLiteral:
            return compare_number(as<NumberLiteral>(got), want);
        case ExprKind::kStringLiteral:
            EXPECT_EQ(type, "StringLiteral");
            EXPECT_EQ(as<StringLiteral>(got).value, json_text(want["Val"]));
            return;
        case ExprKind::kVectorSelector:
            return compare_selector(as<VectorSelector>(got), want);
        case ExprKind::kMatrixSelector: {
            ASSERT_EQ(type, "MatrixSelector");
            const auto& matrix = as<MatrixSelector>(got);
            compare_span(matrix.range, matrix.range_expr, want, "Range");
            return compare(*matrix.selector, want["VectorSelector"]);
        }
        case ExprKind::kSubquery:
            return compare_subquery(as<SubqueryExpr>(got), want);
        case ExprKind::kBinary:
            return compare_binary(as<BinaryExpr>(got), want);
        case ExprKind::kUnary:
            ASSERT_EQ(type, "UnaryExpr");
            EXPECT_EQ(as<UnaryExpr>(got).op == UnaryOperator::kMinus ? "SUB" : "ADD",
                      std::string_view(want["Op"]["_id"]));
            return compare(*as<UnaryExpr>(got).expr, want["Expr"]);
        case ExprKind::kAggregate:
            return compare_aggregate(as<AggregateExpr>(got), want);
        case ExprKind::kCall: {
            ASSERT_EQ(type, "Call");
            const auto& call = as<Call>(got);
            EXPECT_EQ(call.function->name,
                      std::string_view(simdjson::dom::array(want["Func"]["_args"]).at(0)));
            const simdjson::dom::array arguments = want["Args"];
            ASSERT_EQ(call.arguments.size(), arguments.size());
            for (std::size_t i = 0; i < call.arguments.size(); ++i) {
                compare(*call.arguments[i], arguments.at(i));
            }
            return;
        }
        case ExprKind::kParen:
            ASSERT_EQ(type, "ParenExpr");
            return compare(*as<ParenExpr>(got).expr, want["Expr"]);
        case ExprKind::kDuration:
            return compare_duration(as<DurationExpr>(got), want);
    }
}

void TreeComparison::compare_number(const NumberLiteral& got, element want) {
    ASSERT_EQ(type_of(want), "NumberLiteral");
    const element value = want["Val"];
    if (value.is_string()) {
        EXPECT_EQ(to_string(got), std::string_view(value));
    } else {
        EXPECT_EQ(got.value, double(value));
    }
    EXPECT_EQ(got.is_duration, has(want, "Duration") && bool(want["Duration"]));
}

void TreeComparison::compare_selector(const VectorSelector& got, element want) {
    ASSERT_EQ(type_of(want), "VectorSelector");
    EXPECT_EQ(got.name, has(want, "Name") ? json_text(want["Name"]) : "");
    EXPECT_EQ(got.bypass_empty_matcher_check, has(want, "BypassEmptyMatcherCheck"));
    compare_matchers(got, want);
    compare_modifiers(got.modifiers, want);
}

void TreeComparison::compare_matchers(const VectorSelector& got, element want) {
    static const std::map<std::string, model::MatchType> kTypes{
        {"labels . MatchEqual", model::MatchType::kEqual},
        {"labels . MatchNotEqual", model::MatchType::kNotEqual},
        {"labels . MatchRegexp", model::MatchType::kRegexp},
        {"labels . MatchNotRegexp", model::MatchType::kNotRegexp}};
    const simdjson::dom::array matchers = want["LabelMatchers"];
    ASSERT_EQ(got.matchers.size(), matchers.size());
    for (std::size_t i = 0; i < got.matchers.size(); ++i) {
        const simdjson::dom::array arguments = matchers.at(i)["_args"];
        const element type = arguments.at(0);
        const element name = arguments.at(1);
        EXPECT_EQ(got.matchers[i].type(), kTypes.at(std::string(std::string_view(type["_expr"]))));
        EXPECT_EQ(got.matchers[i].name(), has(name, "_expr") ? "__name__" : json_text(name));
        EXPECT_EQ(got.matchers[i].value(), json_text(arguments.at(2)));
    }
}

void TreeComparison::compare_modifiers(const TimeModifiers& got, element want) {
    compare_span(got.offset, got.offset_expr, want, "OriginalOffset");
    EXPECT_EQ(got.at.has_value(), has(want, "Timestamp") || has(want, "StartOrEnd"));
    if (got.at && has(want, "Timestamp")) {
        EXPECT_EQ(got.at->kind, AtModifier::Kind::kTimestamp);
        EXPECT_EQ(got.at->time.ms(),
                  std::int64_t(simdjson::dom::array(want["Timestamp"]["_args"]).at(0)));
    } else if (got.at) {
        EXPECT_EQ(got.at->kind == AtModifier::Kind::kStart ? "START" : "END",
                  std::string_view(want["StartOrEnd"]["_id"]));
    }
}

void TreeComparison::compare_span(Duration got, const DurationExprPtr& got_expr, element want,
                                  std::string_view key) {
    const std::string expr_key = std::string(key) + "Expr";
    EXPECT_EQ(got.count(), has(want, key) ? evaluate_span(want[key]).count() : 0) << key;
    ASSERT_EQ(got_expr != nullptr, has(want, expr_key)) << expr_key;
    if (got_expr != nullptr) {
        compare(*got_expr, want[expr_key]);
    }
}

void TreeComparison::compare_subquery(const SubqueryExpr& got, element want) {
    ASSERT_EQ(type_of(want), "SubqueryExpr");
    compare_span(got.range, got.range_expr, want, "Range");
    compare_span(got.step, got.step_expr, want, "Step");
    compare_modifiers(got.modifiers, want);
    compare(*got.expr, want["Expr"]);
}

void TreeComparison::compare_binary(const BinaryExpr& got, element want) {
    static const std::map<std::string, BinaryOperator> kOperators{
        {"ADD", BinaryOperator::kAdd},    {"SUB", BinaryOperator::kSub},
        {"MUL", BinaryOperator::kMul},    {"DIV", BinaryOperator::kDiv},
        {"MOD", BinaryOperator::kMod},    {"POW", BinaryOperator::kPow},
        {"LAND", BinaryOperator::kAnd},   {"LOR", BinaryOperator::kOr},
        {"EQLC", BinaryOperator::kEqual}, {"LUNLESS", BinaryOperator::kUnless}};
    ASSERT_EQ(type_of(want), "BinaryExpr");
    EXPECT_EQ(got.op, kOperators.at(std::string(std::string_view(want["Op"]["_id"]))));
    EXPECT_EQ(got.return_bool, has(want, "ReturnBool"));
    ASSERT_EQ(got.matching.has_value(), has(want, "VectorMatching"));
    if (got.matching) {
        static const std::map<std::string, MatchCardinality> kCardinalities{
            {"CardOneToOne", MatchCardinality::kOneToOne},
            {"CardManyToOne", MatchCardinality::kManyToOne},
            {"CardOneToMany", MatchCardinality::kOneToMany},
            {"CardManyToMany", MatchCardinality::kManyToMany}};
        const element matching = want["VectorMatching"];
        const std::string card(has(matching, "Card") ? std::string_view(matching["Card"]["_id"])
                                                     : std::string_view("CardOneToOne"));
        EXPECT_EQ(got.matching->cardinality, kCardinalities.at(card));
        EXPECT_EQ(got.matching->on, has(matching, "On"));
        compare_labels(got.matching->labels, matching, "MatchingLabels");
        compare_labels(got.matching->include, matching, "Include");
    }
    compare(*got.lhs, want["LHS"]);
    compare(*got.rhs, want["RHS"]);
}

void TreeComparison::compare_labels(const std::vector<std::string>& got, element want,
                                    std::string_view key) {
    std::vector<std::string> labels;
    // An empty list is written as a Go expression.
    if (has(want, key) && want[key].is_array()) {
        for (const element label : simdjson::dom::array(want[key])) {
            labels.push_back(json_text(label));
        }
    }
    EXPECT_EQ(got, labels) << key;
}

void TreeComparison::compare_aggregate(const AggregateExpr& got, element want) {
    ASSERT_EQ(type_of(want), "AggregateExpr");
    std::string name(to_string(got.op));
    for (char& c : name) {
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    EXPECT_EQ(name, std::string_view(want["Op"]["_id"]));
    EXPECT_EQ(got.without, has(want, "Without"));
    compare_labels(got.grouping, want, "Grouping");
    ASSERT_EQ(got.param != nullptr, has(want, "Param"));
    compare(*got.expr, want["Expr"]);
}

void TreeComparison::compare_duration(const DurationExpr& got, element want) {
    static const std::map<std::string, DurationOperator> kOperators{
        {"ADD", DurationOperator::kAdd},    {"SUB", DurationOperator::kSub},
        {"MUL", DurationOperator::kMul},    {"DIV", DurationOperator::kDiv},
        {"POW", DurationOperator::kPow},    {"STEP", DurationOperator::kStep},
        {"RANGE", DurationOperator::kRange}};
    ASSERT_EQ(type_of(want), "DurationExpr");
    EXPECT_EQ(got.op, kOperators.at(std::string(std::string_view(want["Op"]["_id"]))));
    EXPECT_EQ(got.wrapped, has(want, "Wrapped"));
    ASSERT_EQ(got.lhs != nullptr, has(want, "LHS"));
    ASSERT_EQ(got.rhs != nullptr, has(want, "RHS"));
    if (got.lhs != nullptr) {
        compare(*got.lhs, want["LHS"]);
    }
    if (got.rhs != nullptr) {
        compare(*got.rhs, want["RHS"]);
    }
}

// The first error of a case, as one line.
std::string wanted_error(const std::string& input, element entry) {
    const element error = simdjson::dom::array(entry["errors"]).at(0);
    const element range = error["PositionRange"];
    const std::int64_t start = has(range, "Start") ? std::int64_t(range["Start"]) : 0;
    const element message = simdjson::dom::array(error["Err"]["_args"]).at(0);
    return fmt::format("{}: parse error: {}",
                       line_and_column(input, static_cast<std::size_t>(start)), json_text(message));
}

TEST(ParserConformance, FailsWithTheSameErrorsAtTheSamePlaces) {
    for (const ConformanceCase& entry : conformance_cases("parser-expressions.json")) {
        if (bool(entry.value["fail"])) {
            const std::string input = json_text(entry.value["input"]);
            EXPECT_EQ(testing::parse_error(input), wanted_error(input, entry.value)) << input;
        }
    }
}

TEST(ParserConformance, BuildsTheSameTrees) {
    for (const ConformanceCase& entry : conformance_cases("parser-expressions.json")) {
        if (!bool(entry.value["fail"])) {
            const std::string input = json_text(entry.value["input"]);
            SCOPED_TRACE(input);
            TreeComparison().compare(*testing::parse(input), entry.value["ast"]);
        }
    }
}

TEST(ParserConformance, PrintsWhatItReadsBack) {
    for (const ConformanceCase& entry : conformance_cases("parser-expressions.json")) {
        if (!bool(entry.value["fail"])) {
            const std::string once = testing::printed(json_text(entry.value["input"]));
            EXPECT_EQ(testing::printed(once), once);
        }
    }
}

TEST(ParserConformance, ReadsTheSameSeries) {
    for (const ConformanceCase& entry : conformance_cases("parser-series-desc.json")) {
        const std::string input = json_text(entry.value["input"]);
        SCOPED_TRACE(input);
        const auto series = parse_series_description(input);
        if (entry.has("fail")) {
            EXPECT_FALSE(series.has_value());
            continue;
        }
        ASSERT_TRUE(series.has_value()) << series.error().message;
        const simdjson::dom::array values = entry.value["expectedValues"]["_args"];
        ASSERT_EQ(series->values.size(), values.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const element value = values.at(i);
            EXPECT_EQ(series->values[i].omitted, value.is_object());
            if (!value.is_object()) {
                EXPECT_EQ(series->values[i].value, double(value));
            }
        }
        const simdjson::dom::array metric = entry.value["expectedMetric"]["_args"];
        EXPECT_EQ(series->labels.metric_name(), json_text(metric.at(1)));
        EXPECT_EQ(series->labels.get(json_text(metric.at(2))), json_text(metric.at(3)));
    }
}

}  // namespace
}  // namespace kpid::promql
