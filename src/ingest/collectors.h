#pragma once
// The kinds of source that are not scrape targets.

#include "config/sources.h"
#include "ingest/collector.h"
#include "ingest/metrics.h"
#include "ingest/poll_task.h"

#include <memory>
#include <string>

namespace kpid::ingest {

/// The way a source's samples come in; kScrape for kind `prometheus`.
[[nodiscard]] Protocol protocol_of(const config::SourceConfig& source);

/// The collector of a source of any kind but `prometheus`. `labels` are those of all its series.
/// `environment` outlives it.
[[nodiscard]] std::unique_ptr<Collector> make_collector(const config::SourceConfig& source,
                                                        const model::Labels& labels,
                                                        Environment& environment);

/// This machine, from `root` + "/proc" and the file systems that are mounted.
[[nodiscard]] std::unique_ptr<Collector> make_host_collector(Environment& environment,
                                                             std::string root = "");
/// The made-up shop; its time begins with the first collect().
[[nodiscard]] std::unique_ptr<Collector> make_demo_collector();
/// One GET, its JSON picked apart by pointers.
[[nodiscard]] std::unique_ptr<Collector> make_http_json_collector(
    const config::SourceConfig& source, const config::HttpJsonSource& json,
    Environment& environment);
/// Instant queries, one request each, several at once; beside its rounds the past and the periods.
[[nodiscard]] std::unique_ptr<Collector> make_promql_collector(const config::SourceConfig& source,
                                                               const config::PromqlSource& promql,
                                                               const model::Labels& labels,
                                                               Environment& environment);

}  // namespace kpid::ingest
