// The log on RocksDB: older and newer stores, what it gives back to the disk, damage.

#include "storage/log_fixture.h"
#include "support/temporary_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace kpid::storage {
namespace {

using ::testing::HasSubstr;

class RocksLog : public ::testing::Test {
protected:
    void reopen() {
        log_.reset();
        auto opened = open_rocks_log(path_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        log_ = *std::move(opened);
    }
    Error refusal() {
        log_.reset();
        auto opened = open_rocks_log(path_);
        EXPECT_FALSE(opened.has_value());
        return opened ? Error{} : opened.error();
    }
    void write(const LogBatch& batch) {
        const auto written = log_->write(batch, false);
        ASSERT_TRUE(written.has_value()) << written.error().message;
    }
    /// A store as an older or newer program left it: families, and the text of the format.
    void make_store(const std::vector<std::string>& families, const std::string& format) {
        rocksdb::DB* raw = nullptr;
        rocksdb::Options options;
        options.create_if_missing = true;
        ASSERT_TRUE(rocksdb::DB::Open(options, path_, &raw).ok());
        const std::unique_ptr<rocksdb::DB> database(raw);
        ASSERT_TRUE(database->Put({}, "format", format).ok());
        for (const std::string& family : families) {
            rocksdb::ColumnFamilyHandle* handle = nullptr;
            ASSERT_TRUE(database->CreateColumnFamily({}, family, &handle).ok());
            // One entry in the last level, one in the first, one in the write-ahead log.
            ASSERT_TRUE(database->Put({}, handle, "a", "1").ok());
            ASSERT_TRUE(database->CompactRange({}, handle, nullptr, nullptr).ok());
            ASSERT_TRUE(database->Put({}, handle, "b", "2").ok());
            ASSERT_TRUE(database->Flush({}, handle).ok());
            ASSERT_TRUE(database->Put({}, handle, "c", "3").ok());
            ASSERT_TRUE(database->DestroyColumnFamilyHandle(handle).ok());
        }
        ASSERT_TRUE(database->Close().ok());
    }
    [[nodiscard]] std::vector<std::filesystem::path> files(const std::string& extension) const {
        std::vector<std::filesystem::path> found;
        for (const auto& file : std::filesystem::directory_iterator(path_)) {
            if (file.path().extension() == extension) {
                found.push_back(file.path());
            }
        }
        return found;
    }
    static void flip_bit(const std::filesystem::path& path, std::uintmax_t offset) {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekg(static_cast<std::streamoff>(offset));
        const char damaged = static_cast<char>(file.get() ^ 4);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(damaged);
        ASSERT_TRUE(file.good());
    }
    [[nodiscard]] std::uint64_t bytes(LogTable table) const {
        return log_->stats().table_bytes[static_cast<std::size_t>(table)];
    }

    testing::TemporaryFolder folder_;
    const std::string path_ = folder_.file("data");
    std::unique_ptr<Log> log_;
};

TEST_F(RocksLog, OpensStoresOfOlderVersions) {
    const std::vector<std::vector<std::string>> versions{{"series", "samples", "state"}};
    for (std::size_t i = 0; i < versions.size(); ++i) {
        SCOPED_TRACE(i + 1);
        std::filesystem::remove_all(path_);
        make_store(versions[i], std::to_string(i + 1));
        for (int round = 0; round < 2; ++round) {
            reopen();
            for (const std::string& family : versions[i]) {
                for (const LogTable table : kLogTables) {
                    if (to_string(table) == family) {
                        EXPECT_EQ(read_log(*log_, table), (Entries{"a=1", "b=2", "c=3"}));
                    }
                }
            }
            EXPECT_EQ(read_log(*log_, LogTable::kVersions), Entries{});
        }
        // What an older version had merged goes too when it is erased.
        write(erasure_of(LogTable::kSamples, "", "z"));
        EXPECT_EQ(bytes(LogTable::kSamples), 0U);
        write(put_of(LogTable::kQuarantine, {{"a", "1"}}));
        for (const LogTable table : kLogTables) {
            EXPECT_TRUE(log_->tidy(table).has_value());
        }
        reopen();
        EXPECT_EQ(read_log(*log_, LogTable::kQuarantine), (Entries{"a=1"}));
        EXPECT_EQ(read_log(*log_, LogTable::kSamples), Entries{});
        log_.reset();
    }
}

TEST_F(RocksLog, RefusesWhatANewerVersionWrote) {
    make_store({"series"}, "5");
    EXPECT_EQ(refusal().code, Code::kUnsupported);
    EXPECT_THAT(refusal().message, HasSubstr("version 5"));
    std::filesystem::remove_all(path_);
    make_store({"series", "crystals"}, "4");
    EXPECT_EQ(refusal().code, Code::kUnsupported);
    EXPECT_THAT(refusal().message, HasSubstr("crystals"));
    std::filesystem::remove_all(path_);
    make_store({"series"}, "three");
    EXPECT_EQ(refusal().code, Code::kDataLoss);
}

TEST_F(RocksLog, RefusesAFolderThatIsInUse) {
    reopen();
    const auto second = open_rocks_log(path_);
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Code::kUnavailable);
    EXPECT_THAT(second.error().message, HasSubstr("in use"));
}

TEST_F(RocksLog, DropsErasedFilesOfSamplesWithoutMergingThem) {
    reopen();
    constexpr std::size_t kRecords = 400;
    for (std::size_t i = 0; i < kRecords; ++i) {
        write(put_of(LogTable::kSamples, {{key_of(i), noise(std::size_t{100} << 10, i)}}));
    }
    ASSERT_TRUE(log_->tidy(LogTable::kState).has_value());
    const std::uint64_t before = bytes(LogTable::kSamples);
    ASSERT_GT(before, std::uint64_t{16} << 20);
    // One of the erased keys comes back at once, as after a write that failed.
    LogBatch batch = erasure_of(LogTable::kSamples, key_of(0), key_of(10));
    batch.entries.push_back({LogTable::kSamples, key_of(5), "kept"});
    write(batch);
    EXPECT_GE(bytes(LogTable::kSamples), before);
    write(erasure_of(LogTable::kSamples, key_of(10), key_of(kRecords - 2)));
    EXPECT_EQ(read_log(*log_, LogTable::kSamples, {}, key_of(300)), (Entries{key_of(5) + "=kept"}));
    write(erasure_of(LogTable::kSamples, key_of(5), key_of(6)));
    EXPECT_LT(bytes(LogTable::kSamples), before / 2);
    EXPECT_EQ(read_log(*log_, LogTable::kSamples).size(), 2U);
    EXPECT_EQ(log_->stats().compaction_written_bytes_total, 0U);
    reopen();
    EXPECT_EQ(read_log(*log_, LogTable::kSamples).size(), 2U);
}

TEST_F(RocksLog, GivesTheDiskBackWhenTidied) {
    reopen();
    for (std::size_t i = 0; i < 64; ++i) {
        write(put_of(LogTable::kChunks, {{key_of(i), noise(std::size_t{64} << 10, i)}}));
    }
    ASSERT_TRUE(log_->tidy(LogTable::kChunks).has_value());
    const std::uint64_t before = bytes(LogTable::kChunks);
    EXPECT_GT(before, std::uint64_t{64} << 16);
    write(erasure_of(LogTable::kChunks, key_of(0), key_of(60)));
    ASSERT_TRUE(log_->tidy(LogTable::kChunks).has_value());
    EXPECT_LT(bytes(LogTable::kChunks), before / 8);
    EXPECT_EQ(read_log(*log_, LogTable::kChunks).size(), 4U);
}

TEST_F(RocksLog, ReportsWhatItTakes) {
    reopen();
    const LogStats before = log_->stats();
    for (std::size_t i = 0; i < 20; ++i) {
        write(put_of(LogTable::kChunks, {{key_of(i), noise(std::size_t{64} << 10, i)}}));
    }
    const LogStats written = log_->stats();
    EXPECT_GE(written.write_ahead_bytes, before.write_ahead_bytes + (20U << 16));
    EXPECT_GE(written.memory_bytes, before.memory_bytes + (20U << 16));
    ASSERT_TRUE(log_->tidy(LogTable::kChunks).has_value());
    const LogStats tidied = log_->stats();
    EXPECT_GT(tidied.table_bytes[1], 20U << 16);
    EXPECT_GT(tidied.compaction_written_bytes_total, 20U << 16);
    EXPECT_EQ(tidied.background_errors_total, 0U);
}

TEST_F(RocksLog, NamesADamagedBlockAndGoesOn) {
    reopen();
    constexpr std::size_t kEntries = 64;
    for (std::size_t i = 0; i < kEntries; ++i) {
        write(put_of(LogTable::kChunks, {{key_of(i), noise(std::size_t{16} << 10, i)}}));
    }
    ASSERT_TRUE(log_->tidy(LogTable::kChunks).has_value());
    log_.reset();
    const auto all = files(".sst");
    const auto file =
        *std::max_element(all.begin(), all.end(), [](const auto& one, const auto& other) {
            return std::filesystem::file_size(one) < std::filesystem::file_size(other);
        });
    flip_bit(file, std::filesystem::file_size(file) / 2);
    reopen();
    const auto scanned = try_read_log(*log_, LogTable::kChunks);
    ASSERT_FALSE(scanned.has_value());
    EXPECT_EQ(scanned.error().code, Code::kDataLoss);
    EXPECT_THAT(scanned.error().message, HasSubstr(file.filename().string()));
    std::size_t lost = 0;
    for (std::size_t i = 0; i < kEntries; ++i) {
        const auto one = log_->get(LogTable::kChunks, key_of(i));
        EXPECT_TRUE(one.has_value() || one.error().code == Code::kDataLoss);
        if (one.has_value()) {
            EXPECT_EQ(**one, noise(std::size_t{16} << 10, i));
        }
        lost += one.has_value() ? 0U : 1U;
    }
    EXPECT_GE(lost, 1U);
    EXPECT_LE(lost, 2U);
    EXPECT_EQ(read_log(*log_, LogTable::kChunks, {}, key_of(20)).size(), 20U);
    EXPECT_EQ(read_log(*log_, LogTable::kChunks, key_of(44)).size(), 20U);
    // A compaction that meets it is counted, and writes go on.
    const auto tidied = log_->tidy(LogTable::kChunks);
    ASSERT_FALSE(tidied.has_value());
    EXPECT_EQ(tidied.error().code, Code::kDataLoss);
    EXPECT_GE(log_->stats().background_errors_total, 1U);
    write(put_of(LogTable::kChunks, {{"z", "1"}}));
    EXPECT_EQ(*log_->get(LogTable::kChunks, "z"), "1");
}

TEST_F(RocksLog, CountsDamageInTheMiddleOfItsWriteAheadLog) {
    reopen();
    write(put_of(LogTable::kState, {{"a", noise(10'000, 1)}}));
    write(put_of(LogTable::kState, {{"b", noise(10'000, 2)}}));
    write(put_of(LogTable::kState, {{"c", noise(10'000, 3)}}));
    log_.reset();
    ASSERT_EQ(files(".log").size(), 1U);
    flip_bit(files(".log")[0], 15'000);
    reopen();
    EXPECT_TRUE(log_->get(LogTable::kState, "a")->has_value());
    EXPECT_FALSE(log_->get(LogTable::kState, "b")->has_value());
    EXPECT_EQ(log_->stats().background_errors_total, 1U);
}

TEST_F(RocksLog, StartsWithoutARecordTornAtTheEnd) {
    reopen();
    write(put_of(LogTable::kState, {{"a", noise(10'000, 1)}}));
    write(put_of(LogTable::kState, {{"b", noise(10'000, 2)}}));
    log_.reset();
    ASSERT_EQ(files(".log").size(), 1U);
    const auto file = files(".log")[0];
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 100);
    reopen();
    EXPECT_TRUE(log_->get(LogTable::kState, "a")->has_value());
    EXPECT_FALSE(log_->get(LogTable::kState, "b")->has_value());
    EXPECT_EQ(log_->stats().background_errors_total, 0U);
}

}  // namespace
}  // namespace kpid::storage
