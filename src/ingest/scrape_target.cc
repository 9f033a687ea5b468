// Prometheus' rules of populating a target's labels.
#include "ingest/scrape_target.h"

#include "kpid/model/relabel.h"
#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace kpid::ingest {
namespace {

constexpr std::string_view kAddress = "__address__";
constexpr std::string_view kScheme = "__scheme__";
constexpr std::string_view kMetricsPath = "__metrics_path__";
constexpr std::string_view kParamPrefix = "__param_";
constexpr std::string_view kInterval = "__scrape_interval__";
constexpr std::string_view kTimeout = "__scrape_timeout__";
constexpr std::string_view kHiddenPrefix = "__";

void set_if_absent(model::LabelsBuilder& labels, std::string_view name, std::string_view value) {
    if (labels.get(name).empty()) {
        labels.set(name, value);
    }
}

model::Labels discovered_labels(const config::ScrapeConfig& config,
                                const config::StaticTargets& group, const std::string& address) {
    model::LabelsBuilder labels(group.labels);
    labels.set(kAddress, address);
    set_if_absent(labels, "job", config.job_name);
    set_if_absent(labels, kInterval, format_duration(config.interval));
    set_if_absent(labels, kTimeout, format_duration(config.timeout));
    set_if_absent(labels, kMetricsPath, config.metrics_path);
    set_if_absent(labels, kScheme, config.scheme);
    std::set<std::string_view> seen;
    for (const auto& [name, value] : config.params) {
        if (seen.insert(name).second) {
            labels.set(std::string(kParamPrefix) + name, value);
        }
    }
    return labels.build();
}

// Encodes what may not stand in a path; slashes stay.
std::string encode_path(std::string_view path) {
    std::string encoded;
    while (!path.empty()) {
        const std::size_t slash = path.find('/');
        encoded += net::url_encode(path.substr(0, slash));
        if (slash == std::string_view::npos) {
            break;
        }
        encoded += '/';
        path.remove_prefix(slash + 1);
    }
    return encoded.starts_with('/') ? encoded : "/" + encoded;
}

std::string make_url(const config::ScrapeConfig& config, const model::Labels& labels) {
    std::map<std::string, std::vector<std::string>> params;
    for (const auto& [name, value] : config.params) {
        params[name].push_back(value);
    }
    for (const model::Label& label : labels) {
        if (label.name.starts_with(kParamPrefix)) {
            std::vector<std::string>& values = params[label.name.substr(kParamPrefix.size())];
            if (values.empty()) {
                values.emplace_back();
            }
            values.front() = label.value;
        }
    }
    net::HttpParams query;
    for (const auto& [name, values] : params) {
        for (const std::string& value : values) {
            query.add(name, value);
        }
    }
    return fmt::format("{}://{}{}{}{}", labels.get(kScheme), labels.get(kAddress),
                       encode_path(labels.get(kMetricsPath)), query.empty() ? "" : "?",
                       net::encode_form(query));
}

Result<Duration> read_span(const model::Labels& labels, std::string_view name) {
    const Result<Duration> span = parse_duration(labels.get(name));
    if (!span) {
        return span.error().with_context(name);
    }
    if (*span <= Duration(0)) {
        return invalid_argument(fmt::format("{} must be more than 0", name));
    }
    return *span;
}

Result<void> complete(const model::Labels& relabelled, ScrapeTarget& target) {
    const std::string_view address = relabelled.get(kAddress);
    if (address.empty()) {
        return invalid_argument("no address");
    }
    if (address.find('/') != std::string_view::npos) {
        return invalid_argument(fmt::format("\"{}\" is not a valid hostname", address));
    }
    const std::string_view scheme = relabelled.get(kScheme);
    if (scheme != "http" && scheme != "https") {
        return invalid_argument(fmt::format("unsupported scheme \"{}\"", scheme));
    }
    KPID_TRY(target.interval, read_span(relabelled, kInterval));
    KPID_TRY(target.timeout, read_span(relabelled, kTimeout));
    if (target.timeout > target.interval) {
        return invalid_argument("scrape timeout cannot be greater than scrape interval");
    }
    return {};
}

ScrapeTarget make_target(const config::ScrapeConfig& config, model::Labels discovered) {
    ScrapeTarget target{.discovered_labels = std::move(discovered),
                        .interval = config.interval,
                        .timeout = config.timeout};
    const auto relabelled = model::relabel(target.discovered_labels, config.relabel_configs);
    if (!relabelled) {
        target.dropped = true;
        return target;
    }
    if (const Result<void> completed = complete(*relabelled, target); !completed) {
        target.error = completed.error().message;
        target.interval = config.interval;
        target.timeout = config.timeout;
    }
    target.url = make_url(config, *relabelled);
    model::LabelsBuilder labels(*relabelled);
    set_if_absent(labels, "instance", relabelled->get(kAddress));
    for (const model::Label& label : *relabelled) {
        if (label.name.starts_with(kHiddenPrefix)) {
            labels.erase(label.name);
        }
    }
    target.labels = labels.build();
    return target;
}

}  // namespace

std::vector<ScrapeTarget> scrape_targets(const config::ScrapeConfig& config) {
    std::vector<ScrapeTarget> targets;
    std::set<std::pair<std::string, model::Labels>> seen;
    std::size_t active = 0;
    for (const config::StaticTargets& group : config.static_configs) {
        for (const std::string& address : group.targets) {
            ScrapeTarget target = make_target(config, discovered_labels(config, group, address));
            if (target.dropped) {
                targets.push_back(std::move(target));
            } else if (seen.insert({target.url, target.labels}).second) {
                ++active;
                targets.push_back(std::move(target));
            }
        }
    }
    if (config.target_limit != 0 && active > config.target_limit) {
        for (ScrapeTarget& target : targets) {
            target.error = "target_limit exceeded";
        }
    }
    return targets;
}

}  // namespace kpid::ingest
