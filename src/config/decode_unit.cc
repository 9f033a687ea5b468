// Units: short names and maps with a kind.

#include "config/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kpid::config {
namespace {

struct KindName {
    std::string_view name;
    model::UnitKind kind;
};
constexpr std::array<KindName, 8> kKinds{{{"ratio", model::UnitKind::kRatio},
                                          {"count", model::UnitKind::kCount},
                                          {"money", model::UnitKind::kMoney},
                                          {"duration", model::UnitKind::kDuration},
                                          {"score", model::UnitKind::kScore},
                                          {"rate", model::UnitKind::kRate},
                                          {"index", model::UnitKind::kIndex},
                                          {"bytes", model::UnitKind::kBytes}}};
/// Names that stand alone, beside currencies.
constexpr std::array<KindName, 7> kShortNames{{{"percent", model::UnitKind::kRatio},
                                               {"ratio", model::UnitKind::kRatio},
                                               {"count", model::UnitKind::kCount},
                                               {"seconds", model::UnitKind::kDuration},
                                               {"duration", model::UnitKind::kDuration},
                                               {"index", model::UnitKind::kIndex},
                                               {"bytes", model::UnitKind::kBytes}}};

bool is_currency(std::string_view text) {
    return text.size() == 3 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

/// A short name as a unit.
std::optional<model::Unit> short_unit(Context& context, const YamlNode& node,
                                      const std::string& name) {
    model::Unit unit;
    if (is_currency(name)) {
        unit.kind = model::UnitKind::kMoney;
        unit.currency = name;
        return unit;
    }
    const auto known = std::find_if(kShortNames.begin(), kShortNames.end(),
                                    [&](const KindName& kind) { return kind.name == name; });
    if (known != kShortNames.end()) {
        unit.kind = known->kind;
        return unit;
    }
    if (name == "score" || name == "rate" || name == "money") {
        const std::string_view wanted = name == "score"  ? "{kind: score, min: 1, max: 5}"
                                        : name == "rate" ? "{kind: rate, per: month}"
                                                         : "EUR";
        context.error(node, "unit", fmt::format("the unit \"{}\" needs more than its name", name),
                      fmt::format("write {}", wanted));
        return std::nullopt;
    }
    std::vector<std::string> names{"score", "rate", "money"};
    for (const KindName& kind : kShortNames) {
        names.emplace_back(kind.name);
    }
    const std::string close = nearest(name, names);
    context.error(node, "unit", fmt::format("unknown unit \"{}\"", name),
                  close.empty()
                      ? "percent, seconds, count, bytes, a currency such as EUR, or a map "
                        "with a kind"
                      : fmt::format("did you mean \"{}\"?", close));
    return std::nullopt;
}

/// The keys that a kind needs or does not take.
void check_unit(Fields& fields, std::string_view kind, const model::Unit& unit) {
    Context& context = fields.context();
    const bool is_money = unit.kind == model::UnitKind::kMoney;
    const bool is_rate = unit.kind == model::UnitKind::kRate;
    const bool has_scale =
        unit.kind == model::UnitKind::kScore || unit.kind == model::UnitKind::kIndex;
    const auto refuse_unless = [&](bool takes, std::string_view key) {
        if (!takes && fields.node().find(key) != nullptr) {
            context.error(fields.key_position(key), "unit",
                          fmt::format("a unit of kind {} has no \"{}\"", kind, key));
        }
    };
    refuse_unless(is_money, "currency");
    refuse_unless(is_rate, "per");
    refuse_unless(has_scale, "min");
    refuse_unless(has_scale, "max");
    if (is_money && !is_currency(unit.currency)) {
        context.error(fields.key_position("currency"), "unit",
                      "money needs a currency of three capitals, such as EUR");
    }
    if (is_rate && unit.per.empty()) {
        context.error(fields.node(), "unit", "a rate needs \"per\", such as month");
    }
    if (unit.kind == model::UnitKind::kScore && (!unit.min || !unit.max)) {
        context.error(fields.node(), "unit", "a score needs \"min\" and \"max\"");
    }
    if (unit.min && unit.max && *unit.min >= *unit.max) {
        context.error(fields.key_position("max"), "unit", "\"max\" must be above \"min\"");
    }
}

/// A unit as a map with a kind.
model::Unit unit_of_map(Context& context, const YamlNode& node) {
    constexpr std::uint64_t kDecimalsMax = 9;
    Fields fields(context, node, "unit");
    model::Unit unit;
    std::string kind;
    std::vector<std::string_view> names;
    names.reserve(kKinds.size());
    for (const KindName& known : kKinds) {
        names.push_back(known.name);
    }
    fields.require("kind");
    const bool kind_known = fields.choice("kind", std::span<const std::string_view>(names), kind);
    for (const KindName& known : kKinds) {
        unit.kind = known.name == kind ? known.kind : unit.kind;
    }
    fields.word("currency", unit.currency);
    fields.word("per", unit.per);
    unit.min = read_number(fields, "min");
    unit.max = read_number(fields, "max");
    std::uint64_t decimals = 0;
    if (fields.count("decimals", decimals)) {
        if (decimals > kDecimalsMax) {
            context.error(fields.key_position("decimals"), "out-of-range",
                          fmt::format("\"decimals\" must be at most {}", kDecimalsMax));
        }
        unit.decimals = static_cast<int>(std::min(decimals, kDecimalsMax));
    }
    fields.finish();
    if (kind_known) {
        check_unit(fields, kind, unit);
    }
    return unit;
}

}  // namespace

model::Unit read_unit(Context& context, const YamlNode& node) {
    if (node.kind == YamlKind::kMap) {
        return unit_of_map(context, node);
    }
    const auto name = read_text(context, node, "unit");
    return name ? short_unit(context, node, *name).value_or(model::Unit()) : model::Unit();
}

}  // namespace kpid::config
