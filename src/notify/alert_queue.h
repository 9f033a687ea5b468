#pragma once
// What waits to be posted to one Alertmanager.

#include "kpid/alerting/alert.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kpid::notify {

/// Alerts in order of their newest state, each once. Bounded: beyond kAlertsMax the oldest are
/// dropped. Not thread-safe.
class AlertQueue {
public:
    static constexpr std::size_t kAlertsMax = 10'000;
    /// A batch ends with the first submission that fills it, so that what was submitted together
    /// (an end and what supersedes it) goes together, up to kBatchMax.
    static constexpr std::size_t kBatchWanted = 64;
    static constexpr std::size_t kBatchMax = 2'000;

    /// Adds an alert, or replaces its older state. `submission` numbers what was given together,
    /// and never falls. Returns how many were dropped to make room: 0 or 1.
    std::size_t push(const std::string& fingerprint, const alerting::Alert& alert,
                     std::uint64_t submission);
    /// Takes the next batch; empty when nothing waits.
    [[nodiscard]] std::vector<alerting::Alert> take();
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::string fingerprint;
        alerting::Alert alert;
        std::uint64_t submission = 0;
    };
    std::uint64_t next_place_ = 0;
    std::map<std::uint64_t, Entry> entries_;       // by place
    std::map<std::string, std::uint64_t> places_;  // by fingerprint
};

}  // namespace kpid::notify
