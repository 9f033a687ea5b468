// Opens the main file and all it names, decodes them, and judges the whole.

#include "config/load.h"

#include "config/draft.h"
#include "config/file_reader.h"
#include "config/shown_yaml.h"
#include "config/yaml_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <utility>

namespace kpid::config {
namespace {

constexpr std::string_view kRulesKey = "groups";
/// Where features of the language are switched on, by Prometheus' names.
constexpr std::string_view kExperimentalFunctions = "promql-experimental-functions";
constexpr std::string_view kDurationExpressions = "promql-duration-expr";
constexpr std::string_view kExtendedRanges = "promql-extended-range-selectors";
constexpr std::string_view kFillModifiers = "promql-binop-fill-modifiers";
constexpr std::string_view kDelayedNameRemoval = "promql-delayed-name-removal";
constexpr std::array<std::string_view, 5> kFeatures{kDelayedNameRemoval, kDurationExpressions,
                                                    kExperimentalFunctions, kExtendedRanges,
                                                    kFillModifiers};

/// The kind of the finding that a file cannot be read.
constexpr std::string_view kFileFinding = "file";

/// Top-level keys of KPI files; they may stand in the main file too.
constexpr std::array<std::string_view, 9> kKpiFileKeys{"version",    "owners", "goals",
                                                       "defaults",   "kpis",   "calendars",
                                                       "objectives", "notes",  "reports"};
constexpr std::array<std::string_view, 12> kMainKeys{
    "global",  "storage", "limits",    "web",        "listeners", "scrape_configs",
    "sources", "metrics", "kpi_files", "rule_files", "alerting",  "remote_write"};

/// Reads one configuration.
class Loader {
public:
    explicit Loader(const LoadOptions& options)
        : options_(options), files_(options.files != nullptr ? *options.files : disk_) {
        for (const std::string& feature : options.features) {
            enable(feature);
        }
    }

    [[nodiscard]] LoadResult load(const std::string& path) {
        draft_.config.file = path;
        opened_.insert(path);
        if (const auto document = open(path, {path, {}})) {
            decode_main(*document);
            draft_.config.shown = shown_yaml(*document->root);
        }
        return finish();
    }

    /// Reads a file of one kind by itself.
    [[nodiscard]] std::vector<Finding> check(const std::string& path) {
        draft_.config.file = path;
        const auto document = open(path, {path, {}});
        if (document == nullptr) {
            return finish().findings;
        }
        switch (kind_of(*document->root)) {
            case FileKind::kRules:
                decode_rules(*document);
                break;
            case FileKind::kKpis:
                draft_.alone = true;
                decode_kpi_file(*document);
                break;
            case FileKind::kMain:
                decode_main(*document);
                break;
        }
        return finish().findings;
    }

private:
    void enable(const std::string& feature) {
        promql::ParseOptions& parse = draft_.config.parse_options;
        parse.experimental_functions |= feature == kExperimentalFunctions;
        parse.duration_expressions |=
            feature == kDurationExpressions || feature == kExperimentalFunctions;
        parse.extended_range_selectors |= feature == kExtendedRanges;
        parse.fill_modifiers |= feature == kFillModifiers;
        draft_.config.delayed_name_removal |= feature == kDelayedNameRemoval;
    }

    static FileKind kind_of(const YamlNode& root) {
        if (root.find(kRulesKey) != nullptr) {
            return FileKind::kRules;
        }
        const auto is_kpi_key = [](const YamlEntry& entry) {
            return std::find(kKpiFileKeys.begin(), kKpiFileKeys.end(), entry.key) !=
                   kKpiFileKeys.end();
        };
        const auto is_main_key = [](const YamlEntry& entry) {
            return std::find(kMainKeys.begin(), kMainKeys.end(), entry.key) != kMainKeys.end();
        };
        const auto& keys = root.entries;
        const bool has_kpi_key = std::any_of(keys.begin(), keys.end(), is_kpi_key);
        const bool has_main_key = std::any_of(keys.begin(), keys.end(), is_main_key);
        return has_kpi_key && !has_main_key ? FileKind::kKpis : FileKind::kMain;
    }

    /// The tree of a file; what is wrong is recorded, at `named_at` when the file itself cannot be
    /// read.
    std::shared_ptr<const YamlDocument> open(const std::string& path, const Place& named_at) {
        draft_.config.files.push_back(path);
        auto text = files_.read(path);
        if (!text) {
            draft_.incomplete = true;
            draft_.errors.add({.file = named_at.file,
                               .line = named_at.position.line,
                               .column = named_at.position.column,
                               .id = std::string(kFileFinding),
                               .message = text.error().message});
            return nullptr;
        }
        auto document = read_yaml(path, *std::move(text), draft_.errors);
        draft_.incomplete = draft_.incomplete || document == nullptr;
        return document;
    }

    Context context_for(const YamlDocument& document) {
        return {document, draft_.errors, draft_.used_files, &options_.environment};
    }

    void decode_main(const YamlDocument& document);
    void decode_kpi_file(const YamlDocument& document);
    void decode_rules(const YamlDocument& document);
    void decode_shared_sections(Fields& fields);
    void check_version(Fields& fields);
    std::vector<std::pair<std::string, Place>> list_files(Fields& fields, std::string_view key);
    LoadResult finish();

    const LoadOptions& options_;
    DiskFileReader disk_;
    const FileReader& files_;
    Draft draft_;
    std::set<std::string> opened_;
};

/// The section of `key`, when it has content. A section without any (`kpis:` alone) is as good as
/// absent.
template <class Decode>
void decode_section(Draft& draft, Fields& fields, std::string_view key, const Decode& decode) {
    if (const YamlNode* node = fields.take(key)) {
        decode(draft, fields.context(), *node);
    }
}

void Loader::check_version(Fields& fields) {
    std::string version;
    if (fields.text("version", version) && version != "1") {
        fields.context().error(*fields.take("version"), "version",
                               fmt::format("version {} is not known, this is version 1", version));
    }
}

void Loader::decode_shared_sections(Fields& fields) {
    check_version(fields);
    decode_section(draft_, fields, "owners", decode_owners);
    decode_section(draft_, fields, "goals", decode_goals);
    const YamlNode* defaults = fields.take("defaults");
    if (const YamlNode* kpis = fields.take("kpis")) {
        decode_kpis(draft_, fields.context(), *kpis, defaults);
    }
    fields.later({"calendars", "objectives", "notes", "reports"});
}

void Loader::decode_main(const YamlDocument& document) {
    Context context = context_for(document);
    if (document.root->kind == YamlKind::kNull) {
        context.error(*document.root, "empty", "the file is empty");
        return;
    }
    Fields fields(context, *document.root, "the main file", Nulls::kAbsent);
    // First what others take their defaults from.
    decode_section(draft_, fields, "global", decode_global);
    decode_section(draft_, fields, "limits", decode_limits);
    decode_section(draft_, fields, "storage", decode_storage);
    decode_section(draft_, fields, "web", decode_web);
    decode_section(draft_, fields, "listeners", decode_listeners);
    decode_section(draft_, fields, "scrape_configs", decode_scrape_configs);
    decode_section(draft_, fields, "sources", decode_sources);
    decode_section(draft_, fields, "metrics", decode_metrics);
    decode_section(draft_, fields, "alerting", decode_alerting);
    decode_section(draft_, fields, "remote_write", decode_remote_write);
    decode_shared_sections(fields);
    const auto kpi_files = list_files(fields, "kpi_files");
    const auto rule_files = list_files(fields, "rule_files");
    fields.later({"remote_read", "scrape_config_files", "tracing", "otlp", "runtime"});
    fields.finish();
    for (const auto& [path, place] : kpi_files) {
        if (const auto file = open(path, place)) {
            decode_kpi_file(*file);
        }
    }
    for (const auto& [path, place] : rule_files) {
        if (const auto file = open(path, place)) {
            decode_rules(*file);
        }
    }
}

void Loader::decode_kpi_file(const YamlDocument& document) {
    Context context = context_for(document);
    if (document.root->kind == YamlKind::kNull) {
        context.warning(document.root->position, "empty", "the file defines nothing");
        return;
    }
    Fields fields(context, *document.root, "a KPI file", Nulls::kAbsent);
    decode_shared_sections(fields);
    for (const std::string_view key : kMainKeys) {
        if (fields.node().find(key) != nullptr) {
            fields.allow(key);
            context.error(fields.key_position(key), "unknown-key",
                          fmt::format("unknown key \"{}\" in a KPI file", key),
                          "it belongs in the main file");
        }
    }
    fields.finish();
}

void Loader::decode_rules(const YamlDocument& document) {
    Context context(document, draft_.errors, draft_.used_files, nullptr);
    if (document.root->kind != YamlKind::kNull) {
        decode_rule_file(draft_, context, *document.root);
    }
}

std::vector<std::pair<std::string, Place>> Loader::list_files(Fields& fields,
                                                              std::string_view key) {
    std::vector<std::pair<std::string, Place>> found;
    const YamlNode* node = fields.take(key);
    if (node == nullptr) {
        return found;
    }
    Context& context = fields.context();
    for_each_item(context, *node, key, [&](const YamlNode& item) {
        const auto text = read_text(context, item, key);
        if (!text) {
            return;
        }
        const std::string pattern = context.resolve(*text);
        std::vector<std::string> paths{pattern};
        if (is_pattern(pattern)) {
            auto matches = files_.glob(pattern);
            if (!matches) {
                context.error(item, "file", matches.error().message);
                return;
            }
            paths = *std::move(matches);
            if (paths.empty()) {
                context.warning(item.position, "no-match",
                                fmt::format("\"{}\" names no file", *text));
            }
        }
        for (std::string& path : paths) {
            if (opened_.insert(path).second) {
                found.emplace_back(std::move(path), Place{context.file(), item.position});
            }
        }
    });
    return found;
}

LoadResult Loader::finish() {
    check_references(draft_);
    check_goal_parents(draft_);
    check_used_files(draft_.used_files, files_, draft_.errors);
    Config& config = draft_.config;
    if (config.global.external_url.empty()) {
        const auto& listen = options_.listen.empty() ? config.web.listen : options_.listen;
        config.global.external_url =
            listen.empty() ? "" : url_of_listener(listen.front(), options_.host_name);
    }
    std::stable_sort(
        config.kpis.begin(), config.kpis.end(),
        [](const KpiEntry& a, const KpiEntry& b) { return a.definition.id < b.definition.id; });
    std::map<std::string, std::string> receiver_of_owner;
    for (const auto& [id, owner] : config.owners) {
        if (!owner.receiver.empty() && owner.receiver != alerting::kOwnerReceiver) {
            receiver_of_owner.emplace(id, owner.receiver);
        }
    }
    LoadResult result;
    if (!draft_.errors.has_errors()) {
        auto routes = alerting::RouteTree::build(config.alerting.route, receiver_of_owner);
        if (routes) {
            config.alerting.routes = *std::move(routes);
        } else {
            draft_.errors.add(
                {.file = config.file, .id = "route", .message = routes.error().message});
        }
    }
    if (!draft_.errors.has_errors()) {
        result.config = std::make_shared<const Config>(std::move(config));
    }
    result.findings = std::move(draft_.errors).take();
    return result;
}

}  // namespace

Result<void> check_features(const std::vector<std::string>& features) {
    for (const std::string& feature : features) {
        if (std::find(kFeatures.begin(), kFeatures.end(), feature) == kFeatures.end()) {
            return invalid_argument(fmt::format("unknown feature \"{}\"; there are {}", feature,
                                                fmt::join(kFeatures, ", ")));
        }
    }
    return {};
}

bool is_unreadable_file(const Finding& finding) {
    return finding.id == kFileFinding && finding.line == 0;
}

LoadResult load_config(const std::string& path, const LoadOptions& options) {
    Loader loader(options);
    return loader.load(path);
}

std::vector<Finding> check_file(const std::string& path, const LoadOptions& options) {
    Loader loader(options);
    return loader.check(path);
}

std::optional<std::string> process_environment(const std::string& name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment of this process.
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

}  // namespace kpid::config
