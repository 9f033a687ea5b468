// Prometheus rule files, with Prometheus' checks and nearly its words.

#include "config/draft.h"
#include "kpid/alerting/template.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace kpid::config {
namespace {

/// Labels of a rule or a group. Prometheus 3 takes any UTF-8 name but the metric's.
std::map<std::string, std::string> decode_rule_labels(Fields& fields) {
    const YamlNode* node = fields.take("labels");
    if (node == nullptr) {
        return {};
    }
    Context& context = fields.context();
    auto labels = read_text_map(context, *node, "labels", true, Nulls::kAbsent);
    for (const auto& [name, value] : labels) {
        if (name.empty() || name == model::kMetricName) {
            context.error(*node, "label", fmt::format("invalid label name: {}", name));
        }
    }
    return labels;
}

std::map<std::string, std::string> decode_annotations(Fields& fields) {
    const YamlNode* node = fields.take("annotations");
    if (node == nullptr) {
        return {};
    }
    auto annotations = read_text_map(fields.context(), *node, "annotations", true, Nulls::kAbsent);
    if (annotations.contains("")) {
        fields.context().error(*node, "annotation", "invalid annotation name: ");
    }
    return annotations;
}

/// Compiles each text; errors stand at the text.
std::map<std::string, alerting::Template> compile_templates(
    Context& context, const YamlNode* node, std::string_view kind, const std::string& rule,
    const std::map<std::string, std::string>& texts) {
    std::map<std::string, alerting::Template> templates;
    for (const auto& [name, text] : texts) {
        auto made =
            alerting::Template::parse(text, alerting::rule_template_options("__alert_" + rule));
        if (made) {
            templates.emplace(name, *std::move(made));
            continue;
        }
        if (const YamlNode* value = node != nullptr ? node->find(name) : nullptr) {
            context.error(*value, "template",
                          fmt::format("{} \"{}\": {}", kind, name, made.error().message));
        }
    }
    return templates;
}

bool is_utf8_name(std::string_view name) {
    return !name.empty() && is_valid_utf8(name);
}

/// What only an alerting rule may have.
void check_recording_rule(Fields& fields, const RuleConfig& rule) {
    Context& context = fields.context();
    for (const std::string_view key : {"for", "keep_firing_for", "annotations"}) {
        if (fields.node().find(key) != nullptr) {
            context.error(fields.key_position(key), "rule",
                          fmt::format("invalid field '{}' in recording rule", key));
        }
    }
    if (!is_utf8_name(rule.record)) {
        context.error(fields.key_position("record"), "rule",
                      fmt::format("invalid recording rule name: {}", rule.record));
    } else if (is_reserved_metric(rule.record)) {
        context.error(fields.key_position("record"), "rule",
                      fmt::format("\"{}\" is kpid's own: names that begin with kpid_, and ALERTS, "
                                  "are reserved",
                                  rule.record));
    }
}

void check_rule_name(Fields& fields, const RuleConfig& rule) {
    Context& context = fields.context();
    const bool is_map = fields.node().kind == YamlKind::kMap;
    if (!rule.record.empty() && !rule.alert.empty()) {
        context.error(fields.key_position("alert"), "rule",
                      "only one of 'record' and 'alert' must be set");
    } else if (is_map && rule.record.empty() && rule.alert.empty()) {
        context.error(fields.node(), "rule", "one of 'record' or 'alert' must be set");
    }
}

RuleConfig decode_rule(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "rule", Nulls::kAbsent);
    RuleConfig rule;
    rule.line = node.position.line;
    fields.text("record", rule.record);
    fields.text("alert", rule.alert);
    check_rule_name(fields, rule);
    if (fields.text("expr", rule.expr_text) && !rule.expr_text.empty()) {
        rule.expr = decode_value_expr(draft, context, *fields.take("expr"), rule.expr_text);
    } else if (node.kind == YamlKind::kMap) {
        context.error(node, "rule", "field 'expr' must be set in rule");
    }
    fields.span("for", rule.hold);
    fields.span("keep_firing_for", rule.keep_firing_for);
    rule.labels = decode_rule_labels(fields);
    rule.annotations = decode_annotations(fields);
    fields.finish();
    if (rule.is_alert()) {
        rule.annotation_templates = compile_templates(context, node.find("annotations"),
                                                      "annotation", rule.alert, rule.annotations);
        // Judged at its place; the group's labels are compiled with them later.
        static_cast<void>(
            compile_templates(context, node.find("labels"), "label", rule.alert, rule.labels));
    } else if (!rule.record.empty()) {
        check_recording_rule(fields, rule);
    }
    return rule;
}

/// Puts the group's labels below each rule's own and compiles them all.
void merge_group_labels(Context& context, const YamlNode* labels_node, RuleGroup& group) {
    for (RuleConfig& rule : group.rules) {
        rule.labels.insert(group.labels.begin(), group.labels.end());
        if (rule.is_alert()) {
            rule.label_templates =
                compile_templates(context, labels_node, "label", rule.alert, rule.labels);
        }
    }
}

void decode_group(Draft& draft, Context& context, const YamlNode& node,
                  std::set<std::string>& names) {
    Fields fields(context, node, "group", Nulls::kAbsent);
    RuleGroup group;
    group.file = context.file();
    group.line = node.position.line;
    group.interval = draft.config.global.evaluation_interval;
    group.query_offset = draft.config.global.rule_query_offset;
    fields.text("name", group.name);
    if (group.name.empty() && node.kind == YamlKind::kMap) {
        context.error(node, "rule", "Groupname must not be empty");
    } else if (node.kind == YamlKind::kMap && !names.insert(group.name).second) {
        context.error(fields.take("name")->position, "duplicate-id",
                      fmt::format("groupname: \"{}\" is repeated in the same file", group.name));
    }
    Duration interval{0};
    if (fields.span("interval", interval) && interval > Duration::zero()) {
        group.interval = interval;
    }
    fields.span("query_offset", group.query_offset);
    fields.count("limit", group.limit);
    group.labels = decode_rule_labels(fields);
    if (const YamlNode* rules = fields.take("rules")) {
        for_each_item(context, *rules, "rules", [&](const YamlNode& item) {
            group.rules.push_back(decode_rule(draft, context, item));
        });
    }
    fields.finish();
    merge_group_labels(context, node.find("labels"), group);
    draft.config.rule_groups.push_back(std::move(group));
}

}  // namespace

void decode_rule_file(Draft& draft, Context& context, const YamlNode& root) {
    Fields fields(context, root, "rule file", Nulls::kAbsent);
    if (const YamlNode* groups = fields.take("groups")) {
        std::set<std::string> names;
        for_each_item(context, *groups, "groups",
                      [&](const YamlNode& item) { decode_group(draft, context, item, names); });
    }
    fields.finish();
}

}  // namespace kpid::config
