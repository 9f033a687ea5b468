#pragma once
// What a unit has to hand over: alerts and the state they come from, in one atomic write.

#include "evaluate/context.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::evaluate {

/// Keeps alerts and state until the sink took them. When it refuses, all stays for the next try: of
/// an alert its newest end and, when it fires again, its newest state; of a key its newest value.
/// Not thread-safe.
class Outgoing {
public:
    /// Alerts that wait at most; beyond it the oldest go and are counted.
    static constexpr std::size_t kAlertsMax = 100'000;

    void add(alerting::Alert alert) { alerts_.push_back(std::move(alert)); }
    /// Nothing erases the key.
    void write(std::string key, std::optional<std::string> value) {
        state_.push_back({std::move(key), std::move(value)});
    }

    /// True when the sink took everything, or nothing waits. `unit` is for the log. Blocks.
    bool hand_over(const Context& context, std::string_view unit, Timestamp now);

private:
    void compact(const Context& context);

    std::vector<alerting::Alert> alerts_;
    std::vector<model::StateWrite> state_;
};

}  // namespace kpid::evaluate
