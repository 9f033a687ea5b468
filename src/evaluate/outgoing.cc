// Handing over, and keeping what could not be.
#include "evaluate/outgoing.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace kpid::evaluate {
namespace {

// Of each alert the newest end, and behind it the newest state of one that fires again.
std::vector<alerting::Alert> newest_alerts(std::vector<alerting::Alert> all) {
    std::set<model::Labels> ended;
    std::set<model::Labels> firing;
    std::vector<alerting::Alert> kept;
    for (auto alert = all.rbegin(); alert != all.rend(); ++alert) {
        const bool overtaken = ended.contains(alert->identity) ||
                               (alert->firing() && firing.contains(alert->identity));
        if (!overtaken) {
            (alert->firing() ? firing : ended).insert(alert->identity);
            kept.push_back(std::move(*alert));
        }
    }
    std::reverse(kept.begin(), kept.end());
    return kept;
}

std::vector<model::StateWrite> newest_writes(std::vector<model::StateWrite> all) {
    std::map<std::string, std::optional<std::string>> newest;
    for (model::StateWrite& write : all) {
        newest.insert_or_assign(std::move(write.key), std::move(write.value));
    }
    std::vector<model::StateWrite> kept;
    kept.reserve(newest.size());
    for (auto& [key, value] : newest) {
        kept.push_back({key, std::move(value)});
    }
    return kept;
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
    alerts_ = newest_alerts(std::exchange(alerts_, {}));
    state_ = newest_writes(std::exchange(state_, {}));
    if (alerts_.size() > kAlertsMax) {
        const std::size_t dropped = alerts_.size() - kAlertsMax;
        context.metrics.alerts_dropped.Increment(static_cast<double>(dropped));
        alerts_.erase(alerts_.begin(), alerts_.begin() + static_cast<std::ptrdiff_t>(dropped));
    }
}

}  // namespace kpid::evaluate
