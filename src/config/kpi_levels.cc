// Targets, levels and overrides of a KPI.

#include "config/kpi_decoder.h"
#include "kpid/alerting/matcher_parser.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::config {
namespace {

constexpr std::string_view kNone = "none";

/// The keys of a level beside its operator.
void decode_level_keys(Fields& fields, kpi::LevelPatch& out) {
    fields.span("for", out.hold);
    fields.span("keep_firing_for", out.keep_firing_for);
    std::string severity;
    if (fields.word("severity", severity)) {
        out.severity = std::move(severity);
    }
}

bool is_plain_none(const YamlNode& node) {
    return node.kind == YamlKind::kScalar && node.text == kNone;
}

}  // namespace

bool is_expr_bound(const YamlNode& node) {
    return node.kind == YamlKind::kMap && node.entries.size() == 1 &&
           node.entries.front().key == "expr";
}

std::optional<kpi::Bound> KpiDecoder::decode_bound(const YamlNode& node, std::string_view name) {
    if (node.kind != YamlKind::kMap) {
        const auto number = read_quantity(context_, node, name);
        return number ? std::optional<kpi::Bound>(*number) : std::nullopt;
    }
    Fields fields(context_, node, fmt::format("\"{}\"", name));
    const YamlNode* expr = fields.require("expr");
    std::string text;
    const bool has_text = fields.word("expr", text);
    fields.finish();
    if (!has_text) {
        return std::nullopt;
    }
    promql::ExprPtr parsed = decode_value_expr(draft_, context_, *expr, text);
    if (parsed == nullptr) {
        return std::nullopt;
    }
    out_.definition.bound_exprs.push_back(text);
    out_.bounds.push_back({std::move(text), std::move(parsed)});
    return kpi::ExprBound{out_.bounds.size() - 1};
}

void KpiDecoder::decode_two_bounds(const YamlNode& node, std::string_view name, kpi::Condition& out,
                                   bool& fits) {
    if (node.kind != YamlKind::kSequence || node.items.size() != 2) {
        context_.error(node, "condition", fmt::format("\"{}\" takes two bounds: [a, b]", name));
        fits = false;
        return;
    }
    const auto a = decode_bound(*node.items[0], name);
    const auto b = decode_bound(*node.items[1], name);
    fits = fits && a && b;
    out.a = a.value_or(0.0);
    out.b = b.value_or(0.0);
}

std::optional<kpi::Condition> KpiDecoder::decode_operator(Fields& fields) {
    std::optional<kpi::Condition> found;
    bool fits = true;
    for (const kpi::Operator op : kpi::kOperators) {
        const std::string_view name = kpi::to_string(op);
        const YamlNode* node = fields.take(name);
        if (node == nullptr) {
            continue;
        }
        if (found) {
            context_.error(fields.key_position(name), "condition",
                           fmt::format("{} has two operators: \"{}\" and \"{}\"", fields.what(),
                                       kpi::to_string(found->op), name),
                           "use between or outside for two bounds");
            fits = false;
            continue;
        }
        found = kpi::Condition{.op = op};
        if (kpi::takes_two_bounds(op)) {
            decode_two_bounds(*node, name, *found, fits);
        } else {
            const auto bound = decode_bound(*node, name);
            fits = fits && bound;
            found->a = bound.value_or(0.0);
        }
    }
    return fits ? found : std::nullopt;
}

std::optional<kpi::Condition> KpiDecoder::bare_condition(const YamlNode& node,
                                                         std::string_view name,
                                                         kpi::LevelKind kind) {
    const auto bound = decode_bound(node, name);
    if (!bound || !better_known_) {
        return std::nullopt;
    }
    const auto op = kpi::bare_operator(out_.definition.better, kind);
    if (!op) {
        context_.error(node, "condition",
                       fmt::format("\"{}\": a bare number says nothing with better: band", name),
                       "name the operator: {between: [a, b]}");
        return std::nullopt;
    }
    return kpi::Condition{.op = *op, .a = *bound};
}

std::optional<kpi::Condition> KpiDecoder::decode_target(const YamlNode& node, std::string_view name,
                                                        kpi::LevelKind kind) {
    if (node.kind == YamlKind::kSequence) {
        context_.not_supported_yet(node.position, fmt::format("{} with dates", name));
        return std::nullopt;
    }
    if (node.kind != YamlKind::kMap || is_expr_bound(node)) {
        return bare_condition(node, name, kind);
    }
    Fields fields(context_, node, fmt::format("\"{}\"", name));
    const std::size_t errors_before = context_.error_count();
    auto condition = decode_operator(fields);
    fields.later({"from", "reason"});
    fields.finish();
    if (!condition && context_.error_count() == errors_before) {
        context_.error(node, "condition", fmt::format("\"{}\" needs an operator", name),
                       "one of at_least, at_most, above, below, between, outside");
    }
    return condition;
}

kpi::LevelPatch KpiDecoder::read_level(std::string_view key, const YamlNode& node) {
    kpi::LevelPatch patch;
    const kpi::LevelKind kind =
        key == "warning" ? kpi::LevelKind::kWarning : kpi::LevelKind::kCritical;
    if (node.kind != YamlKind::kMap || is_expr_bound(node)) {
        patch.condition = bare_condition(node, key, kind);
        return patch;
    }
    Fields fields(context_, node, fmt::format("\"{}\"", key));
    patch.condition = decode_operator(fields);
    decode_level_keys(fields, patch);
    if (const YamlNode* recover = fields.take("recover")) {
        patch.recover = decode_target(*recover, "recover", kpi::LevelKind::kRecover);
    }
    fields.finish();
    return patch;
}

kpi::LevelSetting KpiDecoder::decode_level(std::string_view key, const YamlNode& node) {
    if (is_plain_none(node)) {
        return kpi::NoLevel();
    }
    const std::size_t errors_before = context_.error_count();
    kpi::LevelPatch patch = read_level(key, node);
    if (!patch.condition) {
        if (better_known_ && context_.error_count() == errors_before) {
            context_.error(node, "condition", fmt::format("\"{}\" needs an operator", key),
                           "one of at_least, at_most, above, below, between, outside; or none");
        }
        return {};
    }
    return kpi::Level{.condition = *patch.condition,
                      .hold = patch.hold,
                      .keep_firing_for = patch.keep_firing_for,
                      .recover = patch.recover,
                      .severity = std::move(patch.severity)};
}

std::optional<kpi::LevelPatch> KpiDecoder::decode_level_patch(Fields& fields, std::string_view key,
                                                              const kpi::LevelSetting& base) {
    const YamlNode* node = fields.take(key);
    if (node == nullptr) {
        return std::nullopt;
    }
    if (is_plain_none(*node)) {
        return kpi::LevelPatch{.none = true};
    }
    const std::size_t errors_before = context_.error_count();
    kpi::LevelPatch patch = read_level(key, *node);
    const bool changes_a_level = std::holds_alternative<kpi::Level>(base);
    if (!patch.condition && !changes_a_level && context_.error_count() == errors_before) {
        context_.error(
            *node, "condition",
            fmt::format("an override of \"{}\" needs an operator: the KPI has none", key));
    }
    return patch;
}

void KpiDecoder::decode_levels() {
    kpi::Definition& definition = out_.definition;
    if (const YamlNode* node = fields_.take("target")) {
        definition.target = decode_target(*node, "target", kpi::LevelKind::kTarget);
    }
    if (const YamlNode* node = fields_.take("warning")) {
        definition.warning = decode_level("warning", *node);
    }
    if (const YamlNode* node = fields_.take("critical")) {
        definition.critical = decode_level("critical", *node);
    }
    fields_.span("for", definition.hold);
    fields_.span("keep_firing_for", definition.keep_firing_for);
    if (const YamlNode* node = fields_.take("recover")) {
        definition.recover = decode_target(*node, "recover", kpi::LevelKind::kRecover);
    }
}

std::vector<model::Matcher> KpiDecoder::decode_match(const YamlNode& node) {
    std::vector<model::Matcher> matchers;
    if (node.kind == YamlKind::kMap) {
        for (const auto& [name, value] : read_text_map(context_, node, "match", false)) {
            matchers.push_back(model::Matcher::equal(name, value));
        }
        return matchers;
    }
    const auto add = [&](const YamlNode& item) {
        const auto text = read_text(context_, item, "match");
        if (!text) {
            return;
        }
        auto parsed = alerting::parse_matchers(*text);
        if (!parsed) {
            context_.error(item, "matcher", fmt::format("bad matcher: {}", parsed.error().message));
            return;
        }
        matchers.insert(matchers.end(), parsed->begin(), parsed->end());
    };
    if (node.kind == YamlKind::kScalar) {
        add(node);
    } else {
        for_each_item(context_, node, "match", add);
    }
    return matchers;
}

kpi::Override KpiDecoder::decode_override(const YamlNode& node) {
    Fields fields(context_, node, "override");
    kpi::Override changed;
    const std::size_t errors_before = context_.error_count();
    if (const YamlNode* match = fields.require("match")) {
        changed.match = decode_match(*match);
        if (changed.match.empty() && context_.error_count() == errors_before) {
            context_.error(*match, "no-value", "\"match\" is empty: it would match every instance");
        }
    }
    if (const YamlNode* target = fields.take("target")) {
        changed.target = decode_target(*target, "target", kpi::LevelKind::kTarget);
    }
    changed.warning = decode_level_patch(fields, "warning", out_.definition.warning);
    changed.critical = decode_level_patch(fields, "critical", out_.definition.critical);
    fields.span("for", changed.hold);
    fields.span("keep_firing_for", changed.keep_firing_for);
    if (const YamlNode* recover = fields.take("recover")) {
        changed.recover = decode_target(*recover, "recover", kpi::LevelKind::kRecover);
    }
    fields.later({"excellent", "attain", "pace", "forecast", "signal", "compare"});
    fields.finish();
    return changed;
}

void KpiDecoder::decode_overrides() {
    constexpr std::size_t kOverridesMax = 1000;
    const YamlNode* node = fields_.take("overrides");
    if (node == nullptr) {
        return;
    }
    if (node->items.size() > kOverridesMax) {
        context_.error(*node, "out-of-range", fmt::format("more than {} overrides", kOverridesMax));
        return;
    }
    for_each_item(context_, *node, "overrides", [&](const YamlNode& item) {
        out_.definition.overrides.push_back(decode_override(item));
    });
}

}  // namespace kpid::config
