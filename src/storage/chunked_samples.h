#pragma once
// The samples of one series that lie in memory, and what it knows of those on the disk.

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

/// Samples as columns, entry i of both one sample.
struct SampleColumns {
    std::vector<Timestamp> times;
    std::vector<double> values;
};

/// At most one sample an instant, in order of time: sealed chunks, then the open one. A sealed
/// chunk that the disk has may be evicted; then only its end is remembered, as a bound. Chunks
/// never overlap, those on the disk included, and a chunk only ever grows into the gap before it:
/// so what lies in memory always wins over what the disk has for the same time. Not synchronised.
///
/// The disk has sealed chunks by the time of their last sample, and the open one beside them.
class ChunkedSamples {
public:
    /// A sealed chunk in memory.
    struct SealedChunk {
        enum class Save : std::uint8_t {
            kNever,    ///< The disk cannot have anything of it.
            kChanged,  ///< The disk may have other chunks of this time.
            kDone,     ///< The disk has it.
        };
        Timestamp first;
        Timestamp last;
        std::uint32_t count = 0;
        std::uint32_t size = 0;
        std::unique_ptr<char[]> bytes;
        Save save = Save::kNever;

        [[nodiscard]] std::string_view text() const { return {bytes.get(), size}; }
    };
    /// What a read found in memory.
    struct InMemory {
        struct Piece {
            model::TimeRange covers;  ///< What the disk has of this time is not wanted.
            std::size_t begin = 0;    ///< Of its samples in the columns; up to the next piece's.
        };
        std::vector<Piece> pieces;  ///< In order of time.
        SampleColumns columns;
        bool needs_disk = false;  ///< Evicted chunks may lie in the range.
    };

    // Writing. The caller brings the chunks in that late samples fall into: needs_chunk().

    /// `time` is after newest().
    void append(Timestamp time, double value);
    /// Strictly ascending, none after newest(); at an instant that is taken the new value wins.
    /// Returns how many instants were new.
    std::size_t merge_late(std::span<const model::Sample> samples);
    /// Whether a chunk on the disk may hold this time or end after it, with none in memory that
    /// does; then the first one on the disk that ends at or after it is to be brought in.
    [[nodiscard]] bool needs_chunk(Timestamp time) const;
    /// A whole, sound chunk from the disk. Nothing happens when memory has samples of its time.
    void bring_in(std::string_view bytes, Timestamp first, Timestamp last, std::size_t count);
    /// Takes samples in the range out of the chunks in memory; every sealed one that touches it is
    /// unsaved then, and the open one. Returns how many.
    std::size_t erase(model::TimeRange range);
    /// Of its own, to change and then take the place of this one.
    [[nodiscard]] ChunkedSamples copy() const;
    /// Gives up sealed chunks that end before `cutoff`; returns how many samples.
    std::size_t drop_before(Timestamp cutoff);
    /// Nothing on the disk ends after this time.
    void lower_evicted_end(Timestamp end) { evicted_end_ = std::min(evicted_end_, end); }

    // Reading.

    /// Whole chunks: samples outside of the range may be among them.
    /// `reused` gives its memory to the columns.
    [[nodiscard]] InMemory read(model::TimeRange range, SampleColumns reused = {}) const;
    /// Appends what is newer than `time` to the columns. False, and nothing appended, when not all
    /// of it lies in the open chunk.
    [[nodiscard]] bool read_after(Timestamp time, SampleColumns& columns) const;
    /// Another number whenever samples that were there changed or went, or older ones came between
    /// them: what was read before and read_after() are all of it only while this stays the same.
    [[nodiscard]] std::uint32_t rewrites() const { return rewrites_; }
    /// Of a sample in memory.
    [[nodiscard]] std::optional<double> value_at(Timestamp time) const;
    /// Or a bound: is_newest_a_bound().
    [[nodiscard]] std::optional<Timestamp> newest() const;
    /// No sample in memory is the newest; what is newest on the disk may be older than newest().
    [[nodiscard]] bool is_newest_a_bound() const {
        return open_.empty() && evicted_end_ != Timestamp::min() && sealed_end() == evicted_end_;
    }
    /// Of the first sample ever, evicted or erased ones included.
    [[nodiscard]] Timestamp begin() const { return begin_; }
    /// Samples may lie in the range: it touches the time from the first to the newest sample.
    [[nodiscard]] bool may_have_samples_in(model::TimeRange range) const;
    /// No later than the last sample of every evicted chunk is wrong; min() when there is none.
    [[nodiscard]] Timestamp evicted_end() const { return evicted_end_; }
    [[nodiscard]] bool empty() const { return !newest(); }
    [[nodiscard]] std::size_t samples_in_memory() const;
    [[nodiscard]] std::size_t sealed_in_memory() const { return sealed().size(); }
    [[nodiscard]] std::size_t sealed_bytes() const { return sealed_ ? sealed_->bytes : 0; }
    /// On the heap, without the allocator's own.
    [[nodiscard]] std::size_t heap_bytes() const;
    [[nodiscard]] std::size_t open_capacity() const { return open_.capacity_bytes(); }

    // Saving.

    [[nodiscard]] bool has_unsaved() const { return is_open_unsaved() || has_unsaved_sealed(); }
    [[nodiscard]] bool is_open_unsaved() const { return open_saved_ != open_.count(); }
    [[nodiscard]] std::span<const SealedChunk> sealed() const {
        return sealed_ ? std::span<const SealedChunk>(sealed_->chunks)
                       : std::span<const SealedChunk>();
    }
    /// The open chunk as a sealed one; empty when it has no samples.
    [[nodiscard]] std::string encode_open() const;
    /// The end of the newest sealed chunk, wherever it lies.
    [[nodiscard]] Timestamp sealed_end() const;
    /// All of it was written / may have been written and may not.
    void note_saved();
    void note_failed();
    /// The disk may have lost any of it.
    void note_all_unsaved();
    /// Gives up sealed chunks that the disk has. Returns their bytes.
    std::size_t evict();
    /// What was saved last, at a start. kDataLoss when the chunk is damaged.
    [[nodiscard]] Result<void> load_open(Timestamp begin, Timestamp sealed_end,
                                         std::string_view chunk);

private:
    struct Sealed {
        std::vector<SealedChunk> chunks;
        std::size_t bytes = 0;  // of their texts
    };
    // open_saved_ when the disk has another open chunk.
    static constexpr std::uint16_t kUnknown = 0xffff;

    [[nodiscard]] bool has_unsaved_sealed() const;
    void seal_open();
    void replace_open(const SampleColumns& columns);
    void put_sealed(std::size_t at, SealedChunk chunk);
    /// The chunk at this place becomes as few as hold the samples.
    void replace_sealed(std::size_t at, const SampleColumns& columns);
    void remove_sealed(std::size_t at);
    /// The first sealed chunk in memory that ends at or after `time`, or their number.
    [[nodiscard]] std::size_t chunk_at(Timestamp time) const;
    [[nodiscard]] bool is_in_open(Timestamp time) const;
    static void decode(const SealedChunk& chunk, SampleColumns& out);
    [[nodiscard]] static SealedChunk seal(std::span<const Timestamp> times,
                                          std::span<const double> values, SealedChunk::Save save);

    OpenChunk open_;
    std::unique_ptr<Sealed> sealed_;  // null when there is none
    Timestamp begin_ = Timestamp::max();
    Timestamp evicted_end_ = Timestamp::min();
    std::uint16_t open_saved_ = 0;  // samples that the disk has of it
    std::uint32_t rewrites_ = 0;
};

}  // namespace kpid::storage
