// Any bytes as a chunk, and as samples: a chunk decodes to what encodes and decodes to itself, or
// is refused; samples come back bit for bit, from a sealed chunk and from an open one.

#include "kpid/base/assert.h"
#include "storage/chunk_codec.h"
#include "storage/open_chunk.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using kpid::Timestamp;

struct Columns {
    std::vector<Timestamp> times;
    std::vector<double> values;
};

void check_same(const Columns& a, const Columns& b) {
    KPID_ASSERT(a.times == b.times);
    KPID_ASSERT(a.values.size() == b.values.size());
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        KPID_ASSERT(std::bit_cast<std::uint64_t>(a.values[i]) ==
                    std::bit_cast<std::uint64_t>(b.values[i]));
    }
}

void check_encodes(const Columns& columns) {
    Columns read;
    const std::string bytes = kpid::storage::encode_chunk(columns.times, columns.values);
    KPID_ASSERT(kpid::storage::decode_chunk(bytes, read.times, read.values).has_value());
    check_same(read, columns);
}

void check_chunk(std::string_view bytes) {
    Columns read;
    const bool decoded = kpid::storage::decode_chunk(bytes, read.times, read.values).has_value();
    if (!decoded) {
        KPID_ASSERT(read.times.empty());
        KPID_ASSERT(read.values.empty());
        return;
    }
    const auto info = kpid::storage::read_chunk_header(bytes);
    KPID_ASSERT(info.has_value());
    KPID_ASSERT(info->count == read.times.size());
    KPID_ASSERT(info->first == read.times.front());
    KPID_ASSERT(info->last == read.times.back());
    KPID_ASSERT(std::is_sorted(read.times.begin(), read.times.end()));
    check_encodes(read);
}

// The bytes with the checksum that fits them, so that what is behind it is reached.
void check_sealed(std::string_view bytes) {
    std::string sealed(bytes);
    const std::uint32_t checksum = kpid::storage::chunk_checksum(bytes);
    for (std::size_t i = 0; i < kpid::storage::kChunkChecksumBytes; ++i) {
        sealed.push_back(static_cast<char>(checksum >> (8 * i)));
    }
    check_chunk(sealed);
}

// A sample takes a byte that says how it moves, and up to eight bytes of what moves.
Columns make_samples(std::string_view bytes) {
    Columns columns;
    std::uint64_t time = 1'800'000'000'000;
    std::uint64_t bits = std::bit_cast<std::uint64_t>(100.0);
    while (!bytes.empty() && columns.times.size() < kpid::storage::kOpenChunkSamplesMax) {
        const auto head = static_cast<std::uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        std::uint64_t argument = 0;
        const std::size_t size = std::min<std::size_t>(head & 7U, bytes.size());
        for (std::size_t i = 0; i < size; ++i) {
            argument = (argument << 8) | static_cast<std::uint8_t>(bytes[i]);
        }
        bytes.remove_prefix(size);
        time += (head & 0x08U) != 0 ? argument & 0xFFFFU : 15'000;
        const double value = std::bit_cast<double>(bits);
        const auto step = static_cast<double>(static_cast<std::int16_t>(argument));
        switch (head >> 6) {
            case 0:
                bits = std::bit_cast<std::uint64_t>(step / 100);
                break;
            case 1:
                bits = std::bit_cast<std::uint64_t>(value + step);
                break;
            case 2:
                bits = std::bit_cast<std::uint64_t>(value + step / 10);
                break;
            default:
                bits ^= argument << (head & 0x30U);
                break;
        }
        columns.times.emplace_back(static_cast<std::int64_t>(time));
        columns.values.push_back(std::bit_cast<double>(bits));
    }
    return columns;
}

void check_samples(std::string_view bytes) {
    const Columns columns = make_samples(bytes);
    if (columns.times.empty()) {
        return;
    }
    check_encodes(columns);
    kpid::storage::OpenChunk open;
    for (std::size_t i = 0; i < columns.times.size(); ++i) {
        KPID_ASSERT(open.append(columns.times[i], columns.values[i]));
    }
    Columns read;
    open.decode(read.times, read.values);
    check_same(read, columns);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // The bytes of an input are bytes.
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    check_chunk(bytes);
    check_sealed(bytes);
    check_samples(bytes);
    return 0;
}
