// Matches stored samples with the selectors of on_sample KPIs.
#include "evaluate/sample_triggers.h"

#include "evaluate/context.h"
#include "kpid/promql/selectors.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace kpid::evaluate {

// One KPI that waits for samples.
struct SampleTriggers::Watch {
    Scheduler::SlotPtr slot;
    Duration wait_for_all{0};

    Mutex mutex;
    std::vector<std::optional<Timestamp>> newest KPID_GUARDED_BY(mutex);  // by metric
    Timestamp newest_unseen KPID_GUARDED_BY(mutex);  // of samples no evaluation was asked for yet
    std::optional<MonoTime> last_asked KPID_GUARDED_BY(mutex);
    bool asks_later KPID_GUARDED_BY(mutex) = false;  // the end of a burst is on its way
    // An incomplete set of metrics waits; the number tells one wait from the next.
    bool waits KPID_GUARDED_BY(mutex) = false;
    std::uint64_t wait_number KPID_GUARDED_BY(mutex) = 0;
};

struct SampleTriggers::Index {
    struct Entry {
        std::shared_ptr<Watch> watch;
        std::size_t metric = 0;   // which of the expression's metrics
        std::size_t metrics = 0;  // how many these are
        std::vector<model::Matcher> matchers;
    };
    StringMap<std::vector<Entry>> by_name;
    std::vector<Entry> any_name;
    std::shared_ptr<const config::ValidForRules> valid_for;  // null: all the default

    [[nodiscard]] Duration longest_valid_for() const {
        return valid_for != nullptr ? valid_for->longest() : kValidForDefault;
    }
    [[nodiscard]] Duration valid_for_of(const model::Labels& labels) const {
        return valid_for != nullptr ? valid_for->of(labels).value_or(kValidForDefault)
                                    : kValidForDefault;
    }
};

// What one batch holds for one KPI.
struct SampleTriggers::Hit {
    std::shared_ptr<Watch> watch;
    std::vector<std::optional<Timestamp>> newest;  // by metric
};

namespace {

std::string selector_name(const promql::VectorSelector& selector) {
    for (const model::Matcher& matcher : selector.matchers) {
        if (matcher.name() == model::kMetricName && matcher.type() == model::MatchType::kEqual) {
            return matcher.value();
        }
    }
    return "";
}

std::string_view name_of(const std::vector<model::LabelView>& labels) {
    for (const model::LabelView& label : labels) {
        if (label.name == model::kMetricName) {
            return label.value;
        }
    }
    return {};
}

}  // namespace

SampleTriggers::SampleTriggers(Scheduler& scheduler, const Clock& clock, Metrics& metrics)
    : scheduler_(scheduler),
      clock_(clock),
      metrics_(metrics),
      index_(std::make_shared<const Index>()) {
}

SampleTriggers::~SampleTriggers() = default;

void SampleTriggers::replace(const std::vector<Subject>& subjects,
                             std::shared_ptr<const config::ValidForRules> valid_for) {
    auto index = std::make_shared<Index>();
    index->valid_for = std::move(valid_for);
    for (const Subject& subject : subjects) {
        auto watch = std::make_shared<Watch>();
        watch->slot = subject.slot;
        watch->wait_for_all = subject.entry->definition.wait_for_all;
        const auto selectors = promql::collect_selectors(*subject.entry->value);
        std::map<std::string, std::size_t> metrics;
        for (const promql::VectorSelector* selector : selectors) {
            metrics.emplace(selector_name(*selector), metrics.size());
        }
        for (const promql::VectorSelector* selector : selectors) {
            const std::string name = selector_name(*selector);
            auto& place = name.empty() ? index->any_name : index->by_name[name];
            place.push_back({watch, metrics.at(name), metrics.size(), selector->matchers});
        }
        const MutexLock lock(watch->mutex);
        watch->newest.resize(metrics.size());
    }
    const MutexLock lock(mutex_);
    index_ = std::move(index);
}

void SampleTriggers::on_append(const model::AppendBatch& batch,
                               const model::AppendResult& result) noexcept {
    if (batch.origin == model::AppendOrigin::kRecorded) {
        return;
    }
    std::shared_ptr<const Index> index;
    {
        const MutexLock lock(mutex_);
        index = index_;
    }
    if (index->by_name.empty() && index->any_name.empty()) {
        return;
    }
    std::map<const Watch*, Hit> hits;
    const auto match_entries = [&](const std::vector<Index::Entry>& entries,
                                   const model::Labels& labels, Timestamp time) {
        for (const Index::Entry& entry : entries) {
            if (!model::matches_all(entry.matchers, labels)) {
                continue;
            }
            Hit& hit = hits[entry.watch.get()];
            hit.watch = entry.watch;
            hit.newest.resize(entry.metrics);
            auto& newest = hit.newest[entry.metric];
            newest = std::max(newest.value_or(time), time);
        }
    };
    const auto match = [&](const model::Labels& labels, Timestamp time) {
        const auto found = index->by_name.find(labels.metric_name());
        const bool is_read = found != index->by_name.end() || !index->any_name.empty();
        if (!is_read || batch.now - time >= index->valid_for_of(labels)) {
            return;
        }
        if (found != index->by_name.end()) {
            match_entries(found->second, labels, time);
        }
        match_entries(index->any_name, labels, time);
    };
    const Timestamp oldest = batch.now - index->longest_valid_for();
    auto rejected = result.rejected.begin();
    std::size_t place = 0;
    // Whether the next sample counts.
    const auto take = [&](Timestamp time) {
        const bool is_rejected = rejected != result.rejected.end() && rejected->index == place;
        rejected += is_rejected ? 1 : 0;
        ++place;
        return !is_rejected && time > oldest;
    };
    for (const model::SeriesSample& sample : batch.samples) {
        if (take(sample.time)) {
            match(sample.labels, sample.time);
        }
    }
    std::vector<model::LabelView> views;
    for (const model::RawSeries& series : batch.raw) {
        std::optional<Timestamp> newest;
        for (const model::Sample& sample : series.samples) {
            if (take(sample.time)) {
                newest = std::max(newest.value_or(sample.time), sample.time);
            }
        }
        if (newest && batch.label_reader->read(series.label_bytes, views) &&
            (!index->any_name.empty() || index->by_name.contains(name_of(views)))) {
            match(model::Labels::copy_of(views), *newest);
        }
    }
    const MonoTime accepted_at = clock_.mono_now();
    for (const auto& [watch, hit] : hits) {
        take_hit(hit, batch, accepted_at);
    }
}

void SampleTriggers::take_hit(const Hit& hit, const model::AppendBatch& batch,
                              MonoTime accepted_at) {
    bool complete = true;
    {
        Watch& watch = *hit.watch;
        const MutexLock lock(watch.mutex);
        watch.newest_unseen = std::max(watch.newest_unseen, batch.now);
        bool in_one_batch = true;
        for (std::size_t i = 0; i < hit.newest.size(); ++i) {
            if (hit.newest[i]) {
                watch.newest[i] = hit.newest[i];
                watch.newest_unseen = std::max(watch.newest_unseen, *hit.newest[i]);
            } else {
                in_one_batch = false;
            }
        }
        bool same_instant = true;
        for (const std::optional<Timestamp>& newest : watch.newest) {
            same_instant = same_instant && newest && newest == watch.newest.front();
        }
        complete = in_one_batch || same_instant;
        if (complete) {
            watch.waits = false;
        }
    }
    if (complete) {
        ask(hit.watch, accepted_at);
    } else {
        wait_for_others(hit.watch, accepted_at);
    }
}

void SampleTriggers::wait_for_others(const std::shared_ptr<Watch>& watch, MonoTime accepted_at) {
    std::uint64_t number = 0;
    {
        const MutexLock lock(watch->mutex);
        if (std::exchange(watch->waits, true)) {
            return;
        }
        number = ++watch->wait_number;
    }
    const auto on_due = [this, watch, number]() -> std::optional<Timestamp> {
        const MutexLock lock(watch->mutex);
        if (!watch->waits || watch->wait_number != number) {
            return std::nullopt;  // The others came.
        }
        watch->waits = false;
        watch->last_asked = clock_.mono_now();
        metrics_.sample_triggers.Increment();
        return std::exchange(watch->newest_unseen, Timestamp());
    };
    scheduler_.request_later(watch->slot, accepted_at + watch->wait_for_all, accepted_at, on_due);
}

void SampleTriggers::ask(const std::shared_ptr<Watch>& watch, MonoTime accepted_at) {
    std::optional<MonoTime> later;
    Timestamp at;
    {
        const MutexLock lock(watch->mutex);
        if (watch->asks_later) {
            return;  // That evaluation will see this sample.
        }
        if (watch->last_asked && accepted_at - *watch->last_asked < kBurstDelay) {
            later = *watch->last_asked + kBurstDelay;
            watch->asks_later = true;
        } else {
            watch->last_asked = accepted_at;
            at = std::exchange(watch->newest_unseen, Timestamp());
        }
    }
    if (!later) {
        metrics_.sample_triggers.Increment();
        scheduler_.request(watch->slot, at, accepted_at);
        return;
    }
    const auto on_due = [this, watch]() -> std::optional<Timestamp> {
        const MutexLock lock(watch->mutex);
        watch->asks_later = false;
        watch->last_asked = clock_.mono_now();
        metrics_.sample_triggers.Increment();
        return std::exchange(watch->newest_unseen, Timestamp());
    };
    scheduler_.request_later(watch->slot, *later, accepted_at, on_due);
}

}  // namespace kpid::evaluate
