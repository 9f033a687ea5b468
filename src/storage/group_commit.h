#pragma once
// What the committer does with a group: judge, encode, write, make readable.

#include "kpid/model/appender.h"
#include "kpid/storage/log.h"
#include "kpid/storage/options.h"
#include "storage/chunk_reader.h"
#include "storage/counters.h"
#include "storage/definition.h"
#include "storage/prepared_batch.h"
#include "storage/record.h"
#include "storage/sample_rules.h"
#include "storage/series_index.h"
#include "storage/state_table.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace kpid::storage {

/// The state behind the committer: called by one thread at a time, each after the other, and by one
/// alone before the store is open.
class GroupCommitter {
public:
    GroupCommitter(const StorageOptions& options, const SampleRules& rules, Log& log,
                   SeriesIndex& index, StateTable& state, Counters& counters)
        : options_(options),
          rules_(rules),
          log_(log),
          index_(index),
          state_(state),
          counters_(counters),
          chunks_(log, counters) {}

    /// Rebuilds everything from the log.
    [[nodiscard]] Result<void> replay();
    /// All batches or none: fills in their results, or gives back why nothing was stored.
    [[nodiscard]] Result<void> commit(std::span<PreparedBatch* const> group);
    /// From now on, and for the series that stand already.
    void declare_kinds(const model::MetricKinds& kinds);

    /// Sequence of the newest record.
    [[nodiscard]] std::uint64_t last_sequence() const { return next_sequence_ - 1; }
    /// Writes what the disk lacks of these series' chunks, in one batch; then gives sealed chunks
    /// up when `evicts`.
    [[nodiscard]] Result<void> save_chunks(std::span<MemorySeries* const> series, bool evicts);
    /// All records up to `sequence` stand in saved chunks; those up to `erased` go.
    [[nodiscard]] Result<void> note_saved(std::uint64_t sequence, std::uint64_t erased);
    /// Gives up what memory holds from before `cutoff`.
    void drop_before(std::span<MemorySeries* const> series, Timestamp cutoff);
    /// Forgets those of the series that have nothing newer than `cutoff` and that no record names.
    [[nodiscard]] Result<void> forget(std::span<MemorySeries* const> series, Timestamp cutoff);
    /// Deletes the samples in the range; returns how many series had some.
    [[nodiscard]] Result<std::size_t> erase(std::span<MemorySeries* const> series,
                                            model::TimeRange range);
    /// Moves what readers found damaged out of the way.
    [[nodiscard]] Result<void> set_aside(std::vector<DamagedEntry> damaged);
    /// Any thread.
    [[nodiscard]] std::vector<std::string> take_damage_reports() KPID_EXCLUDES(reports_mutex_);
    [[nodiscard]] Result<void> raise_size_floor(Timestamp floor);
    /// Written with the next checkpoint.
    void note_floors(Timestamp floor, Timestamp long_kept) {
        meta_.floor = floor;
        meta_.long_kept_floor = long_kept;
    }
    [[nodiscard]] const StoreMeta& meta() const { return meta_; }
    [[nodiscard]] const ChunkReader& chunks() const { return chunks_; }
    /// The oldest record that is kept.
    [[nodiscard]] std::uint64_t first_kept() const { return first_kept_; }
    /// Fine, or why the last write to the log failed.
    [[nodiscard]] const Result<void>& health() const { return health_; }

private:
    using Place = PreparedBatch::Place;

    static constexpr std::size_t kReportsMax = 1000;
    /// Of what is damaged, each time after it was set aside.
    static constexpr int kReadAttemptsMax = 8;

    /// An accepted sample until it is durable.
    struct Pending {
        MemorySeries* series = nullptr;
        Timestamp time;
        double value = 0;
        Timestamp newest;  ///< Of the series, this one included.
        bool is_late = false;
    };
    struct PendingKey {
        MemorySeries* series = nullptr;
        Timestamp time;
        bool operator==(const PendingKey&) const = default;
        friend std::size_t hash_value(const PendingKey& key) {
            return std::hash<const void*>()(key.series) * 31 +
                   std::hash<std::int64_t>()(key.time.ms());
        }
    };
    /// Consecutive pending samples of one origin.
    struct Run {
        RecordKind kind = RecordKind::kExternal;
        std::size_t begin = 0;
    };
    /// A series without the samples that are deleted.
    struct Erased {
        MemorySeries* series = nullptr;
        ChunkedSamples samples;
        bool had_samples = false;
    };
    /// From begin up to, but without, end.
    struct NumberRange {
        std::uint64_t begin = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t end = 0;
    };

    // judge.cc
    [[nodiscard]] Result<void> judge(PreparedBatch& batch);
    [[nodiscard]] Result<void> judge_whole(PreparedBatch& batch);
    [[nodiscard]] Result<void> judge_place(PreparedBatch& batch, Place& place);
    [[nodiscard]] Result<void> judge_gauge(PreparedBatch& batch, const Place& place);
    [[nodiscard]] Result<void> judge_version(PreparedBatch& batch, const Place& place,
                                             bool is_event);
    void accept(const Place& place, std::optional<Timestamp> newest);
    [[nodiscard]] model::MetricKind kind_of(const MemorySeries& series,
                                            const PreparedBatch& batch) const;
    void create_unknown(PreparedBatch& batch);
    void note_created(MemorySeries& series, std::span<const model::LabelView> labels);
    /// Makes the series when there is none; null at the limit.
    [[nodiscard]] MemorySeries* find_or_create(PreparedBatch& batch, Place& place);
    [[nodiscard]] MemorySeries* find_known(PreparedBatch& batch, Place& place);
    [[nodiscard]] std::optional<Timestamp> newest_of(const MemorySeries& series) const;
    /// newest_of(), and surely that when `time` is not after it.
    [[nodiscard]] Result<std::optional<Timestamp>> newest_for(MemorySeries& series, Timestamp time);
    /// Of pending and stored samples.
    [[nodiscard]] Result<std::optional<double>> value_at(MemorySeries& series, Timestamp time);
    void index_pending();
    [[nodiscard]] Refusal limit_reached(const PreparedBatch& batch, const Place& place) const;
    void add_version(MemorySeries& series, const VersionRow& row);
    [[nodiscard]] Result<bool> has_rows_at(const MemorySeries& series, Timestamp time);
    [[nodiscard]] Result<void> judge_kind(PreparedBatch& batch, const Place& place);
    [[nodiscard]] Refusal unreadable(const PreparedBatch& batch, const Place& place,
                                     const Error& why) const;

    // group_commit.cc
    void encode_records(LogBatch& out);
    [[nodiscard]] Result<void> write(LogBatch batch);
    void undo_failed(LogBatch& out) const;
    void remember_failed(const LogBatch& batch);
    void apply();
    void apply_late();
    void discard();
    void put_meta(LogBatch& out) const;

    // history.cc
    void take_in(MemorySeries& series, const ChunkOnDisk& chunk);
    [[nodiscard]] Result<void> bring_in(MemorySeries& series, Timestamp time);
    [[nodiscard]] Result<void> find_evicted_end(MemorySeries& series, Timestamp time);
    [[nodiscard]] Result<void> bring_in_all(MemorySeries& series, model::TimeRange range);
    /// Remembers a chunk that cannot be decoded.
    [[nodiscard]] Result<void> check_chunk(SeriesId series, const ChunkOnDisk& chunk) const;
    /// Reads until nothing damaged is met, and sets aside what is.
    [[nodiscard]] Result<void> past_damage(const std::function<Result<void>()>& read);
    /// Leaves those that are damaged, and says what becomes of them.
    [[nodiscard]] Result<void> prepare_aside(std::vector<DamagedEntry>& damaged);
    /// Whether memory has what is damaged on the disk; then it is written again.
    [[nodiscard]] Result<bool> rescue(const DamagedEntry& damaged);
    void collect_unsaved(SeriesId series, const ChunkedSamples& samples, LogBatch& out);
    /// Puts the rest of the blocks that define these series, in order of their numbers, to `out`.
    [[nodiscard]] Result<void> undefine(std::span<const SeriesId> series, LogBatch& out);
    [[nodiscard]] Result<std::optional<DefinitionBytes>> definitions_of(SeriesId series) const;
    /// What the series becomes; the erasures on the disk go to `out`.
    [[nodiscard]] Result<Erased> erased(MemorySeries& series, model::TimeRange range,
                                        LogBatch& out);
    void install(Erased& erased);

    // replay.cc
    struct Replay;
    [[nodiscard]] Result<void> replay_all(Replay& replay);
    [[nodiscard]] Result<void> replay_series(Replay& replay, std::string_view key,
                                             std::string_view value);
    [[nodiscard]] Result<void> replay_open(Replay& replay, std::string_view key,
                                           std::string_view value);
    [[nodiscard]] Result<void> replay_version_flags(Replay& replay);
    /// take(key, value) for every entry of a table of numbers, from `begin` on; past places that
    /// cannot be read, whose entries are read one by one.
    using Take = std::function<Result<void>(std::string_view key, std::string_view value)>;
    [[nodiscard]] Result<void> replay_table(Replay& replay, LogTable table, std::uint64_t begin,
                                            const Take& take);
    void note_number(LogTable table, std::uint64_t number);
    void note_lost(Replay& replay, LogTable table, std::uint64_t number, const Error& why);
    [[nodiscard]] Result<std::uint64_t> replay_unreadable(Replay& replay, LogTable table,
                                                          std::uint64_t begin, const Error& why,
                                                          const Take& take);
    [[nodiscard]] Result<void> rebuild_open(Replay& replay, MemorySeries& series);
    [[nodiscard]] Result<void> replay_deletion(Replay& replay, const Record& record,
                                               std::uint64_t sequence);
    [[nodiscard]] Result<void> replay_record(Replay& replay, std::string_view key,
                                             std::string_view value);

    const StorageOptions& options_;
    const SampleRules& rules_;
    Log& log_;
    SeriesIndex& index_;
    StateTable& state_;
    Counters& counters_;
    const ChunkReader chunks_;

    std::uint64_t next_series_ = 1;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t first_kept_ = 1;
    StoreMeta meta_;  // as it will be written; the first two numbers at the last moment
    std::size_t series_count_ = 0;
    bool is_replaying_ = false;
    model::MetricKinds kinds_;

    // Of the group at work.
    std::vector<Pending> pending_;
    std::vector<Run> runs_;
    std::vector<MemorySeries*> created_;
    DefinitionWriter definitions_;  // of created_
    std::vector<LogEntry> versions_;
    std::vector<MemorySeries*> versioned_;  // got their first row
    std::uint64_t group_replaced_ = 0;
    std::uint64_t group_events_ = 0;
    // Of pending_, built when a sample is not newer than its series' newest.
    boost::unordered_flat_map<PendingKey, std::size_t> pending_at_;
    bool is_indexed_ = false;
    std::vector<std::pair<MemorySeries*, model::Sample>> late_;

    Mutex reports_mutex_;
    std::vector<std::string> damage_reports_ KPID_GUARDED_BY(reports_mutex_);

    Result<void> health_;
    // Keys of failed writes: the disk may hold them, so the next write erases or restores them.
    NumberRange failed_series_;
    NumberRange failed_sequences_;
    std::set<std::string, std::less<>> failed_state_;
    std::set<std::string, std::less<>> failed_versions_;
    // Blocks as they were before a write that changes them.
    std::map<std::uint64_t, std::string> failed_definitions_;
};

}  // namespace kpid::storage
