// Trees are immutable: what lies above a selector is made anew.

#include "promql/pin_selectors.h"

#include "kpid/promql/printer.h"

namespace kpid::promql::testing {
namespace {

// A node of the same kind, type and place; its fields are the caller's to fill.
template <class Node>
std::shared_ptr<Node> like(const Node& node) {
    auto made = std::make_shared<Node>();
    made->type = node.type;
    made->position = node.position;
    made->height = node.height;
    return made;
}

bool is_pinned(const TimeModifiers& modifiers) {
    return modifiers.at && modifiers.at->kind == AtModifier::Kind::kTimestamp;
}

std::shared_ptr<const VectorSelector> pinned_selector(const VectorSelector& selector,
                                                      Timestamp time) {
    auto made = like(selector);
    made->name = selector.name;
    made->matchers = selector.matchers;
    made->modifiers = selector.modifiers;
    made->anchored = selector.anchored;
    made->smoothed = selector.smoothed;
    made->bypass_empty_matcher_check = selector.bypass_empty_matcher_check;
    if (!is_pinned(made->modifiers)) {
        made->modifiers.at = AtModifier{AtModifier::Kind::kTimestamp, time};
    }
    return made;
}

ExprPtr pinned_matrix(const MatrixSelector& matrix, Timestamp time) {
    auto made = like(matrix);
    made->selector = pinned_selector(*matrix.selector, time);
    made->range = matrix.range;
    made->range_expr = matrix.range_expr;
    return made;
}

ExprPtr pinned_subquery(const SubqueryExpr& subquery, Timestamp time) {
    auto made = like(subquery);
    made->expr = subquery.expr;
    made->range = subquery.range;
    made->range_expr = subquery.range_expr;
    made->step = subquery.step;
    made->step_expr = subquery.step_expr;
    made->modifiers = subquery.modifiers;
    if (!is_pinned(made->modifiers)) {
        made->modifiers.at = AtModifier{AtModifier::Kind::kTimestamp, time};
    }
    return made;
}

ExprPtr pinned(const ExprPtr& expr, Timestamp time);

ExprPtr pinned_binary(const BinaryExpr& binary, Timestamp time) {
    auto made = like(binary);
    made->op = binary.op;
    made->lhs = pinned(binary.lhs, time);
    made->rhs = pinned(binary.rhs, time);
    made->return_bool = binary.return_bool;
    made->matching = binary.matching;
    return made;
}

ExprPtr pinned_aggregate(const AggregateExpr& aggregate, Timestamp time) {
    auto made = like(aggregate);
    made->op = aggregate.op;
    made->expr = pinned(aggregate.expr, time);
    made->param = aggregate.param == nullptr ? nullptr : pinned(aggregate.param, time);
    made->grouping = aggregate.grouping;
    made->without = aggregate.without;
    return made;
}

// Nothing: there is no selector below, the node can stay as it is.
ExprPtr pinned_node(const Expr& expr, Timestamp time) {
    switch (expr.kind) {
        case ExprKind::kVectorSelector:
            return pinned_selector(as<VectorSelector>(expr), time);
        case ExprKind::kMatrixSelector:
            return pinned_matrix(as<MatrixSelector>(expr), time);
        case ExprKind::kSubquery:
            return pinned_subquery(as<SubqueryExpr>(expr), time);
        case ExprKind::kBinary:
            return pinned_binary(as<BinaryExpr>(expr), time);
        case ExprKind::kAggregate:
            return pinned_aggregate(as<AggregateExpr>(expr), time);
        case ExprKind::kUnary: {
            auto made = like(as<UnaryExpr>(expr));
            made->op = as<UnaryExpr>(expr).op;
            made->expr = pinned(as<UnaryExpr>(expr).expr, time);
            return made;
        }
        case ExprKind::kParen: {
            auto made = like(as<ParenExpr>(expr));
            made->expr = pinned(as<ParenExpr>(expr).expr, time);
            return made;
        }
        case ExprKind::kCall: {
            auto made = like(as<Call>(expr));
            made->function = as<Call>(expr).function;
            for (const ExprPtr& argument : as<Call>(expr).arguments) {
                made->arguments.push_back(pinned(argument, time));
            }
            return made;
        }
        case ExprKind::kNumberLiteral:
        case ExprKind::kStringLiteral:
        case ExprKind::kDuration:
            break;
    }
    return nullptr;
}

ExprPtr pinned(const ExprPtr& expr, Timestamp time) {
    ExprPtr made = pinned_node(*expr, time);
    return made == nullptr ? expr : made;
}

}  // namespace

std::string pin_selectors(const Expr& expr, Timestamp time) {
    const ExprPtr made = pinned_node(expr, time);
    return to_string(made == nullptr ? expr : *made);
}

}  // namespace kpid::promql::testing
