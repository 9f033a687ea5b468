// From a configuration to the pollers it wants.
#include "ingest/poller_spec.h"

#include "ingest/collectors.h"
#include "ingest/scrape_poll.h"
#include "kpid/base/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

bool same(const wire::JsonMetricSpec& a, const wire::JsonMetricSpec& b) {
    return a.metric == b.metric && a.value == b.value && !(a.scale < b.scale) &&
           !(a.scale > b.scale) && a.time == b.time && a.labels == b.labels;
}

bool same(const config::HttpJsonSource& a, const config::HttpJsonSource& b) {
    return a.url == b.url && a.http == b.http && a.select.items == b.select.items &&
           std::equal(a.select.metrics.begin(), a.select.metrics.end(), b.select.metrics.begin(),
                      b.select.metrics.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
}

bool same_kind(const config::SourceConfig::Kind& a, const config::SourceConfig::Kind& b) {
    if (a.index() != b.index()) {
        return false;
    }
    if (const auto* json = std::get_if<config::HttpJsonSource>(&a)) {
        return same(*json, std::get<config::HttpJsonSource>(b));
    }
    if (const auto* promql = std::get_if<config::PromqlSource>(&a)) {
        return *promql == std::get<config::PromqlSource>(b);
    }
    if (const auto* scrape = std::get_if<config::ScrapeConfig>(&a)) {
        return *scrape == std::get<config::ScrapeConfig>(b);
    }
    // The other kinds say nothing more.
    return true;
}

bool same(const config::SourceConfig& a, const config::SourceConfig& b) {
    return a.id == b.id && a.interval == b.interval && a.timeout == b.timeout &&
           a.labels == b.labels && same_kind(a.kind, b.kind);
}

void add_scrape(const config::ScrapeConfig& scrape, WantedPollers& wanted) {
    const auto config = std::make_shared<const config::ScrapeConfig>(scrape);
    wanted.sources.push_back(scrape.job_name);
    for (ScrapeTarget& target : scrape_targets(scrape)) {
        if (target.dropped) {
            wanted.dropped.push_back(target_view(scrape, target));
            continue;
        }
        PollerSpec spec{
            .key = fmt::format("{} {} {}", scrape.job_name, target.url, target.labels.to_string()),
            .source = scrape.job_name,
            .labels = target.labels};
        spec.kind = PollerSpec::Scrape{config, std::move(target)};
        wanted.pollers.push_back(std::move(spec));
    }
}

// Of the metrics that it names; others have no rows.
SourceRules rules_of(const config::SourceConfig& source, const config::MetricTable& metrics) {
    SourceRules rules{.out_of_order_window = source.out_of_order_window};
    const auto* json = std::get_if<config::HttpJsonSource>(&source.kind);
    for (const wire::JsonMetricSpec& spec :
         json != nullptr ? json->select.metrics : std::vector<wire::JsonMetricSpec>()) {
        const auto declared = metrics.find(spec.metric);
        if (declared != metrics.end() && declared->second.kind) {
            rules.kinds.emplace(spec.metric, *declared->second.kind);
        }
    }
    return rules;
}

void add_source(const config::SourceConfig& source, const config::MetricTable& metrics,
                WantedPollers& wanted) {
    if (const auto* scrape = std::get_if<config::ScrapeConfig>(&source.kind)) {
        add_scrape(*scrape, wanted);
        return;
    }
    const model::Labels labels = source.labels.with("job", source.id);
    wanted.sources.push_back(source.id);
    wanted.pollers.push_back(
        {.key = fmt::format("{} {} {}", source.id, source.kind_name(), labels.to_string()),
         .source = source.id,
         .labels = labels,
         .kind = source,
         .rules = rules_of(source, metrics)});
}

}  // namespace

bool PollerSpec::operator==(const PollerSpec& other) const {
    if (key != other.key || kind.index() != other.kind.index()) {
        return false;
    }
    if (const auto* scrape = std::get_if<Scrape>(&kind)) {
        const Scrape& of_other = std::get<Scrape>(other.kind);
        return scrape->target == of_other.target && *scrape->config == *of_other.config;
    }
    return rules == other.rules &&
           same(std::get<config::SourceConfig>(kind), std::get<config::SourceConfig>(other.kind));
}

WantedPollers wanted_pollers(const config::Config& config) {
    WantedPollers wanted;
    for (const config::ScrapeConfig& scrape : config.scrape_configs) {
        add_scrape(scrape, wanted);
    }
    for (const config::SourceConfig& source : config.sources) {
        add_source(source, config.metrics, wanted);
    }
    return wanted;
}

PollerOptions poller_options(const PollerSpec& spec) {
    PollerOptions options{.source = spec.source, .hash = hash_bytes(spec.key)};
    if (const auto* scrape = std::get_if<PollerSpec::Scrape>(&spec.kind)) {
        options.address = scrape->target.labels.get("instance");
        options.interval = scrape->target.interval;
    } else {
        options.interval = std::get<config::SourceConfig>(spec.kind).interval;
    }
    return options;
}

std::unique_ptr<PollTask> make_poll_task(const PollerSpec& spec, Environment& environment) {
    if (const auto* scrape = std::get_if<PollerSpec::Scrape>(&spec.kind)) {
        return std::make_unique<ScrapePoll>(environment, scrape->config, scrape->target);
    }
    const auto& source = std::get<config::SourceConfig>(spec.kind);
    return std::make_unique<SourcePoll>(environment, protocol_of(source), spec.labels,
                                        make_collector(source, spec.labels, environment),
                                        spec.rules);
}

TargetView target_view(const config::ScrapeConfig& config, const ScrapeTarget& target) {
    return {.discovered_labels = target.discovered_labels,
            .labels = target.labels,
            .dropped = target.dropped,
            .scrape_pool = config.job_name,
            .scrape_url = target.url,
            .last_error = target.error,
            .scrape_interval = target.interval,
            .scrape_timeout = target.timeout};
}

}  // namespace kpid::ingest
