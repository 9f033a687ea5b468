#pragma once
// From query answers to what the domain judges: instances, their bounds, their newest samples.

#include "config/kpis.h"
#include "evaluate/context.h"
#include "kpid/alerting/template.h"
#include "kpid/kpi/tracker.h"
#include "kpid/promql/value.h"

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

/// Whether what was restored after a start may end without a newer sample: what is pushed has no
/// source to wait for; polled series wait until their source answered again, at most as long as
/// their values hold.
[[nodiscard]] bool ending_allowed(const Context& context, const Inputs& inputs, Timestamp now);

/// How long any value holds at most.
[[nodiscard]] Duration longest_valid_for(const Snapshot& snapshot);

/// Queries the value, the bounds and `require` of `entry` at `now`; `inputs` is what the value
/// reads. An error of the value or of
/// `require` fails the evaluation (Evaluation::error); one of a bound is a bound without an answer.
[[nodiscard]] kpi::Evaluation query_evaluation(const Context& context, const Snapshot& snapshot,
                                               const config::KpiEntry& entry, Timestamp now,
                                               Inputs& inputs);

/// The sample of `candidates` that belongs to the instance: equal in every label they share (one
/// without labels fits all), the one that shares most; nothing when there is none or two fit
/// equally well.
[[nodiscard]] std::optional<double> match_by_shared_labels(
    const model::Labels& instance, std::span<const promql::VectorSample> candidates);

/// Evaluates an expression of type scalar or instant vector; a scalar is one sample without labels.
[[nodiscard]] Result<promql::Vector> query_vector(const Context& context, const Snapshot& snapshot,
                                                  const promql::Expr& expr, Timestamp now);

/// The function `query` of templates.
[[nodiscard]] Result<std::vector<alerting::TemplateSample>> template_query(
    const Context& context, const Snapshot& snapshot, std::string_view expression, Timestamp now);

}  // namespace kpid::evaluate
