#include "kpid/promql/plan.h"

#include "kpid/promql/selectors.h"
#include "promql/evaluator.h"
#include "promql/plan_state.h"

#include <utility>

namespace kpid::promql {

Plan::Plan(ExprPtr expr, const model::Reader& reader)
    : expr_(std::move(expr)), reader_(&reader), state_(std::make_unique<State>()) {
    find_invariant(*expr_, state_->invariant);
    state_->shared = SharedParts(*expr_);
    for (const VectorSelector* selector : collect_selectors(*expr_)) {
        state_->kept.emplace(selector, reader.keep(selector->matchers));
    }
}

Plan::~Plan() = default;
Plan::Plan(Plan&& other) noexcept = default;
Plan& Plan::operator=(Plan&& other) noexcept = default;

}  // namespace kpid::promql
