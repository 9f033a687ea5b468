// The rounds of a poller.
#include "ingest/poller.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace kpid::ingest {
namespace {

// What follows a number that was measured: "after 12 ms", "with 3 out of 9 bytes received".
constexpr std::array<std::string_view, 4> kMeasures{" ms", " milliseconds", " bytes", " out of "};

// The message without numbers that were measured: the same error is told once.
std::string without_measured(std::string_view message) {
    std::string kept;
    while (!message.empty()) {
        const std::size_t begin = std::min(message.find_first_of("0123456789"), message.size());
        const std::size_t end =
            std::min(message.find_first_not_of("0123456789", begin), message.size());
        const std::string_view rest = message.substr(end);
        const bool measured =
            std::any_of(kMeasures.begin(), kMeasures.end(),
                        [rest](std::string_view measure) { return rest.starts_with(measure); });
        kept += message.substr(0, measured ? begin : end);
        message.remove_prefix(end);
    }
    return kept;
}

}  // namespace

Poller::Poller(const net::Strand& strand, Environment& environment, PollerOptions options,
               std::unique_ptr<PollTask> task, OnPolled on_polled)
    : environment_(environment),
      options_(std::move(options)),
      schedule_(options_.interval, options_.hash),
      task_(std::move(task)),
      on_polled_(std::move(on_polled)),
      tasks_(strand, environment.log) {
}

void Poller::start() {
    if (!stopped_) {
        tasks_.spawn("poll " + options_.source, run());
        tasks_.spawn("beside " + options_.source, task_->run_beside());
    }
}

void Poller::stop() {
    stopped_ = true;
    tasks_.stop();
}

net::Task<bool> Poller::join(MonoTime deadline) {
    const bool joined = co_await tasks_.join(environment_.timers, deadline);
    co_return joined;
}

void Poller::take_over(Poller& other) {
    task_->take_over(*other.task_);
    const PollStatus before = other.status();
    const MutexLock lock(mutex_);
    status_ = before;
}

PollStatus Poller::status() const {
    const MutexLock lock(mutex_);
    return status_;
}

net::Task<> Poller::run() {
    const Clock& clock = environment_.timers.clock();
    Timestamp due = schedule_.first_after(clock.wall_now());
    for (;;) {
        const MonoTime wake = environment_.timers.after(due - clock.wall_now());
        const Result<void> slept = co_await environment_.timers.sleep_until(wake);
        if (!slept) {
            co_return;
        }
        const MonoTime started = clock.mono_now();
        const Timestamp at = schedule_.timestamp_of(due, clock.wall_now());
        const Result<void> outcome = co_await task_->poll(at);
        record(outcome, at, started);
        due = schedule_.round_after(due, clock.wall_now());
    }
}

void Poller::record(const Result<void>& outcome, Timestamp at, MonoTime started) {
    if (stopped_ || (!outcome && outcome.error().code == Code::kCancelled)) {
        return;
    }
    const auto took = environment_.timers.clock().mono_now() - started;
    PollStatus before;
    {
        const MutexLock lock(mutex_);
        before = status_;
        status_.polled = true;
        status_.up = outcome.has_value();
        status_.answered = status_.answered || outcome.has_value();
        status_.last_error = outcome ? std::string() : outcome.error().message;
        status_.last_poll = at;
        status_.last_duration = took;
    }
    Metrics& metrics = environment_.metrics;
    metrics.scrapes.Add({{"source", options_.source}}).Increment();
    if (!outcome) {
        metrics.scrape_failures.Add({{"source", options_.source}}).Increment();
    }
    metrics.source_duration.Add({{"source", options_.source}})
        .Set(std::chrono::duration<double>(took).count());
    log_change(outcome, before);
    on_polled_(options_.source);
}

void Poller::log_change(const Result<void>& outcome, const PollStatus& before) const {
    if (!outcome &&
        without_measured(outcome.error().message) != without_measured(before.last_error)) {
        environment_.log.warn("a source cannot be polled", {{"source", options_.source},
                                                            {"address", options_.address},
                                                            {"error", outcome.error().message}});
    } else if (outcome && before.polled && !before.up) {
        environment_.log.info("a source answers again",
                              {{"source", options_.source}, {"address", options_.address}});
    }
}

}  // namespace kpid::ingest
