#include "storage/chunked_samples.h"

#include "kpid/base/assert.h"
#include "storage/chunk_codec.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace kpid::storage {
namespace {

using SealedChunk = ChunkedSamples::SealedChunk;

std::ptrdiff_t first_at_or_after(const std::vector<Timestamp>& times, Timestamp time) {
    return std::lower_bound(times.begin(), times.end(), time) - times.begin();
}

// Both, in order of time; of two samples at one instant the newer one. Returns how many instants
// the older ones lack.
std::size_t merge(const SampleColumns& older, std::span<const model::Sample> newer,
                  SampleColumns& out) {
    out.times.reserve(older.times.size() + newer.size());
    out.values.reserve(older.times.size() + newer.size());
    const auto put = [&out](Timestamp time, double value) {
        out.times.push_back(time);
        out.values.push_back(value);
    };
    std::size_t next = 0;
    for (const model::Sample& sample : newer) {
        for (; next < older.times.size() && older.times[next] < sample.time; ++next) {
            put(older.times[next], older.values[next]);
        }
        if (next < older.times.size() && older.times[next] == sample.time) {
            ++next;
        }
        put(sample.time, sample.value);
    }
    for (; next < older.times.size(); ++next) {
        put(older.times[next], older.values[next]);
    }
    return out.times.size() - older.times.size();
}

std::size_t erase_range(SampleColumns& columns, model::TimeRange range) {
    const std::ptrdiff_t begin = first_at_or_after(columns.times, range.start);
    const std::ptrdiff_t end =
        std::max(begin, std::upper_bound(columns.times.begin(), columns.times.end(), range.end) -
                            columns.times.begin());
    columns.times.erase(columns.times.begin() + begin, columns.times.begin() + end);
    columns.values.erase(columns.values.begin() + begin, columns.values.begin() + end);
    return static_cast<std::size_t>(end - begin);
}

bool touches(Timestamp first, Timestamp last, model::TimeRange range) {
    return first <= range.end && last >= range.start;
}

}  // namespace

void ChunkedSamples::append(Timestamp time, double value) {
    if (open_.count() >= kSealedSamples) {
        seal_open();
    }
    if (open_.empty()) {
        begin_ = std::min(begin_, time);
    }
    const bool appended = open_.append(time, value);
    KPID_ASSERT(appended);  // It is in order, and the chunk is sealed before it is full.
}

void ChunkedSamples::seal_open() {
    SampleColumns columns;
    columns.times.reserve(open_.count());
    columns.values.reserve(open_.count());
    open_.decode(columns.times, columns.values);
    put_sealed(sealed().size(), seal(columns.times, columns.values, SealedChunk::Save::kNever));
    open_ = OpenChunk();
    open_saved_ = kUnknown;
}

void ChunkedSamples::put_sealed(std::size_t at, SealedChunk chunk) {
    if (sealed_ == nullptr) {
        sealed_ = std::make_unique<Sealed>();
    }
    sealed_->bytes += chunk.size;
    sealed_->chunks.insert(sealed_->chunks.begin() + static_cast<std::ptrdiff_t>(at),
                           std::move(chunk));
}

void ChunkedSamples::remove_sealed(std::size_t at) {
    sealed_->bytes -= sealed_->chunks[at].size;
    sealed_->chunks.erase(sealed_->chunks.begin() + static_cast<std::ptrdiff_t>(at));
    if (sealed_->chunks.empty()) {
        sealed_.reset();
    }
}

SealedChunk ChunkedSamples::seal(std::span<const Timestamp> times, std::span<const double> values,
                                 SealedChunk::Save save) {
    const std::string encoded = encode_chunk(times, values);
    SealedChunk chunk{.first = times.front(),
                      .last = times.back(),
                      .count = static_cast<std::uint32_t>(times.size()),
                      .size = static_cast<std::uint32_t>(encoded.size()),
                      .bytes = std::make_unique_for_overwrite<char[]>(encoded.size()),
                      .save = save};
    std::memcpy(chunk.bytes.get(), encoded.data(), encoded.size());
    return chunk;
}

void ChunkedSamples::decode(const SealedChunk& chunk, SampleColumns& out) {
    const Result<void> decoded = decode_chunk(chunk.text(), out.times, out.values);
    KPID_ASSERT(decoded.has_value());  // It was sealed here or checked when it came in.
}

std::size_t ChunkedSamples::chunk_at(Timestamp time) const {
    const std::span<const SealedChunk> chunks = sealed();
    const auto place =
        std::partition_point(chunks.begin(), chunks.end(),
                             [time](const SealedChunk& chunk) { return chunk.last < time; });
    return static_cast<std::size_t>(place - chunks.begin());
}

// Between two chunks a sample goes to the later one.
bool ChunkedSamples::is_in_open(Timestamp time) const {
    return time > sealed_end();
}

Timestamp ChunkedSamples::sealed_end() const {
    const std::span<const SealedChunk> chunks = sealed();
    return chunks.empty() ? evicted_end_ : std::max(evicted_end_, chunks.back().last);
}

bool ChunkedSamples::needs_chunk(Timestamp time) const {
    if (time > evicted_end_) {
        return false;
    }
    const std::size_t place = chunk_at(time);
    return place == sealed().size() || sealed()[place].first > time;
}

void ChunkedSamples::bring_in(std::string_view bytes, Timestamp first, Timestamp last,
                              std::size_t count) {
    const std::size_t place = chunk_at(first);
    const bool is_covered = (place < sealed().size() && sealed()[place].first <= last) ||
                            (!open_.empty() && open_.first_time() <= last);
    if (is_covered) {
        return;
    }
    SealedChunk chunk{.first = first,
                      .last = last,
                      .count = static_cast<std::uint32_t>(count),
                      .size = static_cast<std::uint32_t>(bytes.size()),
                      .bytes = std::make_unique_for_overwrite<char[]>(bytes.size()),
                      .save = SealedChunk::Save::kDone};
    std::memcpy(chunk.bytes.get(), bytes.data(), bytes.size());
    put_sealed(place, std::move(chunk));
}

std::size_t ChunkedSamples::merge_late(std::span<const model::Sample> samples) {
    ++rewrites_;
    if (samples.front().time < begin_) {
        begin_ = samples.front().time;
        open_saved_ = kUnknown;  // It is saved with the open chunk.
    }
    std::size_t added = 0;
    while (!samples.empty()) {
        SampleColumns old;
        SampleColumns merged;
        if (is_in_open(samples.front().time)) {
            open_.decode(old.times, old.values);
            added += merge(old, samples, merged);
            replace_open(merged);
            return added;
        }
        const std::size_t place = chunk_at(samples.front().time);
        KPID_ASSERT(place < sealed().size());  // It was brought in.
        const Timestamp last = sealed()[place].last;
        const auto end = std::partition_point(
            samples.begin(), samples.end(),
            [last](const model::Sample& sample) { return sample.time <= last; });
        decode(sealed()[place], old);
        added += merge(old, {samples.begin(), end}, merged);
        replace_sealed(place, merged);
        samples = {end, samples.end()};
    }
    return added;
}

void ChunkedSamples::replace_open(const SampleColumns& columns) {
    open_ = OpenChunk();
    open_saved_ = kUnknown;
    for (std::size_t i = 0; i < columns.times.size(); ++i) {
        append(columns.times[i], columns.values[i]);
    }
}

void ChunkedSamples::replace_sealed(std::size_t at, const SampleColumns& columns) {
    remove_sealed(at);
    const std::size_t total = columns.times.size();
    const std::size_t pieces = (total + kSealedSamplesMax - 1) / kSealedSamplesMax;
    for (std::size_t piece = 0; piece < pieces; ++piece) {
        const std::size_t begin = total * piece / pieces;
        const std::size_t count = total * (piece + 1) / pieces - begin;
        put_sealed(at + piece, seal(std::span(columns.times).subspan(begin, count),
                                    std::span(columns.values).subspan(begin, count),
                                    SealedChunk::Save::kChanged));
    }
}

std::size_t ChunkedSamples::erase(model::TimeRange range) {
    ++rewrites_;
    std::size_t erased = 0;
    for (std::size_t place = chunk_at(range.start);
         place < sealed().size() && sealed()[place].first <= range.end;) {
        SampleColumns columns;
        decode(sealed()[place], columns);
        const std::size_t before = sealed().size();
        const std::size_t gone = erase_range(columns, range);
        erased += gone;
        if (gone > 0) {
            replace_sealed(place, columns);
        } else {
            // Whoever erases the range on the disk erases this one there.
            sealed_->chunks[place].save = SealedChunk::Save::kChanged;
        }
        place += 1 + sealed().size() - before;
    }
    if (!open_.empty() && touches(open_.first_time(), open_.last_time(), range)) {
        SampleColumns columns;
        open_.decode(columns.times, columns.values);
        erased += erase_range(columns, range);
        replace_open(columns);
    }
    open_saved_ = kUnknown;
    return erased;
}

ChunkedSamples ChunkedSamples::copy() const {
    ChunkedSamples other;
    SampleColumns columns;
    open_.decode(columns.times, columns.values);
    for (std::size_t i = 0; i < columns.times.size(); ++i) {
        const bool appended = other.open_.append(columns.times[i], columns.values[i]);
        KPID_ASSERT(appended);  // They were in a chunk of this kind.
    }
    for (const SealedChunk& chunk : sealed()) {
        SealedChunk twin{.first = chunk.first,
                         .last = chunk.last,
                         .count = chunk.count,
                         .size = chunk.size,
                         .bytes = std::make_unique_for_overwrite<char[]>(chunk.size),
                         .save = chunk.save};
        std::memcpy(twin.bytes.get(), chunk.bytes.get(), chunk.size);
        other.put_sealed(other.sealed().size(), std::move(twin));
    }
    other.begin_ = begin_;
    other.evicted_end_ = evicted_end_;
    other.open_saved_ = open_saved_;
    other.rewrites_ = rewrites_;
    return other;
}

std::size_t ChunkedSamples::drop_before(Timestamp cutoff) {
    std::size_t dropped = 0;
    while (!sealed().empty() && sealed().front().last < cutoff) {
        dropped += sealed().front().count;
        remove_sealed(0);
    }
    begin_ = begin_ == Timestamp::max() ? begin_ : std::max(begin_, cutoff);
    return dropped;
}

ChunkedSamples::InMemory ChunkedSamples::read(model::TimeRange range, SampleColumns reused) const {
    InMemory found;
    found.columns = std::move(reused);
    found.columns.times.clear();
    found.columns.values.clear();
    const std::span<const SealedChunk> chunks = sealed();
    for (std::size_t i = chunk_at(range.start); i < chunks.size() && chunks[i].first <= range.end;
         ++i) {
        found.pieces.push_back({{chunks[i].first, chunks[i].last}, found.columns.times.size()});
        decode(chunks[i], found.columns);
    }
    if (!open_.empty() && touches(open_.first_time(), open_.last_time(), range)) {
        found.pieces.push_back(
            {{open_.first_time(), open_.last_time()}, found.columns.times.size()});
        open_.decode(found.columns.times, found.columns.values, range.start);
    }
    found.needs_disk = range.start <= evicted_end_ && range.end >= begin_;
    return found;
}

bool ChunkedSamples::read_after(Timestamp time, SampleColumns& columns) const {
    if (open_.empty()) {
        return sealed_end() <= time;
    }
    if (open_.last_time() <= time) {
        return true;
    }
    const std::optional<Timestamp> before = open_.time_before_last();
    const bool has_one_more = before ? *before <= time : open_.count() == 1 && sealed_end() <= time;
    if (has_one_more) {
        columns.times.push_back(open_.last_time());
        columns.values.push_back(open_.last_value());
        return true;
    }
    if (open_.first_time() > time && sealed_end() > time) {
        return false;
    }
    open_.decode(columns.times, columns.values, time + Duration(1));
    return true;
}

std::optional<double> ChunkedSamples::value_at(Timestamp time) const {
    if (!open_.empty() && time == open_.last_time()) {
        return open_.last_value();
    }
    const InMemory found = read({time, time});
    const auto place = static_cast<std::size_t>(first_at_or_after(found.columns.times, time));
    return place < found.columns.times.size() && found.columns.times[place] == time
               ? std::optional(found.columns.values[place])
               : std::nullopt;
}

std::optional<Timestamp> ChunkedSamples::newest() const {
    if (!open_.empty()) {
        return open_.last_time();
    }
    const Timestamp end = sealed_end();
    return end == Timestamp::min() ? std::nullopt : std::optional(end);
}

bool ChunkedSamples::may_have_samples_in(model::TimeRange range) const {
    const std::optional<Timestamp> end = newest();
    return end && touches(begin_, *end, range);
}

std::size_t ChunkedSamples::samples_in_memory() const {
    std::size_t count = open_.count();
    for (const SealedChunk& chunk : sealed()) {
        count += chunk.count;
    }
    return count;
}

std::size_t ChunkedSamples::heap_bytes() const {
    const std::size_t sealed_bytes =
        sealed_ ? sizeof(Sealed) + sealed_->chunks.capacity() * sizeof(SealedChunk) + sealed_->bytes
                : 0;
    return sealed_bytes + open_.capacity_bytes();
}

}  // namespace kpid::storage
