// Builds what an alert of a KPI says to people.
#include "evaluate/kpi_details.h"

#include "evaluate/value_input.h"
#include "kpid/kpi/condition.h"

#include <algorithm>
#include <cmath>

namespace kpid::evaluate {
namespace {

const kpi::InstanceReport* find_instance(const kpi::Report& report, const model::Labels& labels) {
    const auto found = std::find_if(
        report.instances.begin(), report.instances.end(),
        [&](const kpi::InstanceReport& instance) { return instance.labels == labels; });
    return found == report.instances.end() ? nullptr : &*found;
}

// The first action for this severity, or for any: where to look, or what to do.
std::string runbook(const kpi::Definition& definition, const std::string& severity) {
    for (const kpi::Action& action : definition.actions) {
        if (action.when.empty() || action.when == severity) {
            return action.url.empty() ? action.text : action.url;
        }
    }
    return "";
}

std::string text_of(const std::optional<kpi::ResolvedCondition>& condition,
                    const model::Unit& unit) {
    return condition ? kpi::describe_text(*condition, unit) : "";
}

std::map<std::string, alerting::TemplateValue, std::less<>> kpi_fields(
    const kpi::Definition& definition) {
    return {{"id", alerting::TemplateValue(definition.id)},
            {"title", alerting::TemplateValue(definition.title)},
            {"description", alerting::TemplateValue(definition.description)},
            {"owner", alerting::TemplateValue(definition.owner)},
            {"goal", alerting::TemplateValue(definition.goal)},
            {"category", alerting::TemplateValue(definition.category)},
            {"unit", alerting::TemplateValue(definition.unit.short_name())},
            {"better", alerting::TemplateValue(std::string(kpi::to_string(definition.better)))}};
}

std::map<std::string, std::string> render_annotations(
    const Context& context, const Snapshot& snapshot, const config::KpiEntry& entry,
    const kpi::InstanceReport* instance, const alerting::DetailsRequest& request, Timestamp now) {
    std::map<std::string, std::string> annotations;
    if (entry.annotations.empty()) {
        return annotations;
    }
    const model::Unit& unit = entry.definition.unit;
    alerting::KpiTemplateFacts facts{.labels = request.instance,
                                     .kpi = kpi_fields(entry.definition)};
    if (instance != nullptr) {
        facts.value = instance->value;
        facts.target = alerting::TemplateValue(text_of(instance->target, unit));
        const std::optional<kpi::EffectiveLevel>& worst = instance->levels.critical;
        const bool critical = worst && worst->severity == request.severity;
        facts.threshold = alerting::TemplateValue(
            text_of(critical ? instance->critical : instance->warning, unit));
        facts.status = kpi::to_string(instance->status);
        facts.previous = kpi::to_string(instance->previous);
        facts.since = instance->since;
    }
    if (!facts.value && !std::isnan(request.value)) {
        facts.value = request.value;  // The last one it was judged on.
    }
    const alerting::TemplateData data = alerting::kpi_template_data(std::move(facts));
    const alerting::TemplateEnvironment environment{
        .now = now,
        .external_url = snapshot.config->global.external_url,
        .query =
            [&](std::string_view expression) {
                return template_query(context, snapshot, expression, now);
            },
        .unit = unit};
    for (const auto& [name, text] : entry.annotations) {
        alerting::TemplateOutput output = text.render(data, environment);
        if (output.error) {
            context.metrics.template_failures.Increment();
            context.log.warn("an annotation failed", {{"kpi", entry.definition.id},
                                                      {"annotation", name},
                                                      {"error", output.error->message}});
        }
        annotations[name] = std::move(output.text);
    }
    return annotations;
}

}  // namespace

alerting::AlertDetails kpi_alert_details(const Context& context, const Snapshot& snapshot,
                                         const config::KpiEntry& entry, const kpi::Report& report,
                                         const alerting::DetailsRequest& request, Timestamp now) {
    const kpi::Definition& definition = entry.definition;
    const kpi::InstanceReport* instance = find_instance(report, request.instance);
    alerting::AlertDetails details;
    model::LabelsBuilder attached;
    for (const auto& [name, value] : definition.labels) {
        attached.set(name, value);
    }
    attached.set("owner", definition.owner);
    attached.set("goal", definition.goal);
    attached.set("category", definition.category);
    details.attached = attached.build();
    details.annotations = render_annotations(context, snapshot, entry, instance, request, now);
    const std::string& external_url = snapshot.config->global.external_url;
    if (!external_url.empty()) {
        details.generator_url = external_url + "/?kpi=" + definition.id;
    }
    details.kpi = {.id = definition.id,
                   .title = definition.title,
                   .owner = definition.owner,
                   .target_json = "null",
                   .unit = definition.unit.short_name(),
                   .goal = definition.goal,
                   .runbook = runbook(definition, request.severity)};
    if (instance != nullptr) {
        details.kpi.value = instance->value;
        details.kpi.status = kpi::to_string(instance->status);
        details.kpi.since = instance->since;
        if (instance->target) {
            details.kpi.target_json = kpi::describe_json(*instance->target);
        }
    }
    return details;
}

}  // namespace kpid::evaluate
