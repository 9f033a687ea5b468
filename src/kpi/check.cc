// Finds contradictions among the conditions of a KPI. Every condition is a union of intervals whose
// ends are bounds, so the bounds, a value between each two, and one beyond each end show all that
// can happen.
#include "kpid/kpi/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

namespace kpid::kpi {
namespace {

std::optional<ResolvedCondition> numeric(const std::optional<Condition>& condition) {
    return condition && condition->is_numeric() ? resolve(*condition, {}) : std::nullopt;
}

struct NumericLevel {
    std::string_view name;
    Duration hold{0};
    std::optional<ResolvedCondition> condition;
    std::optional<ResolvedCondition> recover;
};

NumericLevel numeric(const std::optional<EffectiveLevel>& level, std::string_view name) {
    if (!level) {
        return NumericLevel{.name = name};
    }
    return NumericLevel{.name = name,
                        .hold = level->hold,
                        .condition = numeric(std::optional(level->condition)),
                        .recover = numeric(level->recover)};
}

bool holds_for(const std::optional<ResolvedCondition>& condition, double value) {
    return condition && condition->holds_for(value);
}

// What the conditions say of one value.
struct Verdict {
    double value = 0;
    bool meets_target = false;
    bool warning = false;
    bool critical = false;

    [[nodiscard]] bool at_level() const { return warning || critical; }
    [[nodiscard]] bool decided() const { return meets_target || at_level(); }
};

class Check {
public:
    Check(const EffectiveLevels& levels, const model::Unit& unit)
        : unit_(unit),
          target_(numeric(levels.target)),
          warning_(numeric(levels.warning, "warning")),
          critical_(numeric(levels.critical, "critical")) {}

    std::optional<std::string> run() {
        if (auto found = bad_bounds()) {
            return found;
        }
        fill_verdicts();
        if (auto found = decided_twice()) {
            return found;
        }
        if (auto found = swallowed_warning()) {
            return found;
        }
        if (auto found = overlapping_recover(warning_)) {
            return found;
        }
        if (auto found = overlapping_recover(critical_)) {
            return found;
        }
        return undecided();
    }

private:
    std::string show(double value) const { return model::format_in_unit(value, unit_); }

    std::vector<ResolvedCondition> conditions() const {
        std::vector<ResolvedCondition> all;
        for (const auto& condition : {target_, warning_.condition, warning_.recover,
                                      critical_.condition, critical_.recover}) {
            if (condition) {
                all.push_back(*condition);
            }
        }
        return all;
    }

    std::optional<std::string> bad_bounds() const {
        for (const ResolvedCondition& condition : conditions()) {
            const bool two = takes_two_bounds(condition.op);
            if (!std::isfinite(condition.a) || (two && !std::isfinite(condition.b))) {
                return fmt::format("{} needs a finite number", to_string(condition.op));
            }
            if (two && condition.a > condition.b) {
                return fmt::format("{} takes the lower bound first, but {} is above {}",
                                   to_string(condition.op), show(condition.a), show(condition.b));
            }
        }
        return std::nullopt;
    }

    void fill_verdicts() {
        std::vector<double> bounds;
        for (const ResolvedCondition& condition : conditions()) {
            bounds.push_back(condition.a);
            if (takes_two_bounds(condition.op)) {
                bounds.push_back(condition.b);
            }
        }
        std::sort(bounds.begin(), bounds.end());
        bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
        if (bounds.empty()) {
            return;
        }
        add_verdict(bounds.front() - std::max(1.0, std::abs(bounds.front())));
        for (std::size_t i = 0; i < bounds.size(); ++i) {
            if (i > 0) {
                add_verdict(bounds[i - 1] / 2 + bounds[i] / 2);
            }
            add_verdict(bounds[i]);
        }
        add_verdict(bounds.back() + std::max(1.0, std::abs(bounds.back())));
    }

    void add_verdict(double value) {
        verdicts_.push_back(Verdict{.value = value,
                                    .meets_target = holds_for(target_, value),
                                    .warning = holds_for(warning_.condition, value),
                                    .critical = holds_for(critical_.condition, value)});
    }

    std::optional<std::string> decided_twice() const {
        for (const Verdict& verdict : verdicts_) {
            if (verdict.meets_target && verdict.at_level()) {
                return fmt::format("{} meets the target and is {} too", show(verdict.value),
                                   verdict.critical ? "critical" : "a warning");
            }
        }
        return std::nullopt;
    }

    std::optional<std::string> swallowed_warning() const {
        if (!warning_.condition || !critical_.condition) {
            return std::nullopt;
        }
        const Verdict* both = nullptr;
        bool equal = true;
        for (const Verdict& verdict : verdicts_) {
            if (verdict.warning && !verdict.critical) {
                return std::nullopt;
            }
            equal = equal && verdict.warning == verdict.critical;
            both = verdict.warning ? &verdict : both;
        }
        // The same condition twice is a warning that becomes critical when it lasts.
        if (both == nullptr || (equal && critical_.hold > warning_.hold)) {
            return std::nullopt;
        }
        return fmt::format(
            "{} is critical as every value that is a warning, so warning is never seen",
            show(both->value));
    }

    std::optional<std::string> overlapping_recover(const NumericLevel& level) const {
        for (const Verdict& verdict : verdicts_) {
            if (holds_for(level.condition, verdict.value) &&
                holds_for(level.recover, verdict.value)) {
                return fmt::format("{} enters {} and, by its recover, leaves it at once",
                                   show(verdict.value), level.name);
            }
        }
        return std::nullopt;
    }

    std::optional<std::string> undecided() const {
        for (std::size_t i = 0; i < verdicts_.size(); ++i) {
            if (verdicts_[i].decided()) {
                continue;
            }
            if (is_gap(i)) {
                return fmt::format("{} neither meets the target nor is a warning or critical",
                                   show(verdicts_[i].value));
            }
            if (is_beyond(i)) {
                return fmt::format(
                    "{} is farther from the target than a value that is a warning or "
                    "critical, and is neither itself",
                    show(verdicts_[i].value));
            }
        }
        return std::nullopt;
    }

    // A bound (every second verdict) with the target on one side and a level on the other.
    bool is_gap(std::size_t i) const {
        if (i == 0 || i + 1 == verdicts_.size() || i % 2 == 0) {
            return false;
        }
        const Verdict& left = verdicts_[i - 1];
        const Verdict& right = verdicts_[i + 1];
        return (left.meets_target && right.at_level()) || (left.at_level() && right.meets_target);
    }

    // Whatever way leads from this value to the target passes a level.
    bool is_beyond(std::size_t i) const {
        const std::span<const Verdict> all = verdicts_;
        const Way left = way_to_target(all.first(i), true);
        const Way right = way_to_target(all.subspan(i + 1), false);
        return left != Way::kFree && right != Way::kFree &&
               (left == Way::kPastLevel || right == Way::kPastLevel);
    }

    enum class Way { kNone, kFree, kPastLevel };
    static Way way_to_target(std::span<const Verdict> verdicts, bool backwards) {
        bool past_level = false;
        for (std::size_t i = 0; i < verdicts.size(); ++i) {
            const Verdict& verdict = verdicts[backwards ? verdicts.size() - 1 - i : i];
            if (verdict.meets_target) {
                return past_level ? Way::kPastLevel : Way::kFree;
            }
            past_level = past_level || verdict.at_level();
        }
        return Way::kNone;
    }

    const model::Unit& unit_;
    std::optional<ResolvedCondition> target_;
    NumericLevel warning_;
    NumericLevel critical_;
    std::vector<Verdict> verdicts_;  // in order of value; bounds have odd indexes
};

}  // namespace

std::optional<std::string> find_contradiction(const EffectiveLevels& levels,
                                              const model::Unit& unit) {
    return Check(levels, unit).run();
}

std::optional<std::string> find_contradiction(const Definition& definition) {
    if (auto found = find_contradiction(base_levels(definition), definition.unit)) {
        return found;
    }
    for (const Override& patch : definition.overrides) {
        if (auto found = find_contradiction(levels_with(definition, patch), definition.unit)) {
            std::string match;
            for (const model::Matcher& matcher : patch.match) {
                match += (match.empty() ? "" : ", ") + matcher.to_string();
            }
            return fmt::format("the override for {{{}}}: {}", match, *found);
        }
    }
    return std::nullopt;
}

}  // namespace kpid::kpi
