// zlib behind a few functions.

#include "net/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

namespace kpid::net {
namespace {

constexpr int kWindowBits = 15;
constexpr int kWriteGzip = 16;     // zlib's flag: a gzip header
constexpr int kDetectFormat = 32;  // zlib's flag: gzip or zlib
constexpr int kMemoryLevel = 8;
constexpr std::size_t kChunkBytesMax = 256U << 10U;

// zlib reads through a pointer to non-const but does not write there.
Bytef* input_bytes(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

Bytef* output_bytes(std::string& text, std::size_t offset) {
    return reinterpret_cast<Bytef*>(text.data() + offset);
}

struct Inflater {
    Inflater() { ready = inflateInit2(&stream, kWindowBits + kDetectFormat) == Z_OK; }
    ~Inflater() { inflateEnd(&stream); }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    z_stream stream{};
    bool ready = false;
};

struct Deflater {
    explicit Deflater(Packing packing) {
        const int bits = kWindowBits + (packing == Packing::kGzip ? kWriteGzip : 0);
        ready = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, bits, kMemoryLevel,
                             Z_DEFAULT_STRATEGY) == Z_OK;
    }
    ~Deflater() { deflateEnd(&stream); }
    Deflater(const Deflater&) = delete;
    Deflater& operator=(const Deflater&) = delete;
    z_stream stream{};
    bool ready = false;
};

}  // namespace

Result<std::string> pack(std::string_view plain, Packing packing) {
    Deflater deflater(packing);
    z_stream& stream = deflater.stream;
    if (!deflater.ready || plain.size() > std::numeric_limits<uInt>::max() / 2) {
        return internal_error("cannot compress");
    }
    std::string out(deflateBound(&stream, plain.size()), '\0');
    stream.next_in = input_bytes(plain);
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = output_bytes(out, 0);
    stream.avail_out = static_cast<uInt>(out.size());
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        return internal_error("cannot compress");
    }
    out.resize(stream.total_out);
    return out;
}

Result<std::string> gzip(std::string_view plain) {
    return pack(plain, Packing::kGzip);
}

struct Packer::State {
    explicit State(Packing packing) : deflater(packing) {}

    Result<std::string> run(std::string_view plain, int flush) {
        z_stream& stream = deflater.stream;
        if (!deflater.ready || plain.size() > std::numeric_limits<uInt>::max() / 2) {
            return internal_error("cannot compress");
        }
        stream.next_in = input_bytes(plain);
        stream.avail_in = static_cast<uInt>(plain.size());
        std::string out;
        std::size_t size = 0;
        do {
            out.resize(size + std::max<std::size_t>(plain.size() / 4, 4096));
            stream.next_out = output_bytes(out, size);
            stream.avail_out = static_cast<uInt>(out.size() - size);
            if (deflate(&stream, flush) == Z_STREAM_ERROR) {
                return internal_error("cannot compress");
            }
            size = out.size() - stream.avail_out;
        } while (stream.avail_out == 0);
        out.resize(size);
        return out;
    }

    Deflater deflater;
};

Packer::Packer(Packing packing) : state_(std::make_unique<State>(packing)) {
}

Packer::~Packer() = default;

Result<std::string> Packer::add(std::string_view plain) {
    return state_->run(plain, Z_NO_FLUSH);
}

Result<std::string> Packer::finish() {
    return state_->run({}, Z_FINISH);
}

Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max) {
    Inflater inflater;
    z_stream& stream = inflater.stream;
    if (!inflater.ready || packed.size() > std::numeric_limits<uInt>::max()) {
        return internal_error("cannot decompress");
    }
    stream.next_in = input_bytes(packed);
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string out;
    std::size_t size = 0;
    for (;;) {
        // One byte above the limit is room enough to see that it is passed.
        const std::size_t grow =
            std::min(std::clamp<std::size_t>(size, 4096, kChunkBytesMax), bytes_max + 1 - size);
        out.resize(size + grow);
        stream.next_out = output_bytes(out, size);
        stream.avail_out = static_cast<uInt>(grow);
        const int status = inflate(&stream, Z_NO_FLUSH);
        size += grow - stream.avail_out;
        if (size > bytes_max) {
            return resource_exhausted(
                fmt::format("the decompressed body is larger than {} bytes", bytes_max));
        }
        if (status == Z_STREAM_END) {
            if (stream.avail_in == 0) {
                break;
            }
            if (inflateReset(&stream) != Z_OK) {  // the next member
                return internal_error("cannot decompress");
            }
        } else if (status != Z_OK) {
            return invalid_argument("the compressed body is damaged or cut short");
        }
    }
    out.resize(size);
    return out;
}

}  // namespace kpid::net
