// Percent-encoding, forms and request targets.

#include "net/url.h"

#include <fmt/format.h>

namespace kpid::net {
namespace {

constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr int kNotHex = -1;

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return kNotHex;
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

Result<std::string> decode(std::string_view text, bool plus_is_blank) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '+' && plus_is_blank) {
            out += ' ';
        } else if (c != '%') {
            out += c;
        } else {
            const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : kNotHex;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : kNotHex;
            if (high == kNotHex || low == kNotHex) {
                return invalid_argument(
                    fmt::format("invalid URL escape \"{}\"", text.substr(i, 3)));
            }
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return out;
}

// What stands before `separator`; `rest` becomes what stands behind it, empty when there is none.
std::string_view cut(std::string_view& rest, char separator) {
    const std::size_t at = rest.find(separator);
    const std::string_view head = rest.substr(0, at);
    rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
    return head;
}

// "http://host/path" to "/path"; other texts unchanged.
std::string_view without_authority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (target.starts_with(scheme)) {
            const std::size_t end = target.find_first_of("/?#", scheme.size());
            return end == std::string_view::npos ? "/" : target.substr(end);
        }
    }
    return target;
}

}  // namespace

std::optional<std::string_view> HttpParams::get(std::string_view name) const {
    for (const Entry& entry : entries_) {
        if (entry.first == name) {
            return entry.second;
        }
    }
    return std::nullopt;
}

std::string_view HttpParams::get_or(std::string_view name, std::string_view fallback) const {
    return get(name).value_or(fallback);
}

std::vector<std::string_view> HttpParams::get_all(std::string_view name) const {
    std::vector<std::string_view> values;
    for (const Entry& entry : entries_) {
        if (entry.first == name) {
            values.push_back(entry.second);
        }
    }
    return values;
}

std::string url_encode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kHexDigits[byte >> 4U];
            out += kHexDigits[byte & 0xFU];
        }
    }
    return out;
}

Result<std::string> url_decode(std::string_view text) {
    return decode(text, false);
}

Result<HttpParams> parse_form(std::string_view text) {
    HttpParams params;
    while (!text.empty()) {
        std::string_view pair = cut(text, '&');
        if (pair.empty()) {
            continue;
        }
        if (params.size() == kHttpParamsMax) {
            return resource_exhausted(fmt::format("more than {} parameters", kHttpParamsMax));
        }
        const std::string_view name = cut(pair, '=');
        KPID_TRY(std::string decoded_name, decode(name, true));
        KPID_TRY(std::string decoded_value, decode(pair, true));
        params.add(std::move(decoded_name), std::move(decoded_value));
    }
    return params;
}

std::string encode_form(const HttpParams& params) {
    std::string out;
    for (const auto& [name, value] : params) {
        if (!out.empty()) {
            out += '&';
        }
        out += url_encode(name);
        out += '=';
        out += url_encode(value);
    }
    return out;
}

Result<RequestTarget> parse_target(std::string_view target) {
    std::string_view rest = without_authority(target);
    const bool has_authority = rest.data() != target.data();
    rest = rest.substr(0, rest.find('#'));
    std::string_view path = cut(rest, '?');
    if (path.empty() && has_authority) {
        path = "/";  // "http://host?query"
    }
    if (path != "*" && !path.starts_with('/')) {
        return invalid_argument("the request target must begin with '/'");
    }
    RequestTarget parsed;
    parsed.path_raw = path;
    KPID_TRY(parsed.path, url_decode(path));
    KPID_TRY(parsed.params, parse_form(rest));
    return parsed;
}

}  // namespace kpid::net
