// Writing a response's head.

#include "net/http_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>

namespace kpid::net {
namespace {

constexpr std::array<std::string_view, 4> kServerHeaders = {"Content-Length", "Connection", "Date",
                                                            "Transfer-Encoding"};

bool is_server_header(std::string_view name) {
    return std::any_of(kServerHeaders.begin(), kServerHeaders.end(),
                       [name](std::string_view own) { return equals_ignoring_case(own, name); });
}

// A value with a line break would let its author write headers of his own.
void append_clean(std::string& out, std::string_view text) {
    for (const char c : text) {
        out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
}

}  // namespace

std::string format_http_date(Timestamp time) {
    static constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                              "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::chrono::sys_time<Duration> instant{Duration(time.ms())};
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(instant - day));
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
        static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
        clock.seconds().count());
}

bool status_has_body(unsigned status) {
    return status >= 200 && status != 204 && status != 304;
}

bool is_compressible(const HttpResponse& response, std::size_t bytes_min) {
    const bool is_large = response.stream != nullptr || response.body.size() > bytes_min;
    if (!is_large || !status_has_body(response.status) || response.status == 206 ||
        response.headers.has(header::kContentEncoding)) {
        return false;
    }
    const std::string type =
        media_type_of(response.headers.get_or(header::kContentType, media_type::kText));
    const bool is_packed = (type.starts_with("image/") && type != "image/svg+xml") ||
                           type.starts_with("font/") || type.starts_with("video/") ||
                           type.starts_with("audio/") || type == "application/gzip" ||
                           type == "application/zip";
    return !is_packed;
}

std::optional<Packing> accepted_packing(const HttpHeaders& headers) {
    for (const Packing packing : {Packing::kGzip, Packing::kDeflate}) {
        if (headers.has_token(header::kAcceptEncoding, packing_name(packing))) {
            return packing;
        }
    }
    return std::nullopt;
}

std::string_view packing_name(Packing packing) {
    return packing == Packing::kGzip ? "gzip" : "deflate";
}

std::string serialize_head(const HttpResponse& response, const ResponseFraming& framing,
                           Timestamp now) {
    std::string out;
    out.reserve(512);
    fmt::format_to(std::back_inserter(out), "HTTP/1.{} {} {}\r\n", framing.is_http_1_0 ? 0 : 1,
                   response.status, reason_phrase(response.status));
    for (const auto& [name, value] : response.headers) {
        if (!is_server_header(name)) {
            append_clean(out, name);
            out += ": ";
            append_clean(out, value);
            out += "\r\n";
        }
    }
    if (framing.is_streamed) {
        out += framing.is_http_1_0 ? "" : "Transfer-Encoding: chunked\r\n";
    } else if (status_has_body(response.status)) {
        fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", framing.content_length);
    }
    if (!framing.keep_alive) {
        out += "Connection: close\r\n";
    } else if (framing.is_http_1_0) {
        out += "Connection: keep-alive\r\n";
    }
    out += "Date: ";
    out += format_http_date(now);
    out += "\r\n\r\n";
    return out;
}

}  // namespace kpid::net
