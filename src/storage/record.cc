#include "storage/record.h"

#include "kpid/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace kpid::storage {
namespace {

constexpr std::uint8_t kRecordVersion = 1;
constexpr std::uint8_t kDefinitionVersion = 1;
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

std::string encode_chunk_key(SeriesId series, Timestamp first) {
    // With the sign turned over, so that negative times come first.
    constexpr std::uint64_t kSign = std::uint64_t{1} << 63U;
    return encode_key(series.value()) + encode_key(static_cast<std::uint64_t>(first.ms()) ^ kSign);
}

Result<SeriesId> decode_chunk_key(std::string_view key) {
    if (key.size() != 2 * kKeyBytes) {
        return damaged(fmt::format("a chunk's key of {} bytes", key.size()));
    }
    KPID_TRY(const std::uint64_t series, decode_key(key.substr(0, kKeyBytes)));
    return SeriesId(series);
}

std::string encode_samples(std::span<const RecordSample> samples) {
    KPID_ASSERT(samples.size() <= kRecordSamplesMax);
    std::string out;
    out.reserve(4 + samples.size() * (kSampleBytesMin + 4));
    out.push_back(static_cast<char>(kRecordVersion));
    put_varint(out, samples.size());
    std::uint64_t series = 0;
    std::uint64_t time = 0;
    for (const RecordSample& sample : samples) {
        const auto sample_time = static_cast<std::uint64_t>(sample.time.ms());
        put_varint(out, zigzag(sample.series.value() - series));
        put_varint(out, zigzag(sample_time - time));
        series = sample.series.value();
        time = sample_time;
        const auto bits = std::bit_cast<std::uint64_t>(sample.value);
        for (std::size_t i = 0; i < kValueBytes; ++i) {
            out.push_back(static_cast<char>(bits >> (8 * i)));
        }
    }
    return out;
}

Result<std::vector<RecordSample>> decode_samples(std::string_view bytes) {
    ByteReader reader(bytes);
    KPID_CHECK_OK(check_version(reader, kRecordVersion));
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kRecordSamplesMax || count > reader.remaining() / kSampleBytesMin) {
        return damaged("more samples than bytes");
    }
    std::vector<RecordSample> samples;
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
    if (reader.remaining() != 0) {
        return damaged("bytes after its end");
    }
    return samples;
}

std::string encode_definition(const model::Labels& labels) {
    std::string out;
    out.push_back(static_cast<char>(kDefinitionVersion));
    put_varint(out, labels.size());
    for (const model::Label& label : labels) {
        put_varint(out, label.name.size());
        out.append(label.name);
        put_varint(out, label.value.size());
        out.append(label.value);
    }
    return out;
}

Result<model::Labels> decode_definition(std::string_view bytes) {
    ByteReader reader(bytes);
    KPID_CHECK_OK(check_version(reader, kDefinitionVersion));
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count > kDefinitionLabelsMax || count > reader.remaining() / 2) {
        return damaged("more labels than bytes");
    }
    std::vector<model::Label> labels;
    labels.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
        KPID_TRY(const std::uint64_t name_size, reader.varint());
        KPID_TRY(const std::string_view name, reader.text(name_size));
        KPID_TRY(const std::uint64_t value_size, reader.varint());
        KPID_TRY(const std::string_view value, reader.text(value_size));
        if (!labels.empty() && labels.back().name >= name) {
            return damaged("labels out of order");
        }
        labels.push_back({std::string(name), std::string(value)});
    }
    if (reader.remaining() != 0) {
        return damaged("bytes after its end");
    }
    return model::Labels::from(std::move(labels));
}

}  // namespace kpid::storage
