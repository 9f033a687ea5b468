#pragma once
// Percent-encoding, query strings, request targets.

#include "kpid/base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::net {

/// Decoded parameters of a query string or a form, in their order; a name may stand several times.
class HttpParams {
public:
    using Entry = std::pair<std::string, std::string>;

    void add(std::string name, std::string value) {
        entries_.emplace_back(std::move(name), std::move(value));
    }
    /// The first value of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    /// The first value of that name, or `fallback`.
    [[nodiscard]] std::string_view get_or(std::string_view name, std::string_view fallback) const;
    [[nodiscard]] std::vector<std::string_view> get_all(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] auto begin() const { return entries_.begin(); }
    [[nodiscard]] auto end() const { return entries_.end(); }
    bool operator==(const HttpParams&) const = default;

private:
    std::vector<Entry> entries_;
};

/// How many parameters one query string or form may have; more is Code::kResourceExhausted.
inline constexpr std::size_t kHttpParamsMax = 10'000;

/// Encodes everything but letters, digits and -._~ as %XX: safe in a path segment and in a query.
[[nodiscard]] std::string url_encode(std::string_view text);
/// Decodes %XX; '+' stays. Code::kInvalidArgument, with the escape, for a bad one. Any byte may
/// come out; UTF-8 is not checked.
[[nodiscard]] Result<std::string> url_decode(std::string_view text);
/// Reads `a=1&b=x+y&c`: application/x-www-form-urlencoded, also a URL's query. '+' is a blank.
[[nodiscard]] Result<HttpParams> parse_form(std::string_view text);
/// Writes it, in order.
[[nodiscard]] std::string encode_form(const HttpParams& params);

/// The parts of a request line's target.
struct RequestTarget {
    std::string
        path_raw;  ///< As it came, still encoded: what to split at '/' when segments may hold one.
    std::string path;   ///< Decoded.
    HttpParams params;  ///< Of the query.
};
/// Reads origin form ("/a?b=c"), absolute form ("http://host/a") and "*". Code::kInvalidArgument
/// else.
[[nodiscard]] Result<RequestTarget> parse_target(std::string_view target);

}  // namespace kpid::net
