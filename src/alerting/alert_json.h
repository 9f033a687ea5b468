#pragma once
// Alerts as JSON objects of the durable state (not the body of any protocol).

#include "kpid/alerting/alert.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/result.h"

#include <simdjson.h>

#include <optional>

namespace kpid::alerting {

/// Writes one object. cause_accepted_at is left out: it means nothing after a restart.
void write_alert(JsonWriter& writer, const Alert& alert);
[[nodiscard]] Result<Alert> read_alert(const simdjson::dom::element& object);

void write_labels(JsonWriter& writer, const model::Labels& labels);
[[nodiscard]] Result<model::Labels> read_labels(const simdjson::dom::element& object);

/// The member of an object, or an error that names it.
[[nodiscard]] Result<std::string> read_text(const simdjson::dom::element& object,
                                            std::string_view name);
[[nodiscard]] Result<std::int64_t> read_integer(const simdjson::dom::element& object,
                                                std::string_view name);

/// Milliseconds since the epoch; a time that is not there is not written and reads as nothing.
void write_time(JsonWriter& writer, std::string_view name, const std::optional<Timestamp>& time);
[[nodiscard]] std::optional<Timestamp> read_time(const simdjson::dom::element& object,
                                                 std::string_view name);

}  // namespace kpid::alerting
