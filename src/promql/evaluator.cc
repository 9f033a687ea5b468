// The walk over the tree: dispatch, step-invariant parts, names.

#include "promql/evaluator.h"

#include "kpid/promql/selectors.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kpid::promql {
namespace {

// These look at the time of the step itself.
constexpr std::array<std::string_view, 11> kTimeFunctions = {
    "day_of_month", "day_of_week", "day_of_year", "days_in_month",  "hour",      "minute",
    "month",        "year",        "time",        "predict_linear", "timestamp",
};

bool pinned(const TimeModifiers& modifiers) {
    return modifiers.at.has_value();
}

Row spread(Row row, std::size_t count) {
    row.values.assign(count, row.at(0));
    row.first = 0;
    return row;
}

}  // namespace

const Expr& strip_parens(const Expr& expr) {
    const Expr* inner = &expr;
    while (const auto* paren = get_if<ParenExpr>(*inner)) {
        inner = paren->expr.get();
    }
    return *inner;
}

Evaluator::Evaluator(const Environment& environment, const Expr& root)
    : environment_(environment),
      budget_(environment.options.samples_max),
      root_(&strip_parens(root)),
      statistics_(environment.context.statistics) {
    if (environment.plan == nullptr) {
        find_invariant(root, invariant_);
        shared_ = SharedParts(root);
    }
}

Evaluator::~Evaluator() {
    if (environment_.context.statistics != nullptr) {
        environment_.context.statistics->samples_peak = budget_.peak();
    }
}

KeptGroups* Evaluator::kept_groups(const AggregateExpr& aggregate) {
    if (environment_.plan == nullptr) {
        return nullptr;
    }
    auto& kept = environment_.plan->groups[&aggregate];
    if (kept == nullptr) {
        kept = std::make_unique<KeptGroups>();
    }
    return kept.get();
}

KeptUniqueness* Evaluator::kept_uniqueness(const Call& call) {
    if (environment_.plan == nullptr) {
        return nullptr;
    }
    auto& kept = environment_.plan->uniqueness[&call];
    if (kept == nullptr) {
        kept = std::make_unique<KeptUniqueness>();
    }
    return kept.get();
}

bool find_invariant(const Expr& expr, boost::unordered_flat_set<const Expr*>& found) {
    bool invariant = true;
    bool reads = expr.kind == ExprKind::kAggregate || expr.kind == ExprKind::kCall ||
                 expr.kind == ExprKind::kBinary || expr.kind == ExprKind::kUnary;
    for_each_child(expr, [&](const Expr& child) {
        const bool child_invariant = find_invariant(child, found);
        invariant = invariant && child_invariant;
    });
    if (const auto* selector = get_if<VectorSelector>(expr)) {
        invariant = pinned(selector->modifiers);
        reads = true;
    } else if (const auto* subquery = get_if<SubqueryExpr>(expr)) {
        invariant = pinned(subquery->modifiers);
    } else if (const auto* call = get_if<Call>(expr)) {
        invariant = invariant && std::find(kTimeFunctions.begin(), kTimeFunctions.end(),
                                           call->function->name) == kTimeFunctions.end();
    }
    if (invariant && reads && expr.type == ValueType::kVector) {
        found.insert(&expr);
    }
    return invariant;
}

Result<void> Evaluator::check_stop() const {
    if (environment_.context.stop.stop_requested()) {
        return Error{Code::kCancelled, "query was canceled in query execution"};
    }
    return {};
}

// The functions that call each other down the tree keep their frames small: trees may be a thousand
// deep.

Result<Evaluated> Evaluator::eval(const Expr& expr, const Steps& steps) {
    const Expr& node = strip_parens(expr);
    if (const SharedParts::Part* part = shared_part(node)) {
        return eval_shared(*part, node, steps);
    }
    return eval_alone(node, steps);
}

Result<Evaluated> Evaluator::eval_alone(const Expr& node, const Steps& steps) {
    if (steps.count == 1) {
        return eval_node(node, steps);
    }
    if (is_invariant(node)) {
        return eval_once(node, steps);
    }
    return node.type == ValueType::kScalar ? eval_column(node, steps) : eval_node(node, steps);
}

// What was said on the way is said at the place of each: such a part is evaluated each time.
[[gnu::noinline]] Result<Evaluated> Evaluator::eval_shared(const SharedParts::Part& part,
                                                           const Expr& node, const Steps& steps) {
    held_parts_.resize(std::max(held_parts_.size(), part.number + 1));
    if (HeldPart& held = held_parts_[part.number]; held.rows && held.steps == steps) {
        if (--held.uses_left > 0) {
            KPID_TRY(Rows copy, copy_of(*held.rows));
            return Evaluated(std::move(copy));
        }
        Evaluated last(std::move(*held.rows));
        held.rows.reset();
        return last;
    }
    const std::size_t said = annotations_.said();
    KPID_TRY(Evaluated value, eval_alone(node, steps));
    if (annotations_.said() == said) {
        hold(part, steps, std::get<Rows>(value));
    }
    return value;
}

// Values of one shared part that are held for its other places: so few that a query hardly has less
// room than if it held none.
std::size_t Evaluator::held_values_max() const {
    constexpr std::size_t kValuesMax = 4'000'000;
    constexpr std::size_t kShare = 16;
    return std::min(kValuesMax, budget_.remaining() / kShare);
}

// Keeps a copy for the other places when it is small; else they evaluate it again.
void Evaluator::hold(const SharedParts::Part& part, const Steps& steps, const Rows& rows) {
    HeldPart& held = held_parts_[part.number];
    std::size_t values = 0;
    for (const Row& row : rows.rows) {
        values += row.values.size();
    }
    if (held.rows || values > held_values_max()) {
        return;
    }
    if (Result<Rows> copy = copy_of(rows)) {
        held.uses_left = part.uses - 1;
        held.steps = steps;
        held.rows.emplace(std::move(*copy));
    }
}

Result<bool> Evaluator::stream_shared(const SharedParts::Part& part, const Expr& node,
                                      const Steps& steps, const RowSink& sink) {
    held_parts_.resize(std::max(held_parts_.size(), part.number + 1));
    if (HeldPart& held = held_parts_[part.number]; held.rows && held.steps == steps) {
        Rows rows = std::move(*held.rows);
        held.rows.reset();
        for (Row& row : rows.rows) {
            Row given = row;
            KPID_CHECK_OK(sink(given));
        }
        if (--held.uses_left > 0) {
            held.rows.emplace(std::move(rows));
        }
        return true;
    }
    const std::size_t said = annotations_.said();
    Rows copy = new_rows();
    std::size_t values = 0;
    bool fits = true;
    KPID_TRY(const bool is_whole, stream_alone(node, steps, [&](Row& row) -> Result<void> {
                 values += row.values.size();
                 if (fits && values <= held_values_max()) {
                     Row kept = row;
                     let_name_go(kept);
                     fits = copy.push(std::move(kept)).has_value();
                 } else if (std::exchange(fits, false)) {
                     copy = new_rows();
                 }
                 return sink(row);
             }));
    HeldPart& held = held_parts_[part.number];
    if (is_whole && fits && annotations_.said() == said && !held.rows) {
        sort_rows(copy.rows);
        held.uses_left = part.uses - 1;
        held.steps = steps;
        held.rows.emplace(std::move(copy));
    }
    return is_whole;
}

Result<Rows> Evaluator::copy_of(const Rows& rows) {
    Rows copy = new_rows();
    copy.rows.reserve(rows.rows.size());
    for (const Row& row : rows.rows) {
        KPID_CHECK_OK(copy.push(row));
    }
    return copy;
}

// Evaluates what is the same at every step at the first one and spreads it.
[[gnu::noinline]] Result<Evaluated> Evaluator::eval_once(const Expr& node, const Steps& steps) {
    KPID_TRY(Evaluated once, eval_node(node, Steps{steps.start}));
    Rows rows = new_rows();
    for (Row& row : std::get<Rows>(once).rows) {
        KPID_CHECK_OK(check_stop());
        if (!is_absent(row.at(0))) {
            KPID_CHECK_OK(rows.push(spread(std::move(row), steps.count)));
        }
    }
    return Evaluated(std::move(rows));
}

// A scalar is a column too: each level of the tree holds about one while it is evaluated.
[[gnu::noinline]] Result<Evaluated> Evaluator::eval_column(const Expr& node, const Steps& steps) {
    Charge column(budget_);
    KPID_CHECK_OK(column.add(steps.count));
    return eval_node(node, steps);
}

Result<Evaluated> Evaluator::eval_node(const Expr& expr, const Steps& steps) {
    switch (expr.kind) {
        case ExprKind::kBinary:
            return eval_binary(*this, as<BinaryExpr>(expr), steps);
        case ExprKind::kUnary:
            return eval_unary(as<UnaryExpr>(expr), steps);
        case ExprKind::kCall:
            return eval_call(*this, as<Call>(expr), steps);
        default:
            return eval_other(expr, steps);
    }
}

[[gnu::noinline]] Result<Evaluated> Evaluator::eval_other(const Expr& expr, const Steps& steps) {
    KPID_CHECK_OK(check_stop());
    switch (expr.kind) {
        case ExprKind::kNumberLiteral:
            return Evaluated(ScalarColumn(steps.count, as<NumberLiteral>(expr).value));
        case ExprKind::kStringLiteral:
            return Evaluated(as<StringLiteral>(expr).value);
        case ExprKind::kVectorSelector: {
            KPID_TRY(Rows rows, eval_selector(as<VectorSelector>(expr), steps, false));
            return Evaluated(std::move(rows));
        }
        case ExprKind::kAggregate: {
            KPID_TRY(Rows rows, eval_aggregate(*this, as<AggregateExpr>(expr), steps));
            return Evaluated(std::move(rows));
        }
        default:
            return invalid_argument("a range vector cannot stand here");
    }
}

bool Evaluator::can_stream(const Expr& expr, const Steps& steps) const {
    const Expr& node = strip_parens(expr);
    if (steps.count > 1 && is_invariant(node)) {
        return false;  // Once is enough, and stands for all steps.
    }
    if (const auto* call = get_if<Call>(node)) {
        return can_stream_call(*call);
    }
    return node.kind == ExprKind::kVectorSelector;
}

Result<bool> Evaluator::stream(const Expr& expr, const Steps& steps, const RowSink& sink) {
    const Expr& node = strip_parens(expr);
    if (const SharedParts::Part* part = shared_part(node)) {
        return stream_shared(*part, node, steps, sink);
    }
    return stream_alone(node, steps, sink);
}

Result<bool> Evaluator::stream_alone(const Expr& node, const Steps& steps, const RowSink& sink) {
    if (const auto* call = get_if<Call>(node)) {
        return stream_call(*this, *call, steps, sink);
    }
    KPID_CHECK_OK(stream_selector(as<VectorSelector>(node), steps, false, sink));
    return true;
}

void Evaluator::sort_rows(std::vector<Row>& rows) {
    std::sort(rows.begin(), rows.end(),
              [](const Row& a, const Row& b) { return a.labels < b.labels; });
}

Result<Evaluated> Evaluator::eval_unary(const UnaryExpr& unary, const Steps& steps) {
    Result<Evaluated> value = eval(*unary.expr, steps);
    if (value && unary.op == UnaryOperator::kMinus) {
        if (auto done = negate(*value); !done) {
            return std::move(done).error();
        }
    }
    return value;
}

[[gnu::noinline]] Result<void> Evaluator::negate(Evaluated& value) const {
    if (auto* column = std::get_if<ScalarColumn>(&value)) {
        std::transform(column->begin(), column->end(), column->begin(), std::negate<>());
        return {};
    }
    Rows& rows = std::get<Rows>(value);
    for (Row& row : rows.rows) {
        for (double& v : row.values) {
            v = is_absent(v) ? v : -v;
        }
    }
    return drop_names(rows);
}

Result<Rows> Evaluator::eval_vector(const Expr& expr, const Steps& steps) {
    KPID_TRY(Evaluated value, eval(expr, steps));
    if (auto* rows = std::get_if<Rows>(&value)) {
        return std::move(*rows);
    }
    return invalid_argument("expected an instant vector");
}

Result<ScalarColumn> Evaluator::eval_scalar(const Expr& expr, const Steps& steps) {
    KPID_TRY(Evaluated value, eval(expr, steps));
    if (auto* column = std::get_if<ScalarColumn>(&value)) {
        return std::move(*column);
    }
    return invalid_argument("expected a scalar");
}

Result<std::string> Evaluator::eval_string(const Expr& expr) {
    if (const auto* literal = get_if<StringLiteral>(strip_parens(expr))) {
        return literal->value;
    }
    return invalid_argument("expected a string");
}

void Evaluator::drop_name(Row& row) const {
    if (delayed_name_removal()) {
        row.drop_name = true;
    } else {
        row.labels = without_metadata(row.labels);
    }
}

Result<void> Evaluator::drop_names(Rows& rows) const {
    for (Row& row : rows.rows) {
        drop_name(row);
    }
    return merge_same_labels(rows.rows);
}

Result<void> Evaluator::remove_delayed_names(std::vector<Row>& rows) const {
    for (Row& row : rows) {
        if (row.drop_name) {
            row.labels = without_metadata(row.labels);
        }
    }
    return merge_same_labels(rows);
}

}  // namespace kpid::promql
