#pragma once
// Which samples may come in at all: the checks that need no look at what is stored.

#include "kpid/model/appender.h"
#include "kpid/storage/options.h"

#include <optional>
#include <string>

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
    [[nodiscard]] std::optional<Refusal> check_origin(const model::Labels& labels,
                                                      model::AppendOrigin origin) const;
    /// The metric's name, UTF-8 and the label limits. Not needed for a series that is stored
    /// already.
    [[nodiscard]] std::optional<Refusal> check_labels(const model::Labels& labels) const;
    /// Retention and future tolerance.
    [[nodiscard]] std::optional<Refusal> check_age(const model::SeriesSample& sample,
                                                   Timestamp now) const;
    /// Against the newest sample of the series.
    [[nodiscard]] std::optional<Refusal> check_order(const model::SeriesSample& sample,
                                                     Timestamp newest) const;
    /// The refusal of a second value at one instant; names both.
    [[nodiscard]] static Refusal duplicate(const model::SeriesSample& sample, double stored);

    /// Samples older than this are beyond the retention.
    [[nodiscard]] Timestamp oldest_kept(Timestamp now) const;

private:
    const StorageOptions options_;
};

}  // namespace kpid::storage
