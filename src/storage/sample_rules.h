#pragma once
// Which samples may come in at all: the checks that need no look at what is stored.

#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/storage/options.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kpid::storage {

/// Why a sample is refused.
struct Refusal {
    model::RejectReason reason = model::RejectReason::kInvalidLabels;
    std::string message;
};

/// Whether a metric's name is kpid's own: it begins with `kpid_`, or is `ALERTS` or
/// `ALERTS_FOR_STATE`.
[[nodiscard]] bool is_reserved_name(std::string_view metric_name);

/// Stateless and immutable: thread-safe.
class SampleRules {
public:
    explicit SampleRules(const StorageOptions& options) : options_(options) {}

    /// Reserved names of external batches.
    [[nodiscard]] std::optional<Refusal> check_origin(std::string_view metric_name,
                                                      model::AppendOrigin origin) const;
    /// The metric's name, UTF-8 and the label limits. Not needed for a series that is stored
    /// already.
    [[nodiscard]] std::optional<Refusal> check_labels(
        std::span<const model::LabelView> labels) const;
    /// What may be stored now, by the retention of the series and the future tolerance.
    [[nodiscard]] model::TimeRange accepted(Timestamp now, bool is_long_kept) const;
    /// Of a time that is not in accepted().
    [[nodiscard]] Refusal age_refusal(const model::Labels& labels, Timestamp time, Timestamp now,
                                      bool is_long_kept) const;
    /// Of a time that is within the retention but went for want of room.
    [[nodiscard]] Refusal room_refusal(const model::Labels& labels, Timestamp time,
                                       Timestamp floor) const;
    /// Against the newest sample of the series; `window` instead of the options' own.
    [[nodiscard]] bool is_in_order(Timestamp time, Timestamp newest,
                                   std::optional<Duration> window) const;
    [[nodiscard]] Refusal order_refusal(const model::Labels& labels, Timestamp time,
                                        Timestamp newest, std::optional<Duration> window) const;
    /// The refusal of a second value at one instant; names both.
    [[nodiscard]] static Refusal duplicate(const model::Labels& labels, Timestamp time,
                                           double stored, double refused);

    /// Samples older than this are beyond the retention.
    [[nodiscard]] Timestamp oldest_kept(Timestamp now) const;
    /// The same for what is kept for retention_recorded.
    [[nodiscard]] Timestamp oldest_kept_recorded(Timestamp now) const;

private:
    const StorageOptions options_;
};

}  // namespace kpid::storage
