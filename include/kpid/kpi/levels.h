#pragma once
// The levels in force for one instance: overrides merged, defaults filled in.

#include "kpid/kpi/definition.h"

namespace kpid::kpi {

/// A level with nothing left open.
struct EffectiveLevel {
    Condition condition;
    Duration hold{0};
    Duration keep_firing_for{0};
    /// When it is left; absent: when its condition no longer holds.
    std::optional<Condition> recover;
    std::string severity;
    bool operator==(const EffectiveLevel&) const = default;
};

struct EffectiveLevels {
    std::optional<Condition> target;
    std::optional<EffectiveLevel> warning;
    std::optional<EffectiveLevel> critical;
    bool operator==(const EffectiveLevels&) const = default;
};

/// What judges the instance with these labels: the definition with its first matching override
/// merged key by key (also inside a level). With a target and neither warning nor critical given,
/// missing the target is the warning; `warning: none` or `critical: none` is given and turns that
/// off.
[[nodiscard]] EffectiveLevels levels_for(const Definition& definition,
                                         const model::Labels& instance);
/// The same without any override.
[[nodiscard]] EffectiveLevels base_levels(const Definition& definition);
/// The same with this override, whatever it matches.
[[nodiscard]] EffectiveLevels levels_with(const Definition& definition, const Override& patch);

}  // namespace kpid::kpi
