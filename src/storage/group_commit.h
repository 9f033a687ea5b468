#pragma once
// What the committer does with a group: judge, encode, write, make readable.

#include "kpid/model/appender.h"
#include "kpid/storage/log.h"
#include "kpid/storage/options.h"
#include "kpid/storage/stats.h"
#include "storage/record.h"
#include "storage/sample_rules.h"
#include "storage/series_index.h"
#include "storage/state_table.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace kpid::storage {

/// Counters that any thread reads.
struct Counters {
    std::atomic<std::uint64_t> samples_in_memory = 0;
    std::atomic<std::uint64_t> sample_bytes_in_memory = 0;
    std::atomic<std::uint64_t> samples_appended = 0;
    std::atomic<std::uint64_t> samples_repeated = 0;
    std::array<std::atomic<std::uint64_t>, kRejectReasons.size()> rejected{};
    std::atomic<std::uint64_t> commits = 0;
    std::atomic<std::uint64_t> log_bytes = 0;
    std::atomic<std::uint64_t> write_failures = 0;
    std::atomic<std::uint64_t> log_sequence = 0;

    void add(MemorySeries::Change change) {
        samples_in_memory += static_cast<std::uint64_t>(change.samples);
        sample_bytes_in_memory += static_cast<std::uint64_t>(change.bytes);
    }
};

/// One append or state write that was checked as far as that needs no order, and its outcome.
struct PreparedBatch {
    /// A sample that goes on to be judged.
    struct Place {
        std::size_t index = 0;  ///< Into `samples`.
        SeriesPointer series;   ///< Null when it was unknown.
    };

    std::span<const model::SeriesSample> samples;  // borrowed from the caller
    std::span<const model::StateWrite> state;      // borrowed from the caller
    std::vector<Place> places;                     // in order of time, then index
    model::AppendResult result;
    std::uint64_t repeated = 0;
    bool all_or_nothing = false;
    bool refused = false;  ///< All of it, since a part was.
};

/// The state behind the committer: owned and called by one thread, or by nobody else before that
/// thread starts.
class GroupCommitter {
public:
    GroupCommitter(const StorageOptions& options, const SampleRules& rules, Log& log,
                   SeriesIndex& index, StateTable& state, Counters& counters)
        : options_(options),
          rules_(rules),
          log_(log),
          index_(index),
          state_(state),
          counters_(counters) {}

    /// Rebuilds everything from the log.
    [[nodiscard]] Result<void> replay();
    /// All batches or none: fills in their results, or gives back why nothing was stored.
    [[nodiscard]] Result<void> commit(std::span<PreparedBatch* const> group);
    /// Erases the oldest records that hold nothing newer than `cutoff`, and those of the series
    /// `empty` that have neither samples nor records.
    [[nodiscard]] Result<void> forget(Timestamp cutoff, std::span<const SeriesPointer> empty);
    /// Sequence of the newest record.
    [[nodiscard]] std::uint64_t last_sequence() const { return next_sequence_ - 1; }
    /// Writes what the disk lacks of these series' chunks, in one batch.
    [[nodiscard]] Result<void> save_chunks(std::span<const SeriesPointer> series);
    /// Erases the records up to `sequence`: all their samples stand in saved chunks.
    [[nodiscard]] Result<void> trim_records(std::uint64_t sequence);
    /// Fine, or why the last write to the log failed.
    [[nodiscard]] const Result<void>& health() const { return health_; }

private:
    /// Records are forgotten by the block: so many consecutive sequences.
    struct RecordBlock {
        std::uint64_t last_sequence = 0;
        Timestamp newest;
    };

    /// From begin up to, but without, end.
    struct NumberRange {
        std::uint64_t begin = std::numeric_limits<std::uint64_t>::max();
        std::uint64_t end = 0;
    };

    void judge(PreparedBatch& batch);
    void judge_whole(PreparedBatch& batch);
    /// `known` when it is still in the index, else what the index or this group has; or null.
    [[nodiscard]] SeriesPointer find(const model::Labels& labels, const SeriesPointer& known) const;
    [[nodiscard]] Refusal limit_reached(const model::SeriesSample& sample) const;
    [[nodiscard]] SeriesPointer find_or_create(const model::Labels& labels);
    void encode_records(LogBatch& out);
    void encode_state(std::span<PreparedBatch* const> group, LogBatch& out) const;
    [[nodiscard]] Result<void> write(LogBatch batch);
    void undo_failed(LogBatch& out) const;
    void remember_failed(const LogBatch& batch);
    void apply();
    void discard();
    void note_record(std::uint64_t sequence, Timestamp newest);
    [[nodiscard]] Result<void> replay_series(std::string_view key, std::string_view value);
    [[nodiscard]] Result<void> replay_chunk(std::string_view key, std::string_view value);
    void finish_chunks();
    [[nodiscard]] Result<void> replay_samples(std::string_view key, std::string_view value);

    const StorageOptions& options_;
    const SampleRules& rules_;
    Log& log_;
    SeriesIndex& index_;
    StateTable& state_;
    Counters& counters_;

    std::uint64_t next_series_ = 1;
    std::uint64_t next_sequence_ = 1;
    std::uint64_t first_live_sequence_ = 1;
    std::deque<RecordBlock> blocks_;
    std::size_t series_count_ = 0;

    // Of the group at work.
    std::vector<SeriesPointer> touched_;  // have pending samples
    boost::unordered_flat_map<model::Labels, SeriesPointer, model::LabelsHash> created_;
    std::vector<RecordBlock> records_;  // one entry a record
    std::uint64_t bytes_ = 0;

    Result<void> health_;
    // Keys of failed writes: the disk may hold them, so that the next write erases or restores
    // them.
    NumberRange failed_series_;
    NumberRange failed_sequences_;
    std::set<std::string, std::less<>> failed_state_;

    // While replaying only.
    boost::unordered_flat_map<std::uint64_t, SeriesPointer> replayed_;
    SeriesPointer loading_;  // the series whose chunks come now
};

}  // namespace kpid::storage
