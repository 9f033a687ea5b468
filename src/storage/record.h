#pragma once
// The bytes of the log: keys, sample records and what stands beside them (grammar in README.md).

#include "kpid/base/result.h"
#include "kpid/base/strong.h"
#include "kpid/model/reader.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// A series within one log; given out in ascending order. Two may stand for one label set, never
/// the reverse.
using SeriesId = Strong<struct SeriesIdTag, std::uint64_t>;

/// One sample as the log knows it.
struct RecordSample {
    SeriesId series;
    Timestamp time;
    double value = 0;
};

/// Samples of one record; a longer group is split.
inline constexpr std::size_t kRecordSamplesMax = 65'536;

/// Eight bytes, most significant first: bytewise order is the order of numbers.
[[nodiscard]] std::string encode_key(std::uint64_t number);
/// kDataLoss when it is not eight bytes long.
[[nodiscard]] Result<std::uint64_t> decode_key(std::string_view key);

/// Sixteen bytes, in order of series, then of time.
[[nodiscard]] std::string encode_time_key(SeriesId series, Timestamp time);
struct TimeKey {
    SeriesId series;
    Timestamp time;
};
/// Of a key that begins with the sixteen bytes; kDataLoss when it is shorter.
[[nodiscard]] Result<TimeKey> decode_time_key(std::string_view key);

/// What a record tells.
enum class RecordKind : std::uint8_t {
    kExternal,  ///< Samples from outside.
    kRecorded,  ///< Samples that kpid recorded.
    kDeletion,  ///< Samples of a time were deleted.
};

/// Writes a record of samples. Values keep their bits.
class SampleRecordWriter {
public:
    /// Of one kind, not kDeletion; for about so many samples.
    SampleRecordWriter(RecordKind kind, std::size_t count);
    void add(SeriesId series, Timestamp time, double value);
    [[nodiscard]] std::size_t count() const { return count_; }
    /// The record; the writer is empty then.
    [[nodiscard]] std::string finish();

private:
    [[nodiscard]] std::uint8_t form_of(double value);

    RecordKind kind_;
    std::string samples_;
    std::size_t size_ = 0;  // of samples_ that is written
    std::size_t count_ = 0;
    std::uint64_t series_ = 0;
    std::uint64_t time_ = 0;
    std::uint8_t exponent_ = 0;  // decimals of the value before
    unsigned misses_ = 0;        // values that had none
};

struct Record {
    RecordKind kind = RecordKind::kExternal;
    std::vector<RecordSample> samples;  ///< Unless kDeletion.
    std::vector<SeriesId> deleted_series;
    model::TimeRange deleted_range;
};
/// At most kRecordSamplesMax series.
[[nodiscard]] std::string encode_deletion(std::span<const SeriesId> series, model::TimeRange range);
/// kDataLoss when the bytes are not one whole record, kUnsupported when its version is newer.
[[nodiscard]] Result<Record> decode_record(std::string_view bytes);

/// Of a series the chunk that grows, and where the sealed ones end.
struct OpenEntry {
    std::uint64_t sequence = 0;  ///< All records up to it stand in the series' chunks.
    Timestamp begin;             ///< Of the first sample.
    Timestamp sealed_end;        ///< Of the sealed chunks; Timestamp::min() when there is none.
    std::string_view chunk;      ///< Empty when no sample is open.
};
[[nodiscard]] std::string encode_open_entry(const OpenEntry& entry);
/// Borrowed from the bytes. As decode_record().
[[nodiscard]] Result<OpenEntry> decode_open_entry(std::string_view bytes);

/// One value of a total, or one event; its key is a time key, then `order`.
struct VersionRow {
    Timestamp time;
    std::uint64_t order = 0;  ///< In order of arrival.
    bool is_event = false;    ///< Stands beside others of this instant; else it replaces them.
    Timestamp known;          ///< When it came in.
    double value = 0;
};
/// Orders of rows that come with one group of records are its first sequence, then their own number
/// in this many bits, from 1. Order 0 is what was stored before there were rows.
inline constexpr unsigned kVersionOrderBits = 24;
[[nodiscard]] std::string encode_version_key(SeriesId series, Timestamp time, std::uint64_t order);
[[nodiscard]] std::string encode_version(const VersionRow& row);
[[nodiscard]] Result<VersionRow> decode_version(std::string_view key, std::string_view bytes);

/// What the storage keeps about itself, under the key of series 0.
struct StoreMeta {
    std::uint64_t next_series = 1;
    std::uint64_t next_sequence = 1;
    std::uint64_t first_unsaved = 1;          ///< Records before it stand in chunks.
    std::uint64_t first_kept = 1;             ///< Records before it were erased.
    Timestamp size_floor = Timestamp::min();  ///< Samples before it went for want of room.
    /// Samples before it are beyond the retention, or that of what is kept for long.
    Timestamp floor = Timestamp::min();
    Timestamp long_kept_floor = Timestamp::min();
    /// Bytes of chunks that were written, by the day of their last sample (days since 1970).
    std::map<std::int64_t, std::uint64_t> day_bytes;
};
[[nodiscard]] std::string encode_meta(const StoreMeta& meta);
[[nodiscard]] Result<StoreMeta> decode_meta(std::string_view bytes);

}  // namespace kpid::storage
