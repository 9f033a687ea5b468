#pragma once
// Decodes one KPI: shared by the files that read its parts.

#include "config/draft.h"
#include "kpid/kpi/definition.h"

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::config {

/// One KPI while it is read. Lives for that one.
class KpiDecoder {
public:
    KpiDecoder(Draft& draft, Context& context, const YamlEntry& entry, const YamlNode* defaults);

    /// Reads everything; errors are recorded.
    [[nodiscard]] KpiEntry decode();

private:
    // kpi_decoder.cc: what describes it, when it is evaluated, what its alerts carry.
    void decode_description();
    void decode_value();
    void decode_schedule();
    void decode_no_data();
    void decode_require();
    void decode_expect();
    void decode_alert_texts();
    void decode_later();
    void check();

    // kpi_details.cc
    void decode_unit();
    void decode_actions();
    void decode_drivers();
    void decode_benchmark();

    // kpi_levels.cc
    void decode_levels();
    void decode_overrides();
    kpi::Override decode_override(const YamlNode& node);
    std::vector<model::Matcher> decode_match(const YamlNode& node);
    kpi::LevelSetting decode_level(std::string_view key, const YamlNode& node);
    std::optional<kpi::LevelPatch> decode_level_patch(Fields& fields, std::string_view key,
                                                      const kpi::LevelSetting& base);
    kpi::LevelPatch read_level(std::string_view key, const YamlNode& node);
    std::optional<kpi::Condition> decode_target(const YamlNode& node, std::string_view name,
                                                kpi::LevelKind kind);
    /// The operator among the fields of a map; nothing, without an error, when there is none.
    std::optional<kpi::Condition> decode_operator(Fields& fields);
    std::optional<kpi::Condition> bare_condition(const YamlNode& node, std::string_view name,
                                                 kpi::LevelKind kind);
    std::optional<kpi::Bound> decode_bound(const YamlNode& node, std::string_view name);
    void decode_two_bounds(const YamlNode& node, std::string_view name, kpi::Condition& out,
                           bool& fits);

    Draft& draft_;
    Context& context_;
    const YamlEntry& entry_;
    YamlNode merged_;  ///< The KPI's own keys, then those of `defaults.kpi` that it does not have.
    Fields fields_;
    KpiEntry out_;
    bool better_known_ = false;
};

/// True for `{expr: …}` and nothing else in the map.
[[nodiscard]] bool is_expr_bound(const YamlNode& node);

}  // namespace kpid::config
