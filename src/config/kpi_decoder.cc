// A KPI's text, value, schedule and policies; its checks.

#include "config/kpi_decoder.h"

#include "kpid/kpi/check.h"
#include "kpid/promql/selectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kpid::config {
namespace {

/// The KPI's own keys, and those of the defaults that it does not have.
YamlNode merge_defaults(const YamlNode& own, const YamlNode* defaults) {
    YamlNode merged = own;
    if (own.kind != YamlKind::kMap || defaults == nullptr || defaults->kind != YamlKind::kMap) {
        return merged;
    }
    for (const YamlEntry& entry : defaults->entries) {
        if (own.find(entry.key) == nullptr) {
            merged.entries.push_back(entry);
        }
    }
    return merged;
}

bool is_own_metric(std::string_view name) {
    return name.starts_with("kpid_") || name == "ALERTS" || name == "ALERTS_FOR_STATE";
}

/// True when the expression names a series that kpid writes itself.
bool reads_own_metrics(const promql::ExprPtr& expr) {
    if (expr == nullptr) {
        return false;
    }
    const auto selectors = promql::collect_selectors(*expr);
    return std::any_of(selectors.begin(), selectors.end(), [](const promql::VectorSelector* one) {
        return std::any_of(one->matchers.begin(), one->matchers.end(), [](const auto& matcher) {
            return matcher.name() == model::kMetricName &&
                   matcher.type() != model::MatchType::kNotEqual &&
                   matcher.type() != model::MatchType::kNotRegexp && is_own_metric(matcher.value());
        });
    });
}

/// Labels that kpid puts on a KPI's alerts.
constexpr std::array<std::string_view, 7> kOwnLabels{"alertname", "kpi",  "condition", "severity",
                                                     "owner",     "goal", "category"};

}  // namespace

KpiDecoder::KpiDecoder(Draft& draft, Context& context, const YamlEntry& entry,
                       const YamlNode* defaults)
    : draft_(draft),
      context_(context),
      entry_(entry),
      merged_(merge_defaults(*entry.value, defaults)),
      fields_(context, merged_, fmt::format("KPI \"{}\"", entry.key)) {
}

KpiEntry KpiDecoder::decode() {
    out_.definition.id = entry_.key;
    out_.file = context_.file();
    out_.line = entry_.position.line;
    const std::size_t errors_before = context_.error_count();
    decode_description();
    decode_unit();
    decode_value();
    decode_levels();
    decode_overrides();
    decode_require();
    decode_schedule();
    decode_no_data();
    decode_expect();
    decode_alert_texts();
    decode_actions();
    decode_drivers();
    decode_benchmark();
    decode_later();
    fields_.finish();
    if (context_.error_count() == errors_before) {
        check();
    }
    return std::move(out_);
}

void KpiDecoder::decode_description() {
    kpi::Definition& definition = out_.definition;
    fields_.require("title");
    fields_.word("title", definition.title);
    fields_.text("description", definition.description);
    fields_.require("owner");
    if (fields_.word("owner", definition.owner)) {
        draft_.refer(Reference::Kind::kOwner, definition.owner, context_,
                     fields_.take("owner")->position);
    }
    if (fields_.word("goal", definition.goal)) {
        draft_.refer(Reference::Kind::kGoal, definition.goal, context_,
                     fields_.take("goal")->position);
    }
    fields_.word("category", definition.category);
    fields_.choice("role", {"lagging", "leading", "guardrail"}, definition.role);
    fields_.require("better");
    std::string better;
    if (fields_.choice("better", {"higher", "lower", "band"}, better)) {
        definition.better = kpi::parse_better(better).value_or(kpi::Better::kHigher);
        better_known_ = true;
    }
}

void KpiDecoder::decode_value() {
    const YamlNode* node = fields_.require("value");
    if (node == nullptr) {
        return;
    }
    Fields fields(context_, *node, "\"value\"");
    const YamlNode* expr = fields.take("expr");
    const bool has_later_form = node->find("metric") != nullptr || node->find("ratio") != nullptr ||
                                node->find("formula") != nullptr || node->find("nps") != nullptr ||
                                node->find("slo") != nullptr;
    fields.later({"metric", "ratio", "formula", "nps", "slo"});
    for (const std::string_view key :
         {"agg", "window", "to_date", "by", "clock", "min_denominator"}) {
        // Parts of the other forms: said once, by the form's own key.
        if (has_later_form) {
            fields.allow(key);
        } else {
            fields.later({key});
        }
    }
    std::string& text = out_.definition.value_expr;
    if (expr != nullptr && fields.word("expr", text)) {
        out_.value = decode_value_expr(draft_, context_, *expr, text);
    }
    fields.finish();
    if (expr == nullptr && !has_later_form && node->kind == YamlKind::kMap &&
        node->find("expr") == nullptr) {
        context_.error(*node, "missing-key", "\"value\" needs a form, such as {expr: PROMQL}");
    }
}

void KpiDecoder::decode_schedule() {
    kpi::Definition& definition = out_.definition;
    const YamlNode* node = fields_.take("evaluate");
    const auto text = node == nullptr ? std::nullopt : read_text(context_, *node, "evaluate");
    if (text && *text == "on_sample") {
        definition.evaluate.on_sample = true;
    } else if (text && *text == "window_end") {
        context_.not_supported_yet(node->position, "evaluate: window_end");
    } else if (text) {
        const auto interval = parse_span(*text);
        if (!interval || *interval <= Duration::zero()) {
            context_.error(*node, "wrong-value",
                           fmt::format("\"evaluate\" must be on_sample or an interval such as 30s, "
                                       "not \"{}\"",
                                       *text));
        } else {
            definition.evaluate.interval = *interval;
        }
    }
    fields_.span("wait_for_all", definition.wait_for_all);
    std::uint64_t limit = draft_.config.limits.instances_per_kpi;
    if (fields_.count("limit", limit) && limit == 0) {
        context_.error(fields_.key_position("limit"), "out-of-range", "\"limit\" must be above 0");
    }
    definition.limit = static_cast<std::size_t>(limit);
}

void KpiDecoder::decode_no_data() {
    const YamlNode* node = fields_.take("no_data");
    if (node == nullptr) {
        return;
    }
    Fields fields(context_, *node, "\"no_data\"");
    kpi::NoData& no_data = out_.definition.no_data;
    fields.span("after", no_data.after);
    std::string status;
    if (fields.choice("status", {"no_data", "keep", "ok", "warning", "critical"}, status)) {
        no_data.status = kpi::parse_no_data_status(status).value_or(kpi::NoDataStatus::kNoData);
    }
    std::string alert;
    if (fields.choice("alert", {"none", "info", "warning", "critical"}, alert)) {
        no_data.alert = alert;
    }
    fields.positive_span("forget_instance_after", no_data.forget_instance_after);
    fields.finish();
}

void KpiDecoder::decode_require() {
    const YamlNode* node = fields_.take("require");
    if (node == nullptr) {
        return;
    }
    Fields fields(context_, *node, "\"require\"");
    const std::size_t errors_before = context_.error_count();
    const YamlNode* expr = fields.require("expr");
    kpi::Require require;
    if (fields.word("expr", require.expr)) {
        out_.require = decode_value_expr(draft_, context_, *expr, require.expr);
    }
    const auto condition = decode_operator(fields);
    fields.finish();
    if (condition) {
        require.condition = *condition;
    } else if (context_.error_count() == errors_before) {
        context_.error(*node, "condition", "\"require\" needs an operator, such as at_least");
    }
    out_.definition.require = std::move(require);
}

void KpiDecoder::decode_expect() {
    const YamlNode* node = fields_.take("expect");
    if (node == nullptr) {
        return;
    }
    for_each_item(context_, *node, "expect", [&](const YamlNode& item) {
        std::vector<model::Label> labels;
        for (auto& [name, value] : read_text_map(context_, item, "expect", false)) {
            labels.push_back({name, value});
        }
        out_.definition.expect.push_back(model::Labels::from(std::move(labels)));
    });
}

void KpiDecoder::decode_alert_texts() {
    if (const YamlNode* node = fields_.take("labels")) {
        out_.definition.labels = read_text_map(context_, *node, "labels", false);
        for (const YamlEntry& entry : node->entries) {
            const bool own =
                std::find(kOwnLabels.begin(), kOwnLabels.end(), entry.key) != kOwnLabels.end();
            if (own || entry.key.empty() || entry.key.starts_with("__")) {
                context_.error(
                    entry.position, "label",
                    fmt::format("the label \"{}\" cannot be set here", entry.key),
                    own ? "kpid sets it; a level has a severity of its own" : std::string());
            }
        }
    }
    const YamlNode* node = fields_.take("annotations");
    if (node == nullptr) {
        return;
    }
    out_.definition.annotations = read_text_map(context_, *node, "annotations", true);
    for (const auto& [name, text] : out_.definition.annotations) {
        const std::string template_name = fmt::format("{}/{}", entry_.key, name);
        auto made = alerting::Template::parse(text, alerting::kpi_template_options(template_name));
        if (made) {
            out_.annotations.emplace(name, *std::move(made));
        } else {
            context_.error(*node->find(name), "template",
                           fmt::format("annotation \"{}\": {}", name, made.error().message));
        }
    }
}

void KpiDecoder::decode_later() {
    fields_.later({"excellent", "min_samples", "attain", "pace", "forecast", "signal", "compare",
                   "review", "late_data", "settle", "flapping", "renamed_from"});
}

void KpiDecoder::check() {
    const kpi::Definition& definition = out_.definition;
    if (const auto contradiction = kpi::find_contradiction(definition)) {
        const bool has_level = fields_.node().find("warning") != nullptr;
        context_.error(has_level ? fields_.key_position("warning") : entry_.position,
                       "contradiction",
                       fmt::format("KPI \"{}\": {}", definition.id, *contradiction));
    }
    const bool bound_reads_own =
        std::any_of(out_.bounds.begin(), out_.bounds.end(),
                    [](const BoundExpr& bound) { return reads_own_metrics(bound.expr); });
    if (definition.evaluate.on_sample &&
        (reads_own_metrics(out_.value) || reads_own_metrics(out_.require) || bound_reads_own)) {
        context_.error(
            fields_.key_position("evaluate"), "on-sample",
            fmt::format("KPI \"{}\" reads kpid_* and may not be on_sample", definition.id),
            "what kpid records itself never triggers; give an interval");
    }
}

void decode_kpis(Draft& draft, Context& context, const YamlNode& node, const YamlNode* defaults) {
    const YamlNode* kpi_defaults = nullptr;
    if (defaults != nullptr) {
        Fields fields(context, *defaults, "\"defaults\"");
        kpi_defaults = fields.take("kpi");
        fields.finish();
        if (kpi_defaults != nullptr && kpi_defaults->kind != YamlKind::kMap) {
            context.error(*kpi_defaults, "wrong-type",
                          fmt::format("\"kpi\" must be a map, not {}", describe(*kpi_defaults)));
        }
    }
    for_each_id(context, node, "kpis", [&](const YamlEntry& entry) {
        draft.define(draft.kpis, "KPI", entry.key, context, entry.position);
        KpiDecoder decoder(draft, context, entry, kpi_defaults);
        draft.config.kpis.push_back(decoder.decode());
    });
}

}  // namespace kpid::config
