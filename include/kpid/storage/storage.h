#pragma once
// The embedded time-series storage.

#include "kpid/base/result.h"
#include "kpid/model/appender.h"
#include "kpid/model/kept_selection.h"
#include "kpid/model/reader.h"
#include "kpid/model/sample_log.h"
#include "kpid/model/state_store.h"
#include "kpid/model/storage_admin.h"
#include "kpid/storage/log.h"
#include "kpid/storage/options.h"
#include "kpid/storage/stats.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::storage {

/// Samples and small state: the newest in memory, compressed, all of them on the disk.
///
///     KPID_TRY(auto storage, Storage::open({.path = "data"}));
///     auto result = storage->append({.samples = samples, .now = clock.wall_now()});
///
/// Operation: of the callers of append() and write() one at a time is the committer, the only one
/// that changes the store; it judges all that waits, writes it to the log as one group, makes it
/// readable and wakes the others. What could not be written is not acknowledged and never
/// readable; health() tells of it, and every later append tries the log again. Concurrency:
/// thread-safe. Readers take chunks that left memory from the disk; append(), write(), maintain()
/// and all of the administration block. Samples of one series are judged in order of time, equal
/// times in order of index: of two values for one series and instant the first stays, unless the
/// metric is a total or made of events (declare_kinds). Totals and events may be as old as the
/// retention, whatever the out-of-order window.
/// Limitations: every series stands in memory with its labels and its newest samples, up to 480.
class Storage final : public model::Appender,
                      public model::Reader,
                      public model::StateStore,
                      public model::StorageAdmin,
                      public model::SampleLog {
public:
    /// Reads the log at `options.path`, or makes a new one. Errors name the path and the flag
    /// --storage.path; codes as open_rocks_log(), and kInvalidArgument for options out of range.
    [[nodiscard]] static Result<std::unique_ptr<Storage>> open(
        const StorageOptions& options, const LogOpener& open_log = open_rocks_log);
    /// Finishes what waits, then closes the log. No call may be running.
    ~Storage() override;
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    /// Borrowed; outlives the storage's last append. Only before the first append.
    void add_observer(model::AppendObserver* observer);

    /// Also kInvalidArgument when a state write breaks kStateKeyBytesMax or kStateValueBytesMax, as
    /// write() does.
    [[nodiscard]] Result<model::AppendResult> append(const model::AppendBatch& batch) override;
    void declare_kinds(const model::MetricKinds& kinds) override;

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override;
    [[nodiscard]] Result<void> visit(std::span<const model::Matcher> matchers,
                                     model::TimeRange range, const model::ReadOptions& options,
                                     const model::SeriesVisitor& take) const override;
    [[nodiscard]] std::unique_ptr<model::KeptSelection> keep(
        std::vector<model::Matcher> matchers) const override;
    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override;
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override;
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override;

    [[nodiscard]] Result<void> write(std::span<const model::StateWrite> writes) override;
    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override;
    [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> scan(
        std::string_view prefix, std::size_t limit) const override;

    [[nodiscard]] Result<std::size_t> delete_series(std::span<const model::Matcher> matchers,
                                                    model::TimeRange range) override;
    [[nodiscard]] Result<void> clean_tombstones() override;
    [[nodiscard]] Result<std::string> snapshot(Timestamp now) override;
    [[nodiscard]] model::StorageCardinality cardinality(std::size_t top) const override;

    [[nodiscard]] Result<model::LogPiece> read_log(std::uint64_t position,
                                                   std::size_t samples_max) const override;
    [[nodiscard]] std::uint64_t log_end() const override;
    void hold_log(std::string_view reader, std::uint64_t position) override;

    /// Forgets what is older than the retention, and series that have nothing else; every 15
    /// minutes, or after many samples, also writes chunks to the disk and erases the log records
    /// behind them. Call it after open() and about once a minute, never on an I/O thread.
    [[nodiscard]] Result<void> maintain(Timestamp now);
    /// A running maintain(), checkpoint() or deletion ends early, with kCancelled, and so does each
    /// later one: before the storage is closed. What it did stays right.
    void stop_maintenance();
    /// Writes the chunks now, so that a start has no records to read again.
    [[nodiscard]] Result<void> checkpoint(Timestamp now);

    /// What was found damaged and set aside since the last call, one sentence each; the first
    /// thousand.
    [[nodiscard]] std::vector<std::string> take_damage_reports();

    /// Fine, or kUnavailable with the reason why the last group could not be written.
    [[nodiscard]] Result<void> health() const;
    [[nodiscard]] StorageStats stats() const;

    class Core;  // The room's own.

private:
    explicit Storage(std::unique_ptr<Core> core);

    std::unique_ptr<Core> core_;
};

}  // namespace kpid::storage
