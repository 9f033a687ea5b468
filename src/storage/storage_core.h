#pragma once
// Everything behind the storage's interface.

#include "kpid/base/mutex.h"
#include "kpid/storage/storage.h"
#include "storage/committer.h"
#include "storage/series_reader.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace kpid::storage {

/// From when on samples are kept.
struct Floors {
    std::atomic<std::int64_t> raw_ms = Timestamp::min().ms();
    std::atomic<std::int64_t> long_kept_ms = Timestamp::min().ms();

    [[nodiscard]] Timestamp of(MemorySeries::Traits traits) const {
        return Timestamp(traits.is_long_kept ? long_kept_ms : raw_ms);
    }
    /// They only rise.
    void raise(Timestamp raw, Timestamp long_kept) {
        raw_ms = std::max(raw_ms.load(), raw.ms());
        long_kept_ms = std::max(long_kept_ms.load(), long_kept.ms());
    }
};

/// Of a reader that may touch no more.
[[nodiscard]] Error too_many_touched(std::size_t samples_max);

class Storage::Core {
public:
    Core(const StorageOptions& options_in, std::unique_ptr<Log> log_in)
        : options(options_in),
          rules(options),
          log(std::move(log_in)),
          work(options, rules, *log, index, state, counters),
          reader(index, work.chunks()) {}

    /// The range as it is read of this series: from further back where its value holds for longer,
    /// from no earlier than is kept.
    [[nodiscard]] model::TimeRange range_of(MemorySeries::Traits traits,
                                            const model::Labels& labels, model::TimeRange range,
                                            const model::HistoryRules* history) const;
    /// The samples in the range, from no earlier than is kept.
    [[nodiscard]] Result<void> read_series(const MemorySeries& series, model::TimeRange range,
                                           const model::ReadOptions& read, std::size_t limit,
                                           model::SeriesColumns& columns) const;
    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& read) const;
    /// As model::Reader::visit().
    [[nodiscard]] Result<void> visit(const SeriesIndex::Selection& selection,
                                     model::TimeRange range, const model::ReadOptions& read,
                                     const model::SeriesVisitor& take) const;
    /// visit(MemorySeries&, Timestamp floor) for each series that may have samples in the range.
    template <class Visit>
    void visit_series(std::span<const model::Matcher> matchers, model::TimeRange range,
                      Visit&& visit) const {
        const SeriesIndex::Selection selection = index.select(matchers);
        for (MemorySeries* series : selection.series) {
            bool matches = false;
            {
                const MutexLock lock(index.lock_of(*series));
                const Timestamp start = std::max(range.start, floors.of(series->traits));
                matches =
                    start <= range.end && series->samples.may_have_samples_in({start, range.end});
            }
            if (matches) {
                visit(*series);
            }
        }
    }

    // storage_read.cc
    struct LogPart {
        model::LogPiece piece;
        std::vector<std::pair<std::uint64_t, std::size_t>> series;  ///< Of samples, by their place.
    };
    /// Records from `position` up to, but without, `end`; past one that is damaged, as lost.
    [[nodiscard]] Result<LogPart> read_records(std::uint64_t position, std::uint64_t end,
                                               std::size_t samples_max) const;
    /// Empty when the series has none, or damaged ones.
    [[nodiscard]] Result<model::Labels> defined_labels(std::uint64_t id) const;

    // maintain.cc
    [[nodiscard]] Result<void> maintain(Timestamp now) KPID_EXCLUDES(maintain_mutex);
    [[nodiscard]] Result<void> checkpoint(Timestamp now) KPID_EXCLUDES(maintain_mutex);
    [[nodiscard]] Result<void> checkpoint_locked(Timestamp now) KPID_REQUIRES(maintain_mutex);
    [[nodiscard]] Result<void> forget_old() KPID_REQUIRES(maintain_mutex);
    [[nodiscard]] Result<void> fit_size() KPID_REQUIRES(maintain_mutex);
    /// Calls `task` for a few hundred of the series after the other, as the committer.
    [[nodiscard]] Result<void> in_slices(
        std::span<MemorySeries* const> series,
        const std::function<Result<void>(std::span<MemorySeries* const>)>& task);
    /// For the log: what is older than is kept may go.
    void set_drop_rule();

    // Constant after construction.
    const StorageOptions options;
    const SampleRules rules;
    std::vector<model::AppendObserver*> observers;

    // Synchronise themselves.
    SeriesIndex index;
    StateTable state;
    mutable Counters counters;
    Floors floors;
    std::atomic<std::uint64_t> deletions = 0;  ///< Counted when one begins and when it ends.
    std::atomic<std::uint64_t> series_deleted = 0;
    /// Of all kept selections, room for growth counted: bounded by options.kept_samples_max.
    mutable std::atomic<std::size_t> kept_samples = 0;
    std::atomic<std::uint64_t> first_kept_record = 1;
    std::atomic<bool> is_stopping = false;
    std::atomic<std::int64_t> size_floor_ms =
        Timestamp::min().ms();  ///< Before it there is no room.

    Mutex maintain_mutex;  ///< One maintain or checkpoint at a time.
    std::optional<Timestamp> last_checkpoint KPID_GUARDED_BY(maintain_mutex);
    std::uint64_t appended_at_checkpoint KPID_GUARDED_BY(maintain_mutex) = 0;
    std::uint64_t snapshots KPID_GUARDED_BY(maintain_mutex) = 0;

    Mutex holds_mutex;
    std::map<std::string, std::uint64_t, std::less<>> holds KPID_GUARDED_BY(holds_mutex);

    /// Definitions that readers of the log asked for.
    mutable Mutex labels_mutex;
    mutable std::map<std::uint64_t, model::Labels> labels_by_id KPID_GUARDED_BY(labels_mutex);

    // The committer's once it runs, but for what says that it is thread-safe.
    std::unique_ptr<Log> log;
    GroupCommitter work;
    const SeriesReader reader;

    std::unique_ptr<Committer> committer;  // last: its thread uses all of the above
};

}  // namespace kpid::storage
