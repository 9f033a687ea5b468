// Scrape targets as Prometheus shows them.
#include "http/targets_api.h"

#include "http/api_json.h"
#include "kpid/base/json_writer.h"

#include <algorithm>
#include <string>

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

}  // namespace

net::HttpResponse targets_response(const ingest::Ingest& ingest, const net::HttpParams& params) {
    std::string state(params.get_or("state", ""));
    std::transform(state.begin(), state.end(), state.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    const bool any = state.empty() || state == "any";
    const std::string_view pool = params.get_or("scrapePool", "");
    const std::vector<ingest::TargetView> targets = ingest.targets();
    const auto wanted = [&](const ingest::TargetView& target, bool dropped) {
        return target.dropped == dropped && (pool.empty() || pool == target.scrape_pool);
    };
    JsonWriter json;
    json.begin_object().key("activeTargets").begin_array();
    for (const ingest::TargetView& target : targets) {
        if ((any || state == "active") && wanted(target, false)) {
            write_active(json, target);
        }
    }
    json.end_array().key("droppedTargets").begin_array();
    for (const ingest::TargetView& target : targets) {
        if ((any || state == "dropped") && wanted(target, true)) {
            json.begin_object().key("discoveredLabels");
            write_labels(json, target.discovered_labels);
            json.end_object();
        }
    }
    json.end_array().end_object();
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
