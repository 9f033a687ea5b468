#pragma once
// Holds an OpenMetrics text to the rules that go beyond its grammar: families, types, order.

#include "kpid/base/hash.h"
#include "kpid/wire/exposition.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire::detail {

struct CheckedBucket {
    double bound = 0;
    double count = 0;
};
// The samples of one metric (one set of labels) at one instant.
struct CheckedPoint {
    std::vector<CheckedBucket> buckets;
    std::optional<double> count;
    std::optional<double> sum;
    std::set<std::string> samples;
};
struct CheckedMetric {
    std::string key;
    bool has_time = false;
    std::optional<double> time;
    CheckedPoint point;
};

/// Fed with all metadata and samples in order, then finish(). Each call gives what is wrong, or
/// nothing.
class OpenMetricsChecker {
public:
    using Problem = std::optional<std::string>;

    Problem on_metadata(const MetadataEvent& event);
    /// `name` is the sample's with escapes resolved. Sets `type` to that of the sample's family.
    Problem on_sample(const SampleEvent& sample, std::string_view name, model::MetricType& type);
    Problem finish();

private:
    Problem begin_family(const std::string& name);
    Problem end_family();
    Problem begin_metric(std::string key, const SampleEvent& sample);
    Problem end_metric();
    Problem end_histogram() const;
    Problem check_time(const SampleEvent& sample);
    Problem check_exemplar(const SampleEvent& sample, std::string_view suffix) const;
    Problem check_value(const SampleEvent& sample, std::string_view suffix);
    Problem check_histogram_value(const SampleEvent& sample, std::string_view suffix);
    Problem check_summary_value(const SampleEvent& sample, std::string_view suffix) const;
    Problem check_labels_of_type(const SampleEvent& sample) const;
    Problem reserve_names();
    [[nodiscard]] std::string metric_key(const SampleEvent& sample) const;

    // The family at hand.
    std::string family_;
    bool in_family_ = false;
    bool has_type_ = false;
    bool has_help_ = false;
    bool has_unit_ = false;
    bool has_samples_ = false;
    model::MetricType type_ = model::MetricType::kUnknown;
    std::optional<CheckedMetric> metric_;
    std::set<std::string> finished_metrics_;

    StringSet families_;      // all so far, the one at hand too
    StringSet sample_names_;  // that these families may use
};

}  // namespace kpid::wire::detail
