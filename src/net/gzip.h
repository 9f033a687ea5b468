#pragma once
// gzip and zlib, of whole bodies and piece by piece.

#include "kpid/base/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace kpid::net {

/// The encodings of HTTP: `gzip`, and `deflate`, which is zlib's format.
enum class Packing { kGzip, kDeflate };

/// Compresses for speed, not size.
[[nodiscard]] Result<std::string> pack(std::string_view plain, Packing packing);
[[nodiscard]] Result<std::string> gzip(std::string_view plain);

/// Compresses a text that comes in pieces. One thread at a time.
class Packer {
public:
    explicit Packer(Packing packing);
    ~Packer();
    Packer(const Packer&) = delete;
    Packer& operator=(const Packer&) = delete;

    /// What can be given out after this piece; may be empty.
    [[nodiscard]] Result<std::string> add(std::string_view plain);
    /// The rest. Ends the text.
    [[nodiscard]] Result<std::string> finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Undoes gzip (any number of members) or zlib. Code::kInvalidArgument for damaged or cut input,
/// Code::kResourceExhausted as soon as the output passes `bytes_max`.
[[nodiscard]] Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace kpid::net
