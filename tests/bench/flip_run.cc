#include "bench/flip_run.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>
#include <thread>

namespace kpid::bench {
namespace {

constexpr double kValueAbove = 90;
constexpr double kValueBelow = 1;
constexpr std::size_t kLostInSuccessionMax = 3;

using Milliseconds = std::chrono::duration<double, std::milli>;

// The group's status stands before its alerts', in kpid's bodies as in Alertmanager's.
bool tells(std::string_view body, bool firing) {
    constexpr std::string_view kStatus = "\"status\":\"";
    const std::size_t found = body.find(kStatus);
    return found != std::string_view::npos &&
           body.substr(found + kStatus.size()).starts_with(firing ? "firing\"" : "resolved\"");
}

class FlipRun {
public:
    FlipRun(const FlipSubject& subject, WebhookSink& sink, const FlipOptions& options)
        : subject_(subject),
          sink_(sink),
          options_(options),
          random_(options.seed),
          pause_(Milliseconds(options.pause_min).count(), Milliseconds(options.pause_max).count()) {
        report_.name = subject.name;
    }

    Result<FlipReport> run() {
        KPID_TRY(const auto below, push(kValueBelow));
        static_cast<void>(below);
        for (std::size_t i = 0; i < options_.warm_up_flips; ++i) {
            KPID_TRY(const double latency, flip());
            static_cast<void>(latency);
        }
        report_.unasked = 0;
        const double cpu_before = subject_.cpu_seconds();
        const SteadyClock::time_point started = SteadyClock::now();
        std::size_t lost_in_succession = 0;
        while (report_.flips < options_.flips && lost_in_succession < kLostInSuccessionMax) {
            KPID_TRY(const double latency, flip());
            ++report_.flips;
            const bool lost = std::isnan(latency);
            lost_in_succession = lost ? lost_in_succession + 1 : 0;
            if (!lost) {
                report_.latencies_ms.push_back(latency);
            }
        }
        report_.flips = options_.flips;
        report_.lost = options_.flips - report_.latencies_ms.size();
        report_.cpu_seconds = subject_.cpu_seconds() - cpu_before;
        report_.run_seconds = Milliseconds(SteadyClock::now() - started).count() / 1000;
        report_.connections = sink_.connection_count();
        return std::move(report_);
    }

private:
    Result<SteadyClock::time_point> push(double value) {
        std::this_thread::sleep_until(next_);
        while (sink_.take(SteadyClock::now())) {
            ++report_.unasked;
        }
        const SteadyClock::time_point sent = SteadyClock::now();
        next_ =
            sent + std::chrono::duration_cast<SteadyClock::duration>(Milliseconds(pause_(random_)));
        const Result<void> pushed = subject_.push(value);
        if (!pushed) {
            return pushed.error();
        }
        return sent;
    }

    // Milliseconds from push to webhook; not a number when the webhook did not come.
    Result<double> flip() {
        above_ = !above_;
        KPID_TRY(const SteadyClock::time_point sent, push(above_ ? kValueAbove : kValueBelow));
        for (;;) {
            const auto webhook = sink_.take(sent + options_.webhook_max);
            if (!webhook) {
                return std::nan("");
            }
            if (tells(webhook->body, above_)) {
                return Milliseconds(webhook->received - sent).count();
            }
            ++report_.unasked;
        }
    }

    const FlipSubject& subject_;
    WebhookSink& sink_;
    const FlipOptions& options_;
    std::mt19937_64 random_;
    std::uniform_real_distribution<double> pause_;
    SteadyClock::time_point next_;
    bool above_ = false;
    FlipReport report_;
};

}  // namespace

double latency_quantile(const FlipReport& report, double share) {
    if (report.latencies_ms.empty()) {
        return 0;
    }
    std::vector<double> sorted = report.latencies_ms;
    std::sort(sorted.begin(), sorted.end());
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    const auto index = static_cast<std::size_t>(std::max(rank, 1.0)) - 1;
    return sorted[std::min(index, sorted.size() - 1)];
}

Result<FlipReport> run_flips(const FlipSubject& subject, WebhookSink& sink,
                             const FlipOptions& options) {
    return FlipRun(subject, sink, options).run();
}

}  // namespace kpid::bench
