#pragma once
// gzip of whole bodies.

#include "kpid/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace kpid::net {

/// Compresses for speed, not size.
[[nodiscard]] Result<std::string> gzip(std::string_view plain);
/// Undoes gzip (any number of members) or zlib. Code::kInvalidArgument for damaged or cut input,
/// Code::kResourceExhausted as soon as the output passes `bytes_max`.
[[nodiscard]] Result<std::string> gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace kpid::net
