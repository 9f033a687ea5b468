#pragma once
// What of the log one remote gets, and under which labels.

#include "config/remote_write.h"
#include "kpid/model/sample_log.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace kpid::notify {

/// Chooses by origin and age, adds the external labels (a series' own win) and relabels. Not
/// thread-safe; takes CPU time: on a worker.
class RemoteSamples {
public:
    /// Series whose relabelled labels are remembered.
    static constexpr std::size_t kSeriesMax = 100'000;

    RemoteSamples(const config::RemoteWriteConfig& config, model::Labels external_labels);

    struct Prepared {
        std::vector<model::SeriesSample> samples;  ///< In the log's order.
        std::size_t relabelled = 0;                ///< Samples that relabelling dropped.
        std::size_t too_old = 0;                   ///< Samples older than sample_age_limit.
        std::uint64_t next = 0;                    ///< As in the piece.
        std::uint64_t lost = 0;                    ///< The same.
    };
    [[nodiscard]] Prepared prepare(const model::LogPiece& piece, Timestamp now);

private:
    [[nodiscard]] bool is_wanted(model::AppendOrigin origin) const;
    /// Nothing when the series is dropped.
    [[nodiscard]] std::optional<model::Labels> sent_labels(const model::Labels& labels);
    [[nodiscard]] std::optional<model::Labels> make_labels(const model::Labels& labels) const;

    const config::RemoteWriteSend send_;
    const Duration age_limit_;
    const std::vector<model::RelabelConfig> rules_;
    const model::Labels external_labels_;
    boost::unordered_flat_map<model::Labels, std::optional<model::Labels>, model::LabelsHash>
        known_;
};

}  // namespace kpid::notify
