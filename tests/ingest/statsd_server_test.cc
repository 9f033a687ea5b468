// StatsD datagrams on a real socket, the rest by hand.

#include "ingest/statsd_server.h"

#include "ingest/ingest_fixture.h"

#include <boost/asio/ip/udp.hpp>

namespace kpid::ingest {
namespace {

using net::asio::ip::udp;

class StatsdServerTest : public IngestFixture {
protected:
    StatsdServerTest()
        : metrics_(registry_),
          environment_{.appender = appender_,
                       .reader = storage_,
                       .state = storage_,
                       .client = transport_,
                       .timers = sim_.timers(),
                       .workers = workers_,
                       .metrics = metrics_,
                       .exemplars = exemplars_,
                       .log = Logger()} {}
    ~StatsdServerTest() override {
        if (server_) {
            end();
        }
    }

    void start(config::StatsdDialect dialect = config::StatsdDialect::kEtsy) {
        config::StatsdListener settings;
        settings.udp = "127.0.0.1:0";
        settings.dialect = dialect;
        server_ = std::make_unique<StatsdServer>(sim_.make_strand(), environment_, settings);
        ASSERT_TRUE(server_->open().has_value());
        server_->start();
        sim_.run_until_idle();
    }
    void end() {
        server_->stop();
        const std::optional<bool> joined = sim_.run(server_->join(MonoTime::max()));
        EXPECT_TRUE(joined && *joined);
        server_.reset();
    }
    void send(std::string_view datagram) {
        net::asio::io_context io;
        udp::socket socket(io, udp::v4());
        socket.connect({net::asio::ip::address_v4::loopback(), server_->port()});
        socket.send(net::asio::buffer(datagram.data(), datagram.size()));
        ++sent_;
        while (counted("kpid_statsd_datagrams_total") < sent_) {
            sim_.run_until_idle();
        }
    }
    void flush() { sim_.advance(std::chrono::seconds(10)); }

    Metrics metrics_;
    Environment environment_;
    std::unique_ptr<StatsdServer> server_;
    double sent_ = 0;
};

TEST_F(StatsdServerTest, StoresWhatAddsUpAtEachFlush) {
    start();
    send("orders:1|c|#shop:de\norders:2|c|#shop:de\nload:0.5|g\n");
    EXPECT_TRUE(newest("orders").empty());
    flush();
    EXPECT_EQ(newest("orders"), (Values{{R"(orders{shop="de"})", "3"}}));
    EXPECT_EQ(newest("load"), (Values{{"load", "0.5"}}));
    send("orders:1|c|#shop:de\nload:+1|g");
    flush();
    EXPECT_EQ(newest("orders"), (Values{{R"(orders{shop="de"})", "4"}}));
    EXPECT_EQ(newest("load"), (Values{{"load", "1.5"}}));
    EXPECT_EQ(counted("kpid_statsd_lines_total"), 5);
}

TEST_F(StatsdServerTest, CountsBadLinesAndKeepsTheRest) {
    start();
    send("a:1|c\nnonsense\nb:x|c\nc:1|q\nd:2|c\n");
    flush();
    EXPECT_EQ(newest("a").size(), 1U);
    EXPECT_EQ(newest("d").size(), 1U);
    double refused = 0;
    for (const char* reason : {"malformed", "bad_value", "bad_type"}) {
        refused += counted("kpid_statsd_lines_refused_total", {{"reason", reason}});
    }
    EXPECT_EQ(refused, 3);
}

TEST_F(StatsdServerTest, ReadsTheDialectThatIsSet) {
    start(config::StatsdDialect::kDogStatsd);
    send("g:5|g\ng:-2|g");
    flush();
    EXPECT_EQ(newest("g").begin()->second, "-2");
}

TEST_F(StatsdServerTest, StoresTheRestAtTheEnd) {
    start();
    send("a:1|c");
    end();
    EXPECT_EQ(newest("a").begin()->second, "1");
}

TEST_F(StatsdServerTest, GoesOnCountingWhenStorageWasAway) {
    start();
    appender_.failure = unavailable("disk full");
    send("a:1|c");
    flush();
    appender_.failure.reset();
    send("a:1|c");
    flush();
    EXPECT_EQ(newest("a").begin()->second, "2");
    EXPECT_EQ(counted("kpid_ingest_store_failures_total"), 1);
}

TEST_F(StatsdServerTest, ChangesSettingsWithoutLosingSums) {
    start();
    send("a:1|c");
    config::StatsdListener settings = server_->settings();
    settings.flush_interval = std::chrono::seconds(1);
    server_->change(settings);
    send("a:1|c");
    flush();
    EXPECT_EQ(newest("a").begin()->second, "2");
    sim_.advance(std::chrono::seconds(3));
    EXPECT_EQ(sample_count("a"), 4U);
}

TEST_F(StatsdServerTest, FollowsTheConfiguration) {
    config_.listeners.statsd = config::StatsdListener{.udp = "127.0.0.1:0"};
    ASSERT_TRUE(apply().has_value());
    config_.listeners.statsd->percentiles = {50};
    ASSERT_TRUE(apply().has_value());
    config_.listeners.statsd.reset();
    ASSERT_TRUE(apply().has_value());
}

}  // namespace
}  // namespace kpid::ingest
