#pragma once
// Takes alerts as delivery would, and remembers what people were told.

#include "kpid/base/mutex.h"
#include "kpid/model/state_store.h"
#include "notify/alert_sink.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kpid::testing {

/// Keeps the promises of AlertSink: state is written with the alerts or not at all, a repeated
/// firing alert is no news, an end is told only of what was told to fire. Thread-safe; outlives the
/// evaluators that use it.
class CollectingSink final : public notify::AlertSink {
public:
    explicit CollectingSink(model::StateStore& store) : store_(store) {}

    [[nodiscard]] Result<void> submit(Timestamp, std::span<const alerting::Alert> alerts,
                                      std::span<const model::StateWrite> also) override {
        const MutexLock lock(mutex_);
        ++calls_;
        if (failing_) {
            return unavailable("the disk is full");
        }
        KPID_CHECK_OK(store_.write(also));
        for (const alerting::Alert& alert : alerts) {
            take(alert);
        }
        return {};
    }

    /// From now on every submit fails, until told otherwise.
    void fail(bool failing) {
        const MutexLock lock(mutex_);
        failing_ = failing;
    }
    /// News since the last call, in order: "firing <name>" and "<how it ended> <name>".
    [[nodiscard]] std::vector<std::string> take_news() {
        const MutexLock lock(mutex_);
        return std::exchange(news_, {});
    }
    /// What was told to fire and not yet to have ended, by name.
    [[nodiscard]] std::map<std::string, alerting::Alert> firing() const {
        const MutexLock lock(mutex_);
        return firing_;
    }
    /// The newest alert of that name, firing or ended.
    [[nodiscard]] alerting::Alert newest(const std::string& name) const {
        const MutexLock lock(mutex_);
        const auto found = newest_.find(name);
        return found == newest_.end() ? alerting::Alert() : found->second;
    }
    /// What should never happen: an alert that fires anew though its end was not told.
    [[nodiscard]] std::vector<std::string> breaches() const {
        const MutexLock lock(mutex_);
        return breaches_;
    }
    /// As if nothing had ever been told.
    void forget() {
        const MutexLock lock(mutex_);
        firing_.clear();
        news_.clear();
    }
    [[nodiscard]] std::size_t calls() const {
        const MutexLock lock(mutex_);
        return calls_;
    }

    /// `kpi/condition/severity{instance}` of a KPI's alert, `alertname{labels}` of a rule's.
    [[nodiscard]] static std::string name_of(const alerting::Alert& alert) {
        model::LabelsBuilder rest(alert.identity);
        std::string name(alert.identity.get("alertname"));
        if (alert.identity.has("condition")) {
            name += "/" + std::string(alert.identity.get("condition")) + "/" +
                    std::string(alert.identity.get("severity"));
            rest.erase("condition").erase("severity").erase("kpi");
        }
        const model::Labels labels = rest.erase("alertname").build();
        return labels.empty() ? name : name + labels.to_string();
    }

private:
    void take(const alerting::Alert& alert) KPID_REQUIRES(mutex_) {
        const std::string name = name_of(alert);
        const auto known = firing_.find(name);
        newest_[name] = alert;
        if (alert.firing()) {
            if (known == firing_.end()) {
                news_.push_back("firing " + name);
            } else if (known->second.starts_at != alert.starts_at) {
                breaches_.push_back("fires anew without an end: " + name);
            }
            firing_[name] = alert;
        } else if (known != firing_.end()) {
            news_.push_back(std::string(to_string(alert.ended)) + " " + name);
            firing_.erase(known);
        }
    }

    model::StateStore& store_;
    mutable Mutex mutex_;
    bool failing_ KPID_GUARDED_BY(mutex_) = false;
    std::size_t calls_ KPID_GUARDED_BY(mutex_) = 0;
    std::vector<std::string> news_ KPID_GUARDED_BY(mutex_);
    std::vector<std::string> breaches_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, alerting::Alert> firing_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, alerting::Alert> newest_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::testing
