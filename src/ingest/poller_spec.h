#pragma once
// What a configuration wants to be polled, one entry for each poller.

#include "config/config.h"
#include "ingest/poll_task.h"
#include "ingest/poller.h"
#include "ingest/scrape_target.h"
#include "ingest/source_poll.h"
#include "ingest/target_view.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace kpid::ingest {

/// One thing to poll.
struct PollerSpec {
    struct Scrape {
        std::shared_ptr<const config::ScrapeConfig> config;
        ScrapeTarget target;
    };

    /// What stays the same while it is the same series: job and URL and labels, or id and labels.
    std::string key;
    std::string source;    ///< The source's id or the scrape job's name.
    model::Labels labels;  ///< Of all its series.
    std::variant<Scrape, config::SourceConfig> kind;
    SourceRules rules;  ///< Of a source that is no scrape target.
    bool operator==(const PollerSpec& other) const;
};

/// What a configuration asks for.
struct WantedPollers {
    std::vector<PollerSpec> pollers;
    std::vector<TargetView> dropped;   ///< Targets that relabelling dropped.
    std::vector<std::string> sources;  ///< Every source's id and job's name.
};
[[nodiscard]] WantedPollers wanted_pollers(const config::Config& config);

[[nodiscard]] PollerOptions poller_options(const PollerSpec& spec);
[[nodiscard]] std::unique_ptr<PollTask> make_poll_task(const PollerSpec& spec,
                                                       Environment& environment);
/// A scrape target as the API shows it, before it was polled.
[[nodiscard]] TargetView target_view(const config::ScrapeConfig& config,
                                     const ScrapeTarget& target);

}  // namespace kpid::ingest
