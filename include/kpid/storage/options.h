#pragma once
// What a storage is opened with.

#include "kpid/base/clock.h"
#include "kpid/base/time.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace kpid::storage {

/// What an acknowledged sample survives.
enum class Durability {
    kProcess,  ///< The end of the process, kill -9 too: written to the operating system.
    kFsync,    ///< Also a power cut: synced to the disk; each append waits for the disk.
};

/// Bytes of one key of the state store, and of one value.
inline constexpr std::size_t kStateKeyBytesMax = 4096;
inline constexpr std::size_t kStateValueBytesMax = std::size_t{16} * 1024 * 1024;

/// Values of `storage:` and `limits:` of the configuration. Fixed while the storage is open.
struct StorageOptions {
    /// The folder of the log; made when absent, parents too. No default.
    std::string path;
    /// Default kProcess. kFsync costs a disk flush per group of appends.
    Durability durability = Durability::kProcess;
    /// How long samples are kept and how old a new one may be. Default 400 days, at least one
    /// minute. Larger takes more memory and a longer start.
    Duration retention = std::chrono::hours(24 * 400);
    /// The same for what kpid records of KPIs, key results, objectives, goals and alerts. Default
    /// 10 years, at least one minute.
    Duration retention_recorded = std::chrono::hours(24 * 3650);
    /// Bytes of chunks and log on the disk, above which the oldest samples go first; 0 is no bound.
    /// Default 0.
    std::uint64_t retention_bytes = 0;
    /// Bytes of log records that are kept for readers of the log (model::SampleLog) beyond what a
    /// start needs. Default 4 GiB. Larger rides out a remote that is away for longer.
    std::uint64_t log_held_bytes_max = std::uint64_t{4} << 30U;
    /// Bytes of sealed chunks that stay in memory after they were written. Default 64 MiB. Larger
    /// answers more queries without the disk.
    std::size_t sealed_bytes_in_memory_max = std::size_t{64} << 20U;
    /// Samples that kept selections (model::KeptSelection) may remember together, 16 bytes each; a
    /// series with its labels counts as 40. Default 16 million, at least 0. Larger spares rules
    /// over many series the decoding.
    std::size_t kept_samples_max = 16'000'000;
    /// How far a sample may lie behind the newest of its own series. Default 1 h, from 0 (in order
    /// only) up to the retention. Larger lets slow sources in at the price of queries that change
    /// afterwards.
    Duration out_of_order_window = std::chrono::hours(1);
    /// How far a sample may lie ahead of now. Default 5 min, at least 0. Larger forgives worse
    /// clocks.
    Duration future_tolerance = std::chrono::minutes(5);
    /// How many series are kept at once; samples of further ones are refused. Default 2 million, at
    /// least 1.
    std::size_t series_max = 2'000'000;
    /// Bytes of one label's name. Default 1 KiB, at least 1.
    std::size_t label_name_bytes_max = 1024;
    /// Bytes of one label's value. Default 4 KiB, at least 1.
    std::size_t label_value_bytes_max = 4096;
    /// Labels of one series, the metric's name counted. Default 64, at least 1.
    std::size_t labels_per_series_max = 64;
    /// Times the commits for stats(); borrowed, outlives the storage. Absent: they are not timed.
    const Clock* clock = nullptr;
    /// Appends and state writes that may wait for the committer; above it kResourceExhausted.
    /// Default 4,096, at least 1. Larger rides out a slower disk with more memory.
    std::size_t queue_batches_max = 4096;
    /// Samples of those waiting; a batch is refused when this many wait already. Default 2 million,
    /// at least 1.
    std::size_t queue_samples_max = 2'000'000;
};

}  // namespace kpid::storage
