// Which exemplars are kept, and how they are found again.

#include "ingest/exemplar_table.h"

#include "ingest/ingest_fixture.h"

#include <limits>
#include <string>

namespace kpid::ingest {
namespace {

using model::Labels;

class ExemplarTableTest : public ::testing::Test {
protected:
    static constexpr Timestamp kNow{1'000'000};

    bool add(const std::string& series, std::int64_t ms, double value, const std::string& trace,
             bool has_own_time = true) {
        return table_.add(Protocol::kRemoteWrite, Labels{{"__name__", series}},
                          {.labels = Labels{{"trace_id", trace}},
                           .value = value,
                           .time = Timestamp(ms),
                           .has_own_time = has_own_time},
                          kNow);
    }
    /// The traces of a series, in order.
    [[nodiscard]] std::string traces(const std::string& series, model::TimeRange range = {}) const {
        const std::vector<model::Matcher> matchers = {model::Matcher::equal("__name__", series)};
        std::string traces;
        for (const SeriesExemplars& one : table_.select({&matchers, 1}, range)) {
            for (const Exemplar& exemplar : one.exemplars) {
                traces += std::string(exemplar.labels.get("trace_id")) + " ";
            }
        }
        return traces;
    }
    [[nodiscard]] double dropped(const std::string& reason) const {
        return metric_value(registry_, "kpid_ingest_exemplars_dropped_total",
                            {{"protocol", "remote_write"}, {"reason", reason}});
    }

    prometheus::Registry registry_;
    Metrics metrics_{registry_};
    ExemplarTable table_{metrics_};
};

TEST_F(ExemplarTableTest, KeepsTheOrderOfTimeOfEachSeries) {
    EXPECT_TRUE(add("a", 1000, 1, "a1"));
    EXPECT_TRUE(add("b", 500, 1, "b1"));
    EXPECT_TRUE(add("a", 2000, 1, "a2"));
    EXPECT_FALSE(add("a", 1999, 1, "late"));
    EXPECT_EQ(traces("a"), "a1 a2 ");
    EXPECT_EQ(traces("b"), "b1 ");
    EXPECT_EQ(dropped("out_of_order"), 1);
    EXPECT_EQ(table_.size(), 3U);
}

TEST_F(ExemplarTableTest, TakesSeveralAtOneInstantInTheirOrder) {
    EXPECT_TRUE(add("a", 1000, 1, "x"));
    EXPECT_TRUE(add("a", 1000, 2, "b"));
    EXPECT_TRUE(add("a", 1000, 2, "c"));
    EXPECT_FALSE(add("a", 1000, 2, "a"));
    EXPECT_FALSE(add("a", 1000, 1, "x"));
    EXPECT_EQ(traces("a"), "x b c ");
}

TEST_F(ExemplarTableTest, IgnoresRepetitions) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    for (const double value : {1.0, nan}) {
        const std::string series = value == 1.0 ? "a" : "nan";
        EXPECT_TRUE(add(series, 1000, value, "x"));
        EXPECT_TRUE(add(series, 1000, value, "x"));
        EXPECT_TRUE(add(series, 2000, value, "x"));
        EXPECT_EQ(traces(series), "x x ");
    }
    // Without times of their own the time of the scrape tells nothing.
    EXPECT_TRUE(add("scraped", 1000, 1, "x", false));
    EXPECT_TRUE(add("scraped", 2000, 1, "x", false));
    EXPECT_TRUE(add("scraped", 3000, 2, "x", false));
    EXPECT_EQ(traces("scraped"), "x x ");
    EXPECT_EQ(
        metric_value(registry_, "kpid_ingest_exemplars_total", {{"protocol", "remote_write"}}), 6);
    EXPECT_EQ(dropped("out_of_order"), 0);
}

TEST_F(ExemplarTableTest, MeasuresLabelsInCharacters) {
    std::string umlauts;
    for (int i = 0; i < 120; ++i) {
        umlauts += "\xc3\xa4";
    }
    EXPECT_TRUE(add("a", 1000, 1, umlauts));  // and the eight of "trace_id"
    EXPECT_FALSE(add("a", 2000, 1, umlauts + "a"));
    EXPECT_EQ(dropped("too_long"), 1);
}

TEST_F(ExemplarTableTest, RefusesWhatCannotBeShownAndWhatIsFarAhead) {
    EXPECT_FALSE(add("a", 1000, 1, "\xff"));
    EXPECT_FALSE(add("\xff", 1000, 1, "x"));
    EXPECT_FALSE(add("", 1000, 1, "x"));
    EXPECT_EQ(dropped("invalid_labels"), 3);
    const std::int64_t ahead = (kNow + ExemplarTable::kAheadMax).ms();
    EXPECT_FALSE(add("a", ahead + 1, 1, "x"));
    EXPECT_TRUE(add("a", ahead, 1, "x"));
    EXPECT_EQ(dropped("too_far_in_future"), 1);
    EXPECT_EQ(table_.size(), 1U);
}

TEST_F(ExemplarTableTest, FindsWhatLiesInTheRange) {
    for (const std::int64_t ms : {1000, 2000, 3000}) {
        EXPECT_TRUE(add("a", ms, 1, std::to_string(ms)));
    }
    EXPECT_EQ(traces("a", {Timestamp(1000), Timestamp(2000)}), "1000 2000 ");
    EXPECT_EQ(traces("a", {Timestamp(1001), Timestamp(2999)}), "2000 ");
    EXPECT_EQ(traces("a", {Timestamp(2001), Timestamp(2999)}), "");
    EXPECT_EQ(traces("a", {Timestamp(3001), Timestamp::max()}), "");
}

TEST_F(ExemplarTableTest, FindsTheSeriesOfEachSetInTheOrderOfTheirLabels) {
    for (const char* series : {"c", "a", "b"}) {
        EXPECT_TRUE(add(series, 1000, 1, "x"));
    }
    const std::vector<std::vector<model::Matcher>> sets = {
        {model::Matcher::equal("__name__", "b")},
        {model::Matcher::equal("__name__", "a"), model::Matcher::equal("job", "")},
        {model::Matcher::equal("__name__", "b")},
        {model::Matcher::equal("__name__", "c"), model::Matcher::equal("job", "x")}};
    const std::vector<SeriesExemplars> found = table_.select(sets, {});
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].series.metric_name(), "a");
    EXPECT_EQ(found[1].series.metric_name(), "b");
    EXPECT_TRUE(table_.select({}, {}).empty());
}

TEST_F(ExemplarTableTest, ForgetsTheFirstWhenItIsFull) {
    EXPECT_TRUE(add("once", 0, 1, "first"));
    EXPECT_TRUE(add("twice", 0, 1, "second"));
    EXPECT_TRUE(add("twice", 1, 1, "third"));
    for (std::size_t i = 3; i < ExemplarTable::kExemplarsMax; ++i) {
        EXPECT_TRUE(add("many", static_cast<std::int64_t>(i), 1, "x"));
    }
    EXPECT_EQ(traces("once"), "first ");
    EXPECT_TRUE(add("many", 900'000, 1, "x"));
    EXPECT_EQ(traces("once"), "");
    EXPECT_EQ(traces("twice"), "second third ");
    EXPECT_TRUE(add("many", 900'001, 1, "x"));
    EXPECT_EQ(traces("twice"), "third ");
    EXPECT_EQ(table_.size(), ExemplarTable::kExemplarsMax);
    EXPECT_TRUE(add("once", 0, 1, "again"));
    EXPECT_EQ(traces("once"), "again ");
}

TEST_F(ExemplarTableTest, HoldsNoMoreBytesThanItMay) {
    const std::size_t series_bytes = ExemplarTable::kBytesMax / 8;
    for (int i = 0; i < 20; ++i) {
        const Labels series{{"__name__", std::to_string(i)},
                            {"long", std::string(series_bytes, 'x')}};
        EXPECT_TRUE(table_.add(Protocol::kScrape, series, {.time = Timestamp(i)}, kNow));
        EXPECT_LE(table_.size(), 8U);
    }
    EXPECT_EQ(table_.size(), 7U);
    // One series that is too large for all of it leaves nothing.
    const Labels huge{{"__name__", "huge"}, {"long", std::string(ExemplarTable::kBytesMax, 'x')}};
    EXPECT_TRUE(table_.add(Protocol::kScrape, huge, {.time = Timestamp(1)}, kNow));
    EXPECT_EQ(table_.size(), 0U);
    EXPECT_TRUE(add("a", 1000, 1, "x"));
    EXPECT_EQ(table_.size(), 1U);
}

}  // namespace
}  // namespace kpid::ingest
