#include "storage/series_reader.h"

#include "storage/chunk_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

using Piece = ChunkedSamples::InMemory::Piece;

// Only the first and the last chunk may hold samples outside of a range.
constexpr std::size_t kOutsideMax = 2 * kSealedSamplesMax;

Error too_many(std::size_t limit) {
    return resource_exhausted(fmt::format("a series has more than {} samples", limit));
}

bool is_beyond(std::size_t count, std::size_t limit) {
    return count > kOutsideMax && count - kOutsideMax > limit;
}

// Chunks in order of time; what an earlier one reaches already is left out of a later one.
void append_after(const SampleColumns& from, std::size_t begin, std::size_t end,
                  SampleColumns& out) {
    const auto first = from.times.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last = from.times.begin() + static_cast<std::ptrdiff_t>(end);
    const auto fresh = out.times.empty() ? first : std::upper_bound(first, last, out.times.back());
    out.times.insert(out.times.end(), fresh, last);
    out.values.insert(out.values.end(), from.values.begin() + (fresh - from.times.begin()),
                      from.values.begin() + static_cast<std::ptrdiff_t>(end));
}

// Cuts the columns to the range.
void cut(SampleColumns& columns, model::TimeRange range) {
    const auto end = std::upper_bound(columns.times.begin(), columns.times.end(), range.end) -
                     columns.times.begin();
    columns.times.resize(static_cast<std::size_t>(end));
    columns.values.resize(static_cast<std::size_t>(end));
    const auto begin = std::lower_bound(columns.times.begin(), columns.times.end(), range.start) -
                       columns.times.begin();
    columns.times.erase(columns.times.begin(), columns.times.begin() + begin);
    columns.values.erase(columns.values.begin(), columns.values.begin() + begin);
}

// The rows of one instant that are known, as samples.
void add_instant(std::span<const VersionRow> rows, std::optional<Timestamp> known_at,
                 SampleColumns& out) {
    const VersionRow* newest_total = nullptr;
    for (const VersionRow& row : rows) {
        if (known_at && row.known > *known_at) {
            continue;
        }
        if (row.is_event) {
            out.times.push_back(row.time);
            out.values.push_back(row.value);
        } else {
            newest_total = &row;
        }
    }
    if (newest_total != nullptr) {
        out.times.push_back(newest_total->time);
        out.values.push_back(newest_total->value);
    }
}

}  // namespace

Result<void> SeriesReader::read(const MemorySeries& series, model::TimeRange range,
                                std::optional<Timestamp> known_at, std::size_t limit,
                                model::SeriesColumns& out) const {
    SampleColumns columns{std::move(out.times), std::move(out.values)};  // for their memory
    KPID_CHECK_OK(read_chunks(series, range, limit, columns));
    bool has_versions = false;
    {
        const MutexLock lock(index_.lock_of(series));
        has_versions = series.has_versions;
    }
    if (has_versions) {
        KPID_CHECK_OK(add_versions(series, range, known_at, limit, columns));
    } else if (known_at && *known_at < range.end) {
        cut(columns, {range.start, *known_at});
    }
    if (columns.times.size() > limit) {
        return too_many(limit);
    }
    out.times = std::move(columns.times);
    out.values = std::move(columns.values);
    return {};
}

Result<void> SeriesReader::read_chunks(const MemorySeries& series, model::TimeRange range,
                                       std::size_t limit, SampleColumns& out) const {
    ChunkedSamples::InMemory memory;
    {
        const MutexLock lock(index_.lock_of(series));
        memory = series.samples.read(range, std::move(out));
    }
    if (is_beyond(memory.columns.times.size(), limit)) {
        return too_many(limit);
    }
    if (!memory.needs_disk) {
        out = std::move(memory.columns);
        cut(out, range);
        return {};
    }
    out = SampleColumns();
    const std::vector<Piece>& pieces = memory.pieces;
    std::size_t next = 0;
    const auto take_memory_before = [&](Timestamp time) {
        for (; next < pieces.size() && pieces[next].covers.start < time; ++next) {
            const std::size_t end =
                next + 1 < pieces.size() ? pieces[next + 1].begin : memory.columns.times.size();
            append_after(memory.columns, pieces[next].begin, end, out);
        }
    };
    const auto visit = [&](const ChunkOnDisk& chunk) -> Result<bool> {
        const bool is_covered =
            std::any_of(pieces.begin(), pieces.end(), [&chunk](const Piece& piece) {
                return piece.covers.start <= chunk.last && piece.covers.end >= chunk.first;
            });
        if (is_covered) {
            return true;
        }
        take_memory_before(chunk.first);
        const bool follows = out.times.empty() || out.times.back() < chunk.first;
        SampleColumns aside;
        SampleColumns& decoded = follows ? out : aside;
        if (const auto read = decode_chunk(chunk.bytes, decoded.times, decoded.values); !read) {
            return chunks_.note_damaged(series.id, chunk, read.error());
        }
        if (!follows) {
            append_after(aside, 0, aside.times.size(), out);
        }
        if (is_beyond(out.times.size(), limit)) {
            return too_many(limit);
        }
        return true;
    };
    KPID_CHECK_OK(chunks_.visit_chunks(series.id, range, visit));
    take_memory_before(Timestamp::max());
    cut(out, range);
    return {};
}

Result<void> SeriesReader::add_versions(const MemorySeries& series, model::TimeRange range,
                                        std::optional<Timestamp> known_at, std::size_t limit,
                                        SampleColumns& columns) const {
    const std::size_t rows_max = limit + 1 == 0 ? limit : limit + 1;
    KPID_TRY(const std::vector<VersionRow> rows, chunks_.versions(series.id, range, rows_max));
    if (rows.size() > limit) {
        return too_many(limit);
    }
    SampleColumns merged;
    std::size_t at = 0;
    const auto take_chunks_before = [&](Timestamp time) {
        for (; at < columns.times.size() && columns.times[at] < time; ++at) {
            // Without rows a sample is known since its own time.
            if (!known_at || columns.times[at] <= *known_at) {
                merged.times.push_back(columns.times[at]);
                merged.values.push_back(columns.values[at]);
            }
        }
    };
    for (std::size_t begin = 0; begin < rows.size();) {
        std::size_t end = begin;
        while (end < rows.size() && rows[end].time == rows[begin].time) {
            ++end;
        }
        take_chunks_before(rows[begin].time);
        if (at < columns.times.size() && columns.times[at] == rows[begin].time) {
            ++at;  // The rows tell more.
        }
        add_instant(std::span(rows).subspan(begin, end - begin), known_at, merged);
        begin = end;
    }
    take_chunks_before(Timestamp::max());
    // The end of time has no time after it.
    if (at < columns.times.size() && (!known_at || columns.times[at] <= *known_at)) {
        merged.times.push_back(columns.times[at]);
        merged.values.push_back(columns.values[at]);
    }
    columns = std::move(merged);
    return {};
}

}  // namespace kpid::storage
