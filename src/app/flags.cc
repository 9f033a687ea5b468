// Reads the command line with CLI11.
#include "app/flags.h"

#include "kpid/model/regex.h"
#include "kpid/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <sstream>
#include <unistd.h>

namespace kpid::app {
namespace {

// Empty when the machine has no name.
std::string host_name() {
    constexpr std::size_t kNameBytesMax = 256;
    std::array<char, kNameBytesMax> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return "debug";
        case LogLevel::kInfo:
            return "info";
        case LogLevel::kWarn:
            return "warn";
        case LogLevel::kError:
            return "error";
    }
    return "";
}

}  // namespace

config::LoadOptions load_options(const Flags& flags) {
    return {.environment = config::process_environment,
            .features = flags.features,
            .listen = flags.listen,
            .host_name = host_name()};
}

std::map<std::string, std::string> shown_flags(const Flags& flags) {
    return {{"config.file", flags.config_file},
            {"storage.path", flags.storage_path},
            {"web.listen-address", fmt::format("{}", fmt::join(flags.listen, ","))},
            {"log.level", std::string(level_name(flags.log_level))},
            {"log.format", flags.log_format == LogFormat::kJson ? "json" : "logfmt"},
            {"web.enable-admin-api", flags.enable_admin_api ? "true" : "false"},
            {"web.cors.origin", flags.cors_origin},
            {"enable-feature", fmt::format("{}", fmt::join(flags.features, ","))}};
}

ParsedFlags parse_flags(int argc, const char* const* argv) {
    ParsedFlags parsed;
    Flags& flags = parsed.flags;
    std::string level = "info";
    std::string format = "logfmt";
    CLI::App app(
        "kpid watches KPIs: it collects values, evaluates KPIs and rules, and tells people "
        "through webhooks when a target slips.",
        "kpid");
    app.set_version_flag("--version", fmt::format("kpid {} ({})", kVersion, kRevision));
    app.add_option("--config.file", flags.config_file, "The configuration.")
        ->take_last()
        ->default_val("/etc/kpid/kpid.yaml");
    app.add_option("--storage.path", flags.storage_path,
                   "Folder of the store; wins over the file's; relative to the working directory.")
        ->take_last();
    app.add_option("--web.listen-address", flags.listen,
                   "host:port to listen on; wins over the file's; may be given several times.");
    app.add_option("--log.level", level, "debug, info, warn or error.")->capture_default_str();
    app.add_option("--log.format", format, "logfmt or json.")
        ->check(CLI::IsMember({"logfmt", "json"}))
        ->capture_default_str();
    app.add_flag("--web.enable-admin-api", flags.enable_admin_api, "Allow the admin endpoints.");
    app.add_option("--web.cors.origin", flags.cors_origin,
                   "Pages of which origins may read the API: a regular expression.")
        ->take_last()
        ->capture_default_str();
    app.add_option("--enable-feature", flags.features, "Features to switch on, comma-separated.")
        ->delimiter(',');
    app.add_flag("--check-config", flags.check_config,
                 "Check the configuration, print what is wrong with it, and end.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        const int code = app.exit(error, out, out);
        parsed.exit_code = code == 0 ? 0 : 2;
        parsed.text = out.str();
        return parsed;
    }
    if (const Result<void> known = config::check_features(flags.features); !known) {
        parsed.exit_code = 2;
        parsed.text = "--enable-feature: " + known.error().message + "\n";
        return parsed;
    }
    if (const Result<model::Regex> origins = model::Regex::compile(flags.cors_origin); !origins) {
        parsed.exit_code = 2;
        parsed.text = "--web.cors.origin: " + origins.error().message + "\n";
        return parsed;
    }
    const Result<LogLevel> parsed_level = parse_log_level(level);
    if (!parsed_level) {
        parsed.exit_code = 2;
        parsed.text = "--log.level: " + parsed_level.error().message + "\n";
        return parsed;
    }
    flags.log_level = *parsed_level;
    flags.log_format = format == "json" ? LogFormat::kJson : LogFormat::kLogfmt;
    return parsed;
}

}  // namespace kpid::app
