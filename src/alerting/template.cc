// Compiling and rendering, and the data that rules and KPIs give.

#include "kpid/alerting/template.h"

#include "alerting/template_executor.h"
#include "alerting/template_node.h"

#include <fmt/format.h>

namespace kpid::alerting {

struct Template::Rep {
    std::string text;
    TemplateOptions options;
    NodeMap templates;
};

Result<Template> Template::parse(std::string_view text, TemplateOptions options) {
    if (text.size() > kTextBytesMax) {
        return invalid_argument(fmt::format("template of {} bytes: at most {} are allowed",
                                            text.size(), kTextBytesMax));
    }
    auto rep = std::make_shared<Rep>();
    rep->text = text;
    rep->options = std::move(options);
    KPID_TRY(rep->templates, parse_template_text(rep->text, rep->options));
    return Template(std::move(rep));
}

TemplateOutput Template::render(const TemplateData& data,
                                const TemplateEnvironment& environment) const {
    const TemplateProgram program{rep_->text, rep_->options, rep_->templates};
    auto text = execute_template(program, data, environment);
    if (!text) {
        return {fmt::format("<error expanding template: {}>", text.error().message), text.error()};
    }
    return {*std::move(text), std::nullopt};
}

TemplateOptions rule_template_options(std::string name) {
    return {.name = std::move(name),
            .variables = {"labels", "externalLabels", "externalURL", "value"}};
}

TemplateData rule_template_data(const model::Labels& labels, const model::Labels& external_labels,
                                std::string_view external_url, double value) {
    TemplateData data;
    data.variables = {{"labels", TemplateValue::labels(labels)},
                      {"externalLabels", TemplateValue::labels(external_labels)},
                      {"externalURL", external_url},
                      {"value", value}};
    data.dot = TemplateValue::map(
        TemplateValue::Map{.entries = {{"Labels", data.variables.at("labels")},
                                       {"ExternalLabels", data.variables.at("externalLabels")},
                                       {"ExternalURL", external_url},
                                       {"Value", value}},
                           .closed = true});
    return data;
}

TemplateOptions kpi_template_options(std::string name) {
    return {.name = std::move(name),
            .variables = {"labels", "value", "kpi", "target", "threshold", "status", "previous",
                          "since"}};
}

TemplateData kpi_template_data(KpiTemplateFacts facts) {
    constexpr std::int64_t kNanosecondsPerMillisecond = 1'000'000;
    TemplateData data;
    data.variables = {
        {"labels", TemplateValue::labels(facts.labels)},
        {"value", facts.value ? TemplateValue(*facts.value) : TemplateValue()},
        {"kpi", TemplateValue::map(std::move(facts.kpi))},
        {"target", std::move(facts.target)},
        {"threshold", std::move(facts.threshold)},
        {"status", std::move(facts.status)},
        {"previous", std::move(facts.previous)},
        {"since", TemplateValue::Instant{facts.since.ms() * kNanosecondsPerMillisecond}},
    };
    data.dot =
        TemplateValue::map(TemplateValue::Map{.entries = {{"Labels", data.variables.at("labels")},
                                                          {"Value", data.variables.at("value")},
                                                          {"Kpi", data.variables.at("kpi")}},
                                              .closed = true});
    return data;
}

}  // namespace kpid::alerting
