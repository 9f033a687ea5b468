#include "wire/openmetrics_checker.h"

#include "kpid/base/number.h"
#include "wire/exposition_scanner.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace kpid::wire::detail {
namespace {

using model::MetricType;

constexpr std::string_view kSuffixes[] = {"",     "_total",  "_created", "_bucket", "_count",
                                          "_sum", "_gcount", "_gsum",    "_info"};

bool is_histogram(MetricType type) {
    return type == MetricType::kHistogram || type == MetricType::kGaugeHistogram;
}

const RawLabel* find_label(std::span<const RawLabel> labels, std::string_view name) {
    const auto found = std::find_if(labels.begin(), labels.end(),
                                    [&](const RawLabel& label) { return label.name == name; });
    return found == labels.end() ? nullptr : &*found;
}

bool is_count(double value) {
    return !std::isnan(value) && value >= 0;
}

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

}  // namespace

OpenMetricsChecker::Problem OpenMetricsChecker::on_metadata(const MetadataEvent& event) {
    const std::string name(event.family);
    if (!in_family_ || family_ != name) {
        if (Problem problem = begin_family(name)) {
            return problem;
        }
    } else if (has_samples_) {
        return fmt::format("metadata of \"{}\" after its samples", name);
    }
    switch (event.kind) {
        case MetadataEvent::Kind::kHelp:
            if (std::exchange(has_help_, true)) {
                return fmt::format("second HELP line for metric \"{}\"", name);
            }
            return {};
        case MetadataEvent::Kind::kUnit:
            if (std::exchange(has_unit_, true)) {
                return fmt::format("second UNIT line for metric \"{}\"", name);
            }
            break;
        case MetadataEvent::Kind::kType:
            if (std::exchange(has_type_, true)) {
                return fmt::format("second TYPE line for metric \"{}\"", name);
            }
            type_ = event.type;
            if (Problem problem = reserve_names()) {
                return problem;
            }
            break;
    }
    if (has_unit_ && (type_ == MetricType::kInfo || type_ == MetricType::kStateset)) {
        return fmt::format("metric \"{}\" of type {} has a unit", name, model::to_string(type_));
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::begin_family(const std::string& name) {
    if (Problem problem = end_family()) {
        return problem;
    }
    if (!families_.insert(name).second) {
        return fmt::format("metric \"{}\" is not in one block", name);
    }
    family_ = name;
    in_family_ = true;
    has_type_ = has_help_ = has_unit_ = has_samples_ = false;
    type_ = MetricType::kUnknown;
    finished_metrics_.clear();
    return {};
}

// No two families may use one sample name.
OpenMetricsChecker::Problem OpenMetricsChecker::reserve_names() {
    for (const std::string_view suffix : kSuffixes) {
        // The bare name is taken by every family, so that `a` cannot be a gauge beside the counter
        // `a`.
        if ((suffix.empty() || is_suffix_of_type(type_, suffix)) &&
            !sample_names_.insert(family_ + std::string(suffix)).second) {
            return fmt::format("metric \"{}\" clashes with another on the name \"{}{}\"", family_,
                               family_, suffix);
        }
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::end_family() {
    Problem problem = end_metric();
    if (!problem && in_family_ && !has_type_) {
        problem = reserve_names();
    }
    in_family_ = false;
    return problem;
}

OpenMetricsChecker::Problem OpenMetricsChecker::finish() {
    return end_family();
}

OpenMetricsChecker::Problem OpenMetricsChecker::on_sample(const SampleEvent& sample,
                                                          std::string_view name, MetricType& type) {
    std::optional<std::string_view> suffix;
    if (in_family_) {
        suffix = suffix_of(name, family_);
    }
    if (!suffix || !is_suffix_of_type(type_, *suffix)) {
        if (Problem problem = begin_family(std::string(name))) {
            return problem;
        }
        suffix = "";
    }
    has_samples_ = true;
    type = type_;
    if (Problem problem = check_labels_of_type(sample)) {
        return problem;
    }
    std::string key = metric_key(sample);
    if (!metric_ || metric_->key != key) {
        if (Problem problem = begin_metric(std::move(key), sample)) {
            return problem;
        }
    } else if (Problem problem = check_time(sample)) {
        return problem;
    }
    if (!sample.time && !metric_->point.samples.insert(std::string(sample.series)).second) {
        return fmt::format("sample {} is there twice", sample.series);
    }
    if (Problem problem = check_exemplar(sample, *suffix)) {
        return problem;
    }
    return check_value(sample, *suffix);
}

// The labels without the one that tells a metric's samples apart, sorted.
std::string OpenMetricsChecker::metric_key(const SampleEvent& sample) const {
    std::vector<std::string> labels;
    for (const RawLabel& label : sample.labels) {
        const bool inner = (is_histogram(type_) && label.name == "le") ||
                           (type_ == MetricType::kSummary && label.name == "quantile") ||
                           (type_ == MetricType::kStateset && label.name == family_);
        if (!inner) {
            labels.push_back(fmt::format("{}\xff{}\xff", label.name, label.value));
        }
    }
    std::sort(labels.begin(), labels.end());
    std::string key;
    for (const std::string& label : labels) {
        key += label;
    }
    return key;
}

OpenMetricsChecker::Problem OpenMetricsChecker::begin_metric(std::string key,
                                                             const SampleEvent& sample) {
    if (Problem problem = end_metric()) {
        return problem;
    }
    if (finished_metrics_.contains(key)) {
        return fmt::format("samples of one metric of \"{}\" are not in one block", family_);
    }
    metric_.emplace();
    metric_->key = std::move(key);
    metric_->has_time = sample.time.has_value();
    if (sample.time) {
        metric_->time = sample.time->seconds();
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::check_time(const SampleEvent& sample) {
    if (metric_->has_time != sample.time.has_value()) {
        return fmt::format("samples of \"{}\" with and without timestamp are mixed", family_);
    }
    if (!sample.time || sample.time->seconds() == metric_->time) {
        return {};
    }
    if (sample.time->seconds() < *metric_->time) {
        return fmt::format("timestamps of \"{}\" go back", family_);
    }
    Problem problem = end_histogram();
    metric_->time = sample.time->seconds();
    metric_->point = {};
    return problem;
}

OpenMetricsChecker::Problem OpenMetricsChecker::end_metric() {
    if (!metric_) {
        return {};
    }
    Problem problem = end_histogram();
    finished_metrics_.insert(std::move(metric_->key));
    metric_.reset();
    return problem;
}

OpenMetricsChecker::Problem OpenMetricsChecker::end_histogram() const {
    if (!is_histogram(type_)) {
        return {};
    }
    const CheckedPoint& point = metric_->point;
    if (point.buckets.empty() && !point.count && !point.sum) {
        return {};  // Only its creation time.
    }
    if (point.buckets.empty() || !std::isinf(point.buckets.back().bound)) {
        return fmt::format("histogram \"{}\" has no +Inf bucket", family_);
    }
    if (point.count && *point.count != point.buckets.back().count) {
        return fmt::format("histogram \"{}\": the count is not that of the +Inf bucket", family_);
    }
    if (point.sum.has_value() != point.count.has_value()) {
        return fmt::format("histogram \"{}\" has only one of sum and count", family_);
    }
    const bool negative = point.buckets.front().bound < 0;
    if (point.sum && type_ == MetricType::kHistogram && negative) {
        return fmt::format("histogram \"{}\" has a sum beside negative buckets", family_);
    }
    if (point.sum && !negative && *point.sum < 0) {
        return fmt::format("histogram \"{}\" has a negative sum without negative buckets", family_);
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::check_exemplar(const SampleEvent& sample,
                                                               std::string_view suffix) const {
    if (sample.exemplar == nullptr) {
        return {};
    }
    const bool allowed = (type_ == MetricType::kCounter && suffix == "_total") ||
                         (is_histogram(type_) && suffix == "_bucket");
    if (!allowed) {
        return fmt::format("an exemplar is not allowed on {}", sample.series);
    }
    std::size_t length = 0;
    for (const RawLabel& label : sample.exemplar->labels) {
        length += code_points(label.name_has_escapes ? unescape(label.name, true) : label.name);
        length += code_points(label.value_has_escapes ? unescape(label.value, true) : label.value);
    }
    if (length > ExpositionOptions::kExemplarCodePointsMax) {
        return fmt::format("an exemplar's labels have {} characters: at most {} are allowed",
                           length, ExpositionOptions::kExemplarCodePointsMax);
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::check_labels_of_type(
    const SampleEvent& sample) const {
    if (type_ == MetricType::kStateset && find_label(sample.labels, family_) == nullptr) {
        return fmt::format("a stateset's sample has no label \"{}\"", family_);
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::check_value(const SampleEvent& sample,
                                                            std::string_view suffix) {
    const double value = sample.value;
    switch (type_) {
        case MetricType::kCounter:
            if (suffix == "_total" && !is_count(value)) {
                return fmt::format("counter \"{}\" is negative or NaN", family_);
            }
            return {};
        case MetricType::kInfo:
            return value == 1 ? Problem() : fmt::format("info \"{}\" is not 1", family_);
        case MetricType::kStateset:
            return value == 0 || value == 1
                       ? Problem()
                       : fmt::format("stateset \"{}\" is neither 0 nor 1", family_);
        case MetricType::kHistogram:
        case MetricType::kGaugeHistogram:
            return check_histogram_value(sample, suffix);
        case MetricType::kSummary:
            return check_summary_value(sample, suffix);
        case MetricType::kUnknown:
        case MetricType::kGauge:
            return {};
    }
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::check_histogram_value(const SampleEvent& sample,
                                                                      std::string_view suffix) {
    CheckedPoint& point = metric_->point;
    if (suffix == "_sum" || suffix == "_gsum") {
        point.sum = sample.value;
        return {};
    }
    if (suffix == "_created") {
        return {};
    }
    if (!is_count(sample.value)) {
        return fmt::format("a count of histogram \"{}\" is negative or NaN", family_);
    }
    if (suffix != "_bucket") {
        point.count = sample.value;
        return {};
    }
    const RawLabel* const label = find_label(sample.labels, "le");
    double bound = 0;
    if (label == nullptr || !read_value(label->value, bound) || std::isnan(bound)) {
        return fmt::format("a bucket of \"{}\" has no number as le", family_);
    }
    if (!point.buckets.empty() && bound <= point.buckets.back().bound) {
        return fmt::format("buckets of \"{}\" are not in ascending order", family_);
    }
    if (!point.buckets.empty() && sample.value < point.buckets.back().count) {
        return fmt::format("buckets of \"{}\" are not cumulative", family_);
    }
    point.buckets.push_back({bound, sample.value});
    return {};
}

OpenMetricsChecker::Problem OpenMetricsChecker::check_summary_value(const SampleEvent& sample,
                                                                    std::string_view suffix) const {
    if (suffix == "_count" && !is_count(sample.value)) {
        return fmt::format("the count of summary \"{}\" is negative or NaN", family_);
    }
    if (suffix == "_sum" && sample.value < 0) {
        return fmt::format("the sum of summary \"{}\" is negative", family_);
    }
    if (!suffix.empty()) {
        return {};
    }
    const RawLabel* const label = find_label(sample.labels, "quantile");
    double quantile = 0;
    if (label == nullptr || !read_value(label->value, quantile) ||
        !(quantile >= 0 && quantile <= 1)) {
        return fmt::format("a sample of summary \"{}\" has no quantile from 0 to 1", family_);
    }
    if (sample.value < 0) {
        return fmt::format("a quantile of summary \"{}\" is negative", family_);
    }
    return {};
}

}  // namespace kpid::wire::detail
