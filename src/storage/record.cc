#include "storage/record.h"

#include "kpid/base/assert.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

namespace kpid::storage {
namespace {

constexpr std::uint8_t kRecordVersion = 2;
constexpr std::uint8_t kDefinitionVersion = 1;
constexpr std::uint8_t kOpenVersion = 1;
constexpr std::uint8_t kVersionVersion = 1;
constexpr std::uint8_t kMetaVersion = 1;
constexpr std::size_t kVarintBytesMax = 10;
constexpr std::size_t kValueBytes = 8;
constexpr std::size_t kKeyBytes = 8;
// The shortest sample: one byte of series, one of time, the value.
constexpr std::size_t kSampleBytesMin = 2 + kValueBytes;
constexpr unsigned kVarintBits = 64;

Error damaged(std::string_view what) {
    return Error{Code::kDataLoss, fmt::format("damaged log record: {}", what)};
}

void put_varint(std::string& out, std::uint64_t number) {
    while (number >= 0x80) {
        out.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    out.push_back(static_cast<char>(number));
}

// Small differences of either sign become small numbers. Unsigned, so that any difference is
// defined.
std::uint64_t zigzag(std::uint64_t difference) {
    const std::uint64_t sign = (difference >> 63) != 0 ? ~std::uint64_t{0} : 0;
    return (difference << 1) ^ sign;
}

std::uint64_t unzigzag(std::uint64_t number) {
    const std::uint64_t sign = (number & 1) != 0 ? ~std::uint64_t{0} : 0;
    return (number >> 1) ^ sign;
}

// Reads from the front of the bytes; every read fails when they end early.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    Result<std::uint8_t> byte() {
        if (rest_.empty()) {
            return damaged("it ends early");
        }
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }

    Result<std::uint64_t> varint() {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < kVarintBits; shift += 7) {
            KPID_TRY(const std::uint8_t next, byte());
            const std::uint64_t bits = next & 0x7FU;
            if (shift == 63 && bits > 1) {
                return damaged("a number above 64 bits");
            }
            number |= bits << shift;
            if ((next & 0x80U) == 0) {
                return number;
            }
        }
        return damaged("a number above 64 bits");
    }

    Result<std::string_view> text(std::uint64_t size) {
        if (size > rest_.size()) {
            return damaged("it ends early");
        }
        const std::string_view value = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return value;
    }

    [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

private:
    std::string_view rest_;
};

Result<void> check_version(ByteReader& reader, std::uint8_t newest) {
    KPID_TRY(const std::uint8_t version, reader.byte());
    if (version > newest) {
        return unsupported(
            fmt::format("log record of version {}; this program reads up to {}", version, newest));
    }
    if (version == 0) {
        return damaged("version 0");
    }
    return {};
}

std::uint64_t bits_of(std::string_view little_endian) {
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
    return Timestamp(static_cast<std::int64_t>(bits_of(bytes)));
}

Result<void> check_end(const ByteReader& reader) {
    return reader.remaining() == 0 ? Result<void>() : damaged("bytes after its end");
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

Result<void> read_samples(ByteReader& reader, std::vector<RecordSample>& samples) {
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kRecordSamplesMax || count > reader.remaining() / kSampleBytesMin) {
        return damaged("more samples than bytes");
    }
    samples.reserve(static_cast<std::size_t>(count));
    std::uint64_t series = 0;
    std::uint64_t time = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
        KPID_TRY(const std::uint64_t series_difference, reader.varint());
        KPID_TRY(const std::uint64_t time_difference, reader.varint());
        KPID_TRY(const std::string_view value, reader.text(kValueBytes));
        series += unzigzag(series_difference);
        time += unzigzag(time_difference);
        samples.push_back({SeriesId(series), Timestamp(static_cast<std::int64_t>(time)),
                           std::bit_cast<double>(bits_of(value))});
    }
    return {};
}

Result<void> read_deletion(ByteReader& reader, Record& record) {
    KPID_TRY(record.deleted_range.start, read_time(reader));
    KPID_TRY(record.deleted_range.end, read_time(reader));
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kRecordSamplesMax || count > reader.remaining()) {
        return damaged("more series than bytes");
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
        return damaged(fmt::format("a key of {} bytes", key.size()));
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
        return damaged(fmt::format("a time key of {} bytes", key.size()));
    }
    KPID_TRY(const std::uint64_t series, decode_key(key.substr(0, kKeyBytes)));
    KPID_TRY(const std::uint64_t time, decode_key(key.substr(kKeyBytes, kKeyBytes)));
    return TimeKey{SeriesId(series), Timestamp(static_cast<std::int64_t>(time ^ kSign))};
}

SampleRecordWriter::SampleRecordWriter(RecordKind kind, std::size_t count) : kind_(kind) {
    constexpr std::size_t kUsualSampleBytes = 12;
    samples_.resize(count * kUsualSampleBytes + 2 * kVarintBytesMax + kValueBytes);
}

void SampleRecordWriter::add(SeriesId series, Timestamp time, double value) {
    if (samples_.size() - size_ < 2 * kVarintBytesMax + kValueBytes) {
        samples_.resize(2 * samples_.size());
    }
    const auto sample_time = static_cast<std::uint64_t>(time.ms());
    char* out = samples_.data() + size_;
    out = write_varint(out, zigzag(series.value() - series_));
    out = write_varint(out, zigzag(sample_time - time_));
    series_ = series.value();
    time_ = sample_time;
    const auto bits = std::bit_cast<std::uint64_t>(value);
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(out, &bits, kValueBytes);
    size_ = static_cast<std::size_t>(out - samples_.data()) + kValueBytes;
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
    KPID_CHECK_OK(check_version(reader, kRecordVersion));
    if (bytes.front() != 1) {  // Version 1 knew samples only.
        KPID_TRY(const std::uint8_t kind, reader.byte());
        if (kind > static_cast<std::uint8_t>(RecordKind::kDeletion)) {
            return damaged(fmt::format("the kind {}", kind));
        }
        record.kind = static_cast<RecordKind>(kind);
    }
    KPID_CHECK_OK(record.kind == RecordKind::kDeletion ? read_deletion(reader, record)
                                                       : read_samples(reader, record.samples));
    KPID_CHECK_OK(check_end(reader));
    return record;
}

std::string encode_definition(std::span<const model::LabelView> labels) {
    std::string out;
    out.push_back(static_cast<char>(kDefinitionVersion));
    put_varint(out, labels.size());
    for (const model::LabelView& label : labels) {
        put_varint(out, label.name.size());
        out.append(label.name);
        put_varint(out, label.value.size());
        out.append(label.value);
    }
    return out;
}

Result<void> decode_definition(std::string_view bytes, std::vector<model::LabelView>& labels) {
    labels.clear();
    ByteReader reader(bytes);
    KPID_CHECK_OK(check_version(reader, kDefinitionVersion));
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kDefinitionLabelsMax || count > reader.remaining() / 2) {
        return damaged("more labels than bytes");
    }
    labels.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
        KPID_TRY(const std::uint64_t name_size, reader.varint());
        KPID_TRY(const std::string_view name, reader.text(name_size));
        KPID_TRY(const std::uint64_t value_size, reader.varint());
        KPID_TRY(const std::string_view value, reader.text(value_size));
        if (name.empty() || value.empty() || (!labels.empty() && labels.back().name >= name)) {
            return damaged("labels empty or out of order");
        }
        labels.push_back({name, value});
    }
    return check_end(reader);
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
    KPID_CHECK_OK(check_version(reader, kOpenVersion));
    KPID_TRY(const std::string_view sequence, reader.text(kValueBytes));
    entry.sequence = bits_of(sequence);
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
        return damaged(fmt::format("a version's key of {} bytes", key.size()));
    }
    KPID_TRY(const TimeKey place, decode_time_key(key));
    VersionRow row{.time = place.time};
    KPID_TRY(row.order, decode_key(key.substr(2 * kKeyBytes)));
    ByteReader reader(bytes);
    KPID_CHECK_OK(check_version(reader, kVersionVersion));
    KPID_TRY(const std::uint8_t is_event, reader.byte());
    row.is_event = is_event != 0;
    KPID_TRY(row.known, read_time(reader));
    KPID_TRY(const std::string_view value, reader.text(kValueBytes));
    row.value = std::bit_cast<double>(bits_of(value));
    KPID_CHECK_OK(check_end(reader));
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
    KPID_CHECK_OK(check_version(reader, kMetaVersion));
    for (std::uint64_t* number :
         {&meta.next_series, &meta.next_sequence, &meta.first_unsaved, &meta.first_kept}) {
        KPID_TRY(const std::string_view text, reader.text(kValueBytes));
        *number = bits_of(text);
    }
    for (Timestamp* floor : {&meta.size_floor, &meta.floor, &meta.long_kept_floor}) {
        KPID_TRY(*floor, read_time(reader));
    }
    KPID_TRY(const std::uint64_t days, reader.varint());
    if (days > reader.remaining() / 2) {
        return damaged("more days than bytes");
    }
    for (std::uint64_t i = 0; i < days; ++i) {
        KPID_TRY(const std::uint64_t day, reader.varint());
        KPID_TRY(const std::uint64_t size, reader.varint());
        meta.day_bytes[static_cast<std::int64_t>(unzigzag(day))] = size;
    }
    KPID_CHECK_OK(check_end(reader));
    return meta;
}

}  // namespace kpid::storage
