// Merges overrides into a definition's levels and fills in what was left open.
#include "kpid/kpi/levels.h"

#include <utility>

namespace kpid::kpi {
namespace {

template <class T>
void replace(std::optional<T>& field, const std::optional<T>& patch) {
    if (patch) {
        field = patch;
    }
}

// The levels as given, before defaults.
struct Given {
    std::optional<Condition> target;
    LevelSetting warning;
    LevelSetting critical;
    Duration hold;
    Duration keep_firing_for;
    std::optional<Condition> recover;
};

void patch_level(LevelSetting& setting, const std::optional<LevelPatch>& patch) {
    if (!patch) {
        return;
    }
    if (patch->none) {
        setting = NoLevel{};
        return;
    }
    Level* level = std::get_if<Level>(&setting);
    if (level == nullptr) {
        if (!patch->condition) {
            return;  // Nothing to enter it by; config refuses this.
        }
        level = &setting.emplace<Level>();
    }
    if (patch->condition) {
        level->condition = *patch->condition;
    }
    replace(level->hold, patch->hold);
    replace(level->keep_firing_for, patch->keep_firing_for);
    replace(level->recover, patch->recover);
    replace(level->severity, patch->severity);
}

void apply(Given& given, const Override& patch) {
    replace(given.target, patch.target);
    patch_level(given.warning, patch.warning);
    patch_level(given.critical, patch.critical);
    given.hold = patch.hold.value_or(given.hold);
    given.keep_firing_for = patch.keep_firing_for.value_or(given.keep_firing_for);
    replace(given.recover, patch.recover);
}

std::optional<EffectiveLevel> complete(const LevelSetting& setting, const Given& given,
                                       std::string_view name) {
    const Level* level = std::get_if<Level>(&setting);
    if (level == nullptr) {
        return std::nullopt;
    }
    return EffectiveLevel{
        .condition = level->condition,
        .hold = level->hold.value_or(given.hold),
        .keep_firing_for = level->keep_firing_for.value_or(given.keep_firing_for),
        .recover = level->recover ? level->recover : given.recover,
        .severity = level->severity.value_or(std::string(name)),
    };
}

EffectiveLevels complete(Given given) {
    const bool no_level_given = std::holds_alternative<std::monostate>(given.warning) &&
                                std::holds_alternative<std::monostate>(given.critical);
    if (given.target && no_level_given) {
        given.warning = Level{.condition = negated(*given.target)};
    }
    return EffectiveLevels{
        .target = given.target,
        .warning = complete(given.warning, given, "warning"),
        .critical = complete(given.critical, given, "critical"),
    };
}

Given given_by(const Definition& definition) {
    return Given{
        .target = definition.target,
        .warning = definition.warning,
        .critical = definition.critical,
        .hold = definition.hold,
        .keep_firing_for = definition.keep_firing_for,
        .recover = definition.recover,
    };
}

}  // namespace

EffectiveLevels levels_for(const Definition& definition, const model::Labels& instance) {
    Given given = given_by(definition);
    for (const Override& patch : definition.overrides) {
        if (model::matches_all(patch.match, instance)) {
            apply(given, patch);
            break;
        }
    }
    return complete(std::move(given));
}

EffectiveLevels base_levels(const Definition& definition) {
    return complete(given_by(definition));
}

EffectiveLevels levels_with(const Definition& definition, const Override& patch) {
    Given given = given_by(definition);
    apply(given, patch);
    return complete(std::move(given));
}

}  // namespace kpid::kpi
