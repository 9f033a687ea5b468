#pragma once
// The samples of one series in memory: sealed chunks, then the open one.

#include "kpid/base/result.h"
#include "kpid/model/reader.h"
#include "kpid/model/sample.h"
#include "storage/open_chunk.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// Samples of a chunk when it is sealed. Longer chunks compress a little better; shorter ones cost
/// less to read a moment from.
inline constexpr std::size_t kSealedSamples = 480;
/// Late samples may make a sealed chunk grow up to this many; then it is split.
inline constexpr std::size_t kSealedSamplesMax = 2 * kSealedSamples;

/// At most one sample an instant, in order of time. In-order appends are cheap; a late sample
/// rewrites the chunks it falls into. Not synchronised.
///
/// Saving: the disk has chunks by their first time. collect_unsaved() gives what it lacks and what
/// it has too much, save_succeeded() or save_failed() tell how the write ended; samples may change
/// in between. After a failed write either state may be on the disk, and the next save mends it.
class ChunkedSamples {
public:
    /// A chunk as it stands on the disk, or, without bytes, one that must not stand there.
    struct SavedChunk {
        Timestamp first;
        std::optional<std::string> bytes;
    };

    /// Puts samples in, strictly ascending among themselves; at an instant that is taken the new
    /// value wins. Returns how many instants were new.
    std::size_t merge(std::span<const model::Sample> samples);
    /// Samples before `cutoff` are not read any more; returns how many were also given up. A chunk
    /// that ends later stays whole as long as most of it is kept.
    std::size_t drop_before(Timestamp cutoff);

    /// Appends the samples in the range to `out`; false, and nothing is added, when there are more
    /// than `limit`.
    [[nodiscard]] bool copy(model::TimeRange range, std::size_t limit,
                            model::SeriesColumns& out) const;
    [[nodiscard]] bool has_samples_in(model::TimeRange range) const;
    [[nodiscard]] std::optional<double> value_at(Timestamp time) const;
    [[nodiscard]] std::optional<Timestamp> newest() const;
    [[nodiscard]] bool empty() const { return sealed_.empty() && open_.empty(); }

    /// What must be written so that the disk has what memory has; first what goes, then what comes.
    [[nodiscard]] std::vector<SavedChunk> collect_unsaved();
    void save_succeeded();
    void save_failed();
    [[nodiscard]] bool has_unsaved() const;
    /// The disk may hold a chunk of this series.
    [[nodiscard]] bool has_stored() const;
    /// Takes a chunk over that was read from the disk; the chunks of a series in order of time.
    /// Returns how many samples it has; kDataLoss when it is damaged or out of order.
    [[nodiscard]] Result<std::size_t> load(std::string_view bytes);
    /// After the last load(): a chunk that was still open when it was saved is open again.
    void finish_loading();

    /// On the heap, without the allocator's own.
    [[nodiscard]] std::size_t heap_bytes() const;

private:
    enum class Save : std::uint8_t { kNeeded, kRunning, kDone };
    struct SealedChunk {
        Timestamp first;
        Timestamp last;
        std::uint32_t count = 0;
        std::uint32_t size = 0;
        std::unique_ptr<char[]> bytes;
        Save save = Save::kNeeded;
        bool stored = false;  // the disk may have a chunk with this first time

        [[nodiscard]] std::string_view text() const { return {bytes.get(), size}; }
    };
    /// Decoded samples, entry i of both one sample.
    struct Columns {
        std::vector<Timestamp> times;
        std::vector<double> values;
    };

    void append(model::Sample sample);
    void seal_open();
    /// The chunk that begins there is no more.
    void note_gone(Timestamp first, bool stored);
    void reset_open();
    void add_sealed(SealedChunk chunk);
    /// Takes the sealed chunks from `begin` on out.
    [[nodiscard]] std::vector<SealedChunk> take_sealed(std::size_t begin);
    std::size_t merge_late(std::span<const model::Sample> samples);
    /// The first sealed chunk that ends at or after `time`, or their number.
    [[nodiscard]] std::size_t chunk_at(Timestamp time) const;
    /// As few sealed chunks of about equal length as hold these samples, behind those that stand.
    void seal_all(const Columns& columns);
    /// Sealed chunks and an open one of these samples, behind the chunks that stand.
    void rebuild(std::span<const Timestamp> times, std::span<const double> values);
    /// Drops the samples before `cutoff` from the columns; returns how many.
    static std::size_t cut(Columns& columns, Timestamp cutoff);
    static void decode(const SealedChunk& chunk, Columns& out);
    [[nodiscard]] static SealedChunk seal(std::span<const Timestamp> times,
                                          std::span<const double> values);

    std::vector<SealedChunk> sealed_;
    std::size_t sealed_bytes_ = 0;  // of their texts
    OpenChunk open_;
    bool open_stored_ = false;       // as SealedChunk::stored
    std::uint16_t open_saved_ = 0;   // samples that the disk has of it
    std::uint16_t open_saving_ = 0;  // or will have
    std::uint32_t gone_saving_ = 0;  // of gone_, from its front
    std::vector<Timestamp> gone_;    // chunks that the disk may still have
    Timestamp floor_ = Timestamp::min();
};

}  // namespace kpid::storage
