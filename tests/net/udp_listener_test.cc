// Datagrams in, batches out.

#include "net/udp_listener.h"

#include "support/net_fixture.h"

#include <boost/asio/ip/udp.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace kpid::net {
namespace {

using asio::ip::udp;
using kpid::testing::NetFixture;
using ::testing::HasSubstr;

class Collector final : public DatagramHandler {
public:
    void on_datagrams(std::span<const std::string_view> datagrams) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (const std::string_view datagram : datagrams) {
            seen_.emplace(datagram);
        }
    }
    std::multiset<std::string> wait_for(std::size_t count) {
        for (;;) {
            {
                const std::lock_guard<std::mutex> lock(mutex_);
                if (seen_.size() >= count) {
                    return seen_;
                }
            }
            std::this_thread::yield();
        }
    }

private:
    std::mutex mutex_;
    std::multiset<std::string> seen_;
};

class Sender {
public:
    explicit Sender(std::uint16_t port) : socket_(io_, udp::v4()) {
        socket_.connect({asio::ip::address_v4::loopback(), port});
    }
    void send(std::string_view bytes) { socket_.send(asio::buffer(bytes.data(), bytes.size())); }

private:
    asio::io_context io_;
    udp::socket socket_;
};

TEST(UdpListener, HandsOverEveryDatagramAndCountsThoseTooLong) {
    NetFixture net;
    Collector collector;
    UdpListener listener(net.tasks().strand(), collector, Logger(),
                         {.listen = "127.0.0.1:0", .datagram_bytes_max = 100, .batch_max = 4});
    ASSERT_TRUE(listener.open().has_value());
    TaskGroup group(net.tasks().strand(), Logger());
    Sender sender(listener.port());
    sender.send(std::string(101, 'y'));
    sender.send("");
    for (int i = 0; i < 100; ++i) {
        sender.send("metric:" + std::to_string(i) + "|c");
    }
    group.spawn("udp", listener.run());
    const std::multiset<std::string> seen = collector.wait_for(101);
    EXPECT_EQ(seen.count(""), 1U);
    EXPECT_EQ(seen.count("metric:99|c"), 1U);
    sender.send(std::string(100, 'z'));
    EXPECT_EQ(collector.wait_for(102).count(std::string(100, 'z')), 1U);
    EXPECT_EQ(listener.stats().datagrams_total, 102U);
    EXPECT_EQ(listener.stats().truncated_total, 1U);
    EXPECT_GT(listener.stats().receive_buffer_bytes, 0U);
    group.stop();
    EXPECT_TRUE(net.wait(group.join(net.timers(), MonoTime::max())));
}

TEST(UdpListener, CountsWhatTheKernelDropped) {
    NetFixture net;
    Collector collector;
    UdpListener listener(net.tasks().strand(), collector, Logger(),
                         {.listen = "127.0.0.1:0", .receive_buffer_bytes = 1});
    ASSERT_TRUE(listener.open().has_value());
    Sender sender(listener.port());
    std::uint64_t sent = 0;
    for (; sent < 5000; ++sent) {  // nobody receives yet
        sender.send(std::string(500, 'x'));
    }
    TaskGroup group(net.tasks().strand(), Logger());
    group.spawn("udp", listener.run());
    collector.wait_for(1);
    // The kernel tells its count along with a datagram that was queued after the drops.
    while (listener.stats().kernel_dropped_total == 0) {
        sender.send("more");
        ++sent;
        std::this_thread::yield();
    }
    EXPECT_LT(listener.stats().kernel_dropped_total, sent);
    group.stop();
    EXPECT_TRUE(net.wait(group.join(net.timers(), MonoTime::max())));
}

TEST(UdpListener, NamesTheAddressItCannotHave) {
    NetFixture net;
    Collector collector;
    UdpListener first(net.tasks().strand(), collector, Logger(), {.listen = "127.0.0.1:0"});
    ASSERT_TRUE(first.open().has_value());
    const std::string taken = "127.0.0.1:" + std::to_string(first.port());
    UdpListener second(net.tasks().strand(), collector, Logger(),
                       {.listen = taken, .listen_setting = "listeners.statsd.udp"});
    const Result<void> opened = second.open();
    ASSERT_FALSE(opened.has_value());
    EXPECT_THAT(opened.error().message, HasSubstr(taken));
    EXPECT_THAT(opened.error().message, HasSubstr("listeners.statsd.udp"));
}

}  // namespace
}  // namespace kpid::net
