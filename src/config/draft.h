#pragma once
// A configuration while its files are being read, and the decoders that fill it.

#include "config/config.h"
#include "config/decoder.h"
#include "config/findings.h"
#include "kpid/model/unit.h"
#include "kpid/promql/parser.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::config {

/// Where something was defined.
struct Place {
    std::string file;
    Position position;
};

/// A name that must be defined somewhere, judged when all files are read.
struct Reference {
    enum class Kind { kOwner, kGoal, kReceiver, kKpi };
    Kind kind = Kind::kOwner;
    std::string name;
    Place place;
};

/// What is known so far. Not thread-safe; lives for one load.
struct Draft {
    Config config;
    ErrorList errors;
    // Everything defined, also what had errors, so that references to it are no second error.
    std::map<std::string, Place> kpis;
    std::map<std::string, Place> owners;
    std::map<std::string, Place> goals;
    std::map<std::string, Place> receivers;
    std::map<std::string, Place> jobs;
    std::map<std::string, Place> metrics;
    std::vector<Reference> references;
    std::vector<UsedFile> used_files;
    /// One KPI file by itself is checked: names may be defined in others.
    bool alone = false;
    /// A file could not be read: names may be defined in it.
    bool incomplete = false;

    /// Records an id; an error, and false, when it is taken.
    bool define(std::map<std::string, Place>& names, std::string_view what, const std::string& name,
                Context& context, Position position);
    void refer(Reference::Kind kind, std::string name, Context& context, Position position);
};

// Main file: its sections. Each takes the section's value.
void decode_global(Draft& draft, Context& context, const YamlNode& node);
void decode_storage(Draft& draft, Context& context, const YamlNode& node);
void decode_limits(Draft& draft, Context& context, const YamlNode& node);
void decode_web(Draft& draft, Context& context, const YamlNode& node);
void decode_listeners(Draft& draft, Context& context, const YamlNode& node);
void decode_scrape_configs(Draft& draft, Context& context, const YamlNode& node);
void decode_sources(Draft& draft, Context& context, const YamlNode& node);
void decode_metrics(Draft& draft, Context& context, const YamlNode& node);
void decode_alerting(Draft& draft, Context& context, const YamlNode& node);
void decode_remote_write(Draft& draft, Context& context, const YamlNode& node);

// Sections of main and KPI files.
void decode_owners(Draft& draft, Context& context, const YamlNode& node);
void decode_goals(Draft& draft, Context& context, const YamlNode& node);
/// `defaults` is the file's own `defaults`, or null.
void decode_kpis(Draft& draft, Context& context, const YamlNode& node, const YamlNode* defaults);

/// A whole rule file.
void decode_rule_file(Draft& draft, Context& context, const YamlNode& root);

/// What must hold between definitions of all files: references, parents of goals, receivers of
/// routes.
void check_references(Draft& draft);
void check_goal_parents(Draft& draft);

// Parts that several sections share.

/// Prometheus' HTTP client keys, which stand among others.
void decode_http_options(Fields& fields, HttpClientOptions& out);
/// The same as a map of their own under `http_config`.
void decode_http_config(Fields& fields, HttpClientOptions& out);
[[nodiscard]] std::vector<model::RelabelConfig> decode_relabel_configs(Fields& fields,
                                                                       std::string_view key);
/// A list of targets of the job or Alertmanager whose keys `fields` are: `host:port` each, or
/// anything when relabel_configs of that job still change them.
[[nodiscard]] std::vector<std::string> decode_targets(Fields& fields, const YamlNode& list);
[[nodiscard]] std::vector<StaticTargets> decode_static_configs(Fields& fields);
/// Whether only kpid itself writes series of this name.
[[nodiscard]] bool is_reserved_metric(std::string_view name);
/// Labels as Prometheus allows them: any name that is not empty, values are text.
[[nodiscard]] model::Labels decode_labels(Fields& fields, std::string_view key);
/// Records an error unless `name` is a metric's name that others than kpid may write.
void check_metric_name(Context& context, Position position, std::string_view name);
/// The key "per".
[[nodiscard]] std::optional<Period> decode_period(Fields& fields);
/// Records an error when the key `out_of_order_window` of `fields` is longer than the retention.
void check_out_of_order_window(Fields& fields, Duration window, Duration retention);
/// A unit: a short name, or a map with a kind.
[[nodiscard]] model::Unit read_unit(Context& context, const YamlNode& node);
/// A number in base units; nothing when the key is absent or does not fit.
[[nodiscard]] std::optional<double> read_number(Fields& fields, std::string_view key);
/// The keys of a scrape config but its name. `out` holds the defaults.
void decode_scrape_fields(Fields& fields, ScrapeConfig& out);
/// Parses an expression; records an error at its place in the file. `text` is what was handed out
/// for the node.
[[nodiscard]] promql::ExprPtr decode_expr(Draft& draft, Context& context, const YamlNode& node,
                                          const std::string& text);
/// The same, and refuses what is neither an instant vector nor a scalar.
[[nodiscard]] promql::ExprPtr decode_value_expr(Draft& draft, Context& context,
                                                const YamlNode& node, const std::string& text);

}  // namespace kpid::config
