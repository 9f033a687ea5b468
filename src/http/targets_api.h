#pragma once
// /api/v1/targets, scrape_pools and sources.

#include "config/config.h"
#include "ingest/ingest.h"
#include "net/http_message.h"

#include <vector>

namespace kpid::http {

/// `targets?state=active|dropped|any&scrapePool=`; as in Prometheus another state shows nothing.
/// `targets` are in order of their pools, as Ingest gives them.
[[nodiscard]] net::HttpResponse targets_response(const std::vector<ingest::TargetView>& targets,
                                                 const net::HttpParams& params);
/// `targets/metadata?match_target=&metric=&limit=`: what targets say of their metrics.
[[nodiscard]] Result<net::HttpResponse> target_metadata_response(
    const std::vector<ingest::TargetMetadata>& targets, const net::HttpParams& params);
/// `scrape_pools`: the names of the scrape jobs.
[[nodiscard]] net::HttpResponse scrape_pools_response(const config::Config& config);
/// `[{id, kind, labels, health, last_error, last_poll, last_poll_seconds, interval}]`: the sources
/// that are no scrape targets.
[[nodiscard]] net::HttpResponse sources_response(const ingest::Ingest& ingest);

}  // namespace kpid::http
