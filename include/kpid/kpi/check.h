#pragma once
// The static check of a KPI's levels: conditions that cannot be meant.

#include "kpid/kpi/levels.h"

#include <optional>
#include <string>

namespace kpid::kpi {

/// Looks for a value on which the conditions contradict each other, among numeric conditions only
/// (bounds that are expressions are not known here). Reports, naming a value in the unit:
///
///  - between or outside with its bounds the wrong way round, or a bound that is not finite;
///  - decided twice: a value that meets the target and is warning or critical as well;
///  - a critical that is the weaker one: it holds for every value that is warning and for others
///  too, so
///    that warning could never be seen (equal conditions are fine when critical waits longer);
///  - a level that is left by a value that enters it: its `recover` overlaps its condition;
///  - undecided: a single value between the target and a level that neither decides (`above: 5` and
///    `below: 5` leave 5), or a value farther from the target than a warning or critical one and
///    still at no level. A value that misses the target and is not yet at a level is off_target,
///    which is a verdict.
///
/// The message is a sentence fragment; nothing when all is well.
[[nodiscard]] std::optional<std::string> find_contradiction(const EffectiveLevels& levels,
                                                            const model::Unit& unit);
/// The same for the definition as such and for each of its overrides; the message names the
/// override.
[[nodiscard]] std::optional<std::string> find_contradiction(const Definition& definition);

}  // namespace kpid::kpi
