// What the storage refuses, remembers and forgets.

#include "kpid/storage/storage.h"

#include "storage/storage_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace kpid::storage {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(StorageTest, NamesBothValuesOfADuplicate) {
    append({sample_of("a", kNow, 1.5)});
    EXPECT_THAT(append({sample_of("a", kNow, 2.5)}),
                ElementsAre("0 duplicate_timestamp: a has the value 1.5 at "
                            "2027-01-15T08:00:00.000Z already; refused 2.5"));
    EXPECT_EQ(storage_->stats().rejected(model::RejectReason::kDuplicateTimestamp), 1U);
}

TEST_F(StorageTest, RefusesWhatIsBeyondTheWindowsAndTakesWhatStandsAtTheirEdge) {
    append({sample_of("a", kNow, 0)});
    const Timestamp window_edge = kNow - options_.out_of_order_window;
    const Timestamp kept_edge = kNow - options_.retention;
    const Timestamp future_edge = kNow + options_.future_tolerance;
    EXPECT_THAT(append({sample_of("a", window_edge, 1), sample_of("new", kept_edge, 1),
                        sample_of("b", future_edge, 1)}),
                ElementsAre());
    EXPECT_THAT(append({sample_of("a", window_edge - Duration(1), 1),
                        sample_of("old", kept_edge - Duration(1), 1),
                        sample_of("b", future_edge + Duration(1), 1),
                        sample_of("c", Timestamp::min(), 1), sample_of("c", Timestamp::max(), 1)}),
                ElementsAre(StartsWith("0 out_of_order:"), StartsWith("1 too_old:"),
                            StartsWith("2 too_far_in_future:"), StartsWith("3 too_old:"),
                            StartsWith("4 too_far_in_future:")));
}

TEST_F(StorageTest, JudgesABatchInOrderOfTimeWhateverItsOwnOrder) {
    EXPECT_THAT(append({sample_of("a", kNow, 2), sample_of("a", kNow - hours(5), 1)}),
                ElementsAre());
    EXPECT_EQ(read(), (Lines{"a -18000000 1", "a 0 2"}));
}

TEST_F(StorageTest, KeepsItsOwnNamesForItself) {
    EXPECT_THAT(
        append({sample_of("kpid_kpi_value", kNow, 1), sample_of("ALERTS", kNow, 1),
                sample_of("ALERTS_FOR_STATE", kNow, 1), sample_of("ALERTS_OF_MINE", kNow, 1)}),
        ElementsAre(StartsWith("0 reserved:"), StartsWith("1 reserved:"),
                    StartsWith("2 reserved:")));
    EXPECT_THAT(
        append({sample_of("kpid_kpi_value", kNow, 1)}, kNow, model::AppendOrigin::kRecorded),
        ElementsAre());
    EXPECT_THAT(append({sample_of("kpid_kpi_value", kNow, 2)}),
                ElementsAre(StartsWith("0 reserved:")));
}

TEST_F(StorageTest, RefusesLabelsThatBreakARule) {
    const std::string long_name(options_.label_name_bytes_max + 1, 'n');
    const std::string long_value(options_.label_value_bytes_max + 1, 'v');
    model::LabelsBuilder many;
    many.set("__name__", "a");
    for (std::size_t i = 0; i < options_.labels_per_series_max; ++i) {
        many.set(fmt::format("l{}", i), "v");
    }
    struct Case {
        std::string name;
        model::Labels labels;
        std::string want;
    };
    const std::vector<Case> cases{
        {"none", {}, "no metric name"},
        {"no metric name", {{"job", "a"}}, "no metric name"},
        {"bad metric name", {{"__name__", "\xff"}}, "not valid UTF-8"},
        {"bad label name", {{"__name__", "a"}, {"b\xC0\x80", "c"}}, "not valid UTF-8"},
        {"bad label value", {{"__name__", "a"}, {"b", "\xED\xA0\x80"}}, "not valid UTF-8"},
        {"empty label name", {{"__name__", "a"}, {"", "b"}}, "has no name"},
        {"long name", {{"__name__", "a"}, {long_name, "b"}}, "the limit is 1024"},
        {"long value", {{"__name__", "a"}, {"b", long_value}}, "the limit is 4096"},
        {"many labels", many.build(), "has 65 labels; the limit is 64"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        EXPECT_THAT(
            append({{one.labels, kNow, 1}}),
            ElementsAre(::testing::AllOf(StartsWith("0 invalid_labels:"), HasSubstr(one.want))));
    }
    EXPECT_EQ(storage_->stats().series, 0U);
    EXPECT_THAT(append({{{{"__name__", "t\xC3\xB6n"}, {"any.name", "\xF0\x9F\x98\x80"}}, kNow, 1}}),
                ElementsAre());
}

TEST_F(StorageTest, RefusesMoreSeriesThanItsLimit) {
    options_.series_max = 2;
    reopen();
    EXPECT_THAT(append({sample_of("a", kNow, 1), sample_of("b", kNow, 1), sample_of("c", kNow, 1),
                        sample_of("a", kNow - Duration(1), 1)}),
                ElementsAre(StartsWith("2 limit: c would be a new series; the limit of 2")));
    reopen();
    EXPECT_THAT(append({sample_of("c", kNow, 1), sample_of("b", kNow + Duration(1), 1)}),
                ElementsAre(StartsWith("0 limit:")));
}

TEST_F(StorageTest, HasEverythingAgainAfterReopening) {
    append({sample_of("a", kNow, 1), sample_of("b", kNow - Duration(5), model::stale_marker())});
    append({sample_of("a", kNow - Duration(10), 0.5)});
    ASSERT_TRUE(storage_->write(std::vector<model::StateWrite>{{"k/1", "one"}, {"k/2", "two"}}));
    ASSERT_TRUE(storage_->write(std::vector<model::StateWrite>{{"k/1", std::nullopt}}));
    const Lines before = read();
    const std::uint64_t sequence = storage_->stats().log_sequence;
    reopen();
    EXPECT_EQ(read(), before);
    EXPECT_EQ(storage_->stats().samples_in_memory, 3U);
    EXPECT_EQ(storage_->stats().log_sequence, sequence);
    EXPECT_EQ(*storage_->get("k/1"), std::nullopt);
    EXPECT_EQ(*storage_->get("k/2"), "two");
    EXPECT_THAT(append({sample_of("a", kNow, 2)}), ElementsAre(StartsWith("0 duplicate")));
    append({sample_of("c", kNow, 3)});
    reopen();
    EXPECT_THAT(read(), ::testing::Contains("c 0 3"));
}

TEST_F(StorageTest, ForgetsWhatIsBeyondTheRetention) {
    options_.retention = hours(1);
    reopen();
    append({sample_of("gone", kNow, 1), sample_of("stays", kNow, 1)});
    const Timestamp later = kNow + hours(1);
    append({sample_of("stays", later, 2)}, later);
    ASSERT_TRUE(storage_->maintain(later).has_value());
    EXPECT_EQ(read().size(), 3U);
    ASSERT_TRUE(storage_->maintain(later + Duration(1)).has_value());
    EXPECT_EQ(read(), (Lines{"stays 3600000 2"}));
    // The old sample's chunk is kept whole while some of its time is within the retention.
    EXPECT_EQ(storage_->stats().samples_in_memory, 2U);
    EXPECT_EQ(storage_->stats().series, 1U);
    ASSERT_TRUE(storage_->maintain(later + hours(2)).has_value());
    EXPECT_EQ(storage_->stats().series, 0U);
    EXPECT_EQ(read(), Lines{});
    reopen();
    EXPECT_EQ(read(), Lines{});
    EXPECT_EQ(storage_->stats().series, 0U);
    const Timestamp much_later = later + hours(3);
    EXPECT_THAT(append({sample_of("gone", much_later, 5)}, much_later), ElementsAre());
    reopen();
    EXPECT_EQ(read(), (Lines{"gone 14400000 5"}));
}

TEST_F(StorageTest, AReservedNameRefusesNoWholeBatch) {
    const std::vector<model::SeriesSample> samples{sample_of("kpid_own", kNow, 1),
                                                   sample_of("a", kNow, 1)};
    const auto kept = storage_->append({.samples = samples, .now = kNow, .all_or_nothing = true});
    EXPECT_EQ(kept.value().accepted, 1U);
    const std::vector<model::SeriesSample> too_old{sample_of("b", kNow, 1),
                                                   sample_of("b", Timestamp(), 1)};
    const auto refused =
        storage_->append({.samples = too_old, .now = kNow, .all_or_nothing = true});
    EXPECT_EQ(refused.value().accepted, 0U);
    EXPECT_EQ(read_all(*storage_), Lines{"a 0 1"});
}

TEST_F(StorageTest, TellsObserversOfEveryAppend) {
    struct Observer : model::AppendObserver {
        void on_append(const model::AppendBatch& batch,
                       const model::AppendResult& result) noexcept override {
            samples += batch.samples.size();
            accepted += result.accepted;
            readable = read_all(*storage).size();
        }
        Storage* storage = nullptr;
        std::size_t samples = 0;
        std::size_t accepted = 0;
        std::size_t readable = 0;
    } observer;
    observer.storage = storage_.get();
    storage_->add_observer(&observer);
    append({sample_of("a", kNow, 1), sample_of("ALERTS", kNow, 1)});
    EXPECT_EQ(observer.samples, 2U);
    EXPECT_EQ(observer.accepted, 1U);
    EXPECT_EQ(observer.readable, 1U);
}

TEST_F(StorageTest, CountsWhatItDoes) {
    append({sample_of("a", kNow, 1), sample_of("a", kNow, 1), sample_of("b", kNow, 1)});
    const StorageStats stats = storage_->stats();
    EXPECT_EQ(stats.series, 2U);
    EXPECT_EQ(stats.samples_appended_total, 2U);
    EXPECT_EQ(stats.samples_repeated_total, 1U);
    EXPECT_EQ(stats.samples_in_memory, 2U);
    EXPECT_EQ(stats.commits_total, 1U);
    EXPECT_GT(stats.bytes_in_memory(), 32U);
    EXPECT_GT(stats.log_bytes_total, 20U);
    EXPECT_TRUE(storage_->health().has_value());
}

TEST_F(StorageTest, RefusesStateThatIsTooLarge) {
    const std::vector<model::StateWrite> writes{{"k", std::string(kStateValueBytesMax + 1, 'x')}};
    EXPECT_EQ(storage_->write(writes).error().code, Code::kInvalidArgument);
    EXPECT_EQ(append_to(*storage_, {sample_of("a", kNow, 1)}, {{"", "x"}}).error().code,
              Code::kInvalidArgument);
    EXPECT_EQ(read(), Lines{});
}

TEST_F(StorageTest, KeepsALargeHistoryInAnyOrder) {
    std::vector<model::SeriesSample> samples;
    for (int i = 0; i < 100'000; ++i) {
        samples.push_back(sample_of("a", kNow - Duration(i), i));
    }
    EXPECT_THAT(append(samples), ElementsAre());
    reopen();
    const auto selected = storage_->select({}, {}, {.samples_max = samples.size()});
    ASSERT_TRUE(selected.has_value());
    ASSERT_EQ(selected->at(0).times.size(), samples.size());
    EXPECT_EQ(selected->at(0).values.front(), 99'999);
    EXPECT_EQ(selected->at(0).values.back(), 0);
}

TEST(StorageOpen, NamesThePathAndTheFlagOfAFolderItCannotUse) {
    const testing::TemporaryFolder folder;
    const std::string file = folder.file("file");
    std::ofstream(file) << "not a folder";
    for (const std::string& path : {file, file + "/below"}) {
        const auto opened = Storage::open({.path = path});
        ASSERT_FALSE(opened.has_value());
        EXPECT_THAT(opened.error().message, HasSubstr(path));
        EXPECT_THAT(opened.error().message, HasSubstr("--storage.path"));
    }
}

TEST(StorageOpen, RefusesAFolderThatIsInUse) {
    const testing::TemporaryFolder folder;
    const auto first = Storage::open({.path = folder.file("data")});
    ASSERT_TRUE(first.has_value());
    const auto second = Storage::open({.path = folder.file("data")});
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Code::kUnavailable);
    EXPECT_THAT(second.error().message, HasSubstr("in use by another process"));
}

TEST(StorageOpen, RefusesOptionsOutOfRange) {
    StorageOptions no_series{.path = "unused"};
    no_series.series_max = 0;
    const std::vector<StorageOptions> cases{
        {},
        {.path = "unused", .retention = Duration(1)},
        {.path = "unused", .retention = hours(1), .out_of_order_window = hours(2)},
        {.path = "unused", .future_tolerance = minutes(-1)},
        no_series,
    };
    for (const StorageOptions& options : cases) {
        const auto opened = Storage::open(options);
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, Code::kInvalidArgument);
    }
    EXPECT_FALSE(std::filesystem::exists("unused"));
}

}  // namespace
}  // namespace kpid::storage
