#include "storage/record_arena.h"

#include "storage/series_ref.h"

#include <algorithm>

namespace kpid::storage {

std::uint32_t RecordArena::chunk_with(std::uint32_t words) {
    if (words <= kChunkWords && open_ != kNowhere &&
        chunks_[open_].capacity - chunks_[open_].used >= words) {
        return open_;
    }
    std::uint32_t index = 0;
    if (!free_.empty()) {
        index = free_.back();
        free_.pop_back();
    } else if (chunks_.size() < kChunksMax - 1) {  // The last would hold kNowhere.
        index = static_cast<std::uint32_t>(chunks_.size());
        chunks_.emplace_back();
    } else {
        return kNowhere;
    }
    Chunk& chunk = chunks_[index];
    chunk.capacity = std::max(words, kChunkWords);
    chunk.words = std::make_unique_for_overwrite<std::uint32_t[]>(chunk.capacity);
    chunk_bytes_ += heap_bytes_of(chunk.capacity * sizeof(std::uint32_t));
    if (words <= kChunkWords) {
        open_ = index;
    }
    return index;
}

RecordArena::Place RecordArena::add(std::uint32_t owner, std::size_t size) {
    if (size > kRecordBytesMax) {
        return kNowhere;
    }
    const std::uint32_t words = words_of(size);
    const std::uint32_t index = chunk_with(words);
    if (index == kNowhere) {
        return kNowhere;
    }
    Chunk& chunk = chunks_[index];
    const Place place = index << kPlaceBits | chunk.used;
    std::uint32_t* const record = chunk.words.get() + chunk.used;
    record[0] = owner;
    record[1] = static_cast<std::uint32_t>(size);
    chunk.used += words;
    live_words_ += words;
    return place;
}

char* RecordArena::data(Place place) {
    return reinterpret_cast<char*>(words(place));
}

std::string_view RecordArena::read(Place place) const {
    return {reinterpret_cast<const char*>(words(place)), size_of(place)};
}

std::uint32_t RecordArena::mark_removed(Place place) {
    const std::uint32_t index = place >> kPlaceBits;
    Chunk& chunk = chunks_[index];
    std::uint32_t* const removed = record(place);
    removed[0] = kRemoved;
    const std::uint32_t words = words_of(removed[1]);
    chunk.holes += words;
    live_words_ -= words;
    if (chunk.holes == chunk.used) {
        give_back(index);
        return kNowhere;
    }
    return index != open_ && chunk.holes > chunk.capacity / 2 ? index : kNowhere;
}

RecordArena::Place RecordArena::copy(const std::uint32_t* from) {
    const Place place = add(from[0], from[1]);
    if (place != kNowhere) {
        const std::uint32_t count = words_of(from[1]) - kHeaderWords;
        std::copy_n(from + kHeaderWords, count, words(place));
        live_words_ -= words_of(from[1]);  // It lives once.
    }
    return place;
}

void RecordArena::give_back(std::uint32_t index) {
    Chunk& chunk = chunks_[index];
    if (index == open_ && live_words_ != 0) {
        chunk.used = 0;
        chunk.holes = 0;
        return;
    }
    open_ = index == open_ ? kNowhere : open_;
    chunk_bytes_ -= heap_bytes_of(chunk.capacity * sizeof(std::uint32_t));
    chunk = {};
    free_.push_back(index);
}

std::size_t RecordArena::bytes() const {
    return chunk_bytes_ + heap_bytes_of(chunks_.capacity() * sizeof(Chunk)) +
           heap_bytes_of(free_.capacity() * sizeof(std::uint32_t));
}

}  // namespace kpid::storage
