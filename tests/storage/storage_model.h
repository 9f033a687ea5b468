#pragma once
// What a storage has to answer, kept in plain maps: for simulations.

#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/storage/options.h"
#include "storage/sample_rules.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::storage {

inline bool same_value(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

inline bool equal(const model::SeriesColumns& a, const model::SeriesColumns& b) {
    return a.labels == b.labels && a.times == b.times &&
           std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                      same_value);
}

/// Nothing is ever evicted, compressed, split or written here. Copies are independent.
class StorageModel {
public:
    struct Row {
        Timestamp known;
        double value = 0;
        bool is_event = false;
    };
    struct Instant {
        double newest = 0;
        std::vector<Row> rows;  ///< Empty: a plain sample, known since its own time.
    };
    struct Series {
        bool is_recorded = false;
        std::map<Timestamp, Instant> instants;
        /// A store need not know where exactly a series ends once its end was deleted: the newest
        /// sample lies between these.
        std::optional<Timestamp> newest_low;
        std::optional<Timestamp> newest_high;
    };
    struct Batch {
        std::vector<model::SeriesSample> samples;  ///< In the order in which they count.
        std::size_t plain = 0;  ///< The first so many came as samples, the others raw.
        model::AppendOrigin origin = model::AppendOrigin::kExternal;
        Timestamp now;
        model::MetricKind kind = model::MetricKind::kGauge;
        std::optional<Duration> window;
        bool all_or_nothing = false;
    };
    struct Logged {
        model::Labels labels;
        Timestamp time;
        double value = 0;
        model::AppendOrigin origin = model::AppendOrigin::kExternal;
    };
    using Verdicts = std::map<std::size_t, model::RejectReason>;

    explicit StorageModel(const StorageOptions& options) : options_(options), rules_(options_) {}
    StorageModel(const StorageModel& other)
        : series(other.series),
          log(other.log),
          kinds(other.kinds),
          options_(other.options_),
          rules_(options_),
          floor_(other.floor_),
          recorded_floor_(other.recorded_floor_) {}
    StorageModel& operator=(const StorageModel& other) {
        series = other.series;
        log = other.log;
        kinds = other.kinds;
        floor_ = other.floor_;
        recorded_floor_ = other.recorded_floor_;
        return *this;
    }

    /// What is refused, and stores the rest. Where a store may decide either way it is asked what
    /// it did: `store`; null when nobody knows, and then `is_sure` may become false.
    Verdicts append(const Batch& batch, const Verdicts* store, bool& is_sure) {
        if (batch.all_or_nothing) {
            StorageModel attempt = *this;
            Verdicts refused = attempt.append_all(batch, store, is_sure);
            const bool keeps = std::all_of(refused.begin(), refused.end(), [](const auto& one) {
                return one.second == model::RejectReason::kReserved;
            });
            if (keeps) {
                *this = attempt;
            }
            return refused;
        }
        return append_all(batch, store, is_sure);
    }

    /// Returns how many series lost samples.
    std::size_t erase(std::span<const model::Matcher> matchers, model::TimeRange range) {
        std::size_t count = 0;
        for (auto& [labels, one] : series) {
            if (!model::matches_all(matchers, labels)) {
                continue;
            }
            const auto begin = one.instants.lower_bound(range.start);
            const auto end = one.instants.upper_bound(range.end);
            count += range.start <= range.end && begin != end ? 1U : 0U;
            if (range.start <= range.end) {
                one.instants.erase(begin, end);
            }
            lower_newest(one, range);
        }
        return count;
    }

    /// What is older than the retention is no longer seen.
    void raise_floors(Timestamp now, Timestamp size_floor = Timestamp::min()) {
        floor_ = std::max({floor_, rules_.oldest_kept(now), size_floor});
        recorded_floor_ = std::max({recorded_floor_, rules_.oldest_kept_recorded(now), size_floor});
        for (auto& [labels, one] : series) {
            one.instants.erase(
                one.instants.begin(),
                one.instants.lower_bound(one.is_recorded ? recorded_floor_ : floor_));
        }
    }

    [[nodiscard]] std::vector<model::SeriesColumns> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        std::optional<Timestamp> known_at = {}) const {
        std::vector<model::SeriesColumns> answer;
        for (const auto& [labels, one] : series) {
            if (!model::matches_all(matchers, labels)) {
                continue;
            }
            model::SeriesColumns columns;
            columns.labels = labels;
            const Timestamp start = std::max(range.start, floor_of(one));
            for (auto instant = one.instants.lower_bound(start);
                 instant != one.instants.end() && instant->first <= range.end; ++instant) {
                add_known(instant->first, instant->second, known_at, columns);
            }
            if (!columns.times.empty()) {
                answer.push_back(std::move(columns));
            }
        }
        return answer;
    }

    std::map<model::Labels, Series> series;
    std::deque<Logged> log;  ///< Newly stored samples in the order in which they were.
    model::MetricKinds kinds;

private:
    static void add_known(Timestamp time, const Instant& instant, std::optional<Timestamp> known_at,
                          model::SeriesColumns& out) {
        const auto put = [&](double value) {
            out.times.push_back(time);
            out.values.push_back(value);
        };
        if (instant.rows.empty()) {
            if (!known_at || time <= *known_at) {
                put(instant.newest);
            }
            return;
        }
        std::optional<double> total;
        for (const Row& row : instant.rows) {
            if (known_at && row.known > *known_at) {
                continue;
            }
            if (row.is_event) {
                put(row.value);
            } else {
                total = row.value;
            }
        }
        if (total) {
            put(*total);
        }
    }

    static void lower_newest(Series& one, model::TimeRange range) {
        one.newest_low =
            one.instants.empty() ? std::nullopt : std::optional(one.instants.rbegin()->first);
        if (!one.newest_high || range.start > range.end || range.end < *one.newest_high ||
            range.start > *one.newest_high) {
            return;
        }
        if (range.start == Timestamp::min()) {
            one.newest_high = std::nullopt;
            one.newest_low = std::nullopt;
        } else {
            one.newest_high = range.start - Duration(1);
        }
    }

    [[nodiscard]] Timestamp floor_of(const Series& one) const {
        return one.is_recorded ? recorded_floor_ : floor_;
    }

    // storage_model.cc
    [[nodiscard]] static std::vector<std::size_t> order_of(const Batch& batch);
    Verdicts append_all(const Batch& batch, const Verdicts* store, bool& is_sure);
    [[nodiscard]] static bool is_recorded(const model::Labels& labels) {
        return labels.metric_name().starts_with("kpid_kpi_");
    }
    [[nodiscard]] std::optional<model::RejectReason> age_problem(const model::SeriesSample& sample,
                                                                 Timestamp now) const;
    std::optional<model::RejectReason> judge(const Batch& batch, const model::SeriesSample& sample,
                                             std::optional<bool> store_refused, bool& is_sure);
    [[nodiscard]] bool is_refused_as_late(const Series& one, const Batch& batch, Timestamp time,
                                          std::optional<bool> store_refused, bool& is_sure) const;

    StorageOptions options_;
    SampleRules rules_;
    Timestamp floor_ = Timestamp::min();
    Timestamp recorded_floor_ = Timestamp::min();
};

}  // namespace kpid::storage
