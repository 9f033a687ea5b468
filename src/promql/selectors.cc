// Walking trees. Their height is bounded by the parser, so recursion is.

#include "kpid/promql/selectors.h"

namespace kpid::promql {

void for_each_child(const Expr& expr, const std::function<void(const Expr&)>& visit) {
    switch (expr.kind) {
        case ExprKind::kNumberLiteral:
        case ExprKind::kStringLiteral:
        case ExprKind::kVectorSelector:
        case ExprKind::kDuration:
            return;
        case ExprKind::kMatrixSelector:
            visit(*as<MatrixSelector>(expr).selector);
            return;
        case ExprKind::kSubquery:
            visit(*as<SubqueryExpr>(expr).expr);
            return;
        case ExprKind::kBinary:
            visit(*as<BinaryExpr>(expr).lhs);
            visit(*as<BinaryExpr>(expr).rhs);
            return;
        case ExprKind::kUnary:
            visit(*as<UnaryExpr>(expr).expr);
            return;
        case ExprKind::kAggregate:
            if (as<AggregateExpr>(expr).param != nullptr) {
                visit(*as<AggregateExpr>(expr).param);
            }
            visit(*as<AggregateExpr>(expr).expr);
            return;
        case ExprKind::kCall:
            for (const ExprPtr& argument : as<Call>(expr).arguments) {
                visit(*argument);
            }
            return;
        case ExprKind::kParen:
            visit(*as<ParenExpr>(expr).expr);
            return;
    }
}

void for_each_node(const Expr& expr, const std::function<void(const Expr&)>& visit) {
    visit(expr);
    for_each_child(expr, [&visit](const Expr& child) { for_each_node(child, visit); });
}

std::vector<const VectorSelector*> collect_selectors(const Expr& expr) {
    std::vector<const VectorSelector*> selectors;
    for_each_node(expr, [&selectors](const Expr& node) {
        if (const auto* selector = get_if<VectorSelector>(node)) {
            selectors.push_back(selector);
        }
    });
    return selectors;
}

}  // namespace kpid::promql
