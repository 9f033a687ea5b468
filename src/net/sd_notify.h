#pragma once
// Tells the service manager how the daemon does; without one, every call does nothing.

#include "kpid/base/clock.h"

#include <optional>
#include <string_view>

namespace kpid::net {

/// Stateless; thread-safe.
class ServiceNotifier {
public:
    /// Start-up, or a reload, is done.
    void ready() const;
    /// A reload begins; ready() ends it.
    void reloading(const Clock& clock) const;
    /// Shutdown begins.
    void stopping() const;
    /// One line for `systemctl status`.
    void status(std::string_view text) const;
    /// The daemon lives; to be called each watchdog_interval().
    void watchdog() const;
    /// Half of what the manager allows between two watchdog() calls; nothing when it does not
    /// watch.
    [[nodiscard]] std::optional<Duration> watchdog_interval() const;
};

}  // namespace kpid::net
