// What events add up to between flushes.

#include "kpid/wire/statsd_aggregator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

namespace kpid::wire {
namespace {

class StatsdAggregatorTest : public ::testing::Test {
protected:
    void send(std::string_view text) {
        const StatsdPacket packet = parse_statsd(text, StatsdDialect::kEtsy);
        ASSERT_TRUE(packet.errors.empty());
        for (const StatsdEvent& event : packet.events) {
            aggregator_.add(event);
        }
    }
    // "labels value" of each sample, sorted, one a line; "stale" for markers.
    std::string flush() {
        now_ += Duration(10'000);
        std::set<std::string> lines;
        for (const model::SeriesSample& sample : aggregator_.flush(now_)) {
            std::string line = sample.labels.to_string() + " ";
            line +=
                model::is_stale_marker(sample.value) ? "stale" : fmt::format("{:g}", sample.value);
            line += sample.time == now_ ? "\n" : fmt::format(" @{}\n", sample.time.ms());
            EXPECT_TRUE(lines.insert(line).second) << line;
        }
        std::string text;
        for (const std::string& line : lines) {
            text += line;
        }
        return text;
    }

    StatsdAggregator aggregator_;
    Timestamp now_{1'000'000};
};

TEST_F(StatsdAggregatorTest, CountersGrowFromFlushToFlush) {
    send("hits:1|c\nhits:2|c|@0.5\nhits:1|c|#a:b");
    EXPECT_EQ(flush(), "hits 5\nhits{a=\"b\"} 1\n");
    send("hits:1|c");
    EXPECT_EQ(flush(), "hits 6\nhits{a=\"b\"} 1\n");
}

TEST_F(StatsdAggregatorTest, GaugesKeepTheirLevel) {
    send("g:333|g\ng:-10|g\ng:+4|g|@0.1\nfresh:-1|g");
    EXPECT_EQ(flush(), "fresh -1\ng 327\n");
    EXPECT_EQ(flush(), "fresh -1\ng 327\n");
}

TEST_F(StatsdAggregatorTest, SetsCountTheMembersOfOneInterval) {
    send("u:a|s\nu:b|s\nu:a|s");
    EXPECT_EQ(flush(), "u 2\n");
    EXPECT_EQ(flush(), "u 0\n");
}

TEST_F(StatsdAggregatorTest, TimersBecomeSummariesInSeconds) {
    for (int i = 1; i <= 100; ++i) {
        send(fmt::format("t.x:{}|ms", i * 10));
    }
    EXPECT_EQ(flush(),
              "t_x_count 100\nt_x_sum 50.5\nt_x{quantile=\"0.5\"} 0.5\nt_x{quantile=\"0.9\"} 0.9\n"
              "t_x{quantile=\"0.99\"} 0.99\n");
    send("t.x:2000|ms|@0.5");
    EXPECT_EQ(flush(),
              "t_x_count 102\nt_x_sum 54.5\nt_x{quantile=\"0.5\"} 2\nt_x{quantile=\"0.9\"} 2\n"
              "t_x{quantile=\"0.99\"} 2\n");
}

TEST_F(StatsdAggregatorTest, QuantilesOfAnIdleTimerGoStaleOnce) {
    send("h:5|h");
    flush();
    EXPECT_EQ(flush(),
              "h_count 1\nh_sum 5\nh{quantile=\"0.5\"} stale\nh{quantile=\"0.9\"} stale\n"
              "h{quantile=\"0.99\"} stale\n");
    EXPECT_EQ(flush(), "h_count 1\nh_sum 5\n");
    send("h:7|h");
    EXPECT_EQ(flush(),
              "h_count 2\nh_sum 12\nh{quantile=\"0.5\"} 7\nh{quantile=\"0.9\"} 7\n"
              "h{quantile=\"0.99\"} 7\n");
}

TEST_F(StatsdAggregatorTest, AGaugeWithItsOwnTimeIsHandedOn) {
    send("g:5|g|T1000");
    EXPECT_EQ(flush(), "g 5 @1000000\n");
    EXPECT_EQ(flush(), "");
}

TEST_F(StatsdAggregatorTest, ATagCannotTakeTheNameOfOurLabel) {
    send("h:5|h|#quantile:x");
    EXPECT_EQ(flush(),
              "h_count{exported_quantile=\"x\"} 1\nh_sum{exported_quantile=\"x\"} 5\n"
              "h{exported_quantile=\"x\", quantile=\"0.5\"} 5\n"
              "h{exported_quantile=\"x\", quantile=\"0.9\"} 5\n"
              "h{exported_quantile=\"x\", quantile=\"0.99\"} 5\n");
}

TEST_F(StatsdAggregatorTest, OneNameHasOneKind) {
    send("a:1|c\na:1|g\na:1|g|#x:y\nh:1|h\nh_count:1|c\nb_sum:1|g\nb:1|ms");
    EXPECT_EQ(aggregator_.dropped_by_kind(), 4U);
}

TEST_F(StatsdAggregatorTest, BoundsSeriesAndMembers) {
    StatsdAggregator small(
        {.percentiles = {50}, .series_max = 2, .timer_values_max = 1, .set_members_max = 1});
    for (const StatsdEvent& event :
         parse_statsd("s:a|s\ns:b|s\ns:a|s\nh:1|h\nh:3|h\nx:1|c\n", StatsdDialect::kEtsy).events) {
        small.add(event);
    }
    EXPECT_EQ(small.dropped_by_limit(), 2U);
    for (const model::SeriesSample& sample : small.flush(now_)) {
        if (sample.labels.has("quantile")) {
            EXPECT_EQ(sample.value, 1);
        } else if (sample.labels.metric_name() == "h_sum") {
            EXPECT_EQ(sample.value, 4);
        }
    }
}

TEST_F(StatsdAggregatorTest, ForgetsIdleSeriesWithAStaleMarker) {
    StatsdAggregator forgetful({.percentiles = {99.9}, .idle_max = Duration(20'000)});
    for (const StatsdEvent& event : parse_statsd("a:1|c\nh:1|h", StatsdDialect::kEtsy).events) {
        forgetful.add(event);
    }
    EXPECT_EQ(forgetful.flush(now_).size(), 4U);
    EXPECT_EQ(forgetful.flush(now_ + Duration(10'000)).size(), 4U);
    std::size_t stale = 0;
    for (const model::SeriesSample& sample : forgetful.flush(now_ + Duration(20'000))) {
        stale += model::is_stale_marker(sample.value) ? 1U : 0U;
    }
    EXPECT_EQ(stale, 3U);
    EXPECT_TRUE(forgetful.flush(now_ + Duration(30'000)).empty());
    forgetful.add(parse_statsd("a:1|g", StatsdDialect::kEtsy).events.at(0));
    EXPECT_EQ(forgetful.dropped_by_kind(), 0U);
}

}  // namespace
}  // namespace kpid::wire
