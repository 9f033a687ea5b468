// Which rows of a source are news.

#include "ingest/row_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace kpid::ingest {
namespace {

using model::MetricKind;

class Memory : public ::testing::Test {
protected:
    struct Row {
        std::string metric;
        int time = 0;
        double value = 0;
    };
    using Lines = std::vector<std::string>;

    /// A round whose news are stored, but for metrics named `refused`; in order.
    Lines round(const std::vector<Row>& rows) {
        at_ += std::chrono::hours(1);
        const RowMemory::News news = begin(rows);
        std::vector<model::Rejection> rejected;
        for (std::size_t i = 0; i < news.samples.size(); ++i) {
            if (news.samples[i].labels.metric_name() == "refused") {
                rejected.push_back({i, model::RejectReason::kTooOld, "too old"});
            }
        }
        memory_.commit(rejected);
        return lines_;
    }
    RowMemory::News begin(const std::vector<Row>& rows) {
        std::vector<model::SeriesSample> samples;
        for (const Row& row : rows) {
            samples.push_back({{{model::kMetricName, row.metric}}, Timestamp(row.time), row.value});
        }
        RowMemory::News news = memory_.begin(samples, at_);
        lines_.clear();
        for (const model::SeriesSample& sample : news.samples) {
            lines_.push_back(std::string(sample.labels.metric_name()) + " " +
                             std::to_string(sample.time.ms()) + " " +
                             std::to_string(static_cast<int>(sample.value)));
        }
        std::sort(lines_.begin(), lines_.end());
        return news;
    }

    Timestamp at_{1'000'000'000};
    RowMemory memory_{{{"stars", MetricKind::kEvent}}, MetricKind::kTotal};
    Lines lines_;
};

TEST_F(Memory, WhatDidNotChangeIsNoNews) {
    EXPECT_EQ(round({{"a", 1, 5}, {"a", 2, 6}, {"b", 1, 5}}), (Lines{"a 1 5", "a 2 6", "b 1 5"}));
    EXPECT_EQ(round({{"b", 1, 5}, {"a", 2, 6}, {"a", 1, 5}}), Lines{});
    EXPECT_EQ(round({{"a", 1, 5}, {"a", 2, 7}, {"b", 1, 5}}), (Lines{"a 2 7"}));
    EXPECT_EQ(round({{"a", 1, 5}, {"a", 2, 6}, {"a", 3, 1}}), (Lines{"a 2 6", "a 3 1"}));
    EXPECT_EQ(round({{"b", 1, 5}}), (Lines{"b 1 5"})) << "it was away";
}

TEST_F(Memory, OfATotalTheLastRowOfAnInstantCounts) {
    const RowMemory::News news = begin({{"a", 1, 5}, {"a", 1, 7}, {"a", 0, 1}, {"a", 1, 6}});
    EXPECT_EQ(lines_, (Lines{"a 0 1", "a 1 6"}));
    EXPECT_EQ(news.repeated, 2U);
    memory_.commit({});
    EXPECT_EQ(round({{"a", 0, 1}, {"a", 1, 5}, {"a", 1, 7}, {"a", 1, 6}}), Lines{});
}

TEST_F(Memory, EventsAreCountedOneByOne) {
    EXPECT_EQ(round({{"stars", 1, 5}, {"stars", 1, 5}, {"stars", 1, 4}}),
              (Lines{"stars 1 4", "stars 1 5", "stars 1 5"}));
    EXPECT_EQ(round({{"stars", 1, 4}, {"stars", 1, 5}, {"stars", 1, 5}}), Lines{});
    EXPECT_EQ(round({{"stars", 1, 5}, {"stars", 1, 4}, {"stars", 1, 5}, {"stars", 1, 5}}),
              (Lines{"stars 1 5"}));
}

TEST_F(Memory, WhatWasRefusedOrNotStoredIsNewAgain) {
    EXPECT_EQ(round({{"refused", 1, 5}, {"a", 1, 5}}), (Lines{"a 1 5", "refused 1 5"}));
    EXPECT_EQ(round({{"refused", 1, 5}, {"a", 1, 5}}), (Lines{"refused 1 5"}));
    static_cast<void>(begin({{"a", 1, 5}, {"a", 2, 6}}));
    memory_.undo();
    EXPECT_EQ(round({{"a", 1, 5}, {"a", 2, 6}}), (Lines{"a 2 6"}));
}

TEST_F(Memory, TotalsAreRepeatedOnceADayAndEventsNever) {
    const std::vector<Row> rows{{"a", 1, 5}, {"stars", 1, 5}};
    EXPECT_EQ(round(rows).size(), 2U);
    for (int hour = 1; hour < 24; ++hour) {
        EXPECT_EQ(round(rows), Lines{}) << hour;
    }
    EXPECT_EQ(round(rows), (Lines{"a 1 5"}));
    EXPECT_EQ(round(rows), Lines{});
}

TEST_F(Memory, GoesOnWithWhatAnotherOneRemembers) {
    EXPECT_EQ(round({{"stars", 1, 5}}).size(), 1U);
    RowMemory other({{"stars", MetricKind::kEvent}}, MetricKind::kTotal);
    other.take_over(memory_);
    const model::SeriesSample star{{{model::kMetricName, "stars"}}, Timestamp(1), 5};
    EXPECT_TRUE(other.begin({&star, 1}, at_).samples.empty());
}

}  // namespace
}  // namespace kpid::ingest
