// What every log promises: the real one, and the one that tests make fail.

#include "kpid/storage/log.h"
#include "storage/log_fixture.h"
#include "support/faulty_log.h"
#include "support/temporary_folder.h"

#include <gtest/gtest.h>

#include <thread>

namespace kpid::storage {
namespace {

class LogContract : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override { reopen(); }
    void reopen() {
        log_.reset();
        log_ = open(folder_.file("data"));
    }
    std::unique_ptr<Log> open(const std::string& path) {
        auto opened = GetParam() ? open_rocks_log(path) : disk_.opener()(path);
        EXPECT_TRUE(opened.has_value()) << opened.error().message;
        return opened ? *std::move(opened) : nullptr;
    }
    void write(const LogBatch& batch) {
        const auto written = log_->write(batch, false);
        ASSERT_TRUE(written.has_value()) << written.error().message;
    }
    Entries read(LogTable table, std::string_view begin = {}, std::string_view end = {}) {
        return read_log(*log_, table, begin, end);
    }

    testing::TemporaryFolder folder_;
    testing::FaultyDisk disk_;
    std::unique_ptr<Log> log_;
};

INSTANTIATE_TEST_SUITE_P(Logs, LogContract, ::testing::Values(true, false),
                         [](const ::testing::TestParamInfo<bool>& which) {
                             return which.param ? "Rocks" : "Faulty";
                         });

TEST_P(LogContract, KeepsTablesApartAndReadsThemAgain) {
    for (const LogTable table : kLogTables) {
        write(put_of(table, {{"key", std::string(to_string(table))}}));
    }
    reopen();
    for (const LogTable table : kLogTables) {
        EXPECT_EQ(read(table), (Entries{"key=" + std::string(to_string(table))}));
    }
}

TEST_P(LogContract, ScansInOrderOfKeyBetweenBounds) {
    write(put_of(LogTable::kChunks,
                 {{"b", "2"}, {"a", "1"}, {std::string("b\0", 2), "3"}, {"\xFF", "5"}, {"c", ""}}));
    const std::string zero("b\0", 2);
    EXPECT_EQ(read(LogTable::kChunks), (Entries{"a=1", "b=2", zero + "=3", "c=", "\xFF=5"}));
    EXPECT_EQ(read(LogTable::kChunks, "b", "c"), (Entries{"b=2", zero + "=3"}));
    EXPECT_EQ(read(LogTable::kChunks, "bb"), (Entries{"c=", "\xFF=5"}));
    EXPECT_EQ(read(LogTable::kChunks, "", "b"), (Entries{"a=1"}));
    EXPECT_EQ(read(LogTable::kChunks, "c", "b"), Entries{});
}

TEST_P(LogContract, EndsAScanWhenTheVisitorSaysSo) {
    write(put_of(LogTable::kState, {{"a", "1"}, {"b", "2"}, {"c", "3"}}));
    int calls = 0;
    const auto ended = log_->scan(
        LogTable::kState, {}, {},
        [&calls](std::string_view, std::string_view) -> Result<bool> { return ++calls < 2; });
    EXPECT_TRUE(ended.has_value());
    EXPECT_EQ(calls, 2);
    const auto failed = log_->scan(LogTable::kState, {}, {},
                                   [](std::string_view, std::string_view) -> Result<bool> {
                                       return invalid_argument("enough");
                                   });
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error(), invalid_argument("enough"));
}

TEST_P(LogContract, GetsOneEntryOrNone) {
    write(put_of(LogTable::kOpen, {{"a", "1"}, {"b", ""}}));
    EXPECT_EQ(*log_->get(LogTable::kOpen, "a"), "1");
    EXPECT_EQ(*log_->get(LogTable::kOpen, "b"), "");
    EXPECT_EQ(*log_->get(LogTable::kOpen, "c"), std::nullopt);
    EXPECT_EQ(*log_->get(LogTable::kSeries, "a"), std::nullopt);
}

TEST_P(LogContract, ErasesBeforeItPuts) {
    write(put_of(LogTable::kSamples, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}));
    LogBatch batch = erasure_of(LogTable::kSamples, "b", "d");
    batch.erasures.push_back({LogTable::kSamples, "z", "a"});  // Nothing.
    batch.entries.push_back({LogTable::kSamples, "c", "new"});
    batch.entries.push_back({LogTable::kSamples, "d", std::nullopt});
    batch.entries.push_back({LogTable::kSamples, "e", "5"});
    batch.entries.push_back({LogTable::kSamples, "e", std::nullopt});
    write(batch);
    EXPECT_EQ(read(LogTable::kSamples), (Entries{"a=1", "c=new"}));
    reopen();
    EXPECT_EQ(read(LogTable::kSamples), (Entries{"a=1", "c=new"}));
}

TEST_P(LogContract, ScansWhatStoodWhenTheScanBegan) {
    write(put_of(LogTable::kVersions, {{"a", "1"}, {"c", "3"}}));
    Entries found;
    const auto scanned =
        log_->scan(LogTable::kVersions, {}, {},
                   [this, &found](std::string_view key, std::string_view value) -> Result<bool> {
                       std::thread([this] {
                           LogBatch batch = put_of(LogTable::kVersions, {{"b", "2"}, {"c", "9"}});
                           batch.erasures.push_back({LogTable::kVersions, "c", "d"});
                           write(batch);
                       }).join();
                       found.push_back(std::string(key) + "=" + std::string(value));
                       return true;
                   });
    EXPECT_TRUE(scanned.has_value());
    EXPECT_EQ(found, (Entries{"a=1", "c=3"}));
    EXPECT_EQ(read(LogTable::kVersions), (Entries{"a=1", "b=2", "c=9"}));
}

TEST_P(LogContract, MakesASnapshotThatOpens) {
    const std::string folder = folder_.file("snapshots") + "/one";
    for (const LogTable table : kLogTables) {
        write(put_of(table, {{"a", "1"}}));
    }
    ASSERT_TRUE(log_->snapshot(folder).has_value());
    write(put_of(LogTable::kState, {{"a", "2"}}));
    const auto again = log_->snapshot(folder);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, Code::kUnavailable);
    EXPECT_EQ(read(LogTable::kState), (Entries{"a=2"}));
    const std::unique_ptr<Log> copy = open(folder);
    for (const LogTable table : kLogTables) {
        EXPECT_EQ(read_log(*copy, table), (Entries{"a=1"}));
    }
}

TEST_P(LogContract, DropsByTheRuleWhenTidied) {
    for (const LogTable table : {LogTable::kChunks, LogTable::kOpen, LogTable::kVersions}) {
        write(put_of(table, {{"a", "old"}, {"b", "young"}, {"c", "old"}}));
    }
    ASSERT_TRUE(log_->tidy(LogTable::kChunks).has_value());
    EXPECT_EQ(read(LogTable::kChunks).size(), 3U) << "there is no rule yet";
    log_->set_drop_rule([](LogTable table, std::string_view, std::string_view value) {
        return table != LogTable::kOpen && value == "old";
    });
    for (const LogTable table : {LogTable::kChunks, LogTable::kOpen, LogTable::kVersions}) {
        ASSERT_TRUE(log_->tidy(table).has_value());
    }
    EXPECT_EQ(read(LogTable::kChunks), (Entries{"b=young"}));
    EXPECT_EQ(read(LogTable::kVersions), (Entries{"b=young"}));
    EXPECT_EQ(read(LogTable::kOpen).size(), 3U);
    log_->set_drop_rule({});
    write(put_of(LogTable::kChunks, {{"a", "old"}}));
    ASSERT_TRUE(log_->tidy(LogTable::kChunks).has_value());
    EXPECT_EQ(read(LogTable::kChunks), (Entries{"a=old", "b=young"}));
}

}  // namespace
}  // namespace kpid::storage
