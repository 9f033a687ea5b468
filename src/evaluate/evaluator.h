#pragma once
// Everything that is evaluated: KPIs and rule groups of the running configuration.

#include "evaluate/context.h"
#include "evaluate/kpi_unit.h"
#include "evaluate/rule_group_unit.h"
#include "evaluate/sample_triggers.h"
#include "evaluate/scheduler.h"
#include "evaluate/views.h"
#include "evaluate/without_value.h"
#include "kpid/base/executor.h"
#include "kpid/base/mutex.h"
#include "net/task_group.h"
#include "net/timers.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kpid::evaluate {

/// What an Evaluator borrows; all of it outlives it and is thread-safe.
struct EvaluatorDependencies {
    const model::Reader& reader;
    model::Appender& appender;
    model::StateStore& state;
    notify::AlertSink& sink;
    net::Timers& timers;
    Executor& executor;
    prometheus::Registry& registry;
    SourceHealth sources;
    Logger log;
};

/// Owns the units and their schedule.
///
///     Evaluator evaluator(strand, dependencies);
///     // What is stored goes to evaluator.observer(), from the first sample on.
///     evaluator.start(config);
///     ...
///     evaluator.reconfigure(new_config);   // state of what stays is kept
///     evaluator.stop();
///     co_await evaluator.join(deadline);
///
/// Concurrency: start and reconfigure block (they read and write stored state) and come from one
/// thread at a time; views may be asked for from any thread.
class Evaluator {
public:
    Evaluator(net::Strand strand, EvaluatorDependencies dependencies);

    /// Restores stored state, ends what was stored for definitions that are gone, begins to
    /// evaluate.
    void start(std::shared_ptr<const config::Config> config);
    /// Swaps the configuration. Every KPI is judged again at once; rule groups keep their rhythm.
    void reconfigure(std::shared_ptr<const config::Config> config);
    void stop();
    [[nodiscard]] net::Task<bool> join(MonoTime deadline);

    [[nodiscard]] model::AppendObserver& observer() { return triggers_; }

    /// In order of id.
    [[nodiscard]] std::vector<KpiView> kpis() const;
    [[nodiscard]] std::optional<KpiView> kpi(const std::string& id) const;
    /// Rule files' groups in order of configuration, then KPIs as groups.
    [[nodiscard]] std::vector<RuleGroupView> rule_groups() const;
    /// Pending and firing alerts of rules and KPIs.
    [[nodiscard]] std::vector<alerting::ActiveAlert> alerts() const;
    /// The configuration in force and the engine made for it.
    [[nodiscard]] Snapshot snapshot() const;

private:
    template <class U>
    struct Entry {
        std::shared_ptr<U> unit;
        Scheduler::SlotPtr slot;
    };

    [[nodiscard]] std::vector<RuleGroupView> rule_file_groups() const;
    void apply(const Snapshot& snapshot);
    void apply_kpis(const Snapshot& snapshot) KPID_REQUIRES(mutex_);
    void apply_kpi(const Snapshot& snapshot, const std::string& id) KPID_REQUIRES(mutex_);
    void apply_groups(const Snapshot& snapshot) KPID_REQUIRES(mutex_);
    void apply_group(const Snapshot& snapshot, const std::string& key, std::size_t index)
        KPID_REQUIRES(mutex_);
    void end_orphans(const config::Config& config);
    void end_orphan_kpis(const config::Config& config);
    void end_orphan_rules(const config::Config& config);
    [[nodiscard]] Snapshot make_snapshot(std::shared_ptr<const config::Config> config) const;

    Executor& executor_;
    Metrics metrics_;
    Context context_;
    WithoutValueAlerts without_value_;

    mutable Mutex mutex_;
    Snapshot snapshot_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, Entry<KpiUnit>> kpis_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, Entry<RuleGroupUnit>> groups_ KPID_GUARDED_BY(mutex_);
    std::vector<std::string> group_order_ KPID_GUARDED_BY(mutex_);
    // Removed, but their end may not be handed over yet: they come back when they are defined
    // again.
    std::map<std::string, Entry<KpiUnit>> leaving_kpis_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, Entry<RuleGroupUnit>> leaving_groups_ KPID_GUARDED_BY(mutex_);

    Scheduler scheduler_;
    SampleTriggers triggers_;
};

}  // namespace kpid::evaluate
