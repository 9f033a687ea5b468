#include "storage/chunk_reader.h"

#include "storage/chunk_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

// What cannot be read so often is damaged.
constexpr int kReadsMax = 3;

// One past every key of this series and these times.
std::string end_key(SeriesId series, Timestamp last) {
    return last == Timestamp::max() ? encode_key(series.value() + 1)
                                    : encode_time_key(series, last + Duration(1));
}

Error mismatch() {
    return {Code::kDataLoss, "its key has another time"};
}

// All of it, since who takes a chunk in relies on it.
Result<void> check_entry(const DamagedEntry& entry) {
    if (entry.table == LogTable::kSamples) {
        const Result<Record> record = decode_record(entry.value);
        return record ? Result<void>() : Result<void>(record.error());
    }
    if (entry.table == LogTable::kVersions) {
        const Result<VersionRow> row = decode_version(entry.key, entry.value);
        return row ? Result<void>() : Result<void>(row.error());
    }
    std::vector<Timestamp> times;
    std::vector<double> values;
    KPID_TRY(const TimeKey place, decode_time_key(entry.key));
    KPID_CHECK_OK(decode_chunk(entry.value, times, values));
    return times.back() == place.time ? Result<void>() : Result<void>(mismatch());
}

}  // namespace

void ChunkReader::remember(DamagedEntry entry) const {
    const bool is_known =
        std::any_of(damaged_.begin(), damaged_.end(), [&entry](const DamagedEntry& one) {
            return one.table == entry.table && one.key == entry.key;
        });
    if (!is_known && damaged_.size() < kDamagedMax) {
        damaged_.push_back(std::move(entry));
    }
}

Error ChunkReader::note_damaged(LogTable table, std::string_view key, std::string_view value,
                                SeriesId series, const Error& why) const {
    ++counters_.read_failures;
    std::string what = fmt::format("an entry of {} of series {} is damaged: {}", to_string(table),
                                   series.value(), why.message);
    const MutexLock lock(mutex_);
    remember({table, std::string(key), std::string(value), what});
    return Error{Code::kDataLoss, std::move(what)};
}

Result<void> ChunkReader::scan(LogTable table, SeriesId series, std::string_view begin,
                               std::string_view end, const LogVisitor& visit) const {
    bool is_visitors = false;
    Result<void> scanned = log_.scan(
        table, begin, end, [&](std::string_view key, std::string_view value) -> Result<bool> {
            Result<bool> more = visit(key, value);
            is_visitors = !more.has_value();
            return more;
        });
    if (scanned || is_visitors || scanned.error().code != Code::kDataLoss) {
        return scanned;
    }
    ++counters_.read_failures;
    std::string what = fmt::format("{} of series {} cannot be read: {}", to_string(table),
                                   series.value(), scanned.error().message);
    const MutexLock lock(mutex_);
    if (reported_.size() < kDamagedMax && reported_.insert(scanned.error().message).second) {
        remember({table, encode_key(series.value()), {}, what, DamagedEntry::Aside::kReport});
    }
    return Error{Code::kDataLoss, std::move(what)};
}

void ChunkReader::put_back(std::span<const DamagedEntry> damaged) const {
    const MutexLock lock(mutex_);
    for (const DamagedEntry& entry : damaged) {
        remember(entry);
    }
}

Result<bool> ChunkReader::is_still_damaged(DamagedEntry& entry) const {
    bool is_damaged = false;
    for (int i = 0; i < kReadsMax; ++i) {
        Result<std::optional<std::string>> value = log_.get(entry.table, entry.key);
        if (!value && value.error().code != Code::kDataLoss) {
            return std::move(value).error();
        }
        if (!value) {
            continue;
        }
        if (!value->has_value()) {
            return false;
        }
        entry.value = **std::move(value);
        if (check_entry(entry)) {
            return false;
        }
        is_damaged = true;
    }
    return is_damaged;
}

std::vector<DamagedEntry> ChunkReader::take_damaged() const {
    const MutexLock lock(mutex_);
    return std::exchange(damaged_, {});
}

Result<void> ChunkReader::visit_chunks(
    SeriesId series, model::TimeRange range,
    const std::function<Result<bool>(const ChunkOnDisk&)>& visit) const {
    const auto visit_entry = [&](std::string_view key, std::string_view value) -> Result<bool> {
        const Result<TimeKey> place = decode_time_key(key);
        const Result<ChunkInfo> info = read_chunk_header(value);
        if (!place || !info) {
            return note_damaged(LogTable::kChunks, key, value, series,
                                !place ? place.error() : info.error());
        }
        if (info->last != place->time) {
            return note_damaged(LogTable::kChunks, key, value, series, mismatch());
        }
        if (info->first > range.end) {
            return false;
        }
        return visit({info->first, info->last, info->count, value});
    };
    return scan(LogTable::kChunks, series, encode_time_key(series, range.start),
                end_key(series, Timestamp::max()), visit_entry);
}

Result<std::vector<VersionRow>> ChunkReader::versions(SeriesId series, model::TimeRange range,
                                                      std::size_t limit) const {
    std::vector<VersionRow> rows;
    const std::uint64_t readable = counters_.log_sequence;
    const auto visit_entry = [&](std::string_view key, std::string_view value) -> Result<bool> {
        Result<VersionRow> row = decode_version(key, value);
        if (!row) {
            return note_damaged(LogTable::kVersions, key, value, series, row.error());
        }
        // A write that is under way, or whose failure the disk does not know, is not readable.
        if (row->order >> kVersionOrderBits <= readable) {
            rows.push_back(*row);
        }
        return rows.size() < limit;
    };
    KPID_CHECK_OK(scan(LogTable::kVersions, series, encode_time_key(series, range.start),
                       end_key(series, range.end), visit_entry));
    return rows;
}

}  // namespace kpid::storage
