#include "storage/chunked_samples.h"

#include "kpid/base/assert.h"
#include "storage/chunk_codec.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace kpid::storage {
namespace {

std::ptrdiff_t first_at_or_after(const std::vector<Timestamp>& times, Timestamp time) {
    return std::lower_bound(times.begin(), times.end(), time) - times.begin();
}

// A chunk is cut at the retention's edge only when at least this part of its time is beyond it.
constexpr int kCutParts = 4;

bool pays_to_cut(Timestamp first, Timestamp last, Timestamp cutoff) {
    return (cutoff.ms() - first.ms()) >= (last.ms() - first.ms()) / kCutParts;
}

}  // namespace

std::size_t ChunkedSamples::merge(std::span<const model::Sample> samples) {
    const std::optional<Timestamp> last = newest();
    const auto late = std::partition_point(
        samples.begin(), samples.end(),
        [&last](const model::Sample& sample) { return last && sample.time <= *last; });
    std::size_t added = 0;
    if (late != samples.begin()) {
        added = merge_late({samples.begin(), late});
    }
    for (auto sample = late; sample != samples.end(); ++sample) {
        append(*sample);
        ++added;
    }
    return added;
}

void ChunkedSamples::append(model::Sample sample) {
    if (open_.count() >= kSealedSamples) {
        seal_open();
    }
    const bool appended = open_.append(sample.time, sample.value);
    KPID_ASSERT(appended);  // It is in order, and the chunk is sealed before it is full.
}

void ChunkedSamples::seal_open() {
    Columns columns;
    columns.times.reserve(open_.count());
    columns.values.reserve(open_.count());
    open_.decode(columns.times, columns.values);
    SealedChunk chunk = seal(columns.times, columns.values);
    chunk.stored = open_stored_;
    if (open_saved_ == open_.count()) {
        chunk.save = Save::kDone;  // The disk has these very samples.
    }
    add_sealed(std::move(chunk));
    reset_open();
}

void ChunkedSamples::reset_open() {
    open_ = OpenChunk();
    open_stored_ = false;
    open_saved_ = 0;
    open_saving_ = 0;
}

void ChunkedSamples::note_gone(Timestamp first, bool stored) {
    if (stored) {
        gone_.push_back(first);
    }
}

void ChunkedSamples::add_sealed(SealedChunk chunk) {
    sealed_bytes_ += chunk.size;
    sealed_.push_back(std::move(chunk));
}

std::vector<ChunkedSamples::SealedChunk> ChunkedSamples::take_sealed(std::size_t begin) {
    const auto place = sealed_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::vector<SealedChunk> taken(std::make_move_iterator(place),
                                   std::make_move_iterator(sealed_.end()));
    sealed_.erase(place, sealed_.end());
    for (const SealedChunk& chunk : taken) {
        sealed_bytes_ -= chunk.size;
    }
    return taken;
}

ChunkedSamples::SealedChunk ChunkedSamples::seal(std::span<const Timestamp> times,
                                                 std::span<const double> values) {
    const std::string encoded = encode_chunk(times, values);
    SealedChunk chunk{.first = times.front(),
                      .last = times.back(),
                      .count = static_cast<std::uint32_t>(times.size()),
                      .size = static_cast<std::uint32_t>(encoded.size()),
                      .bytes = std::make_unique_for_overwrite<char[]>(encoded.size())};
    std::memcpy(chunk.bytes.get(), encoded.data(), encoded.size());
    return chunk;
}

void ChunkedSamples::decode(const SealedChunk& chunk, Columns& out) {
    const Result<void> decoded = decode_chunk(chunk.text(), out.times, out.values);
    KPID_ASSERT(decoded.has_value());  // seal() wrote it, and memory does not rot.
}

// What stands from the first late sample on is decoded, merged and written anew.
std::size_t ChunkedSamples::merge_late(std::span<const model::Sample> samples) {
    const std::size_t begin = chunk_at(samples.front().time);
    std::size_t end = begin;
    Columns old;
    while (end < sealed_.size() && sealed_[end].first <= samples.back().time) {
        decode(sealed_[end], old);
        ++end;
    }
    // Between two chunks a sample goes to the later one.
    const bool with_open =
        end == sealed_.size() &&
        (begin == end || (!open_.empty() && samples.back().time >= open_.first_time()));
    if (with_open) {
        open_.decode(old.times, old.values);
    }
    Columns merged;
    merged.times.reserve(old.times.size() + samples.size());
    merged.values.reserve(old.times.size() + samples.size());
    const auto put = [&merged](Timestamp time, double value) {
        merged.times.push_back(time);
        merged.values.push_back(value);
    };
    std::size_t next = 0;
    for (const model::Sample& sample : samples) {
        for (; next < old.times.size() && old.times[next] < sample.time; ++next) {
            put(old.times[next], old.values[next]);
        }
        if (next < old.times.size() && old.times[next] == sample.time) {
            ++next;
        }
        put(sample.time, sample.value);
    }
    for (; next < old.times.size(); ++next) {
        put(old.times[next], old.values[next]);
    }
    std::vector<SealedChunk> behind = take_sealed(end);
    for (const SealedChunk& chunk : take_sealed(begin)) {
        note_gone(chunk.first, chunk.stored);
    }
    if (with_open) {
        if (!open_.empty()) {
            note_gone(open_.first_time(), open_stored_);
        }
        reset_open();
        rebuild(merged.times, merged.values);
    } else {
        seal_all(merged);
        for (SealedChunk& chunk : behind) {
            add_sealed(std::move(chunk));
        }
    }
    return merged.times.size() - old.times.size();
}

void ChunkedSamples::seal_all(const Columns& columns) {
    const std::size_t total = columns.times.size();
    const std::size_t pieces = (total + kSealedSamplesMax - 1) / kSealedSamplesMax;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t begin = total * piece / pieces;
        const std::size_t count = total * (piece + 1) / pieces - begin;
        add_sealed(seal(std::span(columns.times).subspan(begin, count),
                        std::span(columns.values).subspan(begin, count)));
    }
}

void ChunkedSamples::rebuild(std::span<const Timestamp> times, std::span<const double> values) {
    std::size_t at = 0;
    for (; times.size() - at > kSealedSamples; at += kSealedSamples) {
        add_sealed(seal(times.subspan(at, kSealedSamples), values.subspan(at, kSealedSamples)));
    }
    for (; at < times.size(); ++at) {
        append({times[at], values[at]});
    }
}

std::size_t ChunkedSamples::chunk_at(Timestamp time) const {
    const auto place =
        std::partition_point(sealed_.begin(), sealed_.end(),
                             [time](const SealedChunk& chunk) { return chunk.last < time; });
    return static_cast<std::size_t>(place - sealed_.begin());
}

std::size_t ChunkedSamples::cut(Columns& columns, Timestamp cutoff) {
    const std::ptrdiff_t count = first_at_or_after(columns.times, cutoff);
    columns.times.erase(columns.times.begin(), columns.times.begin() + count);
    columns.values.erase(columns.values.begin(), columns.values.begin() + count);
    return static_cast<std::size_t>(count);
}

std::size_t ChunkedSamples::drop_before(Timestamp cutoff) {
    floor_ = std::max(floor_, cutoff);
    std::size_t dropped = 0;
    const std::size_t whole = chunk_at(cutoff);
    for (std::size_t i = 0; i < whole; ++i) {
        dropped += sealed_[i].count;
        sealed_bytes_ -= sealed_[i].size;
        note_gone(sealed_[i].first, sealed_[i].stored);
    }
    sealed_.erase(sealed_.begin(), sealed_.begin() + static_cast<std::ptrdiff_t>(whole));
    Columns columns;
    if (!sealed_.empty()) {
        SealedChunk& edge = sealed_.front();
        if (edge.first < cutoff && pays_to_cut(edge.first, edge.last, cutoff)) {
            decode(edge, columns);
            dropped += cut(columns, cutoff);
            sealed_bytes_ -= edge.size;
            note_gone(edge.first, edge.stored);
            edge = seal(columns.times, columns.values);
            sealed_bytes_ += edge.size;
        }
    } else if (!open_.empty() && open_.first_time() < cutoff &&
               (open_.last_time() < cutoff ||
                pays_to_cut(open_.first_time(), open_.last_time(), cutoff))) {
        open_.decode(columns.times, columns.values);
        dropped += cut(columns, cutoff);
        note_gone(open_.first_time(), open_stored_);
        reset_open();
        rebuild(columns.times, columns.values);
    }
    return dropped;
}

bool ChunkedSamples::copy(model::TimeRange range, std::size_t limit,
                          model::SeriesColumns& out) const {
    const Timestamp start = std::max(range.start, floor_);
    Columns found;
    for (std::size_t i = chunk_at(start); i < sealed_.size() && sealed_[i].first <= range.end;
         ++i) {
        decode(sealed_[i], found);
        // Only the first and the last chunk may hold samples outside of the range.
        constexpr std::size_t kOutsideMax = 2 * kSealedSamplesMax;
        if (found.times.size() > kOutsideMax && found.times.size() - kOutsideMax > limit) {
            return false;
        }
    }
    if (!open_.empty() && open_.first_time() <= range.end && open_.last_time() >= start) {
        open_.decode(found.times, found.values);
    }
    const std::ptrdiff_t begin = first_at_or_after(found.times, start);
    const std::ptrdiff_t end =
        std::max(begin, std::upper_bound(found.times.begin(), found.times.end(), range.end) -
                            found.times.begin());
    if (static_cast<std::size_t>(end - begin) > limit) {
        return false;
    }
    if (out.times.empty() && begin == 0 && static_cast<std::size_t>(end) == found.times.size()) {
        out.times = std::move(found.times);
        out.values = std::move(found.values);
        return true;
    }
    out.times.insert(out.times.end(), found.times.begin() + begin, found.times.begin() + end);
    out.values.insert(out.values.end(), found.values.begin() + begin, found.values.begin() + end);
    return true;
}

bool ChunkedSamples::has_samples_in(model::TimeRange range) const {
    const Timestamp start = std::max(range.start, floor_);
    const auto has_end_in = [&](Timestamp first, Timestamp last) {
        return (first >= start && first <= range.end) || (last >= start && last <= range.end);
    };
    const std::size_t place = chunk_at(start);
    if (place < sealed_.size() && has_end_in(sealed_[place].first, sealed_[place].last)) {
        return true;
    }
    if (!open_.empty() && has_end_in(open_.first_time(), open_.last_time())) {
        return true;
    }
    // The range lies within one chunk, between its ends, or holds nothing.
    model::SeriesColumns found;
    const bool fits = copy({start, range.end}, kOpenChunkSamplesMax, found);
    return !fits || !found.times.empty();
}

std::optional<double> ChunkedSamples::value_at(Timestamp time) const {
    const std::optional<Timestamp> last = newest();
    if (!last || time > *last || time < floor_) {
        return std::nullopt;
    }
    if (!open_.empty() && time == open_.last_time()) {
        return open_.last_value();
    }
    model::SeriesColumns found;
    const bool fits = copy({time, time}, 1, found);
    KPID_ASSERT(fits);
    return found.values.empty() ? std::nullopt : std::optional(found.values.front());
}

std::optional<Timestamp> ChunkedSamples::newest() const {
    if (!open_.empty()) {
        return open_.last_time();
    }
    return sealed_.empty() ? std::nullopt : std::optional(sealed_.back().last);
}

std::size_t ChunkedSamples::heap_bytes() const {
    return sealed_.capacity() * sizeof(SealedChunk) + sealed_bytes_ + open_.capacity_bytes() +
           gone_.capacity() * sizeof(Timestamp);
}

}  // namespace kpid::storage
