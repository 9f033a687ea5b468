// The static checks. The tree's height is bounded by the parser, so recursion is.

#include "promql/check.h"

#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"
#include "promql/characters.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace kpid::promql {
namespace {

class Checker {
public:
    explicit Checker(std::string_view text) : text_(text) {}

    Result<void> check(const Expr& expr) const;

private:
    Result<void> check_aggregate(const AggregateExpr& aggregate) const;
    Result<void> check_binary(const BinaryExpr& binary) const;
    Result<void> check_matching(const BinaryExpr& binary) const;
    Result<void> check_call(const Call& call) const;
    Result<void> check_argument_count(const Call& call) const;
    Result<void> check_info(const Call& call) const;
    Result<void> check_selector(const VectorSelector& selector) const;
    Result<void> check_unary(const UnaryExpr& unary) const;
    Result<void> check_subquery(const SubqueryExpr& subquery) const;
    Result<void> expect_type(const Expr& expr, ValueType wanted, std::string_view context) const;

    [[nodiscard]] Error error_at(std::size_t offset, std::string_view message) const {
        return invalid_argument(
            fmt::format("{}: parse error: {}", line_and_column(text_, offset), message));
    }
    [[nodiscard]] Error error_at(const Expr& expr, std::string_view message) const {
        return error_at(expr.position.start, message);
    }
    [[nodiscard]] Error operator_error(const BinaryExpr& binary, std::string_view message) const;

    std::string_view text_;
};

bool is_operand_type(ValueType type) {
    return type == ValueType::kScalar || type == ValueType::kVector;
}

Result<void> Checker::check(const Expr& expr) const {
    switch (expr.kind) {
        case ExprKind::kNumberLiteral:
        case ExprKind::kStringLiteral:
        case ExprKind::kDuration:
            return {};
        case ExprKind::kVectorSelector:
            return check_selector(as<VectorSelector>(expr));
        case ExprKind::kMatrixSelector:
            return check_selector(*as<MatrixSelector>(expr).selector);
        case ExprKind::kSubquery:
            return check_subquery(as<SubqueryExpr>(expr));
        case ExprKind::kBinary:
            return check_binary(as<BinaryExpr>(expr));
        case ExprKind::kUnary:
            return check_unary(as<UnaryExpr>(expr));
        case ExprKind::kAggregate:
            return check_aggregate(as<AggregateExpr>(expr));
        case ExprKind::kCall:
            return check_call(as<Call>(expr));
        case ExprKind::kParen:
            return check(*as<ParenExpr>(expr).expr);
    }
    return {};
}

Result<void> Checker::expect_type(const Expr& expr, ValueType wanted,
                                  std::string_view context) const {
    KPID_CHECK_OK(check(expr));
    if (expr.type != wanted) {
        return error_at(expr, fmt::format("expected type {} in {}, got {}", documented_name(wanted),
                                          context, documented_name(expr.type)));
    }
    return {};
}

Result<void> Checker::check_aggregate(const AggregateExpr& aggregate) const {
    KPID_CHECK_OK(expect_type(*aggregate.expr, ValueType::kVector, "aggregation expression"));
    if (aggregate.param == nullptr) {
        return {};
    }
    const bool takes_string = aggregate.op == AggregateOperator::kCountValues;
    return expect_type(*aggregate.param, takes_string ? ValueType::kString : ValueType::kScalar,
                       "aggregation parameter");
}

// Errors about the operator point at it, not at the whole expression.
Error Checker::operator_error(const BinaryExpr& binary, std::string_view message) const {
    std::size_t offset = binary.lhs->position.end;
    while (offset < text_.size() && is_blank(text_[offset])) {
        ++offset;
    }
    return error_at(offset, message);
}

Result<void> Checker::check_binary(const BinaryExpr& binary) const {
    KPID_CHECK_OK(check(*binary.lhs));
    KPID_CHECK_OK(check(*binary.rhs));
    const ValueType left = binary.lhs->type;
    const ValueType right = binary.rhs->type;
    if (binary.return_bool && !is_comparison(binary.op)) {
        return operator_error(binary, "bool modifier can only be used on comparison operators");
    }
    if (is_comparison(binary.op) && !binary.return_bool && left == ValueType::kScalar &&
        right == ValueType::kScalar) {
        return operator_error(binary, "comparisons between scalars must use BOOL modifier");
    }
    if (binary.matching && binary.matching->on) {
        const std::set<std::string_view> include(binary.matching->include.begin(),
                                                 binary.matching->include.end());
        for (const std::string& label : binary.matching->labels) {
            if (include.contains(label)) {
                return operator_error(
                    binary, fmt::format("label {} must not occur in ON and GROUP clause at once",
                                        quote_string(label)));
            }
        }
    }
    for (const ExprPtr& side : {binary.lhs, binary.rhs}) {
        if (!is_operand_type(side->type)) {
            return error_at(*side,
                            "binary expression must contain only scalar and instant vector types");
        }
    }
    KPID_CHECK_OK(check_matching(binary));
    if (is_set_operator(binary.op) && (left == ValueType::kScalar || right == ValueType::kScalar)) {
        return error_at(binary,
                        fmt::format("set operator {} not allowed in binary scalar expression",
                                    quote_string(to_string(binary.op))));
    }
    return {};
}

Result<void> Checker::check_matching(const BinaryExpr& binary) const {
    if (!binary.matching) {
        return {};
    }
    const VectorMatching& matching = *binary.matching;
    const bool fills = matching.fill_lhs.has_value() || matching.fill_rhs.has_value();
    if (binary.lhs->type != ValueType::kVector || binary.rhs->type != ValueType::kVector) {
        if (!matching.labels.empty()) {
            return error_at(binary, "vector matching only allowed between instant vectors");
        }
        if (fills) {
            return error_at(binary,
                            "filling in missing series only allowed between instant vectors");
        }
        return {};
    }
    if (!is_set_operator(binary.op)) {
        return {};
    }
    if (matching.cardinality != MatchCardinality::kManyToMany) {
        return error_at(binary, fmt::format("no grouping allowed for {} operation",
                                            quote_string(to_string(binary.op))));
    }
    if (fills) {
        return error_at(binary, "filling in missing series not allowed for set operators");
    }
    return {};
}

Result<void> Checker::check_argument_count(const Call& call) const {
    const FunctionSignature& function = *call.function;
    const std::size_t given = call.arguments.size();
    const std::size_t declared = function.arguments.size();
    if (function.variadic == 0) {
        return given == declared
                   ? Result<void>()
                   : error_at(call, fmt::format("expected {} argument(s) in call to {}, got {}",
                                                declared, quote_string(function.name), given));
    }
    const std::size_t least = declared - 1;
    if (given < least) {
        return error_at(call, fmt::format("expected at least {} argument(s) in call to {}, got {}",
                                          least, quote_string(function.name), given));
    }
    if (function.variadic > 0) {
        const std::size_t most = least + static_cast<std::size_t>(function.variadic);
        if (given > most) {
            return error_at(
                call, fmt::format("expected at most {} argument(s) in call to {}, got {}", most,
                                  quote_string(function.name), given));
        }
    }
    return {};
}

// info()'s second argument is read as matchers, so that it must be a selector without a name.
Result<void> Checker::check_info(const Call& call) const {
    const Expr& matchers = *call.arguments[1];
    if (matchers.type != ValueType::kVector) {
        return error_at(
            call, fmt::format("expected type {} in call to function {}, got {}",
                              documented_name(ValueType::kVector),
                              quote_string(call.function->name), documented_name(matchers.type)));
    }
    const auto* selector = get_if<VectorSelector>(matchers);
    if (selector == nullptr) {
        return error_at(matchers, "expected label selectors only");
    }
    if (!selector->name.empty()) {
        return error_at(matchers, "expected label selectors only, got vector selector instead");
    }
    return {};
}

Result<void> Checker::check_call(const Call& call) const {
    KPID_CHECK_OK(check_argument_count(call));
    if (call.function->name == "info" && call.arguments.size() > 1) {
        KPID_CHECK_OK(check_info(call));
    }
    const auto& declared = call.function->arguments;
    for (std::size_t i = 0; i < call.arguments.size(); ++i) {
        const Expr& argument = *call.arguments[i];
        const ValueType wanted = declared[std::min(i, declared.size() - 1)];
        KPID_CHECK_OK(
            expect_type(argument, wanted,
                        fmt::format("call to function {}", quote_string(call.function->name))));
    }
    return {};
}

Result<void> Checker::check_unary(const UnaryExpr& unary) const {
    KPID_CHECK_OK(check(*unary.expr));
    if (!is_operand_type(unary.expr->type)) {
        return error_at(unary, fmt::format("unary expression only allowed on expressions of type "
                                           "scalar or instant vector, got {}",
                                           quote_string(documented_name(unary.expr->type))));
    }
    return {};
}

Result<void> Checker::check_subquery(const SubqueryExpr& subquery) const {
    KPID_CHECK_OK(check(*subquery.expr));
    if (subquery.expr->type != ValueType::kVector) {
        return error_at(subquery, fmt::format("subquery is only allowed on instant vector, got {} "
                                              "instead",
                                              to_string(subquery.expr->type)));
    }
    return {};
}

Result<void> Checker::check_selector(const VectorSelector& selector) const {
    const auto& matchers = selector.matchers;
    if (!selector.name.empty()) {
        // The last matcher is the one for the name in front of the braces.
        const auto second =
            std::find_if(matchers.begin(), matchers.end() - 1,
                         [](const auto& matcher) { return matcher.name() == model::kMetricName; });
        if (second != matchers.end() - 1) {
            return error_at(
                selector, fmt::format("metric name must not be set twice: {} or {}",
                                      quote_string(selector.name), quote_string(second->value())));
        }
        return {};
    }
    const bool excludes_empty =
        std::any_of(matchers.begin(), matchers.end(),
                    [](const auto& matcher) { return !matcher.matches(std::string_view()); });
    if (!excludes_empty && !selector.bypass_empty_matcher_check) {
        return error_at(selector, "vector selector must contain at least one non-empty matcher");
    }
    return {};
}

}  // namespace

Result<void> check_expression(const Expr& expr, std::string_view text) {
    return Checker(text).check(expr);
}

}  // namespace kpid::promql
