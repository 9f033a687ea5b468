#include "storage/chunk_codec.h"

#include "kpid/base/assert.h"
#include "kpid/base/hash.h"
#include "storage/chunk_bytes.h"
#include "storage/chunk_times.h"
#include "storage/chunk_values.h"
#include "storage/decimal.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace kpid::storage {
namespace {

// The first byte: version, kind, whether a column of knowledge times or sequence numbers stands
// beside the values, whether times are irregular; the last bit is unused.
constexpr unsigned kVersion = 1;
constexpr unsigned kVersionMask = 0x07;
constexpr unsigned kKindShift = 3;
constexpr unsigned kKindMask = 0x03;
constexpr unsigned kKnowledgeFlag = 0x20;
constexpr unsigned kIrregularFlag = 0x40;
constexpr unsigned kUnusedMask = 0x80;

// What stands before the columns.
struct Header {
    ChunkInfo info;
    bool irregular = false;
    std::uint64_t interval = 0;  // Of regular times.
};

Error error_of(Code code, std::string_view what) {
    return Error{code, fmt::format("damaged chunk: {}", what)};
}

// The bytes before the checksum, which must fit them.
Result<std::string_view> check(std::string_view bytes) {
    if (bytes.size() <= kChunkChecksumBytes) {
        return error_of(Code::kDataLoss, fmt::format("{} bytes are too few", bytes.size()));
    }
    const std::string_view before = bytes.substr(0, bytes.size() - kChunkChecksumBytes);
    ChunkReader tail(bytes.substr(before.size()), before.size());
    KPID_TRY(const std::uint64_t stored, tail.fixed(kChunkChecksumBytes));
    const std::uint32_t computed = chunk_checksum(before);
    if (stored != computed) {
        return error_of(Code::kDataLoss,
                        fmt::format("its {} bytes have the checksum {:08x}, not {:08x}",
                                    bytes.size(), computed, stored));
    }
    return before;
}

Result<Header> read_header(ChunkReader& reader) {
    Header header;
    KPID_TRY(const std::uint8_t flags, reader.byte());
    const unsigned kind = (flags >> kKindShift) & kKindMask;
    if ((flags & kVersionMask) == 0) {
        return reader.damaged("version 0");
    }
    if ((flags & kVersionMask) != kVersion || (flags & kUnusedMask) != 0) {
        return unsupported(fmt::format("chunk of version {}; this program reads version {}",
                                       flags & (kVersionMask | kUnusedMask), kVersion));
    }
    if (kind != static_cast<unsigned>(ChunkKind::kFloat)) {
        return unsupported("chunk of native histograms");
    }
    if ((flags & kKnowledgeFlag) != 0) {
        return unsupported("chunk with knowledge times");
    }
    header.irregular = (flags & kIrregularFlag) != 0;
    KPID_TRY(const std::uint64_t count, reader.varint());
    if (count == 0 || count > kChunkSamplesMax) {
        return reader.damaged(fmt::format("{} samples, not 1 to {}", count, kChunkSamplesMax));
    }
    header.info.count = static_cast<std::size_t>(count);
    KPID_TRY(const std::uint64_t first, reader.varint());
    header.info.first = Timestamp(static_cast<std::int64_t>(unzigzag(first)));
    header.info.last = header.info.first;
    if (count == 1) {
        return header;
    }
    KPID_TRY(const std::uint64_t length, reader.varint());
    std::uint64_t span = length;
    if (!header.irregular) {
        header.interval = length;
        if (__builtin_mul_overflow(length, count - 1, &span)) {
            return reader.damaged("an interval too long");
        }
    }
    const auto start = static_cast<std::uint64_t>(header.info.first.ms());
    if (span > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - start) {
        return reader.damaged("a last time beyond all times");
    }
    header.info.last = Timestamp(static_cast<std::int64_t>(start + span));
    return header;
}

Result<void> read_columns(ChunkReader& reader, const Header& header, std::span<Timestamp> times,
                          std::span<double> values) {
    if (header.irregular) {
        KPID_TRY(const std::uint64_t size, reader.varint());
        KPID_TRY(ChunkReader column, reader.part(size));
        KPID_CHECK_OK(read_irregular_times(column, header.info.first, header.info.last, times));
    } else {
        fill_regular_times(header.info.first, header.interval, times);
    }
    return read_values(reader, values);
}

}  // namespace

std::uint32_t chunk_checksum(std::string_view bytes_before) {
    return static_cast<std::uint32_t>(hash_bytes(bytes_before));
}

void append_chunk(std::span<const Timestamp> times, std::span<const double> values,
                  std::string& out) {
    KPID_ASSERT(!times.empty());
    KPID_ASSERT(times.size() <= kChunkSamplesMax);
    KPID_ASSERT(times.size() == values.size());
    KPID_ASSERT(std::is_sorted(times.begin(), times.end()));
    const std::size_t start = out.size();
    const bool irregular = !is_regular(times);
    out.push_back(static_cast<char>(kVersion | (irregular ? kIrregularFlag : 0U)));
    put_varint(out, times.size());
    const auto first = static_cast<std::uint64_t>(times.front().ms());
    put_varint(out, zigzag(first));
    if (irregular) {
        put_varint(out, static_cast<std::uint64_t>(times.back().ms()) - first);
        std::string column;
        append_irregular_times(times, column);
        put_varint(out, column.size());
        out += column;
    } else if (times.size() > 1) {
        put_varint(out, static_cast<std::uint64_t>(times[1].ms()) - first);
    }
    append_values(values, out);
    put_bytes(out, chunk_checksum(std::string_view(out).substr(start)), kChunkChecksumBytes);
}

std::string encode_chunk(std::span<const Timestamp> times, std::span<const double> values) {
    std::string out;
    append_chunk(times, values, out);
    return out;
}

Result<void> decode_chunk(std::string_view bytes, std::vector<Timestamp>& times,
                          std::vector<double>& values) {
    KPID_TRY(const std::string_view before, check(bytes));
    ChunkReader reader(before);
    KPID_TRY(const Header header, read_header(reader));
    const std::size_t start = times.size();
    times.resize(start + header.info.count);
    values.resize(start + header.info.count);
    auto read = read_columns(reader, header, std::span(times).subspan(start),
                             std::span(values).subspan(start));
    if (!read) {
        times.resize(start);
        values.resize(start);
    }
    return read;
}

Result<ChunkInfo> read_chunk_header(std::string_view bytes) {
    KPID_TRY(const std::string_view before, check(bytes));
    ChunkReader reader(before);
    KPID_TRY(const Header header, read_header(reader));
    return header.info;
}

}  // namespace kpid::storage
