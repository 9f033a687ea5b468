#pragma once
// A scrape target as /api/v1/targets shows it.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <string>

namespace kpid::ingest {

struct TargetView {
    model::Labels discovered_labels;  ///< Before relabelling.
    model::Labels labels;             ///< After it; empty when dropped.
    bool dropped = false;             ///< Relabelling dropped it: an entry of droppedTargets.
    std::string scrape_pool;          ///< The job's name in the configuration.
    std::string scrape_url;
    std::string last_error;  ///< Empty when the last scrape went well.
    Timestamp last_scrape;   ///< The epoch before the first.
    std::chrono::nanoseconds last_scrape_duration{0};
    std::string health = "unknown";  ///< "up", "down", "unknown".
    Duration scrape_interval{0};
    Duration scrape_timeout{0};
};

}  // namespace kpid::ingest
