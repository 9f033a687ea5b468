#pragma once
// From query answers to what the domain judges: instances, their bounds, their newest samples.

#include "config/kpis.h"
#include "evaluate/context.h"
#include "kpid/alerting/template.h"
#include "kpid/kpi/tracker.h"
#include "kpid/model/kept_selection.h"
#include "kpid/promql/plan.h"
#include "kpid/promql/value.h"

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// The series that an expression reads around one instant.
struct Inputs {
    struct Newest {
        model::Labels labels;
        Timestamp time;
    };
    std::vector<Newest> newest;  ///< One for each series with a valid sample that they match.
    std::set<std::string> jobs;  ///< Their `job` labels.
    /// How long their values hold, the longest of them; of a selector that finds none, as far as
    /// the configuration tells. Nothing where neither is known.
    std::optional<Duration> valid_for;
};

[[nodiscard]] Inputs find_inputs(const Context& context, const Snapshot& snapshot,
                                 const promql::Expr& expr, Timestamp now);

/// The same again and again, for one expression; one thread at a time.
class KeptInputs {
public:
    /// `expr` outlives it.
    KeptInputs(const promql::Expr& expr, const model::Reader& reader);
    [[nodiscard]] Inputs find(const Snapshot& snapshot, Timestamp now);

private:
    struct Selector {
        const promql::VectorSelector* selector = nullptr;
        std::unique_ptr<model::KeptSelection> kept;
    };
    std::vector<Selector> selectors_;
};

/// Whether what was restored after a start may end without a newer sample: what is pushed has no
/// source to wait for; polled series wait until their source answered again, at most as long as
/// their values hold.
[[nodiscard]] bool ending_allowed(const Context& context, const Inputs& inputs, Timestamp now);

/// How long any value holds at most.
[[nodiscard]] Duration longest_valid_for(const Snapshot& snapshot);

/// The queries of one KPI in one configuration, evaluated again and again; one thread at a time.
/// Borrows the context and the entry.
class KpiQueries {
public:
    KpiQueries(const Context& context, const config::KpiEntry& entry);
    /// Asks for the value, the bounds and `require` at `now`; `inputs` is what the value reads. An
    /// error of the value or of `require` fails the evaluation (Evaluation::error); one of a bound
    /// is a bound without an answer.
    [[nodiscard]] kpi::Evaluation evaluate(const Snapshot& snapshot, Timestamp now, Inputs& inputs);

private:
    [[nodiscard]] std::vector<promql::Vector> ask_bounds(const Snapshot& snapshot, Timestamp now);

    const Context& context_;
    const config::KpiEntry& entry_;
    promql::Plan value_;
    std::optional<promql::Plan> require_;
    std::vector<promql::Plan> bounds_;
    KeptInputs inputs_;
};

/// The sample of `candidates` that belongs to the instance: equal in every label they share (one
/// without labels fits all), the one that shares most; nothing when there is none or two fit
/// equally well.
[[nodiscard]] std::optional<double> match_by_shared_labels(
    const model::Labels& instance, std::span<const promql::VectorSample> candidates);

/// Evaluates an expression of type scalar or instant vector; a scalar is one sample without labels.
[[nodiscard]] Result<promql::Vector> query_vector(const Context& context, const Snapshot& snapshot,
                                                  const promql::Expr& expr, Timestamp now);

/// The same for who asks again and again.
[[nodiscard]] Result<promql::Vector> query_vector(const Snapshot& snapshot, promql::Plan& plan,
                                                  Timestamp now);

/// The function `query` of templates.
[[nodiscard]] Result<std::vector<alerting::TemplateSample>> template_query(
    const Context& context, const Snapshot& snapshot, std::string_view expression, Timestamp now);

}  // namespace kpid::evaluate
