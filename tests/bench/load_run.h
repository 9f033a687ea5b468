#pragma once
// A server under test and the load it gets, round after round.

#include "bench/write_load.h"
#include "bench/write_servers.h"
#include "kpid/base/result.h"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kpid::bench {

/// The wall clock, in milliseconds since the epoch.
[[nodiscard]] std::int64_t now_ms();

/// A round is one sample of every series. Rounds are encoded before they are sent.
class LoadRun {
public:
    static constexpr std::int64_t kStepMs = 15'000;

    /// The first round carries `first_ms`. The server outlives the run.
    LoadRun(WriteServer& server, WriteLoad load, std::int64_t first_ms)
        : server_(server), load_(std::move(load)), next_ms_(first_ms) {}

    /// So many rounds, kStepMs apart, as fast as the server takes them. CPU seconds of the server
    /// for them, with what it does in `settle` afterwards. A refused request is an error.
    [[nodiscard]] Result<double> send(std::size_t rounds, std::chrono::milliseconds settle);
    /// One round that carries the present.
    [[nodiscard]] Result<void> send_now();

    /// Of the newest round.
    [[nodiscard]] std::int64_t last_ms() const { return next_ms_ - kStepMs; }

private:
    WriteServer& server_;
    WriteLoad load_;
    std::int64_t next_ms_;
};

/// The first instant of so many rounds that end shortly before the present: a stored time may not
/// be in the future.
[[nodiscard]] std::int64_t first_of_rounds(std::size_t rounds, std::int64_t margin_steps = 8);

}  // namespace kpid::bench
