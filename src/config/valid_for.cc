// From sources and metrics to rules by job and metric name.

#include "config/valid_for.h"

#include <algorithm>

namespace kpid::config {
namespace {

std::string_view equal_to(std::span<const model::Matcher> matchers, std::string_view name) {
    for (const model::Matcher& matcher : matchers) {
        if (matcher.name() == name && matcher.type() == model::MatchType::kEqual) {
            return matcher.value();
        }
    }
    return {};
}

}  // namespace

std::shared_ptr<const ValidForRules> ValidForRules::make(const Config& config) {
    auto rules = std::shared_ptr<ValidForRules>(new ValidForRules());
    for (const ScrapeConfig& scrape : config.scrape_configs) {
        rules->add_job(scrape.job_name, scrape.interval, std::nullopt);
    }
    for (const SourceConfig& source : config.sources) {
        rules->add_source(source);
    }
    for (const auto& [name, metric] : config.metrics) {
        if (metric.per) {
            rules->add_period(name, config::longest(*metric.per));
        }
    }
    return rules->jobs_.empty() && rules->periods_.empty() ? nullptr : rules;
}

void ValidForRules::add_job(const std::string& job, Duration interval,
                            std::optional<Duration> valid_for) {
    const Duration holds = valid_for.value_or(std::max(kValidForDefault, 2 * interval));
    if (!valid_for && holds == kValidForDefault) {
        return;
    }
    jobs_.insert_or_assign(job, OfJob{holds, valid_for.has_value()});
    longest_ = std::max(longest_, holds);
}

void ValidForRules::add_period(const std::string& metric, Duration holds) {
    if (holds > kValidForDefault) {
        Duration& known = periods_.try_emplace(metric, holds).first->second;
        known = std::max(known, holds);
        longest_ = std::max(longest_, known);
    }
}

void ValidForRules::add_source(const SourceConfig& source) {
    add_job(source.id, source.interval, source.valid_for);
    if (const auto* json = std::get_if<HttpJsonSource>(&source.kind)) {
        for (const wire::JsonMetricSpec& metric : json->select.metrics) {
            brought_by_[metric.metric].push_back(source.id);
        }
    } else if (const auto* promql = std::get_if<PromqlSource>(&source.kind)) {
        for (const PromqlSource::Query& query : promql->queries) {
            brought_by_[query.metric].push_back(source.id);
            if (query.per) {
                // It comes at the end of its period, which is the interval it is asked at.
                add_period(query.metric, 2 * config::longest(*query.per));
            }
        }
    }
}

std::optional<Duration> ValidForRules::of_names(std::string_view job,
                                                std::string_view metric) const {
    const auto of_job = job.empty() ? jobs_.end() : jobs_.find(job);
    if (of_job != jobs_.end() && of_job->second.wins) {
        return of_job->second.valid_for;
    }
    const auto period = periods_.empty() ? periods_.end() : periods_.find(metric);
    if (of_job == jobs_.end()) {
        return period == periods_.end() ? std::nullopt : std::optional(period->second);
    }
    return period == periods_.end() ? of_job->second.valid_for
                                    : std::max(of_job->second.valid_for, period->second);
}

std::optional<Duration> ValidForRules::of(const model::Labels& labels) const {
    return of_names(labels.get("job"), labels.metric_name());
}

std::optional<Duration> ValidForRules::of_selector(std::span<const model::Matcher> matchers) const {
    const std::string_view metric = equal_to(matchers, model::kMetricName);
    const std::string_view job = equal_to(matchers, "job");
    const auto known = brought_by_.find(metric);
    if (!job.empty() || known == brought_by_.end()) {
        return of_names(job, metric);
    }
    std::optional<Duration> longest;
    for (const std::string& each : known->second) {
        longest = std::max(longest, of_names(each, metric));
    }
    return longest;
}

}  // namespace kpid::config
