#pragma once
// A query that is evaluated again and again, as those of rules and KPIs are.
//
//   Plan plan(expr, storage);
//   KPID_TRY(auto answer, engine.instant(plan, now));   // every 15 seconds

#include "kpid/model/reader.h"
#include "kpid/promql/ast.h"

#include <memory>

namespace kpid::promql {

/// An expression and what its evaluations leave behind for the next one: which series its selectors
/// mean, the newest samples of these (model::KeptSelection), which group each belongs to. The
/// answers are those of Engine::instant() without a plan; only their cost differs.
///
/// One evaluation at a time; not longer than expression and reader. For one engine: another one
/// needs another plan.
class Plan {
public:
    Plan(ExprPtr expr, const model::Reader& reader);
    ~Plan();
    Plan(Plan&& other) noexcept;
    Plan& operator=(Plan&& other) noexcept;
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;

    [[nodiscard]] const Expr& expr() const { return *expr_; }

    /// What the evaluator keeps in it; defined in the room.
    struct State;

private:
    friend class Engine;

    ExprPtr expr_;
    const model::Reader* reader_;
    std::unique_ptr<State> state_;
};

}  // namespace kpid::promql
