// From a source's kind to its collector.
#include "ingest/collectors.h"

#include "kpid/base/assert.h"

#include <array>

namespace kpid::ingest {

Protocol protocol_of(const config::SourceConfig& source) {
    // In the order of SourceConfig::Kind.
    constexpr std::array<Protocol, 5> kProtocols{Protocol::kScrape, Protocol::kHost,
                                                 Protocol::kDemo, Protocol::kHttpJson,
                                                 Protocol::kPromql};
    static_assert(std::variant_size_v<config::SourceConfig::Kind> == kProtocols.size());
    return kProtocols[source.kind.index()];
}

std::unique_ptr<Collector> make_collector(const config::SourceConfig& source,
                                          const model::Labels& labels, Environment& environment) {
    if (std::holds_alternative<config::HostSource>(source.kind)) {
        return make_host_collector(environment);
    }
    if (const auto* json = std::get_if<config::HttpJsonSource>(&source.kind)) {
        return make_http_json_collector(source, *json, environment);
    }
    if (const auto* promql = std::get_if<config::PromqlSource>(&source.kind)) {
        return make_promql_collector(source, *promql, labels, environment);
    }
    // Scrape configurations have pollers of their own.
    KPID_ASSERT(std::holds_alternative<config::DemoSource>(source.kind));
    return make_demo_collector();
}

}  // namespace kpid::ingest
