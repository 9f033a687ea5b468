#pragma once
// A scrape target as /api/v1/targets shows it, another source as /api/v1/sources does.

#include "ingest/source_notes.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/metadata.h"

#include <memory>
#include <string>
#include <vector>

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

/// What one target says of its metrics.
struct TargetMetadata {
    model::Labels labels;                                               ///< The target's.
    std::shared_ptr<const std::vector<model::MetricMetadata>> metrics;  ///< Never null.
};

struct SourceView {
    std::string id;
    std::string kind;                ///< "host", "demo", "http_json", "promql".
    model::Labels labels;            ///< Of all its series.
    std::string health = "unknown";  ///< "up", "down", "unknown".
    std::string last_error;          ///< Empty when the last poll went well.
    Timestamp last_poll;             ///< The epoch before the first.
    std::chrono::nanoseconds last_poll_duration{0};
    Duration interval{0};
    SourceNotes notes;
};

}  // namespace kpid::ingest
