// What of a series' chunks the disk has, and how they come back from it.

#include "storage/chunk_codec.h"
#include "storage/chunked_samples.h"

#include <algorithm>
#include <utility>

namespace kpid::storage {

bool ChunkedSamples::has_unsaved_sealed() const {
    return std::any_of(sealed().begin(), sealed().end(), [](const SealedChunk& chunk) {
        return chunk.save != SealedChunk::Save::kDone;
    });
}

std::string ChunkedSamples::encode_open() const {
    if (open_.empty()) {
        return {};
    }
    SampleColumns columns;
    columns.times.reserve(open_.count());
    columns.values.reserve(open_.count());
    open_.decode(columns.times, columns.values);
    return encode_chunk(columns.times, columns.values);
}

void ChunkedSamples::note_saved() {
    if (sealed_ != nullptr) {
        for (SealedChunk& chunk : sealed_->chunks) {
            chunk.save = SealedChunk::Save::kDone;
        }
    }
    open_saved_ = static_cast<std::uint16_t>(open_.count());
}

void ChunkedSamples::note_failed() {
    if (sealed_ != nullptr) {
        for (SealedChunk& chunk : sealed_->chunks) {
            if (chunk.save == SealedChunk::Save::kNever) {
                chunk.save = SealedChunk::Save::kChanged;
            }
        }
    }
    open_saved_ = kUnknown;
}

void ChunkedSamples::note_all_unsaved() {
    if (sealed_ != nullptr) {
        for (SealedChunk& chunk : sealed_->chunks) {
            chunk.save = SealedChunk::Save::kChanged;
        }
    }
    open_saved_ = kUnknown;
}

std::size_t ChunkedSamples::evict() {
    if (sealed_ == nullptr) {
        return 0;
    }
    const std::size_t before = sealed_->bytes;
    std::vector<SealedChunk>& chunks = sealed_->chunks;
    for (const SealedChunk& chunk : chunks) {
        if (chunk.save == SealedChunk::Save::kDone) {
            evicted_end_ = std::max(evicted_end_, chunk.last);
            sealed_->bytes -= chunk.size;
        }
    }
    std::erase_if(chunks,
                  [](const SealedChunk& chunk) { return chunk.save == SealedChunk::Save::kDone; });
    const std::size_t evicted = before - sealed_->bytes;
    if (chunks.empty()) {
        sealed_.reset();
    }
    return evicted;
}

Result<void> ChunkedSamples::load_open(Timestamp begin, Timestamp sealed_end,
                                       std::string_view chunk) {
    SampleColumns columns;
    if (!chunk.empty()) {
        KPID_CHECK_OK(decode_chunk(chunk, columns.times, columns.values));
        if (columns.times.front() <= sealed_end) {
            return Error{Code::kDataLoss, "an open chunk begins before the sealed ones end"};
        }
    }
    begin_ = begin;
    evicted_end_ = sealed_end;
    replace_open(columns);
    open_.shrink();
    open_saved_ = sealed_ == nullptr ? static_cast<std::uint16_t>(open_.count()) : kUnknown;
    return {};
}

}  // namespace kpid::storage
