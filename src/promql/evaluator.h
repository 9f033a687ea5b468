#pragma once
// One evaluation of one expression: walks the tree, each node once for all steps.

#include "kpid/base/executor.h"
#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "kpid/promql/ast.h"
#include "kpid/promql/engine.h"
#include "promql/annotations.h"
#include "promql/budget.h"
#include "promql/plan_state.h"
#include "promql/rows.h"
#include "promql/steps.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace kpid::promql {

/// One value for each step.
using ScalarColumn = std::vector<double>;
/// A scalar, a string or an instant vector over the steps. Range vectors are a RangeInput.
using Evaluated = std::variant<ScalarColumn, std::string, Rows>;

/// One series' samples for the windows of a range vector, without stale markers; borrowed.
struct RangeView {
    const model::Labels& labels;
    std::span<const Timestamp> times;
    std::span<const double> values;
    bool drop_name = false;
    SeriesPlace place;  ///< As Row::place.
};

/// All samples of one series that any window of a range vector may need, without stale markers.
struct RangeSeries {
    model::Labels labels;
    bool drop_name = false;
    std::vector<Timestamp> times;
    std::vector<double> values;

    [[nodiscard]] RangeView view() const { return {labels, times, values, drop_name}; }
};

/// A range vector: its series and where the window of each step lies.
struct RangeInput {
    std::vector<RangeSeries> series;
    Charge charge;
    Duration range{0};
    Duration offset{0};
    std::optional<Timestamp> at;

    /// The end of the window of a step, included; its start is `range` before, excluded.
    [[nodiscard]] Timestamp window_end(Timestamp step_time) const {
        return saturating_sub(at ? *at : step_time, offset);
    }
};

/// Takes the rows of a vector one after the other; it may take a row's values away. An error ends
/// the evaluation.
using RowSink = std::function<Result<void>(Row& row)>;

/// The query as a whole, which `@ start()`, `step()` and their kin look at.
struct QueryBounds {
    Timestamp start;
    Timestamp end;
    Duration step{0};
};

/// Lives for one query; one thread at a time. What it is given outlives it.
class Evaluator {
public:
    struct Environment {
        const EngineOptions& options;
        const QueryContext& context;
        const model::Reader& reader;
        Executor& executor;
        QueryBounds bounds;
        Plan::State* plan = nullptr;  ///< What earlier evaluations left; null for a query alone.
    };
    Evaluator(const Environment& environment, const Expr& root);
    Evaluator(const Evaluator&) = delete;
    Evaluator& operator=(const Evaluator&) = delete;
    ~Evaluator();

    /// The value of any expression but a range vector.
    [[nodiscard]] Result<Evaluated> eval(const Expr& expr, const Steps& steps);
    /// The same where the type is known to be an instant vector / a scalar / a string.
    [[nodiscard]] Result<Rows> eval_vector(const Expr& expr, const Steps& steps);
    [[nodiscard]] Result<ScalarColumn> eval_scalar(const Expr& expr, const Steps& steps);
    [[nodiscard]] Result<std::string> eval_string(const Expr& expr);
    /// A range vector: a matrix selector or a subquery, perhaps in parentheses.
    [[nodiscard]] Result<RangeInput> eval_range(const Expr& expr, const Steps& steps);
    /// Where the windows of a matrix selector lie, without its series; then these, one by one. The
    /// sink may take a series' samples away.
    [[nodiscard]] Result<RangeInput> frame_of(const MatrixSelector& matrix);
    using SeriesSink = std::function<Result<void>(RangeSeries& series)>;
    [[nodiscard]] Result<void> visit_matrix(const MatrixSelector& matrix, const RangeInput& frame,
                                            const Steps& steps, const SeriesSink& sink);

    /// The same of a selector that a plan keeps, as views. Only when is_kept().
    using ViewSink = std::function<Result<void>(const RangeView& series)>;
    [[nodiscard]] Result<void> visit_kept_matrix(const MatrixSelector& matrix,
                                                 const RangeInput& frame, const Steps& steps,
                                                 const ViewSink& sink);
    [[nodiscard]] bool is_kept(const VectorSelector& selector) const {
        return kept_of(selector) != nullptr;
    }
    /// What a plan keeps for a streamed node over this kept selector; null without a plan.
    [[nodiscard]] KeptGroups* kept_groups(const AggregateExpr& aggregate);
    [[nodiscard]] KeptUniqueness* kept_uniqueness(const Call& call);

    /// Whether stream() can give the rows of this vector one by one.
    [[nodiscard]] bool can_stream(const Expr& expr, const Steps& steps) const;
    /// The rows of eval_vector() in no order, without holding them. False when two of them may have
    /// the same labels: then only eval_vector() can tell what comes of it, and the sink has seen
    /// some of the rows for nothing.
    [[nodiscard]] Result<bool> stream(const Expr& expr, const Steps& steps, const RowSink& sink);
    [[nodiscard]] Result<void> stream_selector(const VectorSelector& selector, const Steps& steps,
                                               bool sample_times, const RowSink& sink);

    /// An instant selector; with `sample_times` the values are the samples' own times in seconds.
    [[nodiscard]] Result<Rows> eval_selector(const VectorSelector& selector, const Steps& steps,
                                             bool sample_times);

    /// The name goes: now, or at the end with delayed name removal.
    void drop_name(Row& row) const;
    /// Does so to a streamed row whose name goes.
    void let_name_go(Row& row) const {
        if (row.name_goes) {
            row.name_goes = false;
            drop_name(row);
        }
    }
    /// Rows that came in no order, in that of their labels.
    static void sort_rows(std::vector<Row>& rows);
    /// Drops the names of all rows and makes the label sets unique again.
    [[nodiscard]] Result<void> drop_names(Rows& rows) const;
    /// The last word of a query: takes away the names that were kept back.
    [[nodiscard]] Result<void> remove_delayed_names(std::vector<Row>& rows) const;

    /// kCancelled once the query was stopped; to be asked in every long loop.
    [[nodiscard]] Result<void> check_stop() const;
    [[nodiscard]] Rows new_rows() { return Rows(budget_); }
    [[nodiscard]] Budget& budget() { return budget_; }
    [[nodiscard]] Annotations& annotations() { return annotations_; }
    [[nodiscard]] const QueryBounds& bounds() const { return environment_.bounds; }
    [[nodiscard]] Executor& executor() { return environment_.executor; }
    [[nodiscard]] bool delayed_name_removal() const {
        return environment_.options.delayed_name_removal;
    }

private:
    [[nodiscard]] Result<Evaluated> eval_alone(const Expr& node, const Steps& steps);
    [[nodiscard]] Result<Evaluated> eval_node(const Expr& expr, const Steps& steps);
    [[nodiscard]] Result<Evaluated> eval_shared(const SharedParts::Part& part, const Expr& node,
                                                const Steps& steps);
    [[nodiscard]] Result<bool> stream_shared(const SharedParts::Part& part, const Expr& node,
                                             const Steps& steps, const RowSink& sink);
    [[nodiscard]] Result<bool> stream_alone(const Expr& node, const Steps& steps,
                                            const RowSink& sink);
    void hold(const SharedParts::Part& part, const Steps& steps, const Rows& rows);
    [[nodiscard]] Result<Rows> copy_of(const Rows& rows);
    [[nodiscard]] Result<Evaluated> eval_once(const Expr& node, const Steps& steps);
    [[nodiscard]] Result<Evaluated> eval_column(const Expr& node, const Steps& steps);
    [[nodiscard]] Result<Evaluated> eval_other(const Expr& expr, const Steps& steps);
    [[nodiscard]] Result<void> negate(Evaluated& value) const;
    [[nodiscard]] Result<Evaluated> eval_unary(const UnaryExpr& unary, const Steps& steps);
    [[nodiscard]] Result<RangeInput> eval_matrix(const MatrixSelector& matrix, const Steps& steps);
    [[nodiscard]] Result<RangeInput> eval_subquery(const SubqueryExpr& subquery,
                                                   const Steps& steps);
    [[nodiscard]] Result<void> visit(const VectorSelector& selector, model::TimeRange range,
                                     const model::HistoryRules* history,
                                     const model::SeriesVisitor& take);
    [[nodiscard]] Result<void> visit_kept(const VectorSelector& selector, model::TimeRange range,
                                          const model::HistoryRules* history,
                                          const model::SeriesViewVisitor& take);
    [[nodiscard]] Result<Duration> resolve(Duration written, const DurationExprPtr& computed,
                                           bool may_be_negative) const;
    [[nodiscard]] Lookbacks lookbacks() const;
    [[nodiscard]] std::optional<Timestamp> resolve_at(const TimeModifiers& modifiers) const;
    /// `samples` were looked at for a step of `steps`: the query's, or one that stands for all.
    void count_samples(const Steps& steps, std::size_t step, std::size_t samples, std::size_t read);
    void count_row(const Row& row, const Steps& steps);
    void count_windows(const RangeView& series, const RangeInput& frame, const Steps& steps);
    [[nodiscard]] model::KeptSelection* kept_of(const VectorSelector& selector) const;
    [[nodiscard]] model::ReadOptions read_options(const model::HistoryRules* history) const;
    [[nodiscard]] const SharedParts::Part* shared_part(const Expr& node) const {
        const SharedParts& parts =
            environment_.plan != nullptr ? environment_.plan->shared : shared_;
        // Statistics count a part each time it is asked for.
        return parts.empty() || statistics_ != nullptr ? nullptr : parts.find(node);
    }
    [[nodiscard]] bool is_invariant(const Expr& node) const {
        return (environment_.plan != nullptr ? environment_.plan->invariant : invariant_)
            .contains(&node);
    }

    Environment environment_;
    Budget budget_;
    const Expr* root_;
    // Null when nobody wants to know, and inside a subquery, whose windows count alone.
    QueryStatistics* statistics_;
    Annotations annotations_;
    // The nodes that give the same at every step and read series, so that once is enough.
    boost::unordered_flat_set<const Expr*> invariant_;  // Without a plan.
    SharedParts shared_;                                // Without a plan.
    [[nodiscard]] std::size_t held_values_max() const;
    // Evaluated shared parts that are asked for again, by number.
    struct HeldPart {
        std::size_t uses_left = 0;
        Steps steps;
        std::optional<Rows> rows;
    };
    std::vector<HeldPart> held_parts_;
};

/// Puts the nodes in `found` that give the same at every step and read series. Whether `expr`
/// itself gives the same at every step.
bool find_invariant(const Expr& expr, boost::unordered_flat_set<const Expr*>& found);

/// The expression inside any parentheses.
[[nodiscard]] const Expr& strip_parens(const Expr& expr);

/// Binary operators, aggregations and calls; each in its own file.
[[nodiscard]] Result<Evaluated> eval_binary(Evaluator& evaluator, const BinaryExpr& binary,
                                            const Steps& steps);
[[nodiscard]] Result<Rows> eval_vector_matching(Evaluator& evaluator, const BinaryExpr& binary,
                                                Rows lhs, Rows rhs, const Steps& steps);
[[nodiscard]] Result<Rows> eval_set_operator(Evaluator& evaluator, const BinaryExpr& binary,
                                             Rows lhs, Rows rhs, const Steps& steps);
[[nodiscard]] Result<Rows> eval_aggregate(Evaluator& evaluator, const AggregateExpr& aggregate,
                                          const Steps& steps);
/// Whether a call gives its rows one by one, and these: see Evaluator::stream().
[[nodiscard]] bool can_stream_call(const Call& call);
[[nodiscard]] Result<bool> stream_call(Evaluator& evaluator, const Call& call, const Steps& steps,
                                       const RowSink& sink);
[[nodiscard]] Result<Evaluated> eval_call(Evaluator& evaluator, const Call& call,
                                          const Steps& steps);

}  // namespace kpid::promql
