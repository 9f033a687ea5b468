// Writes the API's JSON.
#include "http/api_json.h"

#include "kpid/base/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace kpid::http {
namespace {

// Room for any time or value: the longest have an exponent of three digits or 21 digits before the
// point.
constexpr std::size_t kNumberBytesMax = 40;

// The text of the value in [first, last); gives its end.
char* write_value_text(char* first, char* last, double value) {
    constexpr double kExactMax = 9007199254740992.0;  // 2^53
    const double magnitude = std::abs(value);
    if (magnitude < kExactMax && value == std::trunc(value) && magnitude != 0) {
        return std::to_chars(first, last, static_cast<std::int64_t>(value)).ptr;
    }
    if (magnitude >= kExactMax && magnitude < 1e21) {  // shortest digits, then zeros
        const std::string text = format_float(value);
        return std::copy(text.begin(), text.end(), first);
    }
    if (magnitude == 0 || (magnitude >= 1e-6 && magnitude < kExactMax)) {
        return std::to_chars(first, last, value, std::chars_format::fixed).ptr;
    }
    if (!std::isfinite(value)) {
        const std::string_view word = std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
        return std::copy(word.begin(), word.end(), first);
    }
    // As JavaScript writes numbers: an exponent without a leading zero.
    char* end = std::to_chars(first, last, value, std::chars_format::scientific).ptr;
    char* digit = std::find(first, end, 'e') + 2;
    return *digit == '0' ? std::copy(digit + 1, end, digit) : end;
}

char* write_time_text(char* first, char* last, Timestamp time) {
    const std::int64_t ms = time.ms();
    char* out = first;
    if (ms < 0 && ms / 1000 == 0) {
        *out++ = '-';
    }
    out = std::to_chars(out, last, ms / 1000).ptr;
    std::int64_t fraction = std::abs(ms % 1000);
    if (fraction == 0) {
        return out;
    }
    *out++ = '.';
    for (std::int64_t unit = 100; fraction != 0; unit /= 10) {
        *out++ = static_cast<char>('0' + fraction / unit);
        fraction %= unit;
    }
    return out;
}

}  // namespace

net::HttpResponse success(std::string_view data, const std::vector<std::string>& warnings,
                          const std::vector<std::string>& infos) {
    JsonWriter json;
    json.begin_object().key("status").string("success").key("data").raw(data);
    if (!warnings.empty()) {
        json.key("warnings");
        write_strings(json, warnings);
    }
    if (!infos.empty()) {
        json.key("infos");
        write_strings(json, infos);
    }
    json.end_object();
    return net::make_response(200, net::media_type::kJson, std::move(json).take());
}

std::string sample_value(double value) {
    std::array<char, kNumberBytesMax> text;
    return {text.data(), write_value_text(text.data(), text.data() + text.size(), value)};
}

std::string sample_time(Timestamp time) {
    std::array<char, kNumberBytesMax> text;
    return {text.data(), write_time_text(text.data(), text.data() + text.size(), time)};
}

void append_point(std::string& out, Timestamp time, double value) {
    std::array<char, 2 * kNumberBytesMax + 8> text;
    char* const last = text.data() + text.size();
    char* end = text.data();
    *end++ = '[';
    end = write_time_text(end, last, time);
    *end++ = ',';
    *end++ = '"';
    end = write_value_text(end, last, value);
    *end++ = '"';
    *end++ = ']';
    out.append(text.data(), end);
}

void append_labels(std::string& out, const model::Labels& labels) {
    char separator = '{';
    for (const model::Label& label : labels) {
        out += separator;
        append_json_string(out, label.name);
        out += ':';
        append_json_string(out, label.value);
        separator = ',';
    }
    out += labels.empty() ? "{}" : "}";
}

void write_labels(JsonWriter& json, const model::Labels& labels) {
    json.begin_object();
    for (const model::Label& label : labels) {
        json.key(label.name).string(label.value);
    }
    json.end_object();
}

void write_map(JsonWriter& json, const std::map<std::string, std::string>& map) {
    json.begin_object();
    for (const auto& [name, value] : map) {
        json.key(name).string(value);
    }
    json.end_object();
}

void write_strings(JsonWriter& json, const std::vector<std::string>& strings) {
    json.begin_array();
    for (const std::string& text : strings) {
        json.string(text);
    }
    json.end_array();
}

std::string alert_value(double value) {
    if (!std::isfinite(value)) {
        return format_float(value);
    }
    // The shortest digits that read back the same; two digits of the exponent at least.
    std::array<char, 32> text;
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
    return std::string(text.data(), end.ptr);
}

void write_alert(JsonWriter& json, const alerting::ActiveAlert& alert) {
    json.begin_object().key("labels");
    write_labels(json, alert.alert.labels);
    json.key("annotations");
    write_map(json, alert.alert.annotations);
    json.key("state").string(alerting::to_string(alert.state));
    json.key("activeAt").string(format_rfc3339(alert.active_at));
    json.key("value").string(alert_value(alert.value));
    json.end_object();
}

void write_time_or_null(JsonWriter& json, Timestamp time) {
    if (time == Timestamp()) {
        json.null();
    } else {
        json.string(format_rfc3339(time));
    }
}

double seconds(std::chrono::duration<double> d) {
    return d.count();
}

}  // namespace kpid::http
