// Signals and the service manager's socket.

#include "net/sd_notify.h"
#include "net/signals.h"
#include "support/manual_clock.h"
#include "support/net_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace kpid::net {
namespace {

using kpid::testing::NetFixture;

TEST(Signals, AreHandedOverOneByOne) {
    NetFixture net;
    Signals signals(net.tasks().strand());
    ::raise(SIGHUP);
    EXPECT_EQ(net.wait(signals.next()), SIGHUP);
    ::raise(SIGTERM);
    EXPECT_EQ(net.wait(signals.next()), SIGTERM);
}

// The service manager's end of the socket, in the abstract namespace.
class Manager {
public:
    Manager() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        const std::string name = "kpid-service-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size), 0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    }
    ~Manager() {
        ::unsetenv("NOTIFY_SOCKET");
        ::close(socket_);
    }
    Manager(const Manager&) = delete;
    Manager& operator=(const Manager&) = delete;
    std::string next() {
        std::string text(1000, '\0');
        const ssize_t size = ::recv(socket_, text.data(), text.size(), 0);
        text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return text;
    }

private:
    int socket_;
};

TEST(ServiceNotifier, TellsTheManager) {
    Manager manager;
    const kpid::testing::ManualClock clock;
    const ServiceNotifier notifier;
    notifier.ready();
    EXPECT_EQ(manager.next(), "READY=1");
    notifier.status("12 KPIs\nREADY=1");
    EXPECT_EQ(manager.next(), "STATUS=12 KPIs");
    notifier.reloading(clock);
    EXPECT_EQ(manager.next(), "RELOADING=1\nMONOTONIC_USEC=1000000000");
    notifier.watchdog();
    EXPECT_EQ(manager.next(), "WATCHDOG=1");
    notifier.stopping();
    EXPECT_EQ(manager.next(), "STOPPING=1");
}

TEST(ServiceNotifier, TakesHalfTheWatchdogsTime) {
    const ServiceNotifier notifier;
    EXPECT_EQ(notifier.watchdog_interval(), std::nullopt);
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(notifier.watchdog_interval(), Duration(15'000));
    ::unsetenv("WATCHDOG_USEC");
}

TEST(ServiceNotifier, DoesNothingWithoutAManager) {
    const ServiceNotifier notifier;
    notifier.ready();
    notifier.status("fine");
}

}  // namespace
}  // namespace kpid::net
