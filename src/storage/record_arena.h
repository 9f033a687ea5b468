#pragma once
// Many small records without an allocation each.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// Bytes in chunks, each record with the number of its owner. Removing makes holes; a chunk that
/// is more than half holes is emptied: its records move, and their owners are told. So at most
/// about twice what lives is held. Not thread-safe.
class RecordArena {
public:
    /// Where a record begins. Holds until it is moved or removed.
    using Place = std::uint32_t;
    static constexpr Place kNowhere = 0xffffffff;
    static constexpr std::size_t kChunkBytes = 64 * 1024;
    /// Larger records are refused; those above a chunk get one of their own.
    static constexpr std::size_t kRecordBytesMax = 16 * 1024 * 1024;

    /// Room for `size` bytes, not yet written, on a boundary of 4; kNowhere when the record is too
    /// large or 16 GiB are in use.
    [[nodiscard]] Place add(std::uint32_t owner, std::size_t size);
    [[nodiscard]] char* data(Place place);
    [[nodiscard]] std::string_view read(Place place) const;
    /// The 32-bit words of a record.
    [[nodiscard]] std::uint32_t* words(Place place) { return record(place) + kHeaderWords; }
    [[nodiscard]] const std::uint32_t* words(Place place) const {
        return record(place) + kHeaderWords;
    }
    [[nodiscard]] std::size_t size_of(Place place) const { return record(place)[1]; }

    /// Calls moved(owner, new place) for each record that moves because of it.
    template <class Moved>
    void remove(Place place, Moved&& moved) {
        const std::uint32_t chunk = mark_removed(place);
        if (chunk != kNowhere) {
            empty(chunk, moved);
        }
    }

    [[nodiscard]] std::size_t bytes() const;
    /// Of records that were not removed, headers included.
    [[nodiscard]] std::size_t live_bytes() const { return live_words_ * sizeof(std::uint32_t); }

private:
    static constexpr std::uint32_t kPlaceBits = 14;  // words of a chunk
    static constexpr std::uint32_t kChunkWords = 1U << kPlaceBits;
    static constexpr std::uint32_t kChunksMax = 1U << (32 - kPlaceBits);
    static constexpr std::uint32_t kHeaderWords = 2;  // owner, size in bytes
    static constexpr std::uint32_t kRemoved = 0xffffffff;

    struct Chunk {
        std::unique_ptr<std::uint32_t[]> words;
        std::uint32_t capacity = 0;
        std::uint32_t used = 0;
        std::uint32_t holes = 0;
    };

    [[nodiscard]] static std::uint32_t words_of(std::size_t size) {
        return kHeaderWords + static_cast<std::uint32_t>((size + 3) / 4);
    }
    [[nodiscard]] std::uint32_t* record(Place place) {
        return chunks_[place >> kPlaceBits].words.get() + (place & (kChunkWords - 1));
    }
    [[nodiscard]] const std::uint32_t* record(Place place) const {
        return chunks_[place >> kPlaceBits].words.get() + (place & (kChunkWords - 1));
    }
    // A chunk with that much room; kNowhere when there can be no more.
    [[nodiscard]] std::uint32_t chunk_with(std::uint32_t words);
    // Returns the chunk when it should be emptied, else kNowhere.
    [[nodiscard]] std::uint32_t mark_removed(Place place);
    // Where the record at `words` went; kNowhere when there is no place.
    [[nodiscard]] Place copy(const std::uint32_t* words);
    void give_back(std::uint32_t chunk);

    template <class Moved>
    void empty(std::uint32_t index, Moved&& moved) {
        // By number: adding may move the list of chunks.
        for (std::uint32_t at = 0; at < chunks_[index].used;) {
            std::uint32_t* const record = chunks_[index].words.get() + at;
            if (record[0] != kRemoved) {
                const std::uint32_t owner = record[0];
                const Place place = copy(record);
                if (place == kNowhere) {
                    return;
                }
                record[0] = kRemoved;
                chunks_[index].holes += words_of(record[1]);
                moved(owner, place);
            }
            at += words_of(record[1]);
        }
        give_back(index);
    }

    std::vector<Chunk> chunks_;
    std::vector<std::uint32_t> free_;  // numbers of chunks given back
    std::uint32_t open_ = kNowhere;    // the chunk that takes records
    std::size_t chunk_bytes_ = 0;
    std::size_t live_words_ = 0;
};

}  // namespace kpid::storage
