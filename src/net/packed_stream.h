#pragma once
// A streamed body that is compressed on its way.

#include "net/body_stream.h"
#include "net/gzip.h"
#include "net/worker_pool.h"

#include <memory>

namespace kpid::net {

/// The pieces of `inner`, compressed by the pool; by the caller's thread where the pool is busy.
/// Borrows the pool.
[[nodiscard]] std::shared_ptr<BodyStream> pack_stream(std::shared_ptr<BodyStream> inner,
                                                      Packing packing, WorkerPool& pool);

}  // namespace kpid::net
