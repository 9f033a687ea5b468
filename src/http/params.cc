// Reads request parameters.
#include "http/params.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace kpid::http {
namespace {

// Prometheus keeps durations in int64 nanoseconds.
constexpr double kDurationMsMax = 9223372036854.0;

constexpr std::string_view kEscapedPrefix = "U__";

// The character whose number is `hex`, as UTF-8; false when there is none.
bool append_code_point(std::string_view hex, std::string& out) {
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (error != std::errc{} || end != hex.data() + hex.size() || code > 0x10FFFF) {
        return false;
    }
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) {
        add(code);
        return true;
    }
    const int tails = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    constexpr std::array<std::uint32_t, 4> kLead{0, 0xC0, 0xE0, 0xF0};
    add(kLead[static_cast<std::size_t>(tails)] | (code >> (6 * tails)));
    for (int i = tails - 1; i >= 0; --i) {
        add(0x80U | ((code >> (6 * i)) & 0x3FU));
    }
    return true;
}

}  // namespace

Error bad_parameter(std::string_view name, std::string_view why) {
    return invalid_argument(fmt::format("invalid parameter \"{}\": {}", name, why));
}

Result<Timestamp> time_param(const net::HttpParams& params, std::string_view name,
                             Timestamp fallback) {
    const auto text = params.get(name);
    if (!text || text->empty()) {
        return fallback;
    }
    // What Prometheus' own clients send for the ends of time.
    if (*text == "-292273086-05-16T16:47:06Z") {
        return Timestamp::min();
    }
    if (*text == "292277025-08-18T07:12:54.999999999Z") {
        return Timestamp::max();
    }
    Result<Timestamp> time = parse_time(*text);
    if (!time) {
        return bad_parameter(
            name, fmt::format("Invalid time value for '{}': {}", name, time.error().message));
    }
    return time;
}

Result<std::optional<Timestamp>> optional_time_param(const net::HttpParams& params,
                                                     std::string_view name) {
    if (params.get_or(name, "").empty()) {
        return std::optional<Timestamp>();
    }
    KPID_TRY(const Timestamp time, time_param(params, name, Timestamp()));
    return std::optional<Timestamp>(time);
}

Result<Duration> parse_duration_param(std::string_view text) {
    if (const Result<double> seconds = parse_float(text)) {
        const double ms = *seconds * 1000;
        if (!std::isfinite(ms) || std::abs(ms) > kDurationMsMax) {
            return invalid_argument(
                fmt::format("cannot parse \"{}\" to a valid duration. It overflows int64", text));
        }
        return Duration(static_cast<std::int64_t>(ms));
    }
    if (const Result<Duration> duration = parse_duration(text)) {
        return *duration;
    }
    return invalid_argument(fmt::format("cannot parse \"{}\" to a valid duration", text));
}

Result<model::TimeRange> range_params(const net::HttpParams& params) {
    KPID_TRY(const Timestamp start, time_param(params, "start", Timestamp::min()));
    KPID_TRY(const Timestamp end, time_param(params, "end", Timestamp::max()));
    return model::TimeRange{start, end};
}

Result<std::vector<std::vector<model::Matcher>>> match_params(const net::HttpParams& params) {
    std::vector<std::vector<model::Matcher>> sets;
    for (const std::string_view text : params.get_all("match[]")) {
        Result<std::vector<model::Matcher>> matchers = promql::parse_metric_selector(text);
        if (!matchers) {
            return matchers.error();
        }
        const bool all_match_empty =
            std::all_of(matchers->begin(), matchers->end(),
                        [](const model::Matcher& matcher) { return matcher.matches(""); });
        if (all_match_empty) {
            return invalid_argument("match[] must contain at least one non-empty matcher");
        }
        sets.push_back(std::move(*matchers));
    }
    return sets;
}

Result<std::vector<std::vector<model::Matcher>>> named_match_params(const net::HttpParams& params) {
    Result<std::vector<std::vector<model::Matcher>>> sets = match_params(params);
    return sets ? std::move(sets) : bad_parameter("match[]", sets.error().message);
}

Result<std::string> label_name_param(std::string_view text) {
    const Error invalid = invalid_argument(fmt::format("invalid label name: \"{}\"", text));
    if (!text.starts_with(kEscapedPrefix)) {
        return model::is_classic_label_name(text) ? Result<std::string>(std::string(text))
                                                  : Result<std::string>(invalid);
    }
    std::string name;
    for (std::size_t i = kEscapedPrefix.size(); i < text.size(); ++i) {
        if (text[i] != '_') {
            name += text[i];
            continue;
        }
        const std::size_t end = text.find('_', i + 1);
        if (end == std::string_view::npos) {
            return invalid;
        }
        if (end == i + 1) {
            name += '_';
        } else if (!append_code_point(text.substr(i + 1, end - i - 1), name)) {
            return invalid;
        }
        i = end;
    }
    return name.empty() || !is_valid_utf8(name) ? Result<std::string>(invalid)
                                                : Result<std::string>(std::move(name));
}

Result<std::size_t> limit_param(const net::HttpParams& params) {
    const Result<std::optional<std::int64_t>> limit = integer_param(params, "limit");
    if (!limit) {
        return bad_parameter("limit", limit.error().message);
    }
    if (limit->value_or(0) < 0) {
        return bad_parameter("limit", "limit must be non-negative");
    }
    return static_cast<std::size_t>(limit->value_or(0));
}

Result<bool> bool_param(const net::HttpParams& params, std::string_view name,
                        std::string_view prefix) {
    static constexpr std::array<std::string_view, 6> kYes = {"1", "t", "T", "TRUE", "true", "True"};
    static constexpr std::array<std::string_view, 6> kNo = {"0",     "f",     "F",
                                                            "FALSE", "false", "False"};
    const std::string_view text = params.get_or(name, "");
    if (std::find(kYes.begin(), kYes.end(), text) != kYes.end()) {
        return true;
    }
    if (text.empty() || std::find(kNo.begin(), kNo.end(), text) != kNo.end()) {
        return false;
    }
    return bad_parameter(name, fmt::format("{}: strconv.ParseBool: parsing {}: invalid syntax",
                                           prefix, promql::quote_string(text)));
}

Result<std::optional<std::int64_t>> integer_param(const net::HttpParams& params,
                                                  std::string_view name) {
    const std::string_view text = params.get_or(name, "");
    if (text.empty()) {
        return std::optional<std::int64_t>();
    }
    const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool is_signed_twice = digits.size() != text.size() && digits.starts_with('-');
    if (error == std::errc{} && end == digits.data() + digits.size() && !is_signed_twice) {
        return std::optional<std::int64_t>(number);
    }
    return invalid_argument(fmt::format(
        "strconv.Atoi: parsing {}: {}", promql::quote_string(text),
        error == std::errc::result_out_of_range ? "value out of range" : "invalid syntax"));
}

}  // namespace kpid::http
