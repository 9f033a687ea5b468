// Header lists and small helpers around requests and responses.

#include "net/http_message.h"

#include <algorithm>

namespace kpid::net {
namespace {

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Whether the parameters of a list item ("q=0", "q=0.5") say no.
bool has_zero_quality(std::string_view parameters) {
    const std::string_view quality = trim(parameters);
    return (quality.starts_with("q=0") || quality.starts_with("Q=0")) &&
           quality.find_first_not_of("0.", 2) == std::string_view::npos;
}

bool list_has(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string_view item = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        const std::size_t semicolon = item.find(';');
        if (equals_ignoring_case(trim(item.substr(0, semicolon)), token)) {
            return semicolon == std::string_view::npos ||
                   !has_zero_quality(item.substr(semicolon + 1));
        }
    }
    return false;
}

}  // namespace

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return to_lower(x) == to_lower(y); });
}

void HttpHeaders::set(std::string_view name, std::string_view value) {
    // Copied first: the value may be one of ours.
    Entry entry(name, value);
    remove(entry.first);
    entries_.push_back(std::move(entry));
}

void HttpHeaders::remove(std::string_view name) {
    std::erase_if(entries_,
                  [name](const Entry& entry) { return equals_ignoring_case(entry.first, name); });
}

std::optional<std::string_view> HttpHeaders::get(std::string_view name) const {
    for (const Entry& entry : entries_) {
        if (equals_ignoring_case(entry.first, name)) {
            return entry.second;
        }
    }
    return std::nullopt;
}

std::string_view HttpHeaders::get_or(std::string_view name, std::string_view fallback) const {
    return get(name).value_or(fallback);
}

bool HttpHeaders::has_token(std::string_view name, std::string_view token) const {
    return std::any_of(entries_.begin(), entries_.end(), [name, token](const Entry& entry) {
        return equals_ignoring_case(entry.first, name) && list_has(entry.second, token);
    });
}

std::string media_type_of(std::string_view content_type) {
    std::string type(trim(content_type.substr(0, content_type.find(';'))));
    std::transform(type.begin(), type.end(), type.begin(), to_lower);
    return type;
}

Result<HttpParams> request_params(const HttpRequest& request) {
    const bool has_form =
        request.method != "GET" && request.method != "HEAD" &&
        media_type_of(request.headers.get_or(header::kContentType, "")) == media_type::kForm;
    if (!has_form) {
        return request.params;
    }
    KPID_TRY(HttpParams params, parse_form(request.body));
    for (const auto& [name, value] : request.params) {
        params.add(name, value);
    }
    return params;
}

HttpResponse make_response(unsigned status, std::string_view content_type, std::string body) {
    HttpResponse response;
    response.status = status;
    response.headers.add(header::kContentType, content_type);
    response.body = std::move(body);
    return response;
}

HttpResponse text_response(unsigned status, std::string body) {
    if (!body.ends_with('\n')) {
        body += '\n';
    }
    return make_response(status, media_type::kText, std::move(body));
}

std::string_view reason_phrase(unsigned status) {
    struct Phrase {
        unsigned status;
        std::string_view text;
    };
    // RFC 9110 section 15.
    static constexpr Phrase kPhrases[] = {
        {100, "Continue"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {499, "Client Closed Request"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };
    for (const Phrase& phrase : kPhrases) {
        if (phrase.status == status) {
            return phrase.text;
        }
    }
    return "Unknown";
}

}  // namespace kpid::net
