// What describes a KPI: unit, actions, drivers, benchmarks.

#include "config/kpi_decoder.h"

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

std::optional<double> optional_number(Fields& fields, std::string_view key) {
    const YamlNode* node = fields.take(key);
    return node == nullptr ? std::nullopt : read_quantity(fields.context(), *node, key);
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

}  // namespace

void KpiDecoder::decode_unit() {
    const YamlNode* node = fields_.require("unit");
    if (node == nullptr) {
        return;
    }
    if (node->kind == YamlKind::kMap) {
        decode_unit_map(*node);
    } else if (const auto name = read_text(context_, *node, "unit")) {
        out_.definition.unit = short_unit(context_, *node, *name).value_or(model::Unit());
    }
}

void KpiDecoder::decode_unit_map(const YamlNode& node) {
    constexpr std::uint64_t kDecimalsMax = 9;
    Fields fields(context_, node, "unit");
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
    unit.min = optional_number(fields, "min");
    unit.max = optional_number(fields, "max");
    std::uint64_t decimals = 0;
    if (fields.count("decimals", decimals)) {
        if (decimals > kDecimalsMax) {
            context_.error(fields.key_position("decimals"), "out-of-range",
                           fmt::format("\"decimals\" must be at most {}", kDecimalsMax));
        }
        unit.decimals = static_cast<int>(std::min(decimals, kDecimalsMax));
    }
    fields.finish();
    if (kind_known) {
        check_unit(fields, kind, unit);
    }
    out_.definition.unit = std::move(unit);
}

void KpiDecoder::decode_actions() {
    const YamlNode* node = fields_.take("actions");
    if (node == nullptr) {
        return;
    }
    for_each_item(context_, *node, "actions", [&](const YamlNode& item) {
        Fields fields(context_, item, "action");
        kpi::Action action;
        fields.choice("when", {"warning", "critical"}, action.when);
        fields.require("do");
        fields.word("do", action.text);
        fields.url("url", action.url);
        fields.finish();
        out_.definition.actions.push_back(std::move(action));
    });
}

void KpiDecoder::decode_drivers() {
    const YamlNode* node = fields_.take("drivers");
    if (node == nullptr) {
        return;
    }
    for_each_item(context_, *node, "drivers", [&](const YamlNode& item) {
        Fields fields(context_, item, "driver");
        kpi::Driver driver;
        fields.require("kpi");
        if (fields.word("kpi", driver.kpi)) {
            draft_.refer(Reference::Kind::kKpi, driver.kpi, context_, fields.take("kpi")->position);
        }
        driver.share = optional_number(fields, "share");
        if (driver.share && (*driver.share < 0 || *driver.share > 1)) {
            context_.error(fields.key_position("share"), "out-of-range",
                           "\"share\" must be between 0% and 100%");
        }
        fields.finish();
        out_.definition.drivers.push_back(std::move(driver));
    });
}

void KpiDecoder::decode_benchmark() {
    const YamlNode* node = fields_.take("benchmark");
    if (node == nullptr) {
        return;
    }
    Fields kinds(context_, *node, "benchmark");
    for (const std::string_view key : {"industry", "competitor"}) {
        const YamlNode* value = kinds.take(key);
        if (value == nullptr) {
            continue;
        }
        Fields fields(context_, *value, fmt::format("benchmark \"{}\"", key));
        kpi::Benchmark benchmark;
        benchmark.key = key;
        fields.word("name", benchmark.name);
        benchmark.value = optional_number(fields, "value");
        benchmark.growth = optional_number(fields, "growth");
        fields.word("source", benchmark.source);
        if (fields.word("as_of", benchmark.as_of) && !is_date_or_period(benchmark.as_of)) {
            context_.error(fields.key_position("as_of"), "date",
                           fmt::format("\"{}\" is not a date such as 2026-01-15", benchmark.as_of));
        }
        fields.finish();
        out_.definition.benchmarks.push_back(std::move(benchmark));
    }
    kinds.finish();
}

}  // namespace kpid::config
