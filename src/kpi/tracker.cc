// Judges the instances of a KPI, one evaluation after the other.
#include "kpid/kpi/tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace kpid::kpi {
namespace {

bool expected(const Definition& definition, const model::Labels& instance) {
    return std::any_of(definition.expect.begin(), definition.expect.end(),
                       [&instance](const model::Labels& labels) {
                           return std::all_of(labels.begin(), labels.end(),
                                              [&instance](const model::Label& label) {
                                                  return instance.get(label.name) == label.value;
                                              });
                       });
}

// What the level's bounds say of a value: nothing where a bound had no answer.
std::optional<bool> says(const std::optional<ResolvedCondition>& condition, double value) {
    return condition ? std::optional(condition->holds_for(value)) : std::nullopt;
}

struct LevelInput {
    bool entered_before = false;
    std::optional<bool> condition;
    std::optional<bool> recover;  // nothing: none is defined, or its bound had no answer
    bool meets_target = false;
};

bool entered(const LevelInput& input) {
    if (input.condition == true) {
        return true;
    }
    if (!input.entered_before || input.recover == true) {
        return false;
    }
    if (input.condition) {
        return input.recover.has_value();  // Between the condition's end and the recover.
    }
    return !input.meets_target;
}

Status shown_without_data(NoDataStatus status, Status last_judged) {
    switch (status) {
        case NoDataStatus::kNoData:
            return Status::kNoData;
        case NoDataStatus::kKeep:
            return last_judged;
        case NoDataStatus::kOk:
            return Status::kOnTarget;
        case NoDataStatus::kWarning:
            return Status::kWarning;
        case NoDataStatus::kCritical:
            return Status::kCritical;
    }
    return Status::kNoData;
}

}  // namespace

struct Tracker::Pass {
    const Definition& definition;
    Timestamp now;
    const Evaluation& evaluation;
    Duration after;
    bool any_value = false;
    std::size_t hidden = 0;
    std::size_t bounds_missing = 0;
    std::vector<model::Labels> expired;
    std::vector<model::Labels> replaced;

    std::optional<ResolvedCondition> resolve_counted(const Condition& condition,
                                                     const InstanceValue& given) {
        std::optional<ResolvedCondition> resolved = resolve(condition, given.bounds);
        bounds_missing += resolved ? 0U : 1U;
        return resolved;
    }
};

Tracker::Tracker(Timestamp loaded_at)
    : loaded_at_(loaded_at), started_at_(loaded_at), since_(loaded_at) {
}

Report Tracker::evaluate(const Definition& definition, Timestamp now,
                         const Evaluation& evaluation) {
    last_now_ = std::max(now, last_now_);
    Pass pass{.definition = definition,
              .now = last_now_,
              .evaluation = evaluation,
              .after = definition.no_data.after_or_default(evaluation.valid_for)};
    for (auto& [labels, instance] : instances_) {
        instance.changed = false;
        instance.judged = false;
        instance.added = false;
        set_levels(definition, labels, instance);
        if (!evaluation.error) {
            instance.has_value = false;
        }
    }
    if (!evaluation.error) {
        for (const InstanceValue& given : evaluation.instances) {
            judge(pass, given);
        }
        add_expected(pass);
        for (auto& [labels, instance] : instances_) {
            if (!instance.has_value) {
                judge_missing(pass, instance);
            }
        }
        forget(pass);
        apply_limit(pass);
    }
    update_without_value(pass);
    return report(pass);
}

Tracker::Instance& Tracker::instance_of(const model::Labels& labels, const Pass& pass) {
    const auto [place, added] = instances_.try_emplace(labels);
    Instance& instance = place->second;
    if (added) {
        instance.since = pass.now;
        instance.changed = true;
        instance.added = true;
        set_levels(pass.definition, labels, instance);
        dirty_ = true;
    }
    return instance;
}

// Numeric bounds need no answer: they are known without a value, and an edited one is shown at
// once.
void Tracker::set_levels(const Definition& definition, const model::Labels& labels,
                         Instance& instance) {
    instance.levels = levels_for(definition, labels);
    const auto refresh = [](std::optional<ResolvedCondition>& shown,
                            const std::optional<Condition>& condition) {
        if (!condition || condition->is_numeric()) {
            shown = condition ? resolve(*condition, {}) : std::nullopt;
        }
    };
    const auto condition_of = [](const std::optional<EffectiveLevel>& level) {
        return level ? std::optional(level->condition) : std::nullopt;
    };
    refresh(instance.target, instance.levels.target);
    refresh(instance.warning, condition_of(instance.levels.warning));
    refresh(instance.critical, condition_of(instance.levels.critical));
}

void Tracker::set_status(const Pass& pass, Instance& instance, Status status) {
    if (instance.status == status) {
        return;
    }
    instance.previous = instance.added ? status : instance.status;
    instance.status = status;
    instance.since = pass.now;
    instance.changed = true;
    dirty_ = true;
}

void Tracker::judge(Pass& pass, const InstanceValue& given) {
    if (std::isnan(given.value)) {
        return;
    }
    Instance& instance = instance_of(given.labels, pass);
    instance.has_value = true;
    instance.value = given.value;
    instance.last_value_at = pass.now;
    if (given.newest_sample) {
        instance.last_sample =
            std::max(instance.last_sample.value_or(*given.newest_sample), *given.newest_sample);
    }
    dirty_ = dirty_ || instance.silent || !ever_had_value_;
    instance.silent = false;
    ever_had_value_ = true;
    pass.any_value = true;
    judge_levels(pass, instance, given);
    instance.last_judged = instance.status;
}

void Tracker::judge_levels(Pass& pass, Instance& instance, const InstanceValue& given) {
    const EffectiveLevels& levels = instance.levels;
    const double value = given.value;
    const auto resolve_level = [&pass, &given](const std::optional<EffectiveLevel>& level) {
        return level ? pass.resolve_counted(level->condition, given) : std::nullopt;
    };
    instance.target = levels.target ? pass.resolve_counted(*levels.target, given) : std::nullopt;
    instance.warning = resolve_level(levels.warning);
    instance.critical = resolve_level(levels.critical);
    if (const std::optional<Require>& require = pass.definition.require) {
        const std::optional<ResolvedCondition> enough =
            pass.resolve_counted(require->condition, given);
        if (enough && !(given.require && enough->holds_for(*given.require))) {
            set_status(pass, instance, Status::kUnsure);
            return;
        }
    }
    instance.judged = true;
    const bool meets_target = instance.target && instance.target->holds_for(value);
    const auto enter = [&](const std::optional<EffectiveLevel>& level,
                           const std::optional<ResolvedCondition>& condition, bool before) {
        if (!level) {
            return false;
        }
        std::optional<bool> recover;
        if (level->recover) {
            recover = says(pass.resolve_counted(*level->recover, given), value);
        }
        return entered(LevelInput{.entered_before = before,
                                  .condition = says(condition, value),
                                  .recover = recover,
                                  .meets_target = meets_target});
    };
    const bool critical = enter(levels.critical, instance.critical, instance.critical_entered);
    const bool warning = enter(levels.warning, instance.warning, instance.warning_entered) ||
                         (critical && levels.warning);
    dirty_ = dirty_ || critical != instance.critical_entered || warning != instance.warning_entered;
    instance.critical_entered = critical;
    instance.warning_entered = warning;
    Status status = Status::kUntargeted;
    if (critical || warning) {
        status = critical ? Status::kCritical : Status::kWarning;
    } else if (instance.target) {
        status = meets_target ? Status::kOnTarget : Status::kOffTarget;
    }
    set_status(pass, instance, status);
}

// After a start sources need a while to answer; nobody is accused before.
bool Tracker::started_before(Timestamp now, Duration patience) const {
    return now - started_at_ >= patience;
}

void Tracker::judge_missing(Pass& pass, Instance& instance) {
    const Timestamp silent_since = instance.last_value_at.value_or(instance.since);
    const bool too_long = pass.now - silent_since >= pass.after &&
                          started_before(pass.now, std::min(pass.after, pass.evaluation.valid_for));
    if (instance.silent || too_long) {
        dirty_ = dirty_ || !instance.silent;
        instance.silent = true;
        declare_silent(pass, instance);
    } else {
        set_status(pass, instance, instance.last_value_at ? Status::kStale : Status::kNoData);
    }
}

void Tracker::declare_silent(const Pass& pass, Instance& instance) {
    const NoDataStatus wanted = pass.definition.no_data.status;
    if (wanted == NoDataStatus::kOk) {
        dirty_ = dirty_ || instance.warning_entered || instance.critical_entered;
        instance.warning_entered = false;
        instance.critical_entered = false;
        instance.judged = true;
    }
    set_status(pass, instance, shown_without_data(wanted, instance.last_judged));
}

void Tracker::add_expected(Pass& pass) {
    for (const model::Labels& labels : pass.definition.expect) {
        const bool there =
            std::any_of(instances_.begin(), instances_.end(), [&labels](const auto& entry) {
                return std::all_of(labels.begin(), labels.end(), [&entry](const model::Label& l) {
                    return entry.first.get(l.name) == l.value;
                });
            });
        if (!there) {
            instance_of(labels, pass);
        }
    }
}

void Tracker::forget(Pass& pass) {
    const Duration forget_after = pass.definition.no_data.forget_instance_after;
    const bool may_forget =
        started_before(pass.now, std::min(forget_after, pass.evaluation.valid_for));
    const auto came_in_its_place = [this](const model::Labels& placeholder) {
        return std::any_of(instances_.begin(), instances_.end(), [&placeholder](const auto& entry) {
            return entry.second.has_value &&
                   std::all_of(placeholder.begin(), placeholder.end(),
                               [&entry](const model::Label& label) {
                                   return entry.first.get(label.name) == label.value;
                               });
        });
    };
    for (const auto& [labels, instance] : instances_) {
        if (instance.has_value) {
            continue;
        }
        bool gone = false;
        if (!instance.last_value_at) {
            if (expected(pass.definition, labels) && came_in_its_place(labels)) {
                pass.replaced.push_back(labels);
                continue;
            }
            gone = !expected(pass.definition, labels);
        } else {
            const bool is_kpi_itself = labels.empty() && !pass.any_value;
            gone = may_forget && !is_kpi_itself && !expected(pass.definition, labels) &&
                   pass.now - *instance.last_value_at >= forget_after;
        }
        if (gone) {
            pass.expired.push_back(labels);
        }
    }
    for (const auto* ended : {&pass.expired, &pass.replaced}) {
        for (const model::Labels& labels : *ended) {
            instances_.erase(labels);
            dirty_ = true;
        }
    }
}

void Tracker::apply_limit(Pass& pass) {
    if (instances_.size() <= pass.definition.limit) {
        return;
    }
    std::vector<Instances::iterator> order;
    order.reserve(instances_.size());
    for (auto it = instances_.begin(); it != instances_.end(); ++it) {
        order.push_back(it);
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
        const int badness_a = badness(a->second.status);
        const int badness_b = badness(b->second.status);
        return badness_a != badness_b ? badness_a > badness_b : !a->second.added && b->second.added;
    });
    for (std::size_t i = pass.definition.limit; i < order.size(); ++i) {
        ++pass.hidden;
        if (!order[i]->second.added) {
            pass.expired.push_back(order[i]->first);
            dirty_ = true;
        }
        instances_.erase(order[i]);
    }
}

void Tracker::update_without_value(const Pass& pass) {
    const bool loaded_long_enough =
        pass.now - loaded_at_ >= pass.after &&
        started_before(pass.now, std::min(pass.after, pass.evaluation.valid_for));
    const bool without = !ever_had_value_ && (without_value_ || loaded_long_enough);
    dirty_ = dirty_ || without != without_value_;
    without_value_ = without;
}

InstanceReport Tracker::describe(const Definition& definition, const model::Labels& labels,
                                 const Instance& instance) const {
    InstanceReport out{
        .labels = labels,
        .value = instance.has_value ? instance.value : std::nullopt,
        .target = instance.target,
        .warning = instance.warning,
        .critical = instance.critical,
        .status = instance.status,
        .previous = instance.previous,
        .since = instance.since,
        .changed = instance.changed,
        .last_sample = instance.last_sample,
        .levels = instance.levels,
        .judged = instance.judged,
    };
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    const auto add = [&](bool active, const std::optional<EffectiveLevel>& level, Status status) {
        if (active && level) {
            out.active.push_back(ActiveCondition{.condition = "threshold",
                                                 .level = status,
                                                 .severity = level->severity,
                                                 .value = instance.value.value_or(kNone)});
        }
    };
    add(instance.warning_entered, instance.levels.warning, Status::kWarning);
    add(instance.critical_entered, instance.levels.critical, Status::kCritical);
    const std::optional<std::string> severity = definition.no_data.alert_severity();
    if (instance.silent && ever_had_value_ && severity) {
        out.active.push_back(
            ActiveCondition{.condition = "no_data",
                            .level = *severity == "critical" ? Status::kCritical : Status::kWarning,
                            .severity = *severity,
                            .value = kNone});
    }
    return out;
}

Report Tracker::report(const Pass& pass) {
    Report out{.expired = pass.expired,
               .replaced = pass.replaced,
               .without_value = without_value_,
               .hidden = pass.hidden,
               .bounds_missing = pass.bounds_missing,
               .failed = pass.evaluation.error.has_value()};
    Status status = instances_.empty() ? Status::kNoData : Status::kOnTarget;
    out.instances.reserve(instances_.size());
    for (const auto& [labels, instance] : instances_) {
        status = worse(status, instance.status);
        out.instances.push_back(describe(pass.definition, labels, instance));
    }
    if (status != status_) {
        status_ = status;
        since_ = pass.now;
        dirty_ = true;
    }
    out.status = status_;
    out.since = since_;
    return out;
}

}  // namespace kpid::kpi
