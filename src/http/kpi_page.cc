// The page of all KPIs.
#include "http/kpi_api.h"
#include "http/page_frame.h"
#include "http/pages.h"
#include "kpid/kpi/condition.h"
#include "kpid/model/unit.h"

#include <fmt/format.h>

#include <map>

namespace kpid::http {
namespace {

std::string status_cell(kpi::Status status) {
    return fmt::format("<span class=\"status {0}\">{0}</span>", kpi::to_string(status));
}

std::string since_text(Timestamp since) {
    return since == Timestamp() ? "" : "since " + format_rfc3339(since).substr(0, 19) + "Z";
}

std::string target_text(const std::optional<kpi::ResolvedCondition>& target,
                        const model::Unit& unit) {
    return target ? escape_html(kpi::describe_text(*target, unit)) : "–";
}

void append_row(std::string& html, std::string_view name, const kpi::InstanceReport& instance,
                const model::Unit& unit, std::string_view owner) {
    fmt::format_to(
        std::back_inserter(html),
        "<tr><td>{}</td><td>{}<br><span class=\"dim\">{}</span></td><td class=\"number\">{}</td>"
        "<td>{}</td><td>{}</td></tr>\n",
        name, status_cell(instance.status), since_text(instance.since),
        instance.value ? escape_html(model::format_in_unit(*instance.value, unit)) : "–",
        target_text(instance.target, unit), owner);
}

std::string owner_name(const evaluate::KpiView& kpi) {
    const auto found = kpi.config->owners.find(kpi.entry->definition.owner);
    return escape_html(found == kpi.config->owners.end() || found->second.title.empty()
                           ? kpi.entry->definition.owner
                           : found->second.title);
}

void append_kpi(std::string& html, const evaluate::KpiView& kpi) {
    const kpi::Definition& definition = kpi.entry->definition;
    const std::string owner = owner_name(kpi);
    std::string name =
        fmt::format("<a href=\"/api/v1/kpis/{0}\">{1}</a><br><span class=\"dim\">{0}</span>",
                    definition.id, escape_html(definition.title));
    const std::vector<kpi::InstanceReport>& instances = kpi.report.instances;
    const bool one = instances.size() == 1;
    if (one && !instances.front().labels.empty()) {
        name += "<br><span class=\"dim\">" + escape_html(instances.front().labels.to_string()) +
                "</span>";
    }
    if (!kpi.error.empty()) {
        name += "<br><span class=\"dim\">" + escape_html(kpi.error) + "</span>";
    }
    if (one) {
        append_row(html, name, instances.front(), definition.unit, owner);
        return;
    }
    fmt::format_to(std::back_inserter(html),
                   "<tr><td>{}</td><td>{}<br><span class=\"dim\">{}</span></td>"
                   "<td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
                   name, status_cell(kpi.report.status), since_text(kpi.report.since),
                   instances.empty() ? "–" : "", target_text(target_of(kpi), definition.unit),
                   owner);
    for (const kpi::InstanceReport& instance : instances) {
        append_row(html, "&emsp;" + escape_html(instance.labels.to_string()), instance,
                   definition.unit, "");
    }
}

std::string failed_reload_text(const FailedReload& failed) {
    return fmt::format(
        "<p><strong>The configuration was not loaded at {}Z; the one before it is in force."
        "</strong></p><pre>{}</pre>\n",
        format_rfc3339(failed.time).substr(0, 19), escape_html(failed.error));
}

}  // namespace

std::string kpi_rows(const std::vector<evaluate::KpiView>& kpis) {
    std::string rows;
    for (const evaluate::KpiView& kpi : kpis) {
        append_kpi(rows, kpi);
    }
    return rows;
}

std::string escape_html(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

net::HttpResponse kpi_page(const evaluate::Evaluator& evaluator,
                           const std::optional<FailedReload>& failed_reload) {
    const std::vector<evaluate::KpiView> kpis = evaluator.kpis();
    const std::string file = evaluator.snapshot().config->file;
    std::map<std::string_view, int> counts;
    for (const evaluate::KpiView& kpi : kpis) {
        ++counts[kpi::to_string(kpi.report.status)];
    }
    std::string summary;
    for (const auto& [status, count] : counts) {
        summary += fmt::format("{} {} · ", count, status);
    }
    const std::string body = fmt::format(
        "<h1>KPIs</h1>{}<table><caption>{}configuration: {}</caption>"
        "<thead><tr><th>KPI</th><th>Status</th><th>Value</th><th>Target</th><th>Owner</th></tr>"
        "</thead><tbody>\n{}</tbody></table>",
        failed_reload ? failed_reload_text(*failed_reload) : "", summary, escape_html(file),
        kpi_rows(kpis));
    return page("KPIs", body, 5);
}

}  // namespace kpid::http
