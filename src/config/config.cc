// Names of source kinds and look-ups in a configuration.

#include "config/config.h"

#include <algorithm>

namespace kpid::config {

std::string_view SourceConfig::kind_name() const {
    struct Name {
        std::string_view operator()(const ScrapeConfig&) const { return "prometheus"; }
        std::string_view operator()(const HostSource&) const { return "host"; }
        std::string_view operator()(const DemoSource&) const { return "demo"; }
        std::string_view operator()(const HttpJsonSource&) const { return "http_json"; }
        std::string_view operator()(const PromqlSource&) const { return "promql"; }
    };
    return std::visit(Name(), kind);
}

const KpiEntry* Config::find_kpi(std::string_view id) const {
    const auto found = std::lower_bound(
        kpis.begin(), kpis.end(), id,
        [](const KpiEntry& entry, std::string_view key) { return entry.definition.id < key; });
    return found != kpis.end() && found->definition.id == id ? &*found : nullptr;
}

const ReceiverConfig* Config::find_receiver(std::string_view name) const {
    const auto found =
        std::find_if(alerting.receivers.begin(), alerting.receivers.end(),
                     [&](const ReceiverConfig& receiver) { return receiver.name == name; });
    return found != alerting.receivers.end() ? &*found : nullptr;
}

}  // namespace kpid::config
