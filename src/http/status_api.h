#pragma once
// What kpid says of itself: /api/v1/status/…, features, alertmanagers.

#include "config/config.h"
#include "kpid/base/time.h"
#include "net/http_message.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace kpid::http {

/// What holds from the start to the end of the process.
struct ProgramInfo {
    std::string version;
    std::string revision;
    std::map<std::string, std::string> flags;  ///< As given or by default, without the dashes.
    std::vector<std::string> features;         ///< Switched on with --enable-feature.
    Timestamp started;
    std::string folder;     ///< The working directory.
    std::string host_name;  ///< This machine.
};

/// What changes meanwhile.
struct RuntimeInfo {
    bool reload_succeeded = true;
    Timestamp last_config;  ///< When the configuration in force was loaded.
    std::size_t threads = 0;
};

/// `status/buildinfo`: `application` says that it is kpid.
[[nodiscard]] net::HttpResponse buildinfo_response(const ProgramInfo& program);
[[nodiscard]] net::HttpResponse flags_response(const ProgramInfo& program);
/// `status/config`: the main file without its secrets.
[[nodiscard]] net::HttpResponse config_response(const config::Config& config);
/// `status/runtimeinfo`: what speaks of Go's runtime has the nearest thing here, or says none.
[[nodiscard]] net::HttpResponse runtimeinfo_response(const ProgramInfo& program,
                                                     const RuntimeInfo& runtime,
                                                     const config::Config& config, Timestamp now);
/// `status/walreplay`: requests are answered only when it is over.
[[nodiscard]] net::HttpResponse walreplay_response();
/// `status/tsdb/blocks`: none, the store has no such blocks.
[[nodiscard]] net::HttpResponse blocks_response();
/// `features`: by area, what there is and whether it is on.
[[nodiscard]] net::HttpResponse features_response(const ProgramInfo& program, bool admin_api);
/// `alertmanagers`: where alerts are posted to.
[[nodiscard]] net::HttpResponse alertmanagers_response(const config::Config& config);

}  // namespace kpid::http
