// The page of the built-in receiver.
#include "http/json_indent.h"
#include "http/page_frame.h"
#include "http/pages.h"
#include "kpid/wire/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace kpid::http {
namespace {

constexpr std::size_t kMessagesShown = 100;
constexpr std::size_t kAlertsShown = 10;

std::string text_of(const std::optional<wire::JsonValue>& value) {
    const bool is_text = value && value->kind() == wire::JsonValue::Kind::kString;
    return is_text ? escape_html(value->string()) : "";
}

std::string member_of(const wire::JsonValue& alert, std::string_view object,
                      std::string_view name) {
    const std::optional<wire::JsonValue> members = alert.member(object);
    return members ? text_of(members->member(name)) : "";
}

std::string alert_line(const wire::JsonValue& alert) {
    const std::string status = text_of(alert.member("status"));
    const std::string severity = member_of(alert, "labels", "severity");
    std::string summary = member_of(alert, "annotations", "summary");
    if (summary.empty()) {
        summary = member_of(alert, "annotations", "description");
    }
    std::string line = fmt::format("<div><span class=\"status {0}\">{0}</span> <b>{1}</b>", status,
                                   member_of(alert, "labels", "alertname"));
    if (!severity.empty()) {
        line += fmt::format(" <span class=\"status {0}\">{0}</span>", severity);
    }
    if (!summary.empty()) {
        line += " " + summary;
    }
    return line + "</div>";
}

// What happened, from the body that a webhook would have got.
std::string alert_lines(const notify::Message& message) {
    std::string lines;
    const auto document = wire::JsonDocument::parse(message.body);
    std::size_t shown = 0;
    if (document && document->root().kind() == wire::JsonValue::Kind::kObject) {
        if (const auto alerts = document->root().member("alerts")) {
            alerts->for_each([&](std::string_view, const wire::JsonValue& alert) {
                if (shown < kAlertsShown) {
                    lines += alert_line(alert);
                    ++shown;
                }
            });
        }
    }
    if (message.alerts.size() > shown) {
        lines += fmt::format("<div class=\"dim\">and {} more</div>", message.alerts.size() - shown);
    }
    return lines;
}

void append_message(std::string& html, const notify::Message& message) {
    fmt::format_to(std::back_inserter(html),
                   "<tr><td>{}<br><span class=\"dim\">{}</span></td><td>{}"
                   "<details><summary class=\"dim\">what would have been posted</summary>"
                   "<pre>{}</pre></details></td></tr>\n",
                   format_rfc3339(message.created), escape_html(message.id), alert_lines(message),
                   escape_html(indent_json(message.body)));
}

}  // namespace

net::HttpResponse inbox_page(const std::vector<notify::Message>& messages) {
    std::string rows;
    const std::size_t shown = std::min(messages.size(), kMessagesShown);
    for (std::size_t i = 0; i < shown; ++i) {
        append_message(rows, messages[i]);
    }
    const std::string body = fmt::format(
        "<h1>Inbox</h1><p class=\"dim\">What the built-in receiver <code>inbox</code> kept: the "
        "messages that a webhook would have got. {}</p>"
        "<table><thead><tr><th>Time</th><th>Alerts</th></tr></thead><tbody>\n{}</tbody></table>",
        messages.empty() ? "Nothing so far." : "Newest first; load the page again for newer ones.",
        rows);
    return page("Inbox", body, std::nullopt);
}

net::HttpResponse inbox_page(const notify::Notifier& notifier) {
    return inbox_page(notifier.list({.receiver = std::string(alerting::kInboxReceiver)}));
}

}  // namespace kpid::http
