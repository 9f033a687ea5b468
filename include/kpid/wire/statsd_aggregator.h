#pragma once
// What StatsD's events add up to between two flushes.

#include "kpid/base/hash.h"
#include "kpid/model/sample.h"
#include "kpid/wire/statsd.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace kpid::wire {

struct StatsdAggregatorOptions {
    /// Of timers, histograms and distributions; 0 to 100: 90 makes quantile="0.9".
    std::vector<double> percentiles = {50, 90, 99};
    /// Series (one name, kind and set of tags) kept; events of further ones are dropped and
    /// counted.
    std::size_t series_max = 100'000;
    /// Values of one timer kept for its quantiles between two flushes; beyond it they enter only
    /// sum and count.
    std::size_t timer_values_max = 100'000;
    /// Members of one set between two flushes; further ones are dropped and counted.
    std::size_t set_members_max = 100'000;
    /// A series without events for so long is forgotten and marked stale; zero: never.
    Duration idle_max = Duration::zero();
};

/// Counters, `_sum` and `_count` grow from the start on; gauges keep their value; sets and
/// quantiles are those of the last interval. Not thread-safe: one owner. No clock: time comes with
/// flush().
class StatsdAggregator {
public:
    explicit StatsdAggregator(StatsdAggregatorOptions options = {});

    void add(const StatsdEvent& event);
    /// All series as samples at `now`, and stale markers for the quantiles of timers that were idle
    /// since the last flush (once) and for series forgotten. Then begins the next interval.
    [[nodiscard]] std::vector<model::SeriesSample> flush(Timestamp now);

    /// Events dropped since the start because a limit was reached, or their name has another kind
    /// already.
    [[nodiscard]] std::uint64_t dropped_by_limit() const { return dropped_by_limit_; }
    [[nodiscard]] std::uint64_t dropped_by_kind() const { return dropped_by_kind_; }

private:
    enum class Shape : std::uint8_t { kCounter, kGauge, kSummary, kSet };
    struct Series {
        Shape shape = Shape::kCounter;
        double value = 0;      // counter: total; gauge: level
        double sum = 0;        // summary
        double count = 0;      // summary
        bool touched = false;  // since the last flush
        bool has_live_quantiles = false;
        Timestamp last_touched = Timestamp::min();
        std::vector<double> values;  // summary, this interval
        StringSet members;           // set, this interval
        std::vector<model::Labels> quantile_labels;
        model::Labels sum_labels;
        model::Labels count_labels;
    };
    struct NameUse {
        Shape shape = Shape::kCounter;
        std::string base;        // the summary's name behind `_sum` and `_count`
        std::size_t series = 0;  // that use it
    };
    using SeriesMap = std::unordered_map<model::Labels, Series, model::LabelsHash>;

    [[nodiscard]] static Shape shape_of(StatsdKind kind);
    Series* find_or_add(const StatsdEvent& event);
    [[nodiscard]] bool reserve_names(const std::string& name, Shape shape);
    void release_names(const std::string& name, Shape shape);
    void add_to(Series& series, const StatsdEvent& event);
    void flush_series(const model::Labels& labels, Series& series, Timestamp now,
                      std::vector<model::SeriesSample>& out) const;
    void flush_summary(Series& series, Timestamp now, std::vector<model::SeriesSample>& out) const;
    void make_summary_labels(const model::Labels& labels, Series& series) const;
    static void mark_stale(const model::Labels& labels, const Series& series, Timestamp now,
                           std::vector<model::SeriesSample>& out);

    const StatsdAggregatorOptions options_;
    SeriesMap series_;
    StringMap<NameUse> names_;                // every metric name that the series use
    std::vector<model::SeriesSample> timed_;  // gauges that came with their own time
    std::uint64_t dropped_by_limit_ = 0;
    std::uint64_t dropped_by_kind_ = 0;
};

}  // namespace kpid::wire
