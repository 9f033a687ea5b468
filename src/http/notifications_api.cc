// Notifications as JSON.
#include "http/notifications_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::http {
namespace {

void write_message(JsonWriter& json, const notify::Message& message) {
    json.begin_object().key("id").string(message.id).key("receiver").string(message.receiver);
    json.key("state").string(notify::to_string(message.state));
    json.key("created").string(format_rfc3339(message.created));
    json.key("attempts").begin_array();
    for (const notify::Attempt& attempt : message.attempts) {
        json.begin_object().key("time").string(format_rfc3339(attempt.time)).key("code");
        if (attempt.code == 0) {
            json.null();
        } else {
            json.number(attempt.code);
        }
        json.key("error").string_or_null(attempt.error).end_object();
    }
    json.end_array().key("alerts").begin_array();
    for (const notify::MessageAlert& alert : message.alerts) {
        json.begin_object().key("fingerprint").string(alert.fingerprint);
        json.key("status").string(alert.status);
        json.key("alertname").string_or_null(alert.name).end_object();
    }
    json.end_array();
    if (message.receiver == alerting::kInboxReceiver && !message.body.empty()) {
        json.key("body").raw(message.body);
    }
    json.end_object();
}

}  // namespace

Result<net::HttpResponse> notifications_response(const notify::Notifier& notifier,
                                                 const net::HttpParams& params) {
    KPID_TRY(const std::size_t limit, limit_param(params));
    notify::Notifier::Filter filter{.receiver = std::string(params.get_or("receiver", ""))};
    const std::string_view state = params.get_or("state", "");
    if (!state.empty()) {
        const Result<notify::MessageState> parsed = notify::parse_message_state(state);
        if (!parsed) {
            return bad_parameter("state", parsed.error().message);
        }
        filter.state = *parsed;
    }
    std::vector<notify::Message> messages = notifier.list(filter);
    if (limit != 0 && messages.size() > limit) {
        messages.resize(limit);
    }
    std::sort(messages.begin(), messages.end(),
              [](const notify::Message& a, const notify::Message& b) { return a.id < b.id; });
    JsonWriter json;
    json.begin_array();
    for (const notify::Message& message : messages) {
        write_message(json, message);
    }
    json.end_array();
    return success(std::move(json).take());
}

Result<net::HttpResponse> notification_action(notify::Notifier& notifier, const std::string& id,
                                              std::string_view action) {
    if (action == "retry") {
        KPID_CHECK_OK(notifier.retry(id));
    } else if (action == "drop") {
        KPID_CHECK_OK(notifier.drop(id));
    } else {
        return not_found(fmt::format("unknown action \"{}\": retry or drop", action));
    }
    return success("null");
}

}  // namespace kpid::http
