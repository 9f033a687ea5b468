#pragma once
// What the bodies of messages share.

#include "kpid/base/json_writer.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <map>
#include <string>

namespace kpid::alerting {

/// `{"a":"b"}` in order of the keys.
void write_text_map(JsonWriter& writer, const model::Labels& labels);
void write_text_map(JsonWriter& writer, const std::map<std::string, std::string>& map);

/// The labels, and those external ones that they lack.
[[nodiscard]] model::Labels with_external_labels(const model::Labels& labels,
                                                 const model::Labels& external);

/// RFC 3339 as Go's JSON writes times: no more fractional digits than needed.
[[nodiscard]] std::string format_go_time(Timestamp time);

}  // namespace kpid::alerting
