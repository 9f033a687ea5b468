#pragma once
// What waits in one shard of a remote's queue.

#include "notify/remote_queue.h"

#include <deque>

namespace kpid::notify {

/// Owned by the strand, but for `batch` while it is encoded.
struct RemoteQueue::Shard {
    struct Queued {
        model::SeriesSample sample;
        std::uint64_t piece = 0;
    };

    explicit Shard(const net::Strand& strand) : wake(strand) {}

    std::deque<Queued> queue;
    MonoTime oldest;  // since when the first of the queue waits
    std::vector<model::SeriesSample> batch;
    std::vector<std::uint64_t> pieces;  // entry i: the piece of batch[i]
    bool retired = false;
    Wake wake;
};

}  // namespace kpid::notify
