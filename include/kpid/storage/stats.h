#pragma once
// What a storage says about itself, for kpid's own metrics.

#include "kpid/model/appender.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace kpid::storage {

/// Every RejectReason, in order of its value.
inline constexpr std::array kRejectReasons{
    model::RejectReason::kOutOfOrder,    model::RejectReason::kDuplicateTimestamp,
    model::RejectReason::kTooOld,        model::RejectReason::kTooFarInFuture,
    model::RejectReason::kInvalidLabels, model::RejectReason::kReserved,
    model::RejectReason::kLimit,
};

/// One reading of the counters. `_total` only grow, from 0 at open.
struct StorageStats {
    /// Known now, those without samples too.
    std::uint64_t series = 0;
    std::uint64_t samples_in_memory = 0;
    /// Of samples and label sets, estimated.
    std::uint64_t bytes_in_memory = 0;
    /// Keys of the state store.
    std::uint64_t state_entries = 0;
    /// Newly stored; repetitions not counted.
    std::uint64_t samples_appended_total = 0;
    /// Accepted silently: stored already with this value.
    std::uint64_t samples_repeated_total = 0;
    /// Entry i counts the RejectReason of value i.
    std::array<std::uint64_t, kRejectReasons.size()> rejected_total{};
    /// Groups written.
    std::uint64_t commits_total = 0;
    /// Keys and values written.
    std::uint64_t log_bytes_total = 0;
    /// Groups that the log refused.
    std::uint64_t write_failures_total = 0;
    /// Appends and state writes refused because the queue was full.
    std::uint64_t queue_refusals_total = 0;
    /// Of the newest sample record that was written.
    std::uint64_t log_sequence = 0;

    [[nodiscard]] std::uint64_t rejected(model::RejectReason reason) const {
        return rejected_total[static_cast<std::size_t>(reason)];
    }
};

}  // namespace kpid::storage
