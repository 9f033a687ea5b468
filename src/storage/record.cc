#include "storage/record.h"

#include "kpid/base/assert.h"
#include "storage/byte_reader.h"
#include "storage/decimal.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace kpid::storage {
namespace {

constexpr std::uint8_t kRecordVersion = 3;
// Up to this one samples were two differences and the double's bits.
constexpr std::uint8_t kPlainSamplesVersion = 2;
constexpr std::uint8_t kOpenVersion = 1;
constexpr std::uint8_t kVersionVersion = 1;
constexpr std::uint8_t kMetaVersion = 1;
constexpr std::size_t kVarintBytesMax = 10;
constexpr std::size_t kValueBytes = 8;
constexpr std::size_t kKeyBytes = 8;
// The shortest sample: a head and a value of one byte.
constexpr std::size_t kSampleBytesMin = 2;
constexpr std::size_t kSampleBytesMax = 1 + 2 * kVarintBytesMax + kValueBytes;

// The head of a sample: how many decimals its value is told in, or its bits, and whether series and
// time are what they mostly are.
constexpr std::uint8_t kValueForm = 0x0F;
constexpr std::uint8_t kBits = 0x0F;
constexpr std::uint8_t kNextSeries = 0x10;
constexpr std::uint8_t kSameTime = 0x20;
constexpr std::uint8_t kHeadBits = 0x3F;
constexpr std::uint8_t kExponentMax = 9;
// Values without few decimals after which they are not looked for any more.
constexpr unsigned kMissesMax = 8;

std::uint64_t fixed_of(std::string_view little_endian) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < kValueBytes; ++i) {
        bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(little_endian[i])) << (8 * i);
    }
    return bits;
}

void put_fixed(std::string& out, std::uint64_t bits) {
    for (std::size_t i = 0; i < kValueBytes; ++i) {
        out.push_back(static_cast<char>(bits >> (8 * i)));
    }
}

void put_time(std::string& out, Timestamp time) {
    put_fixed(out, static_cast<std::uint64_t>(time.ms()));
}

Result<Timestamp> read_time(ByteReader& reader) {
    KPID_TRY(const std::string_view bytes, reader.text(kValueBytes));
    return Timestamp(static_cast<std::int64_t>(fixed_of(bytes)));
}

char* write_varint(char* out, std::uint64_t number) {
    while (number >= 0x80) {
        *out++ = static_cast<char>(number | 0x80);
        number >>= 7;
    }
    *out++ = static_cast<char>(number);
    return out;
}

// With the sign turned over, so that negative times come first.
constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;

std::uint64_t key_of(Timestamp time) {
    return static_cast<std::uint64_t>(time.ms()) ^ kSign;
}

bool has_decimals(double value, unsigned exponent) {
    const double power = kPowersOfTen[exponent];
    return fits_scaled(value, power) && same_bits(unscale(scale(value, power), power), value);
}

Result<double> read_bits(ByteReader& reader) {
    KPID_TRY(const std::string_view bytes, reader.text(kValueBytes));
    return std::bit_cast<double>(fixed_of(bytes));
}

Result<double> read_value(ByteReader& reader, std::uint8_t form) {
    if (form == kBits) {
        return read_bits(reader);
    }
    if (form > kExponentMax) {
        return damaged_entry(fmt::format("a value of form {}", form));
    }
    KPID_TRY(const std::uint64_t number, reader.varint());
    return unscale(static_cast<std::int64_t>(unzigzag(number)), kPowersOfTen[form]);
}

// What the next sample is told against.
struct SampleCursor {
    std::uint64_t series = 0;
    std::uint64_t time = 0;
};

Result<double> read_sample(ByteReader& reader, std::uint8_t version, SampleCursor& cursor) {
    std::uint8_t head = kBits;
    if (version > kPlainSamplesVersion) {
        KPID_TRY(head, reader.byte());
        if ((head & ~kHeadBits) != 0) {
            return damaged_entry(fmt::format("a sample's head {}", head));
        }
    }
    std::uint64_t difference = 1;
    if ((head & kNextSeries) == 0) {
        KPID_TRY(const std::uint64_t number, reader.varint());
        difference = unzigzag(number);
    }
    cursor.series += difference;
    if ((head & kSameTime) == 0) {
        KPID_TRY(const std::uint64_t number, reader.varint());
        cursor.time += unzigzag(number);
    }
    return read_value(reader, head & kValueForm);
}

Result<void> read_samples(ByteReader& reader, std::uint8_t version,
                          std::vector<RecordSample>& samples) {
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kRecordSamplesMax || count > reader.remaining() / kSampleBytesMin) {
        return damaged_entry("more samples than bytes");
    }
    samples.reserve(static_cast<std::size_t>(count));
    SampleCursor cursor;
    for (std::uint64_t i = 0; i < count; ++i) {
        KPID_TRY(const double value, read_sample(reader, version, cursor));
        samples.push_back(
            {SeriesId(cursor.series), Timestamp(static_cast<std::int64_t>(cursor.time)), value});
    }
    return {};
}

Result<void> read_deletion(ByteReader& reader, Record& record) {
    KPID_TRY(record.deleted_range.start, read_time(reader));
    KPID_TRY(record.deleted_range.end, read_time(reader));
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kRecordSamplesMax || count > reader.remaining()) {
        return damaged_entry("more series than bytes");
    }
    std::uint64_t series = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        KPID_TRY(const std::uint64_t difference, reader.varint());
        series += unzigzag(difference);
        record.deleted_series.emplace_back(series);
    }
    return {};
}

}  // namespace

std::string encode_key(std::uint64_t number) {
    std::string key(kKeyBytes, '\0');
    for (std::size_t i = 0; i < kKeyBytes; ++i) {
        key[kKeyBytes - 1 - i] = static_cast<char>(number >> (8 * i));
    }
    return key;
}

Result<std::uint64_t> decode_key(std::string_view key) {
    if (key.size() != kKeyBytes) {
        return damaged_entry(fmt::format("a key of {} bytes", key.size()));
    }
    std::uint64_t number = 0;
    for (const char c : key) {
        number = (number << 8) | static_cast<std::uint8_t>(c);
    }
    return number;
}

std::string encode_time_key(SeriesId series, Timestamp time) {
    return encode_key(series.value()) + encode_key(key_of(time));
}

Result<TimeKey> decode_time_key(std::string_view key) {
    if (key.size() < 2 * kKeyBytes) {
        return damaged_entry(fmt::format("a time key of {} bytes", key.size()));
    }
    KPID_TRY(const std::uint64_t series, decode_key(key.substr(0, kKeyBytes)));
    KPID_TRY(const std::uint64_t time, decode_key(key.substr(kKeyBytes, kKeyBytes)));
    return TimeKey{SeriesId(series), Timestamp(static_cast<std::int64_t>(time ^ kSign))};
}

SampleRecordWriter::SampleRecordWriter(RecordKind kind, std::size_t count) : kind_(kind) {
    constexpr std::size_t kUsualSampleBytes = 6;
    samples_.resize(count * kUsualSampleBytes + kSampleBytesMax);
}

std::uint8_t SampleRecordWriter::form_of(double value) {
    if (has_decimals(value, exponent_)) {
        return exponent_;
    }
    if (misses_ < kMissesMax) {
        for (std::uint8_t exponent = 0; exponent <= kExponentMax; ++exponent) {
            if (has_decimals(value, exponent)) {
                exponent_ = exponent;
                return exponent;
            }
        }
        ++misses_;
    }
    return kBits;
}

void SampleRecordWriter::add(SeriesId series, Timestamp time, double value) {
    if (samples_.size() - size_ < kSampleBytesMax) {
        samples_.resize(2 * samples_.size());
    }
    const auto sample_time = static_cast<std::uint64_t>(time.ms());
    const std::uint8_t form = form_of(value);
    std::uint8_t head = form;
    char* const begin = samples_.data() + size_;
    char* out = begin + 1;
    if (series.value() == series_ + 1) {
        head |= kNextSeries;
    } else {
        out = write_varint(out, zigzag(series.value() - series_));
    }
    if (sample_time == time_) {
        head |= kSameTime;
    } else {
        out = write_varint(out, zigzag(sample_time - time_));
    }
    *begin = static_cast<char>(head);
    series_ = series.value();
    time_ = sample_time;
    if (form == kBits) {
        const auto bits = std::bit_cast<std::uint64_t>(value);
        static_assert(std::endian::native == std::endian::little);
        std::memcpy(out, &bits, kValueBytes);
        out += kValueBytes;
    } else {
        const std::int64_t mantissa = scale(value, kPowersOfTen[form]);
        out = write_varint(out, zigzag(static_cast<std::uint64_t>(mantissa)));
    }
    size_ = static_cast<std::size_t>(out - samples_.data());
    ++count_;
}

std::string SampleRecordWriter::finish() {
    std::string out;
    out.reserve(2 + kVarintBytesMax + size_);
    out.push_back(static_cast<char>(kRecordVersion));
    out.push_back(static_cast<char>(kind_));
    put_varint(out, count_);
    out.append(samples_, 0, size_);
    size_ = 0;
    count_ = 0;
    series_ = 0;
    time_ = 0;
    exponent_ = 0;
    misses_ = 0;
    return out;
}

std::string encode_deletion(std::span<const SeriesId> series, model::TimeRange range) {
    KPID_ASSERT(series.size() <= kRecordSamplesMax);
    std::string out;
    out.push_back(static_cast<char>(kRecordVersion));
    out.push_back(static_cast<char>(RecordKind::kDeletion));
    put_time(out, range.start);
    put_time(out, range.end);
    put_varint(out, series.size());
    std::uint64_t before = 0;
    for (const SeriesId one : series) {
        put_varint(out, zigzag(one.value() - before));
        before = one.value();
    }
    return out;
}

Result<Record> decode_record(std::string_view bytes) {
    ByteReader reader(bytes);
    Record record;
    KPID_TRY(const std::uint8_t version, reader.version(kRecordVersion));
    if (version > 1) {  // Version 1 knew samples only.
        KPID_TRY(const std::uint8_t kind, reader.byte());
        if (kind > static_cast<std::uint8_t>(RecordKind::kDeletion)) {
            return damaged_entry(fmt::format("the kind {}", kind));
        }
        record.kind = static_cast<RecordKind>(kind);
    }
    KPID_CHECK_OK(record.kind == RecordKind::kDeletion
                      ? read_deletion(reader, record)
                      : read_samples(reader, version, record.samples));
    KPID_CHECK_OK(reader.end());
    return record;
}

std::string encode_open_entry(const OpenEntry& entry) {
    std::string out;
    out.reserve(1 + 3 * kValueBytes + entry.chunk.size());
    out.push_back(static_cast<char>(kOpenVersion));
    put_fixed(out, entry.sequence);
    put_time(out, entry.begin);
    put_time(out, entry.sealed_end);
    out.append(entry.chunk);
    return out;
}

Result<OpenEntry> decode_open_entry(std::string_view bytes) {
    ByteReader reader(bytes);
    OpenEntry entry;
    KPID_CHECK_OK(reader.version(kOpenVersion));
    KPID_TRY(const std::string_view sequence, reader.text(kValueBytes));
    entry.sequence = fixed_of(sequence);
    KPID_TRY(entry.begin, read_time(reader));
    KPID_TRY(entry.sealed_end, read_time(reader));
    KPID_TRY(entry.chunk, reader.text(reader.remaining()));
    return entry;
}

std::string encode_version_key(SeriesId series, Timestamp time, std::uint64_t order) {
    return encode_time_key(series, time) + encode_key(order);
}

std::string encode_version(const VersionRow& row) {
    std::string out;
    out.push_back(static_cast<char>(kVersionVersion));
    out.push_back(row.is_event ? '\1' : '\0');
    put_time(out, row.known);
    put_fixed(out, std::bit_cast<std::uint64_t>(row.value));
    return out;
}

Result<VersionRow> decode_version(std::string_view key, std::string_view bytes) {
    if (key.size() != 3 * kKeyBytes) {
        return damaged_entry(fmt::format("a version's key of {} bytes", key.size()));
    }
    KPID_TRY(const TimeKey place, decode_time_key(key));
    VersionRow row{.time = place.time};
    KPID_TRY(row.order, decode_key(key.substr(2 * kKeyBytes)));
    ByteReader reader(bytes);
    KPID_CHECK_OK(reader.version(kVersionVersion));
    KPID_TRY(const std::uint8_t is_event, reader.byte());
    row.is_event = is_event != 0;
    KPID_TRY(row.known, read_time(reader));
    KPID_TRY(const std::string_view value, reader.text(kValueBytes));
    row.value = std::bit_cast<double>(fixed_of(value));
    KPID_CHECK_OK(reader.end());
    return row;
}

std::string encode_meta(const StoreMeta& meta) {
    std::string out;
    out.push_back(static_cast<char>(kMetaVersion));
    put_fixed(out, meta.next_series);
    put_fixed(out, meta.next_sequence);
    put_fixed(out, meta.first_unsaved);
    put_fixed(out, meta.first_kept);
    put_time(out, meta.size_floor);
    put_time(out, meta.floor);
    put_time(out, meta.long_kept_floor);
    put_varint(out, meta.day_bytes.size());
    for (const auto& [day, size] : meta.day_bytes) {
        put_varint(out, zigzag(static_cast<std::uint64_t>(day)));
        put_varint(out, size);
    }
    return out;
}

Result<StoreMeta> decode_meta(std::string_view bytes) {
    ByteReader reader(bytes);
    StoreMeta meta;
    KPID_CHECK_OK(reader.version(kMetaVersion));
    for (std::uint64_t* number :
         {&meta.next_series, &meta.next_sequence, &meta.first_unsaved, &meta.first_kept}) {
        KPID_TRY(const std::string_view text, reader.text(kValueBytes));
        *number = fixed_of(text);
    }
    for (Timestamp* floor : {&meta.size_floor, &meta.floor, &meta.long_kept_floor}) {
        KPID_TRY(*floor, read_time(reader));
    }
    KPID_TRY(const std::uint64_t days, reader.varint());
    if (days > reader.remaining() / 2) {
        return damaged_entry("more days than bytes");
    }
    for (std::uint64_t i = 0; i < days; ++i) {
        KPID_TRY(const std::uint64_t day, reader.varint());
        KPID_TRY(const std::uint64_t size, reader.varint());
        meta.day_bytes[static_cast<std::int64_t>(unzigzag(day))] = size;
    }
    KPID_CHECK_OK(reader.end());
    return meta;
}

}  // namespace kpid::storage
