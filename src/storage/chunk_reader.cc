#include "storage/chunk_reader.h"

#include "storage/chunk_codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

// One past every key of this series and these times.
std::string end_key(SeriesId series, Timestamp last) {
    return last == Timestamp::max() ? encode_key(series.value() + 1)
                                    : encode_time_key(series, last + Duration(1));
}

}  // namespace

Error ChunkReader::note_damaged(LogTable table, std::string_view key, std::string_view value,
                                SeriesId series, const Error& why) const {
    ++counters_.read_failures;
    std::string what = fmt::format("an entry of {} of series {} is damaged: {}", to_string(table),
                                   series.value(), why.message);
    const MutexLock lock(mutex_);
    const bool is_known =
        std::any_of(damaged_.begin(), damaged_.end(), [key, table](const DamagedEntry& entry) {
            return entry.table == table && entry.key == key;
        });
    if (!is_known && damaged_.size() < kDamagedMax) {
        damaged_.push_back({table, std::string(key), std::string(value), what});
    }
    return Error{Code::kDataLoss, std::move(what)};
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
            return note_damaged(LogTable::kChunks, key, value, series,
                                Error{Code::kDataLoss, "its key has another time"});
        }
        if (info->first > range.end) {
            return false;
        }
        return visit({info->first, info->last, info->count, value});
    };
    return log_.scan(LogTable::kChunks, encode_time_key(series, range.start),
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
    KPID_CHECK_OK(log_.scan(LogTable::kVersions, encode_time_key(series, range.start),
                            end_key(series, range.end), visit_entry));
    return rows;
}

}  // namespace kpid::storage
