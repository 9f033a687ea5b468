// Readers, upkeep and a writer whose disk fills up now and then, all at once.

#include "storage/log_fixture.h"
#include "support/temporary_folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <sys/resource.h>
#include <thread>

namespace kpid::storage {
namespace {

/// While it lives no file of this process grows beyond so many bytes.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &previous_);
        rlimit limit = previous_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &previous_); }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit previous_{};
};

class RocksLogConcurrency : public ::testing::Test {
protected:
    void SetUp() override {
        previous_handler_ = std::signal(SIGXFSZ, SIG_IGN);
        auto opened = open_rocks_log(folder_.file("data"));
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        log_ = *std::move(opened);
    }
    void TearDown() override {
        log_.reset();
        std::signal(SIGXFSZ, previous_handler_);
    }

    /// Batches of two entries with one value; ends with a writable disk. Gives back how many were
    /// acknowledged and how many refused.
    std::pair<int, int> write_with_failures() {
        int acknowledged = 0;
        int refused = 0;
        for (int round = 0; round < kRounds; ++round) {
            {
                const FileSizeLimit limit(kLimitBytes);
                for (int i = 0; i < kWritesARound; ++i) {
                    refused += write(acknowledged) ? 0 : 1;
                    acknowledged = next_;
                }
            }
            EXPECT_TRUE(write(acknowledged));
            acknowledged = next_;
        }
        return {acknowledged, refused};
    }
    bool write(int number) {
        const std::string value = std::to_string(number);
        LogBatch batch = put_of(LogTable::kState, {{"one", value}, {"two", value}});
        batch.entries.push_back({LogTable::kSamples, key_of(static_cast<std::size_t>(number)),
                                 noise(2000, static_cast<std::uint64_t>(number))});
        const bool written = log_->write(batch, number % 16 == 0).has_value();
        next_ = written ? number + 1 : number;
        newest_ = next_;
        return written;
    }

    static constexpr int kRounds = 6;
    static constexpr int kWritesARound = 60;
    static constexpr rlim_t kLimitBytes = 60'000;

    testing::TemporaryFolder folder_;
    void (*previous_handler_)(int) = nullptr;
    std::unique_ptr<Log> log_;
    int next_ = 0;
    std::atomic<int> newest_ = 0;
};

TEST_F(RocksLogConcurrency, ReadsWholeBatchesWhileWritesFailAndRecover) {
    std::atomic<bool> running = true;
    std::vector<std::thread> threads;
    for (int reader = 0; reader < 2; ++reader) {
        threads.emplace_back([this, &running] {
            while (running) {
                const int acknowledged = newest_;
                const auto state = try_read_log(*log_, LogTable::kState);
                if (!state) {
                    ASSERT_EQ(state.error().code, Code::kUnavailable);
                    continue;
                }
                if (!state->empty()) {
                    ASSERT_EQ(state->size(), 2U);
                    ASSERT_EQ(state->at(0).substr(4), state->at(1).substr(4));
                    ASSERT_GE(std::stoi(state->at(0).substr(4)) + 1, acknowledged);
                }
                const auto samples = try_read_log(*log_, LogTable::kSamples);
                if (samples) {
                    ASSERT_GE(samples->size(), static_cast<std::size_t>(acknowledged));
                }
                (void)log_->get(LogTable::kState, "one");
            }
        });
    }
    threads.emplace_back([this, &running] {
        while (running) {
            (void)log_->stats();
            (void)log_->tidy(LogTable::kSamples);
            log_->set_drop_rule([](LogTable, std::string_view, std::string_view) { return false; });
            (void)log_->tidy(LogTable::kChunks);
        }
    });
    const auto [acknowledged, refused] = write_with_failures();
    running = false;
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_GT(acknowledged, kRounds);
    EXPECT_GT(refused, 0);
    EXPECT_EQ(read_log(*log_, LogTable::kSamples).size(), static_cast<std::size_t>(acknowledged));
}

}  // namespace
}  // namespace kpid::storage
