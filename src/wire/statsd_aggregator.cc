#include "kpid/wire/statsd_aggregator.h"

#include "kpid/wire/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace kpid::wire {
namespace {

constexpr std::string_view kQuantile = "quantile";

// 99.9 to "0.999", without the error of a division.
std::string quantile_text(double percentile) {
    constexpr double kDigits = 1e9;
    return format_bound(std::round(percentile * kDigits) / (kDigits * 100));
}

// Of `count` sorted values those that the percentile keeps (etsy's rule); 0 leaves the percentile
// out.
std::size_t kept_values(double percentile, std::size_t count) {
    const double kept = std::round(percentile / 100 * static_cast<double>(count));
    return std::min(count, static_cast<std::size_t>(std::max(kept, 0.0)));
}

model::Labels labels_of(const StatsdEvent& event, bool summary) {
    model::LabelsBuilder builder(event.tags);
    if (summary && event.tags.has(kQuantile)) {
        builder.set("exported_quantile", event.tags.get(kQuantile)).erase(kQuantile);
    }
    return builder.set(model::kMetricName, sanitise_statsd_name(event.name)).build();
}

}  // namespace

StatsdAggregator::StatsdAggregator(StatsdAggregatorOptions options) : options_(std::move(options)) {
}

StatsdAggregator::Shape StatsdAggregator::shape_of(StatsdKind kind) {
    switch (kind) {
        case StatsdKind::kCounter:
            return Shape::kCounter;
        case StatsdKind::kGauge:
        case StatsdKind::kGaugeDelta:
            return Shape::kGauge;
        case StatsdKind::kTimer:
        case StatsdKind::kHistogram:
        case StatsdKind::kDistribution:
            return Shape::kSummary;
        case StatsdKind::kSet:
            return Shape::kSet;
    }
    return Shape::kGauge;
}

void StatsdAggregator::add(const StatsdEvent& event) {
    if (event.kind == StatsdKind::kGauge && event.time) {
        if (timed_.size() >= options_.series_max) {
            ++dropped_by_limit_;
            return;
        }
        timed_.push_back({labels_of(event, false), *event.time, event.value});
        return;
    }
    if (Series* const series = find_or_add(event)) {
        add_to(*series, event);
    }
}

StatsdAggregator::Series* StatsdAggregator::find_or_add(const StatsdEvent& event) {
    const Shape shape = shape_of(event.kind);
    const model::Labels labels = labels_of(event, shape == Shape::kSummary);
    const auto found = series_.find(labels);
    if (found != series_.end()) {
        if (found->second.shape != shape) {
            ++dropped_by_kind_;
            return nullptr;
        }
        return &found->second;
    }
    if (series_.size() >= options_.series_max) {
        ++dropped_by_limit_;
        return nullptr;
    }
    if (!reserve_names(std::string(labels.metric_name()), shape)) {
        ++dropped_by_kind_;
        return nullptr;
    }
    Series& series = series_[labels];
    series.shape = shape;
    if (shape == Shape::kSummary) {
        make_summary_labels(labels, series);
    }
    return &series;
}

// One metric name has one shape; a summary also takes the names of its sum and count.
bool StatsdAggregator::reserve_names(const std::string& name, Shape shape) {
    const std::array<std::string, 3> names = {name, name + "_sum", name + "_count"};
    const std::size_t count = shape == Shape::kSummary ? names.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const auto found = names_.find(names[i]);
        if (found != names_.end() && (found->second.shape != shape || found->second.base != name)) {
            return false;
        }
    }
    for (std::size_t i = 0; i < count; ++i) {
        NameUse& use = names_[names[i]];
        use.shape = shape;
        use.base = name;
        ++use.series;
    }
    return true;
}

void StatsdAggregator::release_names(const std::string& name, Shape shape) {
    const std::array<std::string, 3> names = {name, name + "_sum", name + "_count"};
    const std::size_t count = shape == Shape::kSummary ? names.size() : 1;
    for (std::size_t i = 0; i < count; ++i) {
        const auto found = names_.find(names[i]);
        if (found != names_.end() && --found->second.series == 0) {
            names_.erase(found);
        }
    }
}

void StatsdAggregator::make_summary_labels(const model::Labels& labels, Series& series) const {
    const std::string name(labels.metric_name());
    series.sum_labels = labels.with(model::kMetricName, name + "_sum");
    series.count_labels = labels.with(model::kMetricName, name + "_count");
    for (const double percentile : options_.percentiles) {
        series.quantile_labels.push_back(labels.with(kQuantile, quantile_text(percentile)));
    }
}

void StatsdAggregator::add_to(Series& series, const StatsdEvent& event) {
    series.touched = true;
    switch (event.kind) {
        case StatsdKind::kCounter:
            series.value += event.value / event.sample_rate;
            return;
        case StatsdKind::kGauge:
            series.value = event.value;
            return;
        case StatsdKind::kGaugeDelta:
            series.value += event.value;
            return;
        case StatsdKind::kSet:
            if (series.members.size() >= options_.set_members_max &&
                !series.members.contains(event.set_member)) {
                ++dropped_by_limit_;
                return;
            }
            series.members.insert(event.set_member);
            return;
        case StatsdKind::kTimer:
        case StatsdKind::kHistogram:
        case StatsdKind::kDistribution:
            series.sum += event.value / event.sample_rate;
            series.count += 1 / event.sample_rate;
            if (series.values.size() < options_.timer_values_max) {
                series.values.push_back(event.value);
            }
            return;
    }
}

std::vector<model::SeriesSample> StatsdAggregator::flush(Timestamp now) {
    std::vector<model::SeriesSample> out = std::move(timed_);
    timed_.clear();
    for (auto it = series_.begin(); it != series_.end();) {
        Series& series = it->second;
        if (series.touched) {
            series.last_touched = now;
        } else if (options_.idle_max > Duration::zero() &&
                   now - series.last_touched >= options_.idle_max) {
            mark_stale(it->first, series, now, out);
            release_names(std::string(it->first.metric_name()), series.shape);
            it = series_.erase(it);
            continue;
        }
        flush_series(it->first, series, now, out);
        series.touched = false;
        ++it;
    }
    return out;
}

void StatsdAggregator::flush_series(const model::Labels& labels, Series& series, Timestamp now,
                                    std::vector<model::SeriesSample>& out) const {
    switch (series.shape) {
        case Shape::kCounter:
        case Shape::kGauge:
            out.push_back({labels, now, series.value});
            return;
        case Shape::kSet:
            out.push_back({labels, now, static_cast<double>(series.members.size())});
            series.members.clear();
            return;
        case Shape::kSummary:
            flush_summary(series, now, out);
            return;
    }
}

void StatsdAggregator::flush_summary(Series& series, Timestamp now,
                                     std::vector<model::SeriesSample>& out) const {
    out.push_back({series.sum_labels, now, series.sum});
    out.push_back({series.count_labels, now, series.count});
    std::sort(series.values.begin(), series.values.end());
    const std::size_t count = series.values.size();
    for (std::size_t i = 0; i < series.quantile_labels.size(); ++i) {
        const std::size_t kept = kept_values(options_.percentiles[i], count);
        if (kept > 0) {
            out.push_back({series.quantile_labels[i], now, series.values[kept - 1]});
        } else if (series.has_live_quantiles) {
            out.push_back({series.quantile_labels[i], now, model::stale_marker()});
        }
    }
    series.has_live_quantiles = count > 0;
    series.values.clear();
}

void StatsdAggregator::mark_stale(const model::Labels& labels, const Series& series, Timestamp now,
                                  std::vector<model::SeriesSample>& out) {
    if (series.shape != Shape::kSummary) {
        out.push_back({labels, now, model::stale_marker()});
        return;
    }
    out.push_back({series.sum_labels, now, model::stale_marker()});
    out.push_back({series.count_labels, now, model::stale_marker()});
    if (series.has_live_quantiles) {
        for (const model::Labels& quantile : series.quantile_labels) {
            out.push_back({quantile, now, model::stale_marker()});
        }
    }
}

}  // namespace kpid::wire
