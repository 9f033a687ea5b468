#pragma once
// What the storage counts about itself.

#include "kpid/storage/stats.h"

#include <array>
#include <atomic>
#include <cstdint>

namespace kpid::storage {

/// Any thread writes and reads them.
struct Counters {
    std::atomic<std::uint64_t> samples_in_memory = 0;
    std::atomic<std::uint64_t> sample_bytes_in_memory = 0;
    std::atomic<std::uint64_t> sealed_bytes_in_memory = 0;
    std::atomic<std::uint64_t> samples_appended = 0;
    std::atomic<std::uint64_t> samples_repeated = 0;
    std::atomic<std::uint64_t> samples_replaced = 0;
    std::atomic<std::uint64_t> samples_late = 0;
    std::atomic<std::uint64_t> events_appended = 0;
    std::array<std::atomic<std::uint64_t>, kRejectReasons.size()> rejected{};
    std::atomic<std::uint64_t> series_created = 0;
    std::atomic<std::uint64_t> series_removed = 0;
    std::atomic<std::uint64_t> samples_deleted = 0;
    std::atomic<std::uint64_t> commits = 0;
    std::atomic<std::uint64_t> log_bytes = 0;
    std::atomic<std::uint64_t> write_failures = 0;
    std::atomic<std::uint64_t> read_failures = 0;
    std::atomic<std::uint64_t> quarantined = 0;
    std::atomic<std::uint64_t> chunks_saved = 0;
    std::atomic<std::uint64_t> checkpoints = 0;
    std::atomic<std::uint64_t> log_sequence = 0;
    std::atomic<std::uint64_t> first_unsaved_sequence = 1;
    std::atomic<std::int64_t> newest_ms = Timestamp::min().ms();
};

}  // namespace kpid::storage
