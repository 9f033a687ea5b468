// Scrape targets as Prometheus shows them.
#include "http/targets_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"
#include "kpid/promql/parser.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::http {
namespace {

void write_active(JsonWriter& json, const ingest::TargetView& target) {
    json.begin_object().key("discoveredLabels");
    write_labels(json, target.discovered_labels);
    json.key("labels");
    write_labels(json, target.labels);
    json.key("scrapePool").string(target.scrape_pool).key("scrapeUrl").string(target.scrape_url);
    json.key("globalUrl").string(target.scrape_url).key("lastError").string(target.last_error);
    json.key("lastScrape").string(format_rfc3339(target.last_scrape));
    json.key("lastScrapeDuration")
        .number(std::chrono::duration<double>(target.last_scrape_duration).count());
    json.key("health").string(target.health);
    json.key("scrapeInterval").string(format_duration(target.scrape_interval));
    json.key("scrapeTimeout").string(format_duration(target.scrape_timeout)).end_object();
}

// What the source's peer says beside its answers, and how far its past is.
void write_notes(JsonWriter& json, const ingest::SourceNotes& notes) {
    json.key("notes").begin_array();
    for (const ingest::SourceNotes::Note& note : notes.notes) {
        json.begin_object().key("metric").string(note.metric).key("kind").string(note.kind);
        json.key("text").string(note.text).end_object();
    }
    json.end_array().key("history");
    if (!notes.has_history) {
        json.null();
        return;
    }
    json.begin_object().key("periods_pending").number(notes.periods_pending);
    json.key("periods_given_up").number(notes.periods_given_up);
    json.key("backfills_pending").number(notes.backfills_pending);
    json.key("error").string_or_null(notes.history_error).end_object();
}

void write_metadata(JsonWriter& json, const model::Labels& target,
                    const model::MetricMetadata& metadata, bool with_name) {
    json.begin_object().key("target");
    write_labels(json, target);
    if (with_name) {
        json.key("metric").string(metadata.family);
    }
    json.key("type").string(model::to_string(metadata.type));
    json.key("help").string(metadata.help).key("unit").string(metadata.unit).end_object();
}

}  // namespace

net::HttpResponse targets_response(const std::vector<ingest::TargetView>& targets,
                                   const net::HttpParams& params) {
    std::string state(params.get_or("state", ""));
    std::transform(state.begin(), state.end(), state.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool any = state.empty() || state == "any";
    const bool show_active = any || state == "active";
    const bool show_dropped = any || state == "dropped";
    const std::string_view pool = params.get_or("scrapePool", "");
    const auto wanted = [&](const ingest::TargetView& target, bool dropped) {
        return target.dropped == dropped && (pool.empty() || pool == target.scrape_pool);
    };
    JsonWriter json;
    json.begin_object().key("activeTargets").begin_array();
    for (const ingest::TargetView& target : targets) {
        if (show_active && wanted(target, false)) {
            write_active(json, target);
        }
    }
    json.end_array().key("droppedTargets").begin_array();
    for (const ingest::TargetView& target : targets) {
        if (show_dropped && wanted(target, true)) {
            json.begin_object().key("discoveredLabels");
            write_labels(json, target.discovered_labels);
            json.key("scrapePool").string(target.scrape_pool).end_object();
        }
    }
    json.end_array().key("droppedTargetCounts").begin_object();
    std::map<std::string_view, std::size_t> counts;
    for (const ingest::TargetView& target : targets) {
        counts[target.scrape_pool] += target.dropped ? 1 : 0;
    }
    for (const auto& [name, count] : counts) {
        if (show_dropped) {
            json.key(name).number(count);
        }
    }
    json.end_object().end_object();
    return success(std::move(json).take());
}

Result<net::HttpResponse> target_metadata_response(
    const std::vector<ingest::TargetMetadata>& targets, const net::HttpParams& params) {
    const Result<std::optional<std::int64_t>> limit = integer_param(params, "limit");
    if (!limit) {
        return invalid_argument("limit must be a number");
    }
    std::vector<model::Matcher> matchers;
    if (const std::string_view text = params.get_or("match_target", ""); !text.empty()) {
        Result<std::vector<model::Matcher>> parsed = promql::parse_metric_selector(text);
        if (!parsed) {
            return bad_parameter("match_target", parsed.error().message);
        }
        matchers = *std::move(parsed);
    }
    // As in Prometheus the limit is looked at before each target.
    const std::int64_t limit_or_none = limit->value_or(-1);
    const std::string_view metric = params.get_or("metric", "");
    std::int64_t written = 0;
    JsonWriter json;
    json.begin_array();
    for (const ingest::TargetMetadata& target : targets) {
        if (limit_or_none >= 0 && written >= limit_or_none) {
            break;
        }
        if (!model::matches_all(matchers, target.labels)) {
            continue;
        }
        for (const model::MetricMetadata& one : *target.metrics) {
            if (metric.empty() || metric == one.family) {
                write_metadata(json, target.labels, one, metric.empty());
                ++written;
            }
        }
    }
    json.end_array();
    return success(std::move(json).take());
}

net::HttpResponse scrape_pools_response(const config::Config& config) {
    std::vector<std::string> names;
    names.reserve(config.scrape_configs.size() + config.sources.size());
    for (const config::ScrapeConfig& scrape : config.scrape_configs) {
        names.push_back(scrape.job_name);
    }
    for (const config::SourceConfig& source : config.sources) {
        if (std::holds_alternative<config::ScrapeConfig>(source.kind)) {
            names.push_back(source.id);
        }
    }
    std::sort(names.begin(), names.end());
    JsonWriter json;
    json.begin_object().key("scrapePools");
    write_strings(json, names);
    json.end_object();
    return success(std::move(json).take());
}

net::HttpResponse sources_response(const ingest::Ingest& ingest) {
    JsonWriter json;
    json.begin_array();
    for (const ingest::SourceView& source : ingest.sources()) {
        json.begin_object().key("id").string(source.id).key("kind").string(source.kind);
        json.key("labels");
        write_labels(json, source.labels);
        json.key("health").string(source.health).key("last_error");
        json.string_or_null(source.last_error).key("last_poll");
        write_time_or_null(json, source.last_poll);
        json.key("last_poll_seconds").number(seconds(source.last_poll_duration));
        json.key("interval").string(format_duration(source.interval));
        write_notes(json, source.notes);
        json.end_object();
    }
    json.end_array();
    return success(std::move(json).take());
}

}  // namespace kpid::http
