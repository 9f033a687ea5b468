// Lists of KPIs without a value, as one alert an owner.
#include "evaluate/without_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>

namespace kpid::evaluate {
namespace {

constexpr std::size_t kOwnersMax = 100'000;

}  // namespace

void WithoutValueAlerts::restore() {
    const auto stored = context_.state.scan(kStatePrefix, kOwnersMax);
    if (!stored) {
        context_.log.error("stored alerts of KPIs without a value are not readable",
                           {{"error", stored.error().message}});
        return;
    }
    const MutexLock lock(mutex_);
    for (const auto& [key, value] : *stored) {
        std::int64_t since = 0;
        std::from_chars(value.data(), value.data() + value.size(), since);
        Entry& entry = owners_[key.substr(kStatePrefix.size())];
        entry.since = Timestamp(since);
        entry.firing = true;
    }
}

alerting::Alert WithoutValueAlerts::make_alert(const std::string& owner, const Entry& entry) {
    alerting::Alert alert;
    alert.identity = model::Labels{{"alertname", "kpis_without_value"},
                                   {"condition", "no_data"},
                                   {"severity", "warning"},
                                   {"owner", owner}};
    alert.labels = alert.identity;
    alert.annotations["summary"] = fmt::format("{} KPIs never had a value", entry.kpis.size());
    alert.annotations["kpis"] = fmt::format("{}", fmt::join(entry.kpis, ", "));
    alert.starts_at = entry.since;
    return alert;
}

void WithoutValueAlerts::set(const std::string& owner, const std::string& kpi, bool without_value,
                             Timestamp now) {
    const MutexLock lock(mutex_);
    Entry& entry = owners_[owner];
    const bool changed = without_value ? entry.kpis.insert(kpi).second : entry.kpis.erase(kpi) > 0;
    if (!changed && (!entry.firing || !entry.kpis.empty())) {
        return;
    }
    const std::string key = std::string(kStatePrefix) + owner;
    std::vector<model::StateWrite> writes;
    if (!entry.kpis.empty() && !entry.firing) {
        entry.firing = true;
        entry.since = now;
        writes.push_back({key, std::to_string(now.ms())});
    }
    alerting::Alert alert = make_alert(owner, entry);
    if (entry.kpis.empty()) {
        alert.ended = alerting::EndReason::kResolved;
        alert.ends_at = now;
        writes.push_back({key, std::nullopt});
    }
    const Result<void> submitted = context_.sink.submit(now, {&alert, 1}, writes);
    if (!submitted) {
        context_.metrics.submit_failures.Increment();
        context_.log.error("the alert of KPIs without a value could not be handed over",
                           {{"owner", owner}, {"error", submitted.error().message}});
        return;
    }
    if (entry.kpis.empty()) {
        owners_.erase(owner);
    }
}

std::vector<alerting::ActiveAlert> WithoutValueAlerts::active() const {
    const MutexLock lock(mutex_);
    std::vector<alerting::ActiveAlert> alerts;
    for (const auto& [owner, entry] : owners_) {
        if (entry.firing) {
            alerts.push_back({.alert = make_alert(owner, entry),
                              .state = alerting::AlertState::kFiring,
                              .active_at = entry.since,
                              .value = static_cast<double>(entry.kpis.size())});
        }
    }
    return alerts;
}

}  // namespace kpid::evaluate
