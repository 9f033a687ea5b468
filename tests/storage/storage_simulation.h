#pragma once
// A storage and its plain model, driven through their life by one seed.

#include "kpid/storage/storage.h"
#include "storage/storage_model.h"
#include "support/faulty_log.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace kpid::storage {

/// Label bytes of raw series: "name=value;", in any order.
class PlainLabelReader final : public model::LabelReader {
public:
    [[nodiscard]] Result<void> read(std::string_view bytes,
                                    std::vector<model::LabelView>& labels) const override;
};

/// Each step does one thing to both and compares what they answer; expectations fail with the seed
/// and the number of the step. One thread.
class StorageSimulation {
public:
    struct Setup {
        std::uint64_t seed = 1;
        std::string path;                     ///< A folder of its own.
        testing::FaultyDisk* disk = nullptr;  ///< Null: RocksDB at the path, which does not fail.
    };
    /// What was seen to happen, so that a test can tell that it tests something.
    struct Tally {
        std::uint64_t accepted = 0;
        std::uint64_t rejected = 0;
        std::uint64_t failed = 0;
        std::uint64_t reopened = 0;
        std::uint64_t deleted = 0;
        std::uint64_t logged = 0;
        std::uint64_t evicted = 0;
        std::uint64_t removed_series = 0;
    };

    explicit StorageSimulation(const Setup& setup);

    /// False once an expectation failed.
    [[nodiscard]] bool run(std::uint64_t steps);
    [[nodiscard]] const Tally& tally() const { return tally_; }

private:
    using Batch = StorageModel::Batch;

    [[nodiscard]] std::uint64_t pick(std::uint64_t count) { return random_() % count; }
    [[nodiscard]] bool once_in(std::uint64_t count) { return pick(count) == 0; }
    /// From `low` to `high`, both included.
    [[nodiscard]] Timestamp some_time(Timestamp low, Timestamp high);
    [[nodiscard]] model::TimeRange some_range();
    [[nodiscard]] std::vector<model::Matcher> some_matchers();
    [[nodiscard]] model::Labels some_labels();
    [[nodiscard]] double some_value();

    void step();
    void note(std::string what);
    void open();
    void reopen();
    void append();
    [[nodiscard]] Batch make_batch();
    void add_samples(Batch& batch, const model::Labels& labels);
    [[nodiscard]] Result<model::AppendResult> give(const Batch& batch);
    void judge(const Batch& batch, const model::AppendResult& result);
    void maintain();
    void checkpoint();
    void erase();
    void declare();
    void read_log();
    void look_at_snapshot();
    /// Until an append was written, a failed one may yet come back with a restart.
    void settle();
    void fail_sometimes();
    void fail_never();

    void compare_some();
    void compare_kept();
    void compare_all(const Storage& storage);
    void compare_names(std::span<const model::Matcher> matchers, model::TimeRange range);
    void compare_stats();
    [[nodiscard]] bool same(const std::vector<model::SeriesColumns>& got,
                            const std::vector<model::SeriesColumns>& want,
                            const std::string& what) const;
    void try_alternatives();
    /// Samples of the log that read_log() has not seen yet.
    [[nodiscard]] std::size_t logged_samples() const;

    // Constant after construction.
    const Setup setup_;
    StorageOptions options_;
    Duration interval_{0};
    PlainLabelReader reader_;

    std::mt19937_64 random_;
    Timestamp now_;
    std::uint64_t step_ = 0;
    std::optional<StorageModel> model_;  ///< Always there once constructed.
    std::unique_ptr<Storage> storage_;
    std::map<model::Labels, model::SeriesHandle> handles_;  ///< Of storage_.
    struct KeptRead {
        std::vector<model::Matcher> matchers;
        Duration span{0};  ///< Of most of its reads.
        std::unique_ptr<model::KeptSelection> selection;
    };
    std::vector<KeptRead> kept_;  ///< Of storage_, and gone before it.
    std::vector<Batch> failed_;   ///< Since the last write that went well.
    std::uint64_t log_position_ = 0;
    Tally tally_;
    std::deque<std::string> history_;  ///< What was done last, for people.
};

}  // namespace kpid::storage
