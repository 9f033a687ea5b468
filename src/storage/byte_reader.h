#pragma once
// Reading and writing the bytes of log entries, piece by piece.

#include "kpid/base/result.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::storage {

[[nodiscard]] inline Error damaged_entry(std::string_view what) {
    return Error{Code::kDataLoss, fmt::format("damaged log record: {}", what)};
}

inline void put_varint(std::string& out, std::uint64_t number) {
    while (number >= 0x80) {
        out.push_back(static_cast<char>(number | 0x80));
        number >>= 7;
    }
    out.push_back(static_cast<char>(number));
}

/// Reads from the front of the bytes; every read fails (kDataLoss) when they end early.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

    Result<std::uint8_t> byte() {
        if (rest_.empty()) {
            return damaged_entry("it ends early");
        }
        const auto value = static_cast<std::uint8_t>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }

    Result<std::uint64_t> varint() {
        constexpr unsigned kVarintBits = 64;
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < kVarintBits; shift += 7) {
            KPID_TRY(const std::uint8_t next, byte());
            const std::uint64_t bits = next & 0x7FU;
            if (shift == 63 && bits > 1) {
                return damaged_entry("a number above 64 bits");
            }
            number |= bits << shift;
            if ((next & 0x80U) == 0) {
                return number;
            }
        }
        return damaged_entry("a number above 64 bits");
    }

    Result<std::string_view> text(std::uint64_t size) {
        if (size > rest_.size()) {
            return damaged_entry("it ends early");
        }
        const std::string_view value = rest_.substr(0, static_cast<std::size_t>(size));
        rest_.remove_prefix(static_cast<std::size_t>(size));
        return value;
    }

    /// A first byte that says which form follows, from 1 to `newest`; returns it. kUnsupported when
    /// it is newer.
    Result<std::uint8_t> version(std::uint8_t newest) {
        KPID_TRY(const std::uint8_t version, byte());
        if (version > newest) {
            return unsupported(fmt::format("log record of version {}; this program reads up to {}",
                                           version, newest));
        }
        if (version == 0) {
            return damaged_entry("version 0");
        }
        return version;
    }

    Result<void> end() const {
        return rest_.empty() ? Result<void>() : damaged_entry("bytes after its end");
    }

    [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

private:
    std::string_view rest_;
};

}  // namespace kpid::storage
