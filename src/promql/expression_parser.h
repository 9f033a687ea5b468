#pragma once
// The parser of expressions: recursive descent, operators by binding power.

#include "kpid/promql/ast.h"
#include "kpid/promql/parser.h"
#include "promql/token_reader.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {

/// Parses one text; used once. The first error ends it. Types are not checked here (see check.h),
/// but every node's type is known, and what can be said without the whole tree is said here:
/// unknown functions, numbers of arguments of aggregations, where `offset`, `@` and ranges may
/// stand.
///
/// Depth: every nested construct passes parse_binary(), which counts; nodes count their height.
/// Both are bounded by ParseOptions::depth_max.
class ExpressionParser {
public:
    ExpressionParser(std::string_view text, const ParseOptions& options)
        : reader_(text, Lexer::Mode::kExpression), options_(options) {}

    /// The whole text as an expression.
    [[nodiscard]] Result<ExprPtr> parse();
    /// The whole text as a vector selector without modifiers.
    [[nodiscard]] Result<std::vector<model::Matcher>> parse_selector();

private:
    using Node = std::shared_ptr<Expr>;  // Under construction, so mutable.
    class DepthGuard;

    /// What an error between here and there is said to stand in.
    struct Context {
        std::string_view name;
        std::string_view expected;
    };

    // Operators (expression_parser.cc).
    Result<Node> parse_binary(int power_min);
    Result<Node> parse_operand();
    Result<Node> parse_unary();
    Result<Node> parse_primary();
    Result<Node> parse_paren();
    Result<Node> parse_number();
    Result<Node> parse_string();
    Result<Node> make_binary(const Token& op, BinaryOperator what, Node lhs, Node rhs,
                             std::unique_ptr<BinaryExpr> modifiers);
    Result<Node> finish(Node node, std::uint32_t children_height);

    // Calls and aggregations (call_parser.cc).
    Result<Node> parse_call(const Token& name);
    Result<Node> parse_aggregate(const Token& op);
    Result<void> parse_aggregate_modifier(AggregateExpr& aggregate);
    Result<std::vector<ExprPtr>> parse_arguments(const FunctionSignature* function);
    Result<std::unique_ptr<BinaryExpr>> parse_binary_modifiers();
    Result<void> parse_fill_modifiers(VectorMatching& matching);
    Result<double> parse_fill_value();
    Result<std::vector<std::string>> parse_grouping_labels();
    Result<std::string> parse_grouping_label();

    // Selectors and what stands behind them (selector_parser.cc).
    Result<Node> parse_vector_selector(const Token* name);
    Result<void> parse_matchers(VectorSelector& selector);
    Result<model::Matcher> parse_matcher();
    Result<model::Matcher> parse_match_value(const std::string& label, std::uint32_t start);
    Result<Node> parse_postfix(Node node);
    Result<Node> parse_brackets(Node node);
    Result<Node> finish_range(Node node, const Token& open, Node range);
    Result<void> parse_offset(Expr& target, TimeModifiers* modifiers);
    Result<void> parse_at(Expr& target, TimeModifiers* modifiers);
    Result<void> parse_extension(Expr& target, VectorSelector* selector);

    // Durations (duration_parser.cc).
    Result<Node> parse_positive_duration(Context context);
    Result<Node> parse_offset_duration();
    Result<Node> parse_duration_expr(int power_min, Context context);
    Result<Node> continue_duration_expr(Node lhs, int power_min, Context context);
    Result<Node> parse_duration_operand(Context context);
    Result<Node> parse_duration_call(Context context);
    Node wrap(Node inner);
    Result<Node> apply_sign(const Token& sign, Node operand);
    Result<Node> make_duration_binary(const Token& op, DurationOperator what, Node lhs, Node rhs);
    Result<void> require_duration_expressions(const Expr& at) const;

    // Errors.
    [[nodiscard]] Error unexpected() { return reader_.unexpected(enclosing_context()); }
    [[nodiscard]] Error unexpected(Context context) {
        return reader_.unexpected(context.name, context.expected);
    }
    [[nodiscard]] Error error_at(Position position, std::string_view message) const {
        return reader_.error_at(position.start, message);
    }
    [[nodiscard]] std::string_view enclosing_context() const {
        return aggregate_depth_ > 0 ? "aggregation" : "";
    }
    [[nodiscard]] Error too_deep(std::uint32_t offset) const;

    TokenReader reader_;
    const ParseOptions& options_;
    std::size_t depth_ = 0;
    std::size_t aggregate_depth_ = 0;
};

/// Counts one level for as long as it lives.
class ExpressionParser::DepthGuard {
public:
    explicit DepthGuard(std::size_t& depth) : depth_(depth) { ++depth_; }
    ~DepthGuard() { --depth_; }
    DepthGuard(const DepthGuard&) = delete;
    DepthGuard& operator=(const DepthGuard&) = delete;

private:
    std::size_t& depth_;
};

}  // namespace kpid::promql
