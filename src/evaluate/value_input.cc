// Runs the queries of a KPI and matches their answers by labels.
#include "evaluate/value_input.h"

#include "kpid/promql/parser.h"
#include "kpid/promql/selectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kpid::evaluate {
namespace {

constexpr std::size_t kNewestSamplesMax = 1'000'000;

// How many labels both have, or nothing when one of these differs.
std::optional<std::size_t> shared_labels(const model::Labels& instance,
                                         const model::Labels& candidate) {
    std::size_t shared = 0;
    for (const model::Label& label : candidate) {
        if (label.name == model::kMetricName || !instance.has(label.name)) {
            continue;
        }
        if (instance.get(label.name) != label.value) {
            return std::nullopt;
        }
        ++shared;
    }
    return shared;
}

bool has_all_labels(const model::Labels& series, const model::Labels& instance) {
    return std::all_of(instance.begin(), instance.end(), [&](const model::Label& label) {
        return series.get(label.name) == label.value;
    });
}

std::optional<Timestamp> newest_for(const Inputs& inputs, const model::Labels& instance) {
    std::optional<Timestamp> newest;
    std::optional<Timestamp> newest_of_all;
    for (const Inputs::Newest& input : inputs.newest) {
        newest_of_all = std::max(newest_of_all.value_or(input.time), input.time);
        if (has_all_labels(input.labels, instance)) {
            newest = std::max(newest.value_or(input.time), input.time);
        }
    }
    // Labels that the expression made itself (label_replace, count_values) match no series.
    return newest ? newest : newest_of_all;
}

}  // namespace

KeptInputs::KeptInputs(const promql::Expr& expr, const model::Reader& reader) {
    for (const promql::VectorSelector* selector : promql::collect_selectors(expr)) {
        selectors_.push_back({selector, reader.keep(selector->matchers)});
    }
}

Inputs KeptInputs::find(const Snapshot& snapshot, Timestamp now) {
    Inputs inputs;
    const promql::Lookbacks lookbacks = snapshot.engine->options().lookbacks();
    for (const Selector& selector : selectors_) {
        std::vector<Inputs::Newest> newest;
        std::size_t samples = 0;
        const auto take = [&](const model::SeriesView& series) -> Result<void> {
            samples += series.times.size();
            if (samples > kNewestSamplesMax) {
                return resource_exhausted("too many samples");
            }
            newest.push_back({series.labels, series.times.back()});
            return {};
        };
        const auto visited = selector.kept->visit(
            {now - lookbacks.base() + Duration(1), now},
            {.samples_max = kNewestSamplesMax, .history = lookbacks.history()}, take);
        if (!visited) {
            continue;  // The query itself meets the same limit and says so.
        }
        if (newest.empty() && snapshot.valid_for != nullptr) {
            inputs.valid_for = std::max(
                inputs.valid_for, snapshot.valid_for->of_selector(selector.selector->matchers));
        }
        for (Inputs::Newest& one : newest) {
            const Duration lookback = lookbacks.of(one.labels);
            if (now - one.time < lookback) {
                inputs.jobs.emplace(one.labels.get("job"));
                inputs.valid_for = std::max(inputs.valid_for, std::optional(lookback));
                inputs.newest.push_back(std::move(one));
            }
        }
    }
    return inputs;
}

Inputs find_inputs(const Context& context, const Snapshot& snapshot, const promql::Expr& expr,
                   Timestamp now) {
    return KeptInputs(expr, context.reader).find(snapshot, now);
}

Duration longest_valid_for(const Snapshot& snapshot) {
    return snapshot.valid_for != nullptr ? snapshot.valid_for->longest() : kValidForDefault;
}

bool ending_allowed(const Context& context, const Inputs& inputs, Timestamp now) {
    if (now - context.started_at >= inputs.valid_for.value_or(kValidForDefault)) {
        return true;
    }
    if (inputs.newest.empty()) {
        return context.sources.all_answered_since_start();
    }
    return std::all_of(inputs.jobs.begin(), inputs.jobs.end(), [&](const std::string& job) {
        return !context.sources.is_polled(job) || context.sources.answered_since_start(job);
    });
}

namespace {

Result<promql::Vector> as_vector(promql::QueryResult answer) {
    if (const auto* scalar = std::get_if<promql::Scalar>(&answer.value)) {
        return promql::Vector{{model::Labels(), scalar->time, scalar->value}};
    }
    if (auto* vector = std::get_if<promql::Vector>(&answer.value)) {
        return std::move(*vector);
    }
    return Error{Code::kUnprocessable,
                 fmt::format("the expression gives a {}, not a vector or a scalar",
                             promql::value_type_name(answer.value))};
}

}  // namespace

Result<promql::Vector> query_vector(const Context& context, const Snapshot& snapshot,
                                    const promql::Expr& expr, Timestamp now) {
    KPID_TRY(promql::QueryResult answer, snapshot.engine->instant(expr, now, context.reader));
    return as_vector(std::move(answer));
}

Result<promql::Vector> query_vector(const Snapshot& snapshot, promql::Plan& plan, Timestamp now) {
    KPID_TRY(promql::QueryResult answer, snapshot.engine->instant(plan, now));
    return as_vector(std::move(answer));
}

Result<std::vector<alerting::TemplateSample>> template_query(const Context& context,
                                                             const Snapshot& snapshot,
                                                             std::string_view expression,
                                                             Timestamp now) {
    KPID_TRY(promql::ExprPtr expr, promql::parse_expr(expression, snapshot.config->parse_options));
    KPID_TRY(promql::Vector vector, query_vector(context, snapshot, *expr, now));
    std::vector<alerting::TemplateSample> samples;
    for (const promql::VectorSample& sample : vector) {
        samples.push_back({sample.labels, sample.value});
    }
    return samples;
}

std::optional<double> match_by_shared_labels(const model::Labels& instance,
                                             std::span<const promql::VectorSample> candidates) {
    std::optional<double> best;
    std::size_t best_shared = 0;
    bool ambiguous = false;
    for (const promql::VectorSample& candidate : candidates) {
        const std::optional<std::size_t> shared = shared_labels(instance, candidate.labels);
        if (!shared) {
            continue;
        }
        if (!best || *shared > best_shared) {
            best = candidate.value;
            best_shared = *shared;
            ambiguous = false;
        } else if (*shared == best_shared) {
            ambiguous = true;
        }
    }
    return ambiguous ? std::nullopt : best;
}

KpiQueries::KpiQueries(const Context& context, const config::KpiEntry& entry)
    : context_(context),
      entry_(entry),
      value_(entry.value, context.reader),
      inputs_(*entry.value, context.reader) {
    if (entry.require != nullptr) {
        require_.emplace(entry.require, context.reader);
    }
    for (const config::BoundExpr& bound : entry.bounds) {
        bounds_.emplace_back(bound.expr, context.reader);
    }
}

std::vector<promql::Vector> KpiQueries::ask_bounds(const Snapshot& snapshot, Timestamp now) {
    std::vector<promql::Vector> answers;
    for (std::size_t i = 0; i < bounds_.size(); ++i) {
        Result<promql::Vector> answer = query_vector(snapshot, bounds_[i], now);
        if (!answer) {
            context_.log.warn("a bound has no answer", {{"kpi", entry_.definition.id},
                                                        {"expr", entry_.bounds[i].text},
                                                        {"error", answer.error().message}});
        }
        answers.push_back(answer ? std::move(*answer) : promql::Vector());
    }
    return answers;
}

kpi::Evaluation KpiQueries::evaluate(const Snapshot& snapshot, Timestamp now, Inputs& inputs) {
    kpi::Evaluation evaluation;
    Result<promql::Vector> values = query_vector(snapshot, value_, now);
    if (!values) {
        evaluation.error = values.error().message;
        return evaluation;
    }
    std::optional<promql::Vector> require;
    if (require_) {
        Result<promql::Vector> answer = query_vector(snapshot, *require_, now);
        if (!answer) {
            evaluation.error = "require: " + answer.error().message;
            return evaluation;
        }
        require = std::move(*answer);
    }
    const std::vector<promql::Vector> bounds = ask_bounds(snapshot, now);
    inputs = inputs_.find(snapshot, now);

    std::set<model::Labels> seen;
    for (const promql::VectorSample& sample : *values) {
        kpi::InstanceValue instance{.labels = sample.labels.without(model::kMetricName),
                                    .value = sample.value};
        if (!seen.insert(instance.labels).second) {
            evaluation.instances.clear();
            evaluation.error = fmt::format(
                "several series of the answer differ only in their metric name: {}; aggregate them",
                instance.labels.to_string());
            return evaluation;
        }
        for (const promql::Vector& bound : bounds) {
            instance.bounds.push_back(match_by_shared_labels(instance.labels, bound));
        }
        if (require) {
            instance.require = match_by_shared_labels(instance.labels, *require);
        }
        instance.newest_sample = newest_for(inputs, instance.labels);
        evaluation.instances.push_back(std::move(instance));
    }
    return evaluation;
}

}  // namespace kpid::evaluate
