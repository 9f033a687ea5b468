// Status as JSON.
#include "http/status_api.h"

#include "http/api_json.h"
#include "kpid/base/json_writer.h"
#include "notify/alertmanager_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <thread>

namespace kpid::http {
namespace {

// The names of --enable-feature and what `features` calls them.
struct Feature {
    std::string_view flag;
    std::string_view name;
};
constexpr std::array<Feature, 5> kLanguageFeatures = {{
    {"promql-delayed-name-removal", "delayed_name_removal"},
    {"promql-duration-expr", "duration_expr"},
    {"promql-experimental-functions", "experimental_functions"},
    {"promql-extended-range-selectors", "extended_range_selectors"},
    {"promql-binop-fill-modifiers", "fill"},
}};

std::string retention_text(const config::StorageConfig& storage) {
    const std::string time = format_duration(storage.retention);
    return storage.retention_size == 0 ? time
                                       : fmt::format("{} or {}B", time, storage.retention_size);
}

}  // namespace

net::HttpResponse buildinfo_response(const ProgramInfo& program) {
    JsonWriter json;
    json.begin_object().key("version").string(program.version);
    json.key("revision").string(program.revision).key("branch").string("main");
    json.key("buildUser").string("").key("buildDate").string("").key("goVersion").string("");
    json.end_object();
    return success(std::move(json).take());
}

net::HttpResponse flags_response(const ProgramInfo& program) {
    JsonWriter json;
    write_map(json, program.flags);
    return success(std::move(json).take());
}

net::HttpResponse config_response(const config::Config& config) {
    JsonWriter json;
    json.begin_object().key("yaml").string(config.shown).end_object();
    return success(std::move(json).take());
}

net::HttpResponse runtimeinfo_response(const ProgramInfo& program, const RuntimeInfo& runtime,
                                       const config::Config& config, Timestamp now) {
    JsonWriter json;
    json.begin_object().key("startTime").string(format_rfc3339(program.started));
    json.key("CWD").string(program.folder).key("hostname").string(program.host_name);
    json.key("serverTime").string(format_rfc3339(now));
    json.key("reloadConfigSuccess").boolean(runtime.reload_succeeded);
    json.key("lastConfigTime").string(format_rfc3339(runtime.last_config));
    json.key("corruptionCount").number(0);
    json.key("goroutineCount").number(runtime.threads);
    json.key("GOMAXPROCS").number(std::max(1U, std::thread::hardware_concurrency()));
    json.key("GOMEMLIMIT").number(std::numeric_limits<std::int64_t>::max());
    json.key("GOGC").string("").key("GODEBUG").string("");
    json.key("storageRetention").string(retention_text(config.storage)).end_object();
    return success(std::move(json).take());
}

net::HttpResponse walreplay_response() {
    return success(R"({"min":0,"max":0,"current":0})");
}

net::HttpResponse blocks_response() {
    return success(R"({"blocks":[]})");
}

net::HttpResponse features_response(const ProgramInfo& program, bool admin_api) {
    const auto is_on = [&program](std::string_view flag) {
        return std::find(program.features.begin(), program.features.end(), flag) !=
               program.features.end();
    };
    JsonWriter json;
    json.begin_object().key("api").begin_object();
    json.key("admin").boolean(admin_api).key("exclude_alerts").boolean(true);
    json.key("exemplars").boolean(true).key("federate").boolean(true);
    json.key("label_values_match").boolean(true).key("native_histograms").boolean(false);
    json.key("query_stats").boolean(true).key("remote_write_receiver").boolean(true);
    json.key("rules_pagination").boolean(true).end_object();
    json.key("promql").begin_object();
    for (const Feature& feature : kLanguageFeatures) {
        json.key(feature.name).boolean(is_on(feature.flag));
    }
    json.key("at_modifier").boolean(true).key("negative_offset").boolean(true);
    json.key("per_step_stats").boolean(true).key("subqueries").boolean(true).end_object();
    json.end_object();
    return success(std::move(json).take());
}

net::HttpResponse alertmanagers_response(const config::Config& config) {
    JsonWriter json;
    json.begin_object().key("activeAlertmanagers").begin_array();
    for (const std::string& url : notify::alertmanager_urls(config)) {
        json.begin_object().key("url").string(url).end_object();
    }
    json.end_array().key("droppedAlertmanagers").begin_array().end_array().end_object();
    return success(std::move(json).take());
}

}  // namespace kpid::http
