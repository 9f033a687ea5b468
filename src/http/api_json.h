#pragma once
// Pieces of the API's JSON: the envelope, samples, labels, times.

#include "kpid/alerting/alert_state.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "net/http_message.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::http {

/// `{"status":"success","data":<data>}` and, where given, warnings and infos.
[[nodiscard]] net::HttpResponse success(std::string_view data,
                                        const std::vector<std::string>& warnings = {},
                                        const std::vector<std::string>& infos = {});

/// A sample's value as Prometheus writes it: "0.5", "1e+21", "5e-324", "NaN", "+Inf".
[[nodiscard]] std::string sample_value(double value);
/// An alert's value, which Prometheus writes with an exponent: "1e+00".
[[nodiscard]] std::string alert_value(double value);
/// Seconds with at most three decimals: 1435781451.781.
[[nodiscard]] std::string sample_time(Timestamp time);

/// Append the same: `[1435781451.781,"0.5"]`, `{"a":"1"}`.
void append_point(std::string& out, Timestamp time, double value);
void append_labels(std::string& out, const model::Labels& labels);

/// `{"a":"1"}`.
void write_labels(JsonWriter& json, const model::Labels& labels);
void write_map(JsonWriter& json, const std::map<std::string, std::string>& map);
void write_strings(JsonWriter& json, const std::vector<std::string>& strings);
/// An entry of /api/v1/alerts.
void write_alert(JsonWriter& json, const alerting::ActiveAlert& alert);
/// RFC 3339; null for the epoch, which stands for "never".
void write_time_or_null(JsonWriter& json, Timestamp time);
[[nodiscard]] double seconds(std::chrono::duration<double> d);

}  // namespace kpid::http
