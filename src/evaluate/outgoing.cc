// Handing over, and keeping what could not be.
#include "evaluate/outgoing.h"

#include <algorithm>
#include <set>
#include <utility>

namespace kpid::evaluate {
namespace {

// Keeps the last of each key, in order of the last ones.
template <class T, class KeyOf>
void keep_newest(std::vector<T>& all, const KeyOf& key_of) {
    std::set<std::decay_t<decltype(key_of(all.front()))>> seen;
    std::vector<T> kept;
    for (auto it = all.rbegin(); it != all.rend(); ++it) {
        if (seen.insert(key_of(*it)).second) {
            kept.push_back(std::move(*it));
        }
    }
    std::reverse(kept.begin(), kept.end());
    all = std::move(kept);
}

}  // namespace

bool Outgoing::hand_over(const Context& context, std::string_view unit, Timestamp now) {
    if (alerts_.empty() && state_.empty()) {
        return true;
    }
    const Result<void> submitted = context.sink.submit(now, alerts_, state_);
    if (submitted) {
        alerts_.clear();
        state_.clear();
        return true;
    }
    context.metrics.submit_failures.Increment();
    context.log.error("alerts could not be handed over, they are again with the next evaluation",
                      {{"unit", std::string(unit)}, {"error", submitted.error().message}});
    compact(context);
    return false;
}

void Outgoing::compact(const Context& context) {
    keep_newest(alerts_, [](const alerting::Alert& alert) { return alert.identity; });
    keep_newest(state_, [](const model::StateWrite& write) { return write.key; });
    if (alerts_.size() > kAlertsMax) {
        const std::size_t dropped = alerts_.size() - kAlertsMax;
        context.metrics.alerts_dropped.Increment(static_cast<double>(dropped));
        alerts_.erase(alerts_.begin(), alerts_.begin() + static_cast<std::ptrdiff_t>(dropped));
    }
}

}  // namespace kpid::evaluate
