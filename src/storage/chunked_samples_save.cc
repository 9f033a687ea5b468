// What of a series' chunks the disk has, and how they come back from it.

#include "storage/chunk_codec.h"
#include "storage/chunked_samples.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace kpid::storage {

std::vector<ChunkedSamples::SavedChunk> ChunkedSamples::collect_unsaved() {
    std::vector<SavedChunk> changes;
    changes.reserve(gone_.size() + 1);
    for (const Timestamp first : gone_) {
        changes.push_back({first, std::nullopt});
    }
    gone_saving_ = static_cast<std::uint32_t>(gone_.size());
    for (SealedChunk& chunk : sealed_) {
        if (chunk.save == Save::kNeeded) {
            changes.push_back({chunk.first, std::string(chunk.text())});
            chunk.save = Save::kRunning;
            chunk.stored = true;
        }
    }
    if (open_.count() != open_saved_) {
        Columns columns;
        open_.decode(columns.times, columns.values);
        changes.push_back({open_.first_time(), encode_chunk(columns.times, columns.values)});
        open_saving_ = static_cast<std::uint16_t>(open_.count());
        open_stored_ = true;
    }
    return changes;
}

void ChunkedSamples::save_succeeded() {
    gone_.erase(gone_.begin(), gone_.begin() + gone_saving_);
    gone_saving_ = 0;
    for (SealedChunk& chunk : sealed_) {
        if (chunk.save == Save::kRunning) {
            chunk.save = Save::kDone;
        }
    }
    if (open_saving_ != 0) {
        open_saved_ = std::exchange(open_saving_, std::uint16_t{0});
    }
}

void ChunkedSamples::save_failed() {
    gone_saving_ = 0;
    for (SealedChunk& chunk : sealed_) {
        if (chunk.save == Save::kRunning) {
            chunk.save = Save::kNeeded;
        }
    }
    open_saving_ = 0;
}

bool ChunkedSamples::has_unsaved() const {
    // Chunks are sealed and rewritten at the end mostly.
    return !gone_.empty() || open_.count() != open_saved_ ||
           std::any_of(sealed_.rbegin(), sealed_.rend(),
                       [](const SealedChunk& chunk) { return chunk.save != Save::kDone; });
}

bool ChunkedSamples::has_stored() const {
    return !gone_.empty() || open_stored_ ||
           std::any_of(sealed_.begin(), sealed_.end(),
                       [](const SealedChunk& chunk) { return chunk.stored; });
}

Result<std::size_t> ChunkedSamples::load(std::string_view bytes) {
    KPID_TRY(const ChunkInfo info, read_chunk_header(bytes));
    if (!sealed_.empty() && info.first <= sealed_.back().last) {
        return Error{Code::kDataLoss, "a chunk begins before the one before it ends"};
    }
    SealedChunk chunk{.first = info.first,
                      .last = info.last,
                      .count = static_cast<std::uint32_t>(info.count),
                      .size = static_cast<std::uint32_t>(bytes.size()),
                      .bytes = std::make_unique_for_overwrite<char[]>(bytes.size()),
                      .save = Save::kDone,
                      .stored = true};
    std::memcpy(chunk.bytes.get(), bytes.data(), bytes.size());
    add_sealed(std::move(chunk));
    return info.count;
}

void ChunkedSamples::finish_loading() {
    if (sealed_.empty() || !open_.empty() || sealed_.back().count >= kSealedSamples) {
        return;
    }
    Columns columns;
    for (const SealedChunk& chunk : take_sealed(sealed_.size() - 1)) {
        decode(chunk, columns);
    }
    rebuild(columns.times, columns.values);
    open_stored_ = true;
    open_saved_ = static_cast<std::uint16_t>(open_.count());
}

}  // namespace kpid::storage
