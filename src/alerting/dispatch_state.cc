// Groups as JSON text, and back.

#include "alerting/alert_json.h"
#include "alerting/dispatch_group.h"

#include <fmt/format.h>

#include <array>

namespace kpid::alerting {
namespace {

constexpr std::array<std::string_view, 4> kTellings = {"untold", "in_flight", "delivered",
                                                       "given_up"};

Result<GroupEntry> read_entry(const simdjson::dom::element& object) {
    GroupEntry entry;
    simdjson::dom::element alert;
    if (object["alert"].get(alert) != simdjson::SUCCESS) {
        return invalid_argument("state: an entry without alert");
    }
    KPID_TRY(entry.alert, read_alert(alert));
    KPID_TRY(const std::string telling, read_text(object, "telling"));
    const auto found = std::find(kTellings.begin(), kTellings.end(), telling);
    if (found == kTellings.end()) {
        return invalid_argument(fmt::format("state: unknown telling \"{}\"", telling));
    }
    entry.telling = static_cast<Telling>(found - kTellings.begin());
    bool moved = false;
    entry.moved = object["moved"].get(moved) == simdjson::SUCCESS && moved;
    return entry;
}

Result<void> read_pacing(const simdjson::dom::element& object, DispatchGroup& group) {
    KPID_TRY(const std::int64_t wait, read_integer(object, "group_wait"));
    KPID_TRY(const std::int64_t interval, read_integer(object, "group_interval"));
    KPID_TRY(const std::int64_t repeat, read_integer(object, "repeat_interval"));
    group.group_wait = Duration(wait);
    group.group_interval = Duration(interval);
    group.repeat_interval = Duration(repeat);
    bool flag = true;
    if (object["escalation"].get(flag) == simdjson::SUCCESS) {
        group.immediate.escalation = flag;
    }
    if (object["all_clear"].get(flag) == simdjson::SUCCESS) {
        group.immediate.all_clear = flag;
    }
    return {};
}

}  // namespace

std::string write_group(const DispatchGroup& group) {
    JsonWriter writer;
    writer.begin_object().key("route").string(group.route_id).key("key").string(group.key);
    writer.key("receiver").string(group.receiver).key("labels");
    write_labels(writer, group.labels);
    writer.key("epoch").number(group.epoch.ms());
    writer.key("group_wait").number(group.group_wait.count());
    writer.key("group_interval").number(group.group_interval.count());
    writer.key("repeat_interval").number(group.repeat_interval.count());
    writer.key("escalation").boolean(group.immediate.escalation);
    writer.key("all_clear").boolean(group.immediate.all_clear);
    writer.key("sequence").number(group.sequence);
    write_time(writer, "last_told", group.last_told);
    write_time(writer, "waiting_since", group.waiting_since);
    writer.key("in_flight").string(group.in_flight).key("refused").number(group.refused);
    writer.key("entries").begin_array();
    for (const auto& [identity, entry] : group.entries) {
        writer.begin_object().key("alert");
        write_alert(writer, entry.alert);
        writer.key("telling").string(kTellings[static_cast<std::size_t>(entry.telling)]);
        writer.key("moved").boolean(entry.moved).end_object();
    }
    writer.end_array().end_object();
    return std::move(writer).take();
}

Result<DispatchGroup> read_group(std::string_view json) {
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (const auto error = parser.parse(json.data(), json.size()).get(root);
        error != simdjson::SUCCESS) {
        return invalid_argument(fmt::format("state: {}", simdjson::error_message(error)));
    }
    DispatchGroup group;
    KPID_TRY(group.route_id, read_text(root, "route"));
    KPID_TRY(group.key, read_text(root, "key"));
    KPID_TRY(group.receiver, read_text(root, "receiver"));
    simdjson::dom::element part;
    if (root["labels"].get(part) != simdjson::SUCCESS) {
        return invalid_argument("state: a group without labels");
    }
    KPID_TRY(group.labels, read_labels(part));
    KPID_TRY(const std::int64_t epoch, read_integer(root, "epoch"));
    KPID_TRY(const std::int64_t sequence, read_integer(root, "sequence"));
    KPID_TRY(const std::int64_t refused, read_integer(root, "refused"));
    if (sequence < 0 || refused < 0) {
        return invalid_argument("state: a negative count");
    }
    group.epoch = Timestamp(epoch);
    group.sequence = static_cast<std::uint64_t>(sequence);
    group.refused = static_cast<std::size_t>(refused);
    KPID_CHECK_OK(read_pacing(root, group));
    group.last_told = read_time(root, "last_told");
    group.waiting_since = read_time(root, "waiting_since");
    KPID_TRY(group.in_flight, read_text(root, "in_flight"));
    simdjson::dom::array entries;
    if (root["entries"].get(entries) != simdjson::SUCCESS) {
        return invalid_argument("state: a group without entries");
    }
    for (const simdjson::dom::element object : entries) {
        KPID_TRY(GroupEntry entry, read_entry(object));
        const model::Labels identity = entry.alert.identity;
        group.entries.insert_or_assign(identity, std::move(entry));
    }
    group.id = group_id_of(group.receiver, group.key);
    return group;
}

}  // namespace kpid::alerting
