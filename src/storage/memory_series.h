#pragma once
// One series in memory: its number and its samples in chunks.

#include "kpid/base/mutex.h"
#include "kpid/model/reader.h"
#include "storage/chunked_samples.h"
#include "storage/record.h"
#include "storage/series_ref.h"

#include <memory>
#include <optional>
#include <vector>

namespace kpid::storage {

/// Its labels stand in the index. The samples are read by any thread and merged by the committer
/// only; what is pending belongs to the committer alone.
class MemorySeries {
public:
    /// What a bit-for-bit comparison needs to know.
    struct Standing {
        std::optional<Timestamp> newest;  ///< Of stored and pending samples.
        std::optional<double> value;      ///< At the instant that was asked for.
    };

    /// What changed in memory.
    struct Change {
        std::int64_t samples = 0;
        std::int64_t bytes = 0;  ///< Of samples, on the heap.
    };

    explicit MemorySeries(SeriesId id) : id_(id) {}

    [[nodiscard]] SeriesId id() const { return id_; }
    /// Its number in the index; set before any other thread sees the series.
    [[nodiscard]] SeriesRef ref() const { return ref_; }
    void set_ref(SeriesRef ref) { ref_ = ref; }

    // Any thread.
    [[nodiscard]] bool has_samples_in(model::TimeRange range) const;
    /// Appends the samples in the range to `out`; false, and nothing is added, when there are more
    /// than `limit`.
    [[nodiscard]] bool copy(model::TimeRange range, std::size_t limit,
                            model::SeriesColumns& out) const;
    [[nodiscard]] bool is_empty() const;
    [[nodiscard]] bool has_unsaved() const;
    /// Samples before `cutoff` are not read any more; fewer are given up as long as most of their
    /// chunk is kept.
    Change drop_before(Timestamp cutoff);

    // The committer only (and the replay, before it starts).
    [[nodiscard]] Standing standing_at(Timestamp time) const;
    /// Keeps a sample aside until it is known to be durable. One that is pending for this instant
    /// is replaced.
    void add_pending(model::Sample sample);
    [[nodiscard]] const std::vector<model::Sample>& pending() const { return pending_; }
    void discard_pending() { pending_.clear(); }
    /// Makes what is pending readable; at equal instants it wins over what is stored.
    Change merge_pending();

    // The committer only: saving, as ChunkedSamples says.
    [[nodiscard]] std::vector<ChunkedSamples::SavedChunk> collect_unsaved();
    void end_save(bool succeeded);
    [[nodiscard]] bool has_stored() const;
    // The replay only.
    [[nodiscard]] Result<Change> load_chunk(std::string_view bytes);
    Change finish_loading();

    /// Sequence of the newest log record with a sample of this series.
    [[nodiscard]] std::uint64_t newest_record() const { return newest_record_; }
    void set_newest_record(std::uint64_t sequence) { newest_record_ = sequence; }
    /// No longer in the index: samples go to a new series with these labels.
    [[nodiscard]] bool removed() const { return removed_; }
    void set_removed() { removed_ = true; }

private:
    const SeriesId id_;
    SeriesRef ref_;

    mutable Mutex mutex_;
    ChunkedSamples samples_ KPID_GUARDED_BY(mutex_);

    // Owned by the committer.
    std::vector<model::Sample> pending_;  // strictly ascending times
    std::uint64_t newest_record_ = 0;
    bool removed_ = false;
};

using SeriesPointer = std::shared_ptr<MemorySeries>;

}  // namespace kpid::storage
