// Sends rounds of a load to a server and reads what they cost it.

#include "bench/load_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace kpid::bench {
namespace {

// Rounds are encoded before they are sent and timed: so many samples at once.
constexpr std::size_t kEncodedSamplesMax = 4'000'000;

Result<void> send_all(const WriteServer& server,
                      const std::vector<std::vector<std::string>>& rounds) {
    KPID_TRY(const SendReport report, send_rounds(server.port(), rounds));
    if (report.refused > 0) {
        return unavailable(fmt::format("{} requests were refused, the first with {}",
                                       report.refused, report.first_refusal));
    }
    return {};
}

}  // namespace

std::int64_t now_ms() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

std::int64_t first_of_rounds(std::size_t rounds, std::int64_t margin_steps) {
    return now_ms() - (static_cast<std::int64_t>(rounds) + margin_steps) * LoadRun::kStepMs;
}

Result<double> LoadRun::send(std::size_t rounds, std::chrono::milliseconds settle) {
    double cpu_seconds = 0;
    const std::size_t at_once = std::max<std::size_t>(1, kEncodedSamplesMax / load_.series_count());
    for (std::size_t done = 0; done < rounds;) {
        std::vector<std::vector<std::string>> encoded;
        for (; done < rounds && encoded.size() < at_once; ++done) {
            encoded.push_back(load_.next_round(next_ms_));
            next_ms_ += kStepMs;
        }
        const double before = server_.cpu_seconds();
        KPID_CHECK_OK(send_all(server_, encoded));
        cpu_seconds += server_.cpu_seconds() - before;
    }
    const double before = server_.cpu_seconds();
    std::this_thread::sleep_for(settle);
    return cpu_seconds + server_.cpu_seconds() - before;
}

Result<void> LoadRun::send_now() {
    const std::int64_t ms = now_ms();
    next_ms_ = ms + kStepMs;
    return send_all(server_, {load_.next_round(ms)});
}

}  // namespace kpid::bench
