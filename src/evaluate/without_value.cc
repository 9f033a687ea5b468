// Lists of KPIs without a value, as one alert an owner.
#include "evaluate/without_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <optional>
#include <sstream>
#include <utility>

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
        std::istringstream lines(value);
        std::int64_t since = 0;
        lines >> since;
        List list{.since = Timestamp(since), .told = true, .restored = true};
        for (std::string kpi; lines >> kpi;) {
            list.kpis.insert(kpi);
        }
        lists_.insert_or_assign(key.substr(kStatePrefix.size()), std::move(list));
    }
}

std::string WithoutValueAlerts::owner_of(const std::string& kpi) const {
    const MutexLock lock(mutex_);
    for (const auto& [owner, list] : lists_) {
        if (list.kpis.contains(kpi)) {
            return owner;
        }
    }
    return "";
}

bool WithoutValueAlerts::add(const std::string& owner, const std::string& kpi, Timestamp now) {
    const MutexLock lock(mutex_);
    const auto found = lists_.find(owner);
    List list = found == lists_.end() ? List{.since = now} : found->second;
    if (!list.kpis.insert(kpi).second) {
        return true;
    }
    if (!list.told) {
        lists_.insert_or_assign(owner, list);
        return true;
    }
    return replace(owner, list, alerting::EndReason::kNone, now);
}

void WithoutValueAlerts::tell(const std::string& owner, Timestamp now, Duration hold) {
    const MutexLock lock(mutex_);
    const auto found = lists_.find(owner);
    if (found == lists_.end()) {
        return;
    }
    const List list = found->second;
    if (list.told ? list.restored : now - list.since >= hold) {
        static_cast<void>(replace(owner, list, alerting::EndReason::kNone, now));
    }
}

bool WithoutValueAlerts::remove(const std::string& owner, const std::string& kpi,
                                alerting::EndReason reason, Timestamp now) {
    const MutexLock lock(mutex_);
    const auto found = lists_.find(owner);
    if (found == lists_.end()) {
        return true;
    }
    List list = found->second;
    if (list.kpis.erase(kpi) == 0) {
        return true;
    }
    if (!list.told) {
        if (list.kpis.empty()) {
            lists_.erase(found);
        } else {
            found->second = std::move(list);
        }
        return true;
    }
    return replace(owner, list, reason, now);
}

void WithoutValueAlerts::keep_only(const std::function<bool(const std::string& kpi)>& defined,
                                   Timestamp now) {
    const MutexLock lock(mutex_);
    const std::map<std::string, List> before = lists_;
    for (const auto& [owner, old_list] : before) {
        List list = old_list;
        const std::size_t gone =
            std::erase_if(list.kpis, [&](const std::string& kpi) { return !defined(kpi); });
        if (gone > 0 || list.kpis.empty()) {
            // A failure is logged; the next start tries again.
            static_cast<void>(replace(owner, list, alerting::EndReason::kRemoved, now));
        }
    }
}

bool WithoutValueAlerts::replace(const std::string& owner, const List& list,
                                 alerting::EndReason reason, Timestamp now) {
    // The end shows what was on the list last.
    const auto before = lists_.find(owner);
    alerting::Alert alert =
        make_alert(owner, list.kpis.empty() && before != lists_.end() ? before->second : list);
    model::StateWrite write{std::string(kStatePrefix) + owner, std::nullopt};
    if (list.kpis.empty()) {
        alert.ended = reason;
        alert.ends_at = now;
    } else {
        write.value = fmt::format("{}\n{}", list.since.ms(), fmt::join(list.kpis, "\n"));
    }
    const Result<void> submitted = context_.sink.submit(now, {&alert, 1}, {&write, 1});
    if (!submitted) {
        context_.metrics.submit_failures.Increment();
        context_.log.error("the alert of KPIs without a value could not be handed over",
                           {{"owner", owner}, {"error", submitted.error().message}});
        return false;
    }
    if (list.kpis.empty()) {
        lists_.erase(owner);
    } else {
        List& now_told = lists_.insert_or_assign(owner, list).first->second;
        now_told.told = true;
        now_told.restored = false;
    }
    return true;
}

alerting::Alert WithoutValueAlerts::make_alert(const std::string& owner, const List& list) {
    alerting::Alert alert;
    alert.identity = model::Labels{{"alertname", "kpis_without_value"},
                                   {"condition", "no_data"},
                                   {"severity", "warning"},
                                   {"owner", owner}};
    alert.labels = alert.identity;
    alert.annotations["summary"] = list.kpis.size() == 1
                                       ? "1 KPI never had a value"
                                       : fmt::format("{} KPIs never had a value", list.kpis.size());
    alert.annotations["kpis"] = fmt::format("{}", fmt::join(list.kpis, ", "));
    alert.starts_at = list.since;
    return alert;
}

std::vector<alerting::ActiveAlert> WithoutValueAlerts::active() const {
    const MutexLock lock(mutex_);
    std::vector<alerting::ActiveAlert> alerts;
    alerts.reserve(lists_.size());
    for (const auto& [owner, list] : lists_) {
        alerts.push_back(
            {.alert = make_alert(owner, list),
             .state = list.told ? alerting::AlertState::kFiring : alerting::AlertState::kPending,
             .active_at = list.since,
             .value = static_cast<double>(list.kpis.size())});
    }
    return alerts;
}

}  // namespace kpid::evaluate
