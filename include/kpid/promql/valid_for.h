#pragma once
// How long the values of a series hold for an instant selector.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/reader.h"

#include <algorithm>
#include <optional>

namespace kpid::promql {

/// Says for each series how old its newest sample may be. Immutable, thread-safe.
class ValidFor {
public:
    virtual ~ValidFor() = default;
    /// Above 0; nothing: the engine's lookback.
    [[nodiscard]] virtual std::optional<Duration> of(const model::Labels& labels) const = 0;
};

/// The lookbacks of one query: a base for all series, and rules for some of them.
class Lookbacks final : public model::HistoryRules {
public:
    /// `rules` may be null and is borrowed. With `only_longer` they lengthen the base and never
    /// shorten it: the query named it itself.
    Lookbacks(Duration base, const ValidFor* rules, bool only_longer)
        : base_(base), rules_(rules), only_longer_(only_longer) {}

    [[nodiscard]] Duration base() const { return base_; }
    [[nodiscard]] Duration of(const model::Labels& labels) const {
        const std::optional<Duration> rule =
            rules_ != nullptr ? rules_->of(labels) : std::optional<Duration>();
        return only_longer_ ? std::max(base_, rule.value_or(base_)) : rule.value_or(base_);
    }
    /// For a read whose range begins `base()` before its first instant.
    [[nodiscard]] Duration further_back(const model::Labels& labels) const override {
        return std::max(of(labels) - base_, Duration(0));
    }
    /// What a reader needs to know of it; null: nothing, all series have the base.
    [[nodiscard]] const model::HistoryRules* history() const {
        return rules_ != nullptr ? this : nullptr;
    }

private:
    Duration base_;
    const ValidFor* rules_;
    bool only_longer_;
};

}  // namespace kpid::promql
