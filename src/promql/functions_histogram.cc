// Histogram functions on classic buckets.

#include "kpid/base/number.h"
#include "promql/classic_histogram.h"
#include "promql/function_table.h"
#include "promql/parameters.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>

namespace kpid::promql {
namespace {

constexpr std::string_view kBucketLabel = "le";

// The rows that are buckets of one histogram, with their bounds.
struct Histogram {
    model::Labels labels;  // Without `le`.
    bool drop_name = false;
    std::vector<std::size_t> rows;
    std::vector<double> bounds;
};

// The end of a message: the metric's name, where the query keeps names up to its end.
std::string name_of(const Evaluator& evaluator, const model::Labels& labels) {
    const std::string_view name =
        evaluator.delayed_name_removal() ? labels.metric_name() : std::string_view();
    return name.empty() ? "" : " for metric name " + model::quote_label_value(name);
}

std::vector<Histogram> find_histograms(Evaluator& evaluator, const Rows& input, Position where) {
    std::vector<Histogram> histograms;
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> place_of;
    for (std::size_t r = 0; r < input.rows.size(); ++r) {
        const Row& row = input.rows[r];
        const std::string_view text = row.labels.get(kBucketLabel);
        const auto bound = parse_float(text);
        if (!bound) {
            evaluator.annotations().warn(
                fmt::format("bucket label \"le\" is missing or has a malformed value of {}{}",
                            model::quote_label_value(text), name_of(evaluator, row.labels)),
                where);
            continue;
        }
        model::Labels labels = row.labels.without(kBucketLabel);
        const auto [place, fresh] = place_of.try_emplace(labels, histograms.size());
        if (fresh) {
            histograms.push_back({std::move(labels), false, {}, {}});
        }
        Histogram& histogram = histograms[place->second];
        histogram.drop_name = histogram.drop_name || row.drop_name;
        histogram.rows.push_back(r);
        histogram.bounds.push_back(*bound);
    }
    return histograms;
}

std::vector<std::size_t> all_of(const Steps& steps) {
    std::vector<std::size_t> all(steps.count);
    std::iota(all.begin(), all.end(), std::size_t{0});
    return all;
}

// The value of each histogram at each of the steps, ascending, where it has buckets.
using HistogramFunction =
    std::function<double(const Histogram&, std::vector<Bucket>&&, std::size_t step)>;

Result<void> apply(Evaluator& evaluator, const Rows& input,
                   const std::vector<Histogram>& histograms, const std::vector<std::size_t>& steps,
                   const HistogramFunction& function, Rows& answer) {
    std::vector<Bucket> buckets;
    for (const Histogram& histogram : histograms) {
        KPID_CHECK_OK(evaluator.check_stop());
        Row row;
        row.labels = histogram.labels;
        row.drop_name = histogram.drop_name;
        for (const std::size_t step : steps) {
            buckets.clear();
            for (std::size_t i = 0; i < histogram.rows.size(); ++i) {
                const double count = input.rows[histogram.rows[i]].at(step);
                if (!is_absent(count)) {
                    buckets.push_back({histogram.bounds[i], count});
                }
            }
            if (!buckets.empty()) {
                const double value = function(histogram, std::move(buckets), step);
                buckets = {};
                if (!is_absent(value)) {
                    row.append(step, value);
                }
            }
        }
        KPID_CHECK_OK(answer.push(std::move(row)));
    }
    return {};
}

// Quantiles of histograms at the steps, for the argument at this place.
struct Quantiles {
    Evaluator& evaluator;
    const Steps& steps;
    Position where;

    [[nodiscard]] double at(std::size_t step, const Histogram& histogram,
                            std::vector<Bucket>&& buckets, double q) const {
        const BucketQuantile answer = bucket_quantile(q, std::move(buckets));
        if (answer.forced_monotonic) {
            const Timestamp time = steps.at(step);
            evaluator.annotations().info(
                "input to histogram_quantile needed to be fixed for monotonicity (see "
                "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                "#histogram_quantile)" +
                    name_of(evaluator, histogram.labels),
                where,
                ForcedMonotonicity{time, time, answer.bucket_min, answer.bucket_max,
                                   answer.difference_max});
        }
        return answer.value;
    }
};

Result<Evaluated> histogram_quantile(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const ScalarColumn q, evaluator.eval_scalar(*call.arguments[0], steps));
    KPID_TRY(const Rows input, evaluator.eval_vector(*call.arguments[1], steps));
    const Position where = strip_parens(*call.arguments[1]).position;
    const Quantiles quantiles{evaluator, steps, where};
    warn_of_quantiles(evaluator, q, strip_parens(*call.arguments[0]).position);
    const std::vector<Histogram> histograms = find_histograms(evaluator, input, where);
    Rows rows = evaluator.new_rows();
    KPID_CHECK_OK(apply(
        evaluator, input, histograms, all_of(steps),
        [&](const Histogram& histogram, std::vector<Bucket>&& buckets, std::size_t step) {
            return quantiles.at(step, histogram, std::move(buckets), q[step]);
        },
        rows));
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

// As OpenMetrics writes numbers in labels: never without a fraction or an exponent.
std::string openmetrics_number(double value) {
    std::string text = format_float_text(value);
    if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) {
        text += ".0";
    }
    return text;
}

// One of the quantiles, and the label that names it.
struct LabelledQuantile {
    const std::string& label;
    const ScalarColumn& q;
};

// A quantile that changes from step to step makes a series of its own for each value.
Result<void> add_quantile(const Quantiles& quantiles, const Rows& input,
                          const std::vector<Histogram>& histograms, const LabelledQuantile& asked,
                          Rows& rows) {
    std::map<std::string, std::vector<std::size_t>> steps_of;
    for (std::size_t step = 0; step < asked.q.size(); ++step) {
        steps_of[openmetrics_number(asked.q[step])].push_back(step);
    }
    for (const auto& [text, steps] : steps_of) {
        std::vector<Histogram> labelled = histograms;
        for (Histogram& histogram : labelled) {
            histogram.labels = histogram.labels.with(asked.label, text);
        }
        const auto at_step = [&](const Histogram& histogram, std::vector<Bucket>&& buckets,
                                 std::size_t step) {
            return quantiles.at(step, histogram, std::move(buckets), asked.q[step]);
        };
        KPID_CHECK_OK(apply(quantiles.evaluator, input, labelled, steps, at_step, rows));
    }
    return {};
}

Result<Evaluated> histogram_quantiles(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const Rows input, evaluator.eval_vector(*call.arguments[0], steps));
    KPID_TRY(const std::string label, evaluator.eval_string(*call.arguments[1]));
    if (!is_label_name(label)) {
        return Error{Code::kUnprocessable,
                     fmt::format("invalid label name {}", model::quote_label_value(label))};
    }
    const Position where = strip_parens(*call.arguments[0]).position;
    const Quantiles quantiles{evaluator, steps, where};
    const std::vector<Histogram> histograms = find_histograms(evaluator, input, where);
    Rows rows = evaluator.new_rows();
    for (std::size_t i = 2; i < call.arguments.size(); ++i) {
        KPID_TRY(const ScalarColumn q, evaluator.eval_scalar(*call.arguments[i], steps));
        warn_of_quantiles(evaluator, q, strip_parens(*call.arguments[i]).position);
        KPID_CHECK_OK(add_quantile(quantiles, input, histograms, {.label = label, .q = q}, rows));
    }
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

Result<Evaluated> histogram_fraction(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const ScalarColumn lower, evaluator.eval_scalar(*call.arguments[0], steps));
    KPID_TRY(const ScalarColumn upper, evaluator.eval_scalar(*call.arguments[1], steps));
    KPID_TRY(const Rows input, evaluator.eval_vector(*call.arguments[2], steps));
    const std::vector<Histogram> histograms =
        find_histograms(evaluator, input, strip_parens(*call.arguments[2]).position);
    Rows rows = evaluator.new_rows();
    KPID_CHECK_OK(apply(
        evaluator, input, histograms, all_of(steps),
        [&](const Histogram&, std::vector<Bucket>&& buckets, std::size_t step) {
            return bucket_fraction(lower[step], upper[step], std::move(buckets));
        },
        rows));
    KPID_CHECK_OK(evaluator.drop_names(rows));
    return Evaluated(std::move(rows));
}

// What asks native histograms alone leaves floats out; there is nothing else yet.
Result<Evaluated> of_native_histograms(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const Rows input, evaluator.eval_vector(*call.arguments[0], steps));
    return Evaluated(evaluator.new_rows());
}

constexpr std::array<FunctionEntry, 8> kFunctions = {{
    {"histogram_avg", of_native_histograms},
    {"histogram_count", of_native_histograms},
    {"histogram_fraction", histogram_fraction},
    {"histogram_quantile", histogram_quantile},
    {"histogram_quantiles", histogram_quantiles},
    {"histogram_stddev", of_native_histograms},
    {"histogram_stdvar", of_native_histograms},
    {"histogram_sum", of_native_histograms},
}};

}  // namespace

std::span<const FunctionEntry> histogram_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
