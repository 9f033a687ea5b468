#pragma once
// Numbers in the bytes of a chunk, and a reader that tells where damaged bytes end to make sense.

#include "kpid/base/result.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::storage {

/// Seven bits a byte, lowest first; the highest bit says that more follow.
inline void put_varint(std::string& out, std::uint64_t number) {
    while (number >= 0x80) {
        out.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    out.push_back(static_cast<char>(number));
}

/// The number's `count` low bytes, lowest first.
inline void put_bytes(std::string& out, std::uint64_t number, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        out.push_back(static_cast<char>(number >> (8 * i)));
    }
}

/// Reads from the front of a chunk's bytes, or of a part of them.
class ChunkReader {
public:
    /// `at`: where these bytes begin in the chunk, for messages.
    explicit ChunkReader(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

    [[nodiscard]] Result<std::uint8_t> byte() {
        if (remaining() == 0) {
            return damaged("it ends early");
        }
        return static_cast<std::uint8_t>(bytes_[next_++]);
    }

    [[nodiscard]] Result<std::uint64_t> varint() {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            KPID_TRY(const std::uint8_t part, byte());
            if (shift == 63 && part > 1) {
                break;
            }
            number |= static_cast<std::uint64_t>(part & 0x7FU) << shift;
            if ((part & 0x80U) == 0) {
                return number;
            }
        }
        return damaged("a number above 64 bits");
    }

    /// Lowest byte first, at most 8.
    [[nodiscard]] Result<std::uint64_t> fixed(unsigned count) {
        if (count > remaining()) {
            return damaged("it ends early");
        }
        std::uint64_t number = 0;
        for (unsigned i = 0; i < count; ++i) {
            number |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(bytes_[next_++]))
                      << (8 * i);
        }
        return number;
    }

    [[nodiscard]] Result<ChunkReader> part(std::uint64_t size) {
        if (size > remaining()) {
            return damaged("a part longer than the rest");
        }
        ChunkReader reader(bytes_.substr(next_, static_cast<std::size_t>(size)), at_ + next_);
        next_ += static_cast<std::size_t>(size);
        return reader;
    }

    [[nodiscard]] std::string_view rest() const { return bytes_.substr(next_); }
    [[nodiscard]] std::size_t remaining() const { return bytes_.size() - next_; }
    [[nodiscard]] Error damaged(std::string_view what) const {
        return Error{Code::kDataLoss,
                     fmt::format("damaged chunk: {} at byte {}", what, at_ + next_)};
    }

private:
    std::string_view bytes_;
    std::size_t at_;
    std::size_t next_ = 0;
};

}  // namespace kpid::storage
