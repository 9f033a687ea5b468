#pragma once
// The simplest thing that keeps the promises of model's storage interfaces; passes the same
// contract test as the real one (tests/storage/storage_contract.h).

#include "kpid/base/assert.h"
#include "kpid/base/mutex.h"
#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/model/state_store.h"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace kpid::testing {

/// Keeps everything in maps. No age checks, no reserved names. Another value at one instant: of a
/// gauge or counter refused, of a total in force from AppendBatch::now on, of an event one more.
class MemoryStorage final : public model::Appender, public model::Reader, public model::StateStore {
public:
    [[nodiscard]] Result<model::AppendResult> append(const model::AppendBatch& batch) override {
        model::AppendResult result;
        {
            const MutexLock lock(mutex_);
            const auto before = batch.all_or_nothing ? series_ : decltype(series_)();
            const std::vector<model::SeriesSample> samples = model::flatten(batch);
            for (std::size_t i = 0; i < samples.size(); ++i) {
                const model::SeriesSample& sample = samples[i];
                if (sample.labels.empty()) {
                    result.rejected.push_back(
                        {i, model::RejectReason::kInvalidLabels, "bad labels"});
                    continue;
                }
                if (take(sample, kind_of(sample.labels, batch.kind), batch.now)) {
                    ++result.accepted;
                } else {
                    result.rejected.push_back(
                        {i, model::RejectReason::kDuplicateTimestamp, "another value"});
                }
            }
            if (batch.all_or_nothing && !result.rejected.empty()) {
                series_ = before;
                result.accepted = 0;
                return result;
            }
            apply(batch.state);
            fill_in(batch);
        }
        if (observer_ != nullptr) {
            observer_->on_append(batch, result);
        }
        return result;
    }

    void declare_kinds(const model::MetricKinds& kinds) override {
        const MutexLock lock(mutex_);
        kinds_ = kinds;
    }
    [[nodiscard]] model::MetricKinds declared_kinds() const {
        const MutexLock lock(mutex_);
        return kinds_;
    }

    /// One sample, for fixtures.
    void put(const model::Labels& labels, Timestamp time, double value) {
        const MutexLock lock(mutex_);
        series_[labels][time] = Moment{.values = {{value, time}}};
    }
    void clear() {
        const MutexLock lock(mutex_);
        series_.clear();
    }
    void set_observer(model::AppendObserver* observer) { observer_ = observer; }

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        const MutexLock lock(mutex_);
        std::vector<model::SeriesColumns> answer;
        std::size_t count = 0;
        for (const auto& [labels, samples] : series_) {
            if (!model::matches_all(matchers, labels)) {
                continue;
            }
            model::SeriesColumns columns{labels, {}, {}};
            for (auto it = samples.lower_bound(start_of(labels, range, options));
                 it != samples.end() && it->first <= range.end; ++it) {
                read(it->first, it->second, options.known_at, columns);
            }
            count += columns.times.size();
            if (count > options.samples_max) {
                return resource_exhausted("query touches too many samples");
            }
            if (!columns.times.empty()) {
                answer.push_back(std::move(columns));
            }
        }
        return answer;
    }

    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        KPID_TRY(auto selected, select(matchers, range, {}));
        std::vector<model::Labels> answer;
        for (const model::SeriesColumns& columns : selected) {
            answer.push_back(columns.labels);
        }
        return answer;
    }

    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        KPID_TRY(auto all, series(matchers, range));
        std::set<std::string> names;
        for (const model::Labels& labels : all) {
            for (const model::Label& label : labels) {
                names.insert(label.name);
            }
        }
        return std::vector<std::string>(names.begin(), names.end());
    }

    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override {
        KPID_TRY(auto all, series(matchers, range));
        std::set<std::string> values;
        for (const model::Labels& labels : all) {
            if (labels.has(name)) {
                values.emplace(labels.get(name));
            }
        }
        return std::vector<std::string>(values.begin(), values.end());
    }

    [[nodiscard]] Result<void> write(std::span<const model::StateWrite> writes) override {
        const MutexLock lock(mutex_);
        apply(writes);
        return {};
    }

    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override {
        const MutexLock lock(mutex_);
        const auto found = state_.find(key);
        return found == state_.end() ? std::optional<std::string>() : found->second;
    }

    [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> scan(
        std::string_view prefix, std::size_t limit) const override {
        const MutexLock lock(mutex_);
        std::vector<std::pair<std::string, std::string>> entries;
        for (auto it = state_.lower_bound(prefix);
             it != state_.end() && it->first.starts_with(prefix) && entries.size() < limit; ++it) {
            entries.emplace_back(it->first, it->second);
        }
        return entries;
    }

private:
    /// Handles are those of their labels: whoever mixes them up is told.
    static void fill_in(const model::AppendBatch& batch) {
        for (std::size_t i = 0; i < batch.handles.size(); ++i) {
            const model::SeriesHandle own{.id = batch.samples[i].labels.hash() | 1U, .place = 1};
            KPID_ASSERT(batch.handles[i] == model::SeriesHandle() || batch.handles[i] == own);
            batch.handles[i] = own;
        }
    }

    struct Version {
        double value = 0;
        Timestamp known_since;
    };
    // What a series has at one instant: versions of a total, or one value each of events; in order
    // of arrival.
    struct Moment {
        model::MetricKind kind = model::MetricKind::kGauge;
        std::vector<Version> values;
    };

    [[nodiscard]] model::MetricKind kind_of(const model::Labels& labels,
                                            model::MetricKind of_batch) const
        KPID_REQUIRES(mutex_) {
        const auto declared = kinds_.find(labels.metric_name());
        return declared != kinds_.end() ? declared->second : of_batch;
    }

    // False when it is refused.
    bool take(const model::SeriesSample& sample, model::MetricKind kind, Timestamp now)
        KPID_REQUIRES(mutex_) {
        const bool has_versions =
            kind == model::MetricKind::kTotal || kind == model::MetricKind::kEvent;
        Moment& moment = series_[sample.labels][sample.time];
        if (moment.values.empty()) {
            moment = {kind, {{sample.value, has_versions ? now : sample.time}}};
            return true;
        }
        const bool is_same = std::bit_cast<std::uint64_t>(moment.values.back().value) ==
                             std::bit_cast<std::uint64_t>(sample.value);
        if (!has_versions || (is_same && kind == model::MetricKind::kTotal)) {
            return is_same;
        }
        moment.kind = kind;
        moment.values.push_back({sample.value, now});
        return true;
    }

    [[nodiscard]] static Timestamp start_of(const model::Labels& labels,
                                            const model::TimeRange& range,
                                            const model::ReadOptions& options) {
        const Duration back =
            options.history != nullptr ? options.history->further_back(labels) : Duration(0);
        return range.start < Timestamp::min() + back ? Timestamp::min() : range.start - back;
    }

    static void read(Timestamp time, const Moment& moment, std::optional<Timestamp> known_at,
                     model::SeriesColumns& columns) {
        const auto is_known = [known_at](const Version& version) {
            return !known_at || version.known_since <= *known_at;
        };
        if (moment.kind == model::MetricKind::kEvent) {
            for (const Version& event : moment.values) {
                if (is_known(event)) {
                    columns.times.push_back(time);
                    columns.values.push_back(event.value);
                }
            }
            return;
        }
        const auto newest = std::find_if(moment.values.rbegin(), moment.values.rend(), is_known);
        if (newest != moment.values.rend()) {
            columns.times.push_back(time);
            columns.values.push_back(newest->value);
        }
    }

    void apply(std::span<const model::StateWrite> writes) KPID_REQUIRES(mutex_) {
        for (const model::StateWrite& write : writes) {
            if (write.value) {
                state_[write.key] = *write.value;
            } else {
                state_.erase(write.key);
            }
        }
    }

    mutable Mutex mutex_;
    std::map<model::Labels, std::map<Timestamp, Moment>> series_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::string, std::less<>> state_ KPID_GUARDED_BY(mutex_);
    model::MetricKinds kinds_ KPID_GUARDED_BY(mutex_);
    model::AppendObserver* observer_ = nullptr;
};

}  // namespace kpid::testing
