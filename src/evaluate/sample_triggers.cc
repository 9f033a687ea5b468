// Matches stored samples with the selectors of on_sample KPIs.
#include "evaluate/sample_triggers.h"

#include "evaluate/context.h"
#include "kpid/promql/selectors.h"

#include <algorithm>
#include <map>
#include <optional>

namespace kpid::evaluate {

// One KPI that waits for samples.
struct SampleTriggers::Watch {
    Scheduler::SlotPtr slot;
    Duration wait_for_all{0};
    std::size_t metrics = 0;

    Mutex mutex;
    std::vector<std::optional<Timestamp>> newest KPID_GUARDED_BY(mutex);  // by metric
    std::optional<MonoTime> waiting_since KPID_GUARDED_BY(mutex);
    std::optional<MonoTime> last_asked KPID_GUARDED_BY(mutex);
};

struct SampleTriggers::Index {
    struct Entry {
        std::shared_ptr<Watch> watch;
        std::size_t metric = 0;  // which of the expression's metrics
        std::vector<model::Matcher> matchers;
    };
    StringMap<std::vector<Entry>> by_name;
    std::vector<Entry> any_name;
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

}  // namespace

SampleTriggers::SampleTriggers(Scheduler& scheduler, const Clock& clock, Metrics& metrics)
    : scheduler_(scheduler),
      clock_(clock),
      metrics_(metrics),
      index_(std::make_shared<const Index>()) {
}

SampleTriggers::~SampleTriggers() = default;

void SampleTriggers::replace(const std::vector<Subject>& subjects) {
    auto index = std::make_shared<Index>();
    for (const Subject& subject : subjects) {
        auto watch = std::make_shared<Watch>();
        watch->slot = subject.slot;
        watch->wait_for_all = subject.entry->definition.wait_for_all;
        std::map<std::string, std::size_t> metrics;
        for (const promql::VectorSelector* selector :
             promql::collect_selectors(*subject.entry->value)) {
            const std::string name = selector_name(*selector);
            const std::size_t metric = metrics.emplace(name, metrics.size()).first->second;
            auto& place = name.empty() ? index->any_name : index->by_name[name];
            place.push_back({watch, metric, selector->matchers});
        }
        watch->metrics = metrics.size();
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
    const auto match = [&](const std::vector<Index::Entry>& entries,
                           const model::SeriesSample& sample) {
        for (const Index::Entry& entry : entries) {
            if (!model::matches_all(entry.matchers, sample.labels)) {
                continue;
            }
            Hit& hit = hits[entry.watch.get()];
            hit.watch = entry.watch;
            hit.newest.resize(entry.watch->metrics);
            auto& newest = hit.newest[entry.metric];
            newest = std::max(newest.value_or(sample.time), sample.time);
        }
    };
    auto rejected = result.rejected.begin();
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
        if (rejected != result.rejected.end() && rejected->index == i) {
            ++rejected;
            continue;
        }
        const model::SeriesSample& sample = batch.samples[i];
        if (sample.time <= batch.now - kValidForDefault) {
            continue;
        }
        const auto found = index->by_name.find(sample.labels.metric_name());
        if (found != index->by_name.end()) {
            match(found->second, sample);
        }
        match(index->any_name, sample);
    }
    const MonoTime accepted_at = clock_.mono_now();
    for (const auto& [watch, hit] : hits) {
        take_hit(hit, batch, accepted_at);
    }
}

void SampleTriggers::take_hit(const Hit& hit, const model::AppendBatch& batch,
                              MonoTime accepted_at) {
    Timestamp at = batch.now;
    bool complete = true;
    std::optional<MonoTime> wait_until;
    {
        Watch& watch = *hit.watch;
        const MutexLock lock(watch.mutex);
        bool in_one_batch = true;
        for (std::size_t i = 0; i < hit.newest.size(); ++i) {
            if (hit.newest[i]) {
                watch.newest[i] = hit.newest[i];
                at = std::max(at, *hit.newest[i]);
            } else {
                in_one_batch = false;
            }
        }
        const bool same_instant =
            std::all_of(watch.newest.begin(), watch.newest.end(),
                        [&](const auto& newest) { return newest && *newest == *watch.newest[0]; });
        complete = in_one_batch || same_instant;
        if (complete) {
            watch.waiting_since.reset();
        } else if (!watch.waiting_since ||
                   accepted_at - *watch.waiting_since > watch.wait_for_all) {
            watch.waiting_since = accepted_at;
            wait_until = accepted_at + watch.wait_for_all;
        }
    }
    if (complete) {
        ask(hit.watch, at, accepted_at);
    } else if (wait_until) {
        metrics_.sample_triggers.Increment();
        scheduler_.request_later(hit.watch->slot, *wait_until, accepted_at);
    }
}

void SampleTriggers::ask(const std::shared_ptr<Watch>& watch, Timestamp at, MonoTime accepted_at) {
    std::optional<MonoTime> later;
    {
        const MutexLock lock(watch->mutex);
        if (watch->last_asked && *watch->last_asked > accepted_at) {
            return;  // A later evaluation of this burst is on its way and will see the sample.
        }
        if (watch->last_asked && accepted_at - *watch->last_asked < kBurstDelay) {
            later = *watch->last_asked + kBurstDelay;
        }
        watch->last_asked = later.value_or(accepted_at);
    }
    metrics_.sample_triggers.Increment();
    if (later) {
        scheduler_.request_later(watch->slot, *later, accepted_at);
    } else {
        scheduler_.request(watch->slot, at, accepted_at);
    }
}

}  // namespace kpid::evaluate
