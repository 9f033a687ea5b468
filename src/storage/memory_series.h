#pragma once
// One series in memory.

#include "kpid/model/metric_kind.h"
#include "storage/chunked_samples.h"
#include "storage/record.h"
#include "storage/series_ref.h"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace kpid::storage {

/// Its labels stand in the index. The committer alone changes any of it, `samples` with the lock of
/// the series held (SeriesIndex::lock_of); so it reads without, and all others read `samples` with
/// the lock. `id`, `ref` and `traits` do not change once others see the series.
struct MemorySeries {
    /// What follows from the metric's name.
    struct Traits {
        bool is_reserved = false;   ///< Only kpid itself may append.
        bool is_long_kept = false;  ///< StorageOptions::retention_recorded holds for it.
    };

    SeriesId id{0};
    SeriesRef ref{0};
    /// The committer's while a group is at work: the last pending sample, from 1; 0 for none.
    std::uint32_t pending = 0;
    /// Sequence of the newest log record with a sample of this series.
    std::uint64_t newest_record = 0;
    ChunkedSamples samples;
    Traits traits;
    model::MetricKind kind = model::MetricKind::kGauge;
    bool is_kind_declared = false;
    /// The versions table has rows of it. Read with the lock held, as `samples`.
    bool has_versions = false;
    /// No longer in the index: samples go to a new series with these labels. Set before its place
    /// is released: who holds a Pin and then finds it false has the series as long as the Pin.
    std::atomic<bool> is_removed = false;

    /// For who soon reads or appends.
    void prefetch() const {
        constexpr std::size_t kLine = 64;
        __builtin_prefetch(this);
        __builtin_prefetch(reinterpret_cast<const char*>(this) + kLine);
    }
};

/// For a metric's name.
[[nodiscard]] MemorySeries::Traits traits_of(std::string_view metric_name);

}  // namespace kpid::storage
