// Writes the API's JSON.
#include "http/api_json.h"

#include "kpid/base/number.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace kpid::http {
namespace {

void write_point(JsonWriter& json, Timestamp time, double value) {
    json.begin_array().raw(sample_time(time)).string(sample_value(value)).end_array();
}

void write_vector(JsonWriter& json, const promql::Vector& vector) {
    json.begin_array();
    for (const promql::VectorSample& sample : vector) {
        json.begin_object().key("metric");
        write_labels(json, sample.labels);
        json.key("value");
        write_point(json, sample.time, sample.value);
        json.end_object();
    }
    json.end_array();
}

void write_matrix(JsonWriter& json, const promql::Matrix& matrix) {
    json.begin_array();
    for (const promql::MatrixSeries& series : matrix) {
        json.begin_object().key("metric");
        write_labels(json, series.labels);
        json.key("values").begin_array();
        for (const promql::Point& point : series.points) {
            write_point(json, point.time, point.value);
        }
        json.end_array().end_object();
    }
    json.end_array();
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
    const double magnitude = std::abs(value);
    if (!std::isfinite(value) || magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21)) {
        return format_float(value);
    }
    // As JavaScript writes numbers: an exponent without a leading zero.
    std::string text = format_float_general(value);
    const std::size_t exponent = text.find("e-0");
    if (exponent != std::string::npos) {
        text.erase(exponent + 2, 1);
    }
    return text;
}

std::string sample_time(Timestamp time) {
    const std::int64_t ms = time.ms();
    const std::int64_t fraction = std::abs(ms % 1000);
    std::string text = ms < 0 && ms / 1000 == 0 ? "-0" : fmt::format("{}", ms / 1000);
    if (fraction != 0) {
        text += fmt::format(".{:03}", fraction);
        text.erase(text.find_last_not_of('0') + 1);
    }
    return text;
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

void write_value(JsonWriter& json, const promql::Value& value) {
    json.begin_object().key("resultType").string(promql::value_type_name(value)).key("result");
    if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
        write_point(json, scalar->time, scalar->value);
    } else if (const auto* text = std::get_if<promql::String>(&value)) {
        json.begin_array().raw(sample_time(text->time)).string(text->value).end_array();
    } else if (const auto* vector = std::get_if<promql::Vector>(&value)) {
        write_vector(json, *vector);
    } else {
        write_matrix(json, std::get<promql::Matrix>(value));
    }
    json.end_object();
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
