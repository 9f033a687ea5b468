// A closed store whose files are damaged one by one, at every kind of place: it says what is wrong
// and does not start, or it starts and answers rightly, or says what it cannot answer.

#include "storage/storage_fixture.h"
#include "support/effort.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace kpid::storage {
namespace {

using ::testing::HasSubstr;

constexpr int kLong = 30;       // series with sealed chunks
constexpr int kShort = 400;     // series with a few samples
constexpr int kSamples = 1000;  // of a long one
constexpr int kRounds = 4;      // of one sample each, after them
constexpr Duration kInterval = std::chrono::seconds(10);

std::string name_of(int series) {
    return fmt::format("a_metric_with_a_name_of_some_length_{:04}", series);
}

// No two alike, and no compressor makes them small.
double value_of(int series, int number) {
    const auto mixed = static_cast<std::uint64_t>(series * 100'003 + number) * 0x9e3779b97f4a7c15U;
    return static_cast<double>(mixed >> 11U);
}

int samples_of(int series) {
    return series < kLong ? kSamples : 3;
}

class StorageDamagedFiles : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = new testing::TemporaryFolder();
        Result<std::unique_ptr<Storage>> opened = open(folder_->file("sound"));
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        Storage& storage = **opened;
        // Chunks in files, then records in files, then records in the write-ahead log.
        append(storage, 0, 0);
        ASSERT_TRUE(storage.write(std::vector<model::StateWrite>{{"k", "in a file"}}));
        ASSERT_TRUE(storage.checkpoint(end_of_time()).has_value());
        ASSERT_TRUE(storage.snapshot(kNow).has_value());
        append(storage, 1, 2);
        ASSERT_TRUE(storage.snapshot(kNow).has_value());
        append(storage, 3, 4);
        std::filesystem::remove_all(folder_->file("sound") + "/snapshots");
    }
    static void TearDownTestSuite() { delete folder_; }

    static Result<std::unique_ptr<Storage>> open(const std::string& path) {
        return Storage::open({.path = path, .sealed_bytes_in_memory_max = 0});
    }
    static Timestamp end_of_time() { return kNow + kInterval * (kSamples + 10); }
    static Timestamp time_of(int number) { return kNow + kInterval * number; }

    /// Round 0 is all but the last ones, which come one a round.
    static void append(Storage& storage, int first, int last) {
        for (int round = first; round <= last; ++round) {
            std::vector<model::SeriesSample> samples;
            for (int series = 0; series < kLong + kShort; ++series) {
                const int begin = round == 0 ? 0 : samples_of(series) + round - 1;
                const int end = round == 0 ? samples_of(series) : begin + 1;
                for (int i = begin; i < end; ++i) {
                    samples.push_back(sample_of(name_of(series), time_of(i), value_of(series, i)));
                }
            }
            const auto result = append_to(storage, samples, {}, end_of_time());
            ASSERT_TRUE(result.has_value()) << result.error().message;
            ASSERT_TRUE(result->rejected.empty());
        }
    }

    /// A copy to be damaged.
    static std::string copy() {
        const std::string path = folder_->file("damaged");
        std::filesystem::remove_all(path);
        std::filesystem::copy(folder_->file("sound"), path,
                              std::filesystem::copy_options::recursive);
        return path;
    }
    static std::vector<std::string> files() {
        std::vector<std::string> names;
        for (const auto& file : std::filesystem::directory_iterator(folder_->file("sound"))) {
            if (file.is_regular_file() && file.path().filename() != "LOCK") {
                names.push_back(file.path().filename().string());
            }
        }
        std::sort(names.begin(), names.end());
        return names;
    }
    static void flip_bit(const std::string& path, std::uintmax_t offset) {
        std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
        file.seekg(static_cast<std::streamoff>(offset));
        const char damaged = static_cast<char>(file.get() ^ 4);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(damaged);
        ASSERT_TRUE(file.good());
    }
    static bool is_write_ahead(const std::string& file) { return file.ends_with(".log"); }

    /// What became of it, for the summary.
    enum class Fate { kRefused, kSound, kSomeLost };

    Fate check(const std::string& path, const std::string& file, bool loses_tail) {
        Fate fate = Fate::kRefused;
        {
            const auto opened = open(path);
            if (!opened) {
                EXPECT_THAT(opened.error().message, HasSubstr("--storage.path"));
                EXPECT_THAT(opened.error().message, HasSubstr(file));
                EXPECT_THAT(opened.error().message, HasSubstr("backup"));
                EXPECT_EQ(opened.error().code, Code::kDataLoss) << opened.error().message;
                return Fate::kRefused;
            }
            const std::size_t lost = count_lost(**opened, file);
            const StorageStats stats = (*opened)->stats();
            const bool is_told = stats.quarantined_total + stats.read_failures_total +
                                     stats.log.background_errors_total >
                                 0;
            EXPECT_TRUE(lost == 0 || is_told || loses_tail) << lost << " samples are missing";
            fate = lost > 0 || is_told ? Fate::kSomeLost : Fate::kSound;
            (void)(*opened)->maintain(end_of_time());
            EXPECT_EQ(is_told, !(*opened)->take_damage_reports().empty());
            // It goes on, and is there after a restart.
            append(**opened, 5, 5);
        }
        const auto again = open(path);
        EXPECT_TRUE(again.has_value()) << again.error().message;
        if (again) {
            append(**again, 6, 6);
            (void)count_lost(**again, file);
            EXPECT_EQ(newest_of(**again), time_of(kSamples + 5));
        }
        return fate;
    }

    static Timestamp newest_of(const Storage& storage) { return storage.stats().newest_sample; }

    /// Samples that are missing, or whose reading fails; those that come are right.
    static std::size_t count_lost(const Storage& storage, const std::string& file) {
        std::size_t lost = 0;
        for (int series = 0; series < kLong + kShort; ++series) {
            const auto wanted = static_cast<std::size_t>(samples_of(series) + kRounds);
            const std::vector<model::Matcher> matchers{
                model::Matcher::equal("__name__", name_of(series))};
            const auto got = storage.select(matchers, {}, {});
            if (!got) {
                EXPECT_EQ(got.error().code, Code::kDataLoss) << got.error().message;
                EXPECT_THAT(got.error().message, HasSubstr(file));
                lost += wanted;
                continue;
            }
            std::size_t found = 0;
            for (const model::SeriesColumns& columns : *got) {
                for (std::size_t i = 0; i < columns.times.size(); ++i) {
                    const auto number = static_cast<int>((columns.times[i] - kNow) / kInterval);
                    EXPECT_EQ(columns.times[i], time_of(number));
                    EXPECT_EQ(columns.values[i], value_of(series, number));
                    ++found;
                }
            }
            lost += wanted - std::min(found, wanted);
        }
        return lost;
    }

    static testing::TemporaryFolder* folder_;
};

testing::TemporaryFolder* StorageDamagedFiles::folder_ = nullptr;

TEST_F(StorageDamagedFiles, IsSoundBefore) {
    const std::string path = copy();
    EXPECT_EQ(check(path, "", false), Fate::kSound);
}

TEST_F(StorageDamagedFiles, SaysWhatATurnedBitCosts) {
    std::map<Fate, int> fates;
    for (const std::string& file : files()) {
        const std::uintmax_t size = std::filesystem::file_size(folder_->file("sound") + "/" + file);
        const std::uintmax_t places = testing::effort(3, 40);
        for (std::uintmax_t i = 0; i <= places && size > 0; ++i) {
            const std::uintmax_t offset = std::min(size - 1, size * i / places);
            SCOPED_TRACE(fmt::format("{} of {} bytes at {}", file, size, offset));
            const std::string path = copy();
            flip_bit(path + "/" + file, offset);
            ++fates[check(path, file, is_write_ahead(file))];
        }
    }
    EXPECT_GT(fates[Fate::kSomeLost], 0);
}

TEST_F(StorageDamagedFiles, SaysWhatATornFileCosts) {
    for (const std::string& file : files()) {
        const std::uintmax_t size = std::filesystem::file_size(folder_->file("sound") + "/" + file);
        const std::uintmax_t places = testing::effort(2, file.starts_with("MANIFEST") ? 80 : 20);
        for (std::uintmax_t i = 0; i <= places; ++i) {
            const std::uintmax_t rest = i == places ? size - 1 : size * i / places;
            SCOPED_TRACE(fmt::format("{} bytes of {}'s {}", rest, file, size));
            if (size == 0) {
                continue;
            }
            const std::string path = copy();
            std::filesystem::resize_file(path + "/" + file, rest);
            // Between two of its records a cut is not seen.
            const bool loses_tail = is_write_ahead(file) || file.starts_with("MANIFEST");
            (void)check(path, file, loses_tail);
        }
    }
}

TEST_F(StorageDamagedFiles, KeepsTheFilesThatATornManifestForgets) {
    const std::string path = copy();
    std::string manifest;
    for (const std::string& file : files()) {
        manifest = file.starts_with("MANIFEST") ? file : manifest;
    }
    std::filesystem::resize_file(path + "/" + manifest, 100);
    {
        const auto opened = open(path);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        const std::vector<std::string> reports = (*opened)->take_damage_reports();
        ASSERT_FALSE(reports.empty());
        EXPECT_THAT(reports[0], HasSubstr(manifest));
        EXPECT_GT((*opened)->stats().log.background_errors_total, 0U);
    }
    // With the manifest from a backup all is there again.
    const std::string rescued = path + "/rescued-" + manifest;
    std::filesystem::copy_file(folder_->file("sound") + "/" + manifest, rescued + "/" + manifest,
                               std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(check(rescued, "", true), Fate::kSound);
}

TEST_F(StorageDamagedFiles, SaysWhichFileIsMissing) {
    for (const std::string& file : files()) {
        SCOPED_TRACE(file);
        const std::string path = copy();
        std::filesystem::remove(path + "/" + file);
        (void)check(path, file, false);
    }
}

}  // namespace
}  // namespace kpid::storage
