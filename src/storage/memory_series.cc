#include "storage/memory_series.h"

#include <algorithm>

namespace kpid::storage {
namespace {

// Room that a series keeps for what is pending.
constexpr std::size_t kPendingKept = 4;

std::int64_t difference(std::size_t after, std::size_t before) {
    return static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before);
}

auto find_pending(auto& pending, Timestamp time) {
    return std::lower_bound(
        pending.begin(), pending.end(), time,
        [](const model::Sample& sample, Timestamp t) { return sample.time < t; });
}

}  // namespace

bool MemorySeries::has_samples_in(model::TimeRange range) const {
    const MutexLock lock(mutex_);
    return samples_.has_samples_in(range);
}

bool MemorySeries::copy(model::TimeRange range, std::size_t limit,
                        model::SeriesColumns& out) const {
    const MutexLock lock(mutex_);
    return samples_.copy(range, limit, out);
}

bool MemorySeries::is_empty() const {
    const MutexLock lock(mutex_);
    return samples_.empty();
}

MemorySeries::Change MemorySeries::drop_before(Timestamp cutoff) {
    const MutexLock lock(mutex_);
    const std::size_t bytes = samples_.heap_bytes();
    const std::size_t dropped = samples_.drop_before(cutoff);
    return {-static_cast<std::int64_t>(dropped), difference(samples_.heap_bytes(), bytes)};
}

MemorySeries::Standing MemorySeries::standing_at(Timestamp time) const {
    Standing standing;
    if (!pending_.empty()) {
        standing.newest = pending_.back().time;
        if (const auto place = find_pending(pending_, time);
            place != pending_.end() && place->time == time) {
            standing.value = place->value;
        }
    }
    const MutexLock lock(mutex_);
    const std::optional<Timestamp> newest = samples_.newest();
    if (!newest) {
        return standing;
    }
    standing.newest = std::max(standing.newest.value_or(*newest), *newest);
    if (!standing.value) {
        standing.value = samples_.value_at(time);
    }
    return standing;
}

void MemorySeries::add_pending(model::Sample sample) {
    if (pending_.empty() || pending_.back().time < sample.time) {
        pending_.push_back(sample);
        return;
    }
    const auto place = find_pending(pending_, sample.time);
    if (place->time == sample.time) {
        place->value = sample.value;
    } else {
        pending_.insert(place, sample);
    }
}

MemorySeries::Change MemorySeries::merge_pending() {
    if (pending_.empty()) {
        return {};
    }
    const MutexLock lock(mutex_);
    const std::size_t bytes = samples_.heap_bytes();
    const std::size_t added = samples_.merge(pending_);
    pending_.clear();
    if (pending_.capacity() > kPendingKept) {
        pending_.shrink_to_fit();
    }
    return {static_cast<std::int64_t>(added), difference(samples_.heap_bytes(), bytes)};
}

bool MemorySeries::has_unsaved() const {
    const MutexLock lock(mutex_);
    return samples_.has_unsaved();
}

bool MemorySeries::has_stored() const {
    const MutexLock lock(mutex_);
    return samples_.has_stored();
}

std::vector<ChunkedSamples::SavedChunk> MemorySeries::collect_unsaved() {
    const MutexLock lock(mutex_);
    return samples_.collect_unsaved();
}

void MemorySeries::end_save(bool succeeded) {
    const MutexLock lock(mutex_);
    if (succeeded) {
        samples_.save_succeeded();
    } else {
        samples_.save_failed();
    }
}

Result<MemorySeries::Change> MemorySeries::load_chunk(std::string_view bytes) {
    const MutexLock lock(mutex_);
    const std::size_t before = samples_.heap_bytes();
    KPID_TRY(const std::size_t loaded, samples_.load(bytes));
    return Change{static_cast<std::int64_t>(loaded), difference(samples_.heap_bytes(), before)};
}

MemorySeries::Change MemorySeries::finish_loading() {
    const MutexLock lock(mutex_);
    const std::size_t before = samples_.heap_bytes();
    samples_.finish_loading();
    return {0, difference(samples_.heap_bytes(), before)};
}

}  // namespace kpid::storage
