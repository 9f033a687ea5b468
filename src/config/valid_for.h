#pragma once
// How long values hold, as sources and metrics of a configuration say.

#include "config/config.h"
#include "kpid/base/hash.h"
#include "kpid/model/matcher.h"
#include "kpid/promql/valid_for.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kpid::config {

/// How long a sample holds where nothing says otherwise: Prometheus' lookback.
inline constexpr Duration kValidForDefault = std::chrono::minutes(5);

/// `valid_for` of the source that a series' `job` names; else the longest of kValidForDefault,
/// twice the interval of that source, the period of that total, and twice the period of a query
/// that is asked once a period. Immutable, thread-safe.
class ValidForRules final : public promql::ValidFor {
public:
    /// Null when every series has the default.
    [[nodiscard]] static std::shared_ptr<const ValidForRules> make(const Config& config);

    [[nodiscard]] std::optional<Duration> of(const model::Labels& labels) const override;
    /// The longest of the series that such matchers may select, as far as the configuration knows
    /// which source brings them; nothing: the default.
    [[nodiscard]] std::optional<Duration> of_selector(
        std::span<const model::Matcher> matchers) const;
    /// The longest of all; at least kValidForDefault.
    [[nodiscard]] Duration longest() const { return longest_; }

private:
    struct OfJob {
        Duration valid_for{0};
        bool wins = false;  // it was given, the metric's period does not count
    };
    ValidForRules() = default;
    void add_job(const std::string& job, Duration interval, std::optional<Duration> valid_for);
    void add_period(const std::string& metric, Duration holds);
    void add_source(const SourceConfig& source);
    [[nodiscard]] std::optional<Duration> of_names(std::string_view job,
                                                   std::string_view metric) const;

    StringMap<OfJob> jobs_;                           // that differ from the default
    StringMap<Duration> periods_;                     // of totals, above the default
    StringMap<std::vector<std::string>> brought_by_;  // metric to jobs, where a source names it
    Duration longest_ = kValidForDefault;
};

}  // namespace kpid::config
