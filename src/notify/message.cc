// Messages as JSON.
#include "notify/message.h"

#include "kpid/base/json_writer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <stdexcept>

namespace kpid::notify {
namespace {

constexpr std::int64_t kVersion = 1;

std::string text_of(const simdjson::dom::element& element, const char* key) {
    return std::string(std::string_view(element[key]));
}

Message read_message(const simdjson::dom::element& root) {
    Message message;
    message.id = text_of(root, "id");
    message.notification_id = text_of(root, "notification_id");
    message.group_id = text_of(root, "group_id");
    message.receiver = text_of(root, "receiver");
    message.webhook = static_cast<std::size_t>(std::uint64_t(root["webhook"]));
    message.body = text_of(root, "body");
    message.created = Timestamp(std::int64_t(root["created"]));
    const Result<MessageState> state = parse_message_state(std::string_view(root["state"]));
    if (!state) {
        throw std::runtime_error(state.error().message);
    }
    message.state = *state;
    if (const simdjson::dom::element since = root["tried_since"]; !since.is_null()) {
        message.tried_since = Timestamp(std::int64_t(since));
    }
    message.attempt_count = std::uint64_t(root["attempt_count"]);
    for (const simdjson::dom::element attempt : root["attempts"].get_array()) {
        message.attempts.push_back({.time = Timestamp(std::int64_t(attempt["time"])),
                                    .code = static_cast<unsigned>(std::uint64_t(attempt["code"])),
                                    .error = text_of(attempt, "error")});
    }
    for (const simdjson::dom::element alert : root["alerts"].get_array()) {
        std::string_view name;
        if (alert["name"].get(name) != simdjson::SUCCESS) {
            name = {};
        }
        message.alerts.push_back(
            {text_of(alert, "fingerprint"), text_of(alert, "status"), std::string(name)});
    }
    return message;
}

}  // namespace

std::string_view to_string(MessageState state) {
    switch (state) {
        case MessageState::kPending:
            return "pending";
        case MessageState::kDelivered:
            return "delivered";
        case MessageState::kFailed:
            return "failed";
        case MessageState::kDropped:
            return "dropped";
    }
    return "pending";
}

Result<MessageState> parse_message_state(std::string_view text) {
    for (const MessageState state : {MessageState::kPending, MessageState::kDelivered,
                                     MessageState::kFailed, MessageState::kDropped}) {
        if (text == to_string(state)) {
            return state;
        }
    }
    return invalid_argument(
        fmt::format("unknown state \"{}\": pending, delivered, failed or dropped", text));
}

std::string encode_message(const Message& message) {
    JsonWriter json;
    json.begin_object().key("version").number(kVersion).key("id").string(message.id);
    json.key("notification_id").string(message.notification_id);
    json.key("group_id").string(message.group_id).key("receiver").string(message.receiver);
    json.key("webhook").number(message.webhook).key("body").string(message.body);
    json.key("created").number(message.created.ms());
    json.key("state").string(to_string(message.state));
    json.key("tried_since");
    if (message.tried_since) {
        json.number(message.tried_since->ms());
    } else {
        json.null();
    }
    json.key("attempt_count").number(message.attempt_count).key("attempts").begin_array();
    for (const Attempt& attempt : message.attempts) {
        json.begin_object().key("time").number(attempt.time.ms()).key("code").number(attempt.code);
        json.key("error").string(attempt.error).end_object();
    }
    json.end_array().key("alerts").begin_array();
    for (const MessageAlert& alert : message.alerts) {
        json.begin_object().key("fingerprint").string(alert.fingerprint);
        json.key("status").string(alert.status).key("name").string(alert.name).end_object();
    }
    json.end_array().end_object();
    return std::move(json).take();
}

Result<Message> decode_message(std::string_view json) {
    try {
        simdjson::dom::parser parser;
        const simdjson::dom::element root = parser.parse(json.data(), json.size());
        if (std::int64_t(root["version"]) != kVersion) {
            return Error{Code::kDataLoss, "a stored message is of a newer version"};
        }
        return read_message(root);
    } catch (const std::exception& error) {
        return Error{Code::kDataLoss, fmt::format("a stored message is damaged: {}", error.what())};
    }
}

}  // namespace kpid::notify
