// Builds, swaps and ends units as the configuration says.
#include "evaluate/evaluator.h"

#include "evaluate/rule_view.h"

#include <iterator>
#include <set>
#include <utility>

namespace kpid::evaluate {
namespace {

constexpr std::size_t kStoredStatesMax = 1'000'000;

}  // namespace

Evaluator::Evaluator(net::Strand strand, EvaluatorDependencies dependencies)
    : executor_(dependencies.executor),
      metrics_(dependencies.registry),
      context_{.reader = dependencies.reader,
               .appender = dependencies.appender,
               .state = dependencies.state,
               .sink = dependencies.sink,
               .clock = dependencies.timers.clock(),
               .metrics = metrics_,
               .log = dependencies.log,
               .sources = std::move(dependencies.sources),
               .started_at = dependencies.timers.clock().wall_now()},
      without_value_(context_),
      scheduler_(std::move(strand), dependencies.timers, dependencies.executor, metrics_,
                 dependencies.log),
      triggers_(scheduler_, context_.clock, metrics_) {
}

Snapshot Evaluator::make_snapshot(std::shared_ptr<const config::Config> config) const {
    Snapshot snapshot{.valid_for = config::ValidForRules::make(*config)};
    const promql::EngineOptions options{
        .lookback = kValidForDefault,
        .default_subquery_step = config->global.evaluation_interval,
        .samples_max = static_cast<std::size_t>(config->limits.samples_per_query),
        .delayed_name_removal = config->delayed_name_removal,
        .valid_for = snapshot.valid_for};
    snapshot.engine = std::make_shared<const promql::Engine>(options, executor_);
    snapshot.config = std::move(config);
    return snapshot;
}

void Evaluator::start(std::shared_ptr<const config::Config> config) {
    without_value_.restore();
    end_orphans(*config);
    apply(make_snapshot(std::move(config)));
}

void Evaluator::reconfigure(std::shared_ptr<const config::Config> config) {
    apply(make_snapshot(std::move(config)));
}

void Evaluator::apply(const Snapshot& snapshot) {
    std::vector<SampleTriggers::Subject> subjects;
    {
        const MutexLock lock(mutex_);
        snapshot_ = snapshot;
        apply_kpis(snapshot);
        apply_groups(snapshot);
        for (const config::KpiEntry& entry : snapshot.config->kpis) {
            if (entry.definition.evaluate.on_sample) {
                subjects.push_back({&entry, kpis_.at(entry.definition.id).slot});
            }
        }
    }
    triggers_.replace(subjects, snapshot.valid_for);
}

void Evaluator::apply_kpis(const Snapshot& snapshot) {
    std::erase_if(leaving_kpis_, [](const auto& entry) { return entry.second.unit->gone(); });
    for (auto it = kpis_.begin(); it != kpis_.end();) {
        if (snapshot.config->find_kpi(it->first) != nullptr) {
            ++it;
            continue;
        }
        it->second.unit->remove();
        scheduler_.retire(it->second.slot);
        leaving_kpis_.insert_or_assign(it->first, std::move(it->second));
        it = kpis_.erase(it);
    }
    for (const config::KpiEntry& kpi : snapshot.config->kpis) {
        apply_kpi(snapshot, kpi.definition.id);
    }
}

void Evaluator::apply_kpi(const Snapshot& snapshot, const std::string& id) {
    if (const auto leaving = leaving_kpis_.find(id); leaving != leaving_kpis_.end()) {
        leaving->second.unit->set(snapshot);
        if (scheduler_.revive(leaving->second.slot)) {
            kpis_.emplace(id, std::move(leaving->second));
        }
        leaving_kpis_.erase(leaving);
        if (kpis_.contains(id)) {
            return;
        }
    }
    const auto found = kpis_.find(id);
    if (found == kpis_.end()) {
        auto unit = std::make_shared<KpiUnit>(context_, without_value_, id, snapshot);
        unit->restore();
        auto slot = scheduler_.add(unit);
        kpis_.emplace(id, Entry<KpiUnit>{std::move(unit), std::move(slot)});
        return;
    }
    const Duration interval_before = found->second.unit->interval();
    found->second.unit->set(snapshot);
    if (found->second.unit->interval() != interval_before) {
        scheduler_.reschedule(found->second.slot);
    }
    scheduler_.request(found->second.slot, context_.clock.wall_now(), MonoTime{});
}

void Evaluator::apply_groups(const Snapshot& snapshot) {
    std::erase_if(leaving_groups_, [](const auto& entry) { return entry.second.unit->gone(); });
    const auto& configured = snapshot.config->rule_groups;
    std::map<std::string, std::size_t> wanted;
    group_order_.clear();
    for (std::size_t i = 0; i < configured.size(); ++i) {
        const std::string key = RuleGroupUnit::group_key(configured[i]);
        if (wanted.emplace(key, i).second) {
            group_order_.push_back(key);
        }
    }
    for (auto it = groups_.begin(); it != groups_.end();) {
        if (wanted.contains(it->first)) {
            ++it;
            continue;
        }
        it->second.unit->remove();
        scheduler_.retire(it->second.slot);
        leaving_groups_.insert_or_assign(it->first, std::move(it->second));
        it = groups_.erase(it);
    }
    for (const auto& [key, index] : wanted) {
        apply_group(snapshot, key, index);
    }
}

void Evaluator::apply_group(const Snapshot& snapshot, const std::string& key, std::size_t index) {
    if (const auto leaving = leaving_groups_.find(key); leaving != leaving_groups_.end()) {
        static_cast<void>(leaving->second.unit->set(snapshot, index));
        if (scheduler_.revive(leaving->second.slot)) {
            groups_.emplace(key, std::move(leaving->second));
        }
        leaving_groups_.erase(leaving);
        if (groups_.contains(key)) {
            return;
        }
    }
    const auto found = groups_.find(key);
    if (found == groups_.end()) {
        auto unit = std::make_shared<RuleGroupUnit>(context_, snapshot, index);
        unit->restore();
        auto slot = scheduler_.add(unit);
        groups_.emplace(key, Entry<RuleGroupUnit>{std::move(unit), std::move(slot)});
        return;
    }
    const Duration interval_before = found->second.unit->interval();
    const bool rules_went = found->second.unit->set(snapshot, index);
    if (found->second.unit->interval() != interval_before) {
        scheduler_.reschedule(found->second.slot);
    }
    if (rules_went) {
        scheduler_.request(found->second.slot, context_.clock.wall_now(), MonoTime{});
    }
}

// What fired when kpid stopped and is defined no more was told to fire: it is told how it ended.
void Evaluator::end_orphans(const config::Config& config) {
    end_orphan_kpis(config);
    end_orphan_rules(config);
    without_value_.keep_only(
        [&config](const std::string& kpi) { return config.find_kpi(kpi) != nullptr; },
        context_.clock.wall_now());
}

void Evaluator::end_orphan_kpis(const config::Config& config) {
    const Timestamp now = context_.clock.wall_now();
    const auto stored = context_.state.scan(KpiUnit::kStatePrefix, kStoredStatesMax);
    if (!stored) {
        context_.log.error("stored KPI states are not readable",
                           {{"error", stored.error().message}});
        return;
    }
    for (const auto& [key, value] : *stored) {
        const std::string rest = key.substr(KpiUnit::kStatePrefix.size());
        const std::string id = rest.substr(0, rest.find('/'));
        if (config.find_kpi(id) != nullptr) {
            continue;
        }
        std::vector<alerting::Alert> ended;
        if (key == KpiUnit::alerts_key(id)) {
            auto state =
                alerting::ConditionAlerts::restore({{"alertname", id}, {"kpi", id}}, value);
            if (state) {
                for (alerting::Transition& transition : state->remove_all(now)) {
                    ended.push_back(std::move(transition.alert));
                }
            } else {
                context_.log.error("the stored alerts of a removed KPI are not readable",
                                   {{"kpi", id}, {"error", state.error().message}});
            }
        }
        const model::StateWrite erase{key, std::nullopt};
        const Result<void> submitted = context_.sink.submit(now, ended, {&erase, 1});
        if (!submitted) {
            context_.log.error("alerts of a removed KPI could not be ended",
                               {{"kpi", id}, {"error", submitted.error().message}});
        }
    }
}

void Evaluator::end_orphan_rules(const config::Config& config) {
    const Timestamp now = context_.clock.wall_now();
    const auto stored = context_.state.scan(RuleGroupUnit::kStatePrefix, kStoredStatesMax);
    if (!stored) {
        context_.log.error("stored rule states are not readable",
                           {{"error", stored.error().message}});
        return;
    }
    std::set<std::string> known;
    for (const config::RuleGroup& group : config.rule_groups) {
        for (const std::string& key : RuleGroupUnit::state_keys(group)) {
            known.insert(key);
        }
    }
    for (const auto& [key, value] : *stored) {
        if (known.contains(key)) {
            continue;
        }
        std::vector<alerting::Alert> ended;
        if (auto state = alerting::RuleState::restore(value)) {
            for (alerting::Transition& transition : state->remove_all(now).transitions) {
                ended.push_back(std::move(transition.alert));
            }
        } else {
            context_.log.error("the stored alerts of a removed rule are not readable",
                               {{"rule", key}, {"error", state.error().message}});
        }
        const model::StateWrite erase{key, std::nullopt};
        const Result<void> submitted = context_.sink.submit(now, ended, {&erase, 1});
        if (!submitted) {
            context_.log.error("alerts of a removed rule could not be ended",
                               {{"rule", key}, {"error", submitted.error().message}});
        }
    }
}

void Evaluator::stop() {
    scheduler_.stop();
}

net::Task<bool> Evaluator::join(MonoTime deadline) {
    const bool joined = co_await scheduler_.join(deadline);
    co_return joined;
}

std::vector<KpiView> Evaluator::kpis() const {
    std::vector<std::shared_ptr<KpiUnit>> units;
    {
        const MutexLock lock(mutex_);
        for (const auto& [id, entry] : kpis_) {
            units.push_back(entry.unit);
        }
    }
    std::vector<KpiView> views;
    views.reserve(units.size());
    for (const auto& unit : units) {
        views.push_back(unit->view());
    }
    return views;
}

std::optional<KpiView> Evaluator::kpi(const std::string& id) const {
    std::shared_ptr<KpiUnit> unit;
    {
        const MutexLock lock(mutex_);
        const auto found = kpis_.find(id);
        if (found == kpis_.end()) {
            return std::nullopt;
        }
        unit = found->second.unit;
    }
    return unit->view();
}

std::vector<RuleGroupView> Evaluator::rule_file_groups() const {
    std::vector<std::shared_ptr<RuleGroupUnit>> units;
    {
        const MutexLock lock(mutex_);
        for (const std::string& key : group_order_) {
            units.push_back(groups_.at(key).unit);
        }
    }
    std::vector<RuleGroupView> views;
    views.reserve(units.size());
    for (const auto& unit : units) {
        views.push_back(unit->view());
    }
    return views;
}

std::vector<RuleGroupView> Evaluator::rule_groups() const {
    std::vector<RuleGroupView> views = rule_file_groups();
    std::vector<RuleGroupView> kpi_views = kpi_group_views(kpis());
    std::move(kpi_views.begin(), kpi_views.end(), std::back_inserter(views));
    return views;
}

std::vector<alerting::ActiveAlert> Evaluator::alerts() const {
    std::vector<alerting::ActiveAlert> alerts;
    for (const RuleGroupView& group : rule_file_groups()) {
        for (const RuleView& rule : group.rules) {
            alerts.insert(alerts.end(), rule.alerts.begin(), rule.alerts.end());
        }
    }
    for (const KpiView& kpi : kpis()) {
        alerts.insert(alerts.end(), kpi.alerts.begin(), kpi.alerts.end());
    }
    std::vector<alerting::ActiveAlert> lists = without_value_.active();
    std::move(lists.begin(), lists.end(), std::back_inserter(alerts));
    return alerts;
}

Snapshot Evaluator::snapshot() const {
    const MutexLock lock(mutex_);
    return snapshot_;
}

}  // namespace kpid::evaluate
