#pragma once
// The embedded time-series storage.

#include "kpid/base/result.h"
#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/model/state_store.h"
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

/// Samples and small state in memory, and a log on disk from which both are rebuilt.
///
///     KPID_TRY(auto storage, Storage::open({.path = "data"}));
///     auto result = storage->append({.samples = samples, .now = clock.wall_now()});
///
/// Operation: append() and write() hand their work to one committer thread, the only one that
/// changes the store; it judges all that waits, writes it to the log as one group, makes it
/// readable and wakes the callers. What could not be written is not acknowledged and never
/// readable; health() tells of it, and every later append tries the log again. Concurrency:
/// thread-safe. Readers never wait for the disk. append(), write() and maintain() block. Samples of
/// one batch are judged in order of time, equal times in order of index: of two values for one
/// series and instant the first stays.
/// Limitations: everything within the retention lies in memory, compressed, and is read at open().
class Storage final : public model::Appender, public model::Reader, public model::StateStore {
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

    /// Drops samples older than the retention, and series that have none; every 15 minutes also
    /// writes chunks to the disk and erases the log records behind them. Call it after open() and
    /// about once a minute, never on an I/O thread.
    [[nodiscard]] Result<void> maintain(Timestamp now);

    /// Fine, or kUnavailable with the reason why the last group could not be written.
    [[nodiscard]] Result<void> health() const;
    [[nodiscard]] StorageStats stats() const;

private:
    class Core;
    explicit Storage(std::unique_ptr<Core> core);

    std::unique_ptr<Core> core_;
};

}  // namespace kpid::storage
