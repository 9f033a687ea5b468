// The service manager's protocol, by libsystemd.

#include "net/sd_notify.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace kpid::net {
namespace {

// A manager that cannot be told is not the daemon's trouble: it acts on its own timeouts.
void notify(const std::string& state) {
    static_cast<void>(sd_notify(0, state.c_str()));
}

}  // namespace

void ServiceNotifier::ready() const {
    notify("READY=1");
}

void ServiceNotifier::reloading(const Clock& clock) const {
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(clock.mono_now().time_since_epoch());
    notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", now.count()));
}

void ServiceNotifier::stopping() const {
    notify("STOPPING=1");
}

void ServiceNotifier::status(std::string_view text) const {
    // A line break would begin another assignment.
    notify(fmt::format("STATUS={}", text.substr(0, text.find('\n'))));
}

void ServiceNotifier::watchdog() const {
    notify("WATCHDOG=1");
}

std::optional<Duration> ServiceNotifier::watchdog_interval() const {
    std::uint64_t limit_usec = 0;
    if (sd_watchdog_enabled(0, &limit_usec) <= 0) {
        return std::nullopt;
    }
    const auto half = std::chrono::microseconds(limit_usec / 2);
    return std::max(Duration(1), std::chrono::duration_cast<Duration>(half));
}

}  // namespace kpid::net
