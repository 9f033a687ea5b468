#pragma once
// From stored samples to the KPIs that want to be judged at once (`evaluate: on_sample`).

#include "config/config.h"
#include "config/valid_for.h"
#include "evaluate/scheduler.h"
#include "kpid/base/hash.h"
#include "kpid/base/mutex.h"
#include "kpid/model/appender.h"

#include <memory>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// Observes the storage and asks the scheduler for evaluations.
///
/// A KPI is asked for once per batch, at the later of the batch's time and its newest matching
/// sample; of a burst the first evaluates at once and later ones at most kBurstDelay after. Samples
/// older than they are valid never ask, nor does what kpid recorded itself. An expression of
/// several metrics waits until each has a sample with the same timestamp, or all came in one batch,
/// at most wait_for_all.
///
/// Thread-safe; outlives the scheduler's tasks. on_append costs one hash look-up a sample plus the
/// matchers of the KPIs that read its metric.
class SampleTriggers final : public model::AppendObserver {
public:
    static constexpr Duration kBurstDelay = std::chrono::milliseconds(10);

    SampleTriggers(Scheduler& scheduler, const Clock& clock, Metrics& metrics);
    ~SampleTriggers() override;

    struct Subject {
        const config::KpiEntry* entry = nullptr;  ///< Read during replace() only.
        Scheduler::SlotPtr slot;
    };
    /// The KPIs of a new configuration with evaluate: on_sample, and how long its values hold.
    void replace(const std::vector<Subject>& subjects,
                 std::shared_ptr<const config::ValidForRules> valid_for);

    void on_append(const model::AppendBatch& batch,
                   const model::AppendResult& result) noexcept override;

private:
    struct Watch;
    struct Index;
    struct Hit;

    void take_hit(const Hit& hit, const model::AppendBatch& batch, MonoTime accepted_at);
    void ask(const std::shared_ptr<Watch>& watch, MonoTime accepted_at);
    void wait_for_others(const std::shared_ptr<Watch>& watch, MonoTime accepted_at);

    Scheduler& scheduler_;
    const Clock& clock_;
    Metrics& metrics_;

    Mutex mutex_;
    std::shared_ptr<const Index> index_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::evaluate
