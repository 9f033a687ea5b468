#pragma once
// From a scrape configuration to its targets: labels, relabelling, URLs.

#include "config/sources.h"
#include "kpid/base/result.h"
#include "kpid/model/labels.h"

#include <string>
#include <vector>

namespace kpid::ingest {

/// One target of a scrape configuration. A plain value.
struct ScrapeTarget {
    model::Labels discovered_labels;  ///< Before relabelling, with `__address__` and its like.
    model::Labels labels;             ///< What its series get; empty when dropped.
    bool dropped = false;             ///< By relabelling.
    std::string error;                ///< Why it cannot be scraped; else empty.
    std::string url;
    Duration interval{0};
    Duration timeout{0};
    bool operator==(const ScrapeTarget&) const = default;
};

/// The targets in their order, dropped ones too, without repetitions. When more than
/// `config.target_limit` are left, each says so as its error. Pure.
[[nodiscard]] std::vector<ScrapeTarget> scrape_targets(const config::ScrapeConfig& config);

}  // namespace kpid::ingest
