// Parsers of single words.

#include "config/values.h"

#include "kpid/base/number.h"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace kpid::config {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

struct Suffix {
    std::string_view text;
    double factor;
};

constexpr double kKibi = 1024;
// Longer ones first where one ends another.
constexpr std::array<Suffix, 9> kNumberSuffixes{{{"KiB", kKibi},
                                                 {"MiB", kKibi* kKibi},
                                                 {"GiB", kKibi* kKibi* kKibi},
                                                 {"TiB", kKibi* kKibi* kKibi* kKibi},
                                                 {"%", 0.01},
                                                 {"k", 1e3},
                                                 {"M", 1e6},
                                                 {"G", 1e9},
                                                 {"T", 1e12}}};

/// `6mo`, `1q`: the calendar's spans that Prometheus does not have.
std::optional<Duration> parse_calendar_span(std::string_view text) {
    constexpr std::int64_t kCountMax = 100'000;
    constexpr int kMonthDays = 30;
    constexpr int kQuarterDays = 90;
    const bool months = text.ends_with("mo");
    if (!months && !text.ends_with("q")) {
        return std::nullopt;
    }
    text.remove_suffix(months ? 2 : 1);
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (text.empty() || !is_digit(text.front()) || error != std::errc{} ||
        end != text.data() + text.size() || count > kCountMax) {
        return std::nullopt;
    }
    return std::chrono::hours(24 * count * (months ? kMonthDays : kQuarterDays));
}

/// A percentage is divided, so that 99.9% is the double nearest to 0.999.
double scaled(double number, const Suffix& suffix) {
    return suffix.text == "%" ? number / 100.0 : number * suffix.factor;
}

Result<std::uint64_t> to_whole(double value, std::string_view text) {
    constexpr double kWholeMax = 9007199254740992.0;  // 2^53: every whole number below is exact.
    if (value < 0 || value > kWholeMax || value != std::floor(value)) {
        return invalid_argument(fmt::format("\"{}\" is not a whole number from 0", text));
    }
    return static_cast<std::uint64_t>(value);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
            row[j] = std::min({above + 1, row[j - 1] + 1, change});
            diagonal = above;
        }
    }
    return row[b.size()];
}

bool is_variable_name(std::string_view name) {
    const auto is_name_char = [](char c) {
        return (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
    };
    return !name.empty() && !is_digit(name.front()) &&
           std::all_of(name.begin(), name.end(), is_name_char);
}

int base64_value(char c) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t at = kAlphabet.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

Result<double> parse_quantity(std::string_view text) {
    const auto bad = [&] { return invalid_argument(fmt::format("\"{}\" is not a number", text)); };
    // Words such as "inf" and "nan" are no numbers here.
    const bool has_digit = std::any_of(text.begin(), text.end(), is_digit);
    if (!has_digit) {
        return bad();
    }
    std::string_view magnitude = text;
    const auto suffix =
        std::find_if(kNumberSuffixes.begin(), kNumberSuffixes.end(),
                     [&](const Suffix& candidate) { return text.ends_with(candidate.text); });
    if (suffix != kNumberSuffixes.end()) {
        magnitude.remove_suffix(suffix->text.size());
    }
    while (suffix != kNumberSuffixes.end() && magnitude.ends_with(' ')) {
        magnitude.remove_suffix(1);
    }
    if (const auto number = parse_float(magnitude); number && std::isfinite(*number)) {
        const double value = suffix == kNumberSuffixes.end() ? *number : scaled(*number, *suffix);
        if (std::isfinite(value)) {
            return value;
        }
        return bad();
    }
    const bool negative = text.starts_with('-');
    const auto span = parse_span(negative ? text.substr(1) : text);
    if (!span) {
        return bad();
    }
    const double seconds = static_cast<double>(span->count()) / 1000.0;
    return negative ? -seconds : seconds;
}

Result<std::uint64_t> parse_count(std::string_view text) {
    const bool percent_or_span = text.ends_with('%') || text.ends_with('s') ||
                                 text.ends_with('m') || text.ends_with('h') ||
                                 text.ends_with('d') || text.ends_with('w') ||
                                 text.ends_with('y') || text.ends_with('q') || text.ends_with('o');
    const auto number = parse_quantity(text);
    if (!number || percent_or_span) {
        return invalid_argument(fmt::format("\"{}\" is not a whole number from 0", text));
    }
    return to_whole(*number, text);
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
    // "10MB" is "10MiB"; a lone "B" is nothing.
    std::string spelled(text);
    if (spelled.ends_with('B') && !spelled.ends_with("iB")) {
        spelled.pop_back();
        const char unit = spelled.empty() ? '\0' : spelled.back();
        if (unit == 'K' || unit == 'M' || unit == 'G' || unit == 'T') {
            spelled += "iB";
        }
    }
    const auto bytes = parse_count(spelled);
    if (!bytes) {
        return invalid_argument(fmt::format("\"{}\" is not a size in bytes", text));
    }
    return *bytes;
}

Result<Duration> parse_span(std::string_view text) {
    if (const auto calendar = parse_calendar_span(text)) {
        return *calendar;
    }
    return parse_duration(text);
}

bool is_id(std::string_view text) {
    const auto is_id_char = [](char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
    };
    return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
           std::all_of(text.begin(), text.end(), is_id_char);
}

bool is_date_or_period(std::string_view text) {
    const auto digits_at = [&](std::size_t from, std::size_t count) {
        return from + count <= text.size() &&
               std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from),
                           text.begin() + static_cast<std::ptrdiff_t>(from + count), is_digit);
    };
    const auto number_at = [&](std::size_t from) {
        return (text[from] - '0') * 10 + (text[from + 1] - '0');
    };
    if (!digits_at(0, 4) || text.size() < 7 || text[4] != '-') {
        return false;
    }
    if (text.size() == 10 && text[7] == '-') {
        return parse_rfc3339(fmt::format("{}T00:00:00Z", text)).has_value();
    }
    const std::string_view period = text.substr(5);
    if (period.size() == 2 && digits_at(5, 2)) {
        return number_at(5) >= 1 && number_at(5) <= 12;
    }
    if (period.size() == 3 && period[0] == 'W' && digits_at(6, 2)) {
        return number_at(6) >= 1 && number_at(6) <= 53;
    }
    constexpr std::array<std::string_view, 7> kNamed{"Q1", "Q2", "Q3", "Q4", "H1", "H2", "FY"};
    return std::find(kNamed.begin(), kNamed.end(), period) != kNamed.end();
}

Result<void> check_listen_address(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    const std::string_view host = text.substr(0, std::min(colon, text.size()));
    const bool bracketed = host.starts_with('[') && host.ends_with(']');
    if (colon == std::string_view::npos ||
        (!bracketed && host.find_first_of(":[]/ ") != std::string_view::npos)) {
        return invalid_argument(fmt::format("\"{}\" is not host:port", text));
    }
    const std::string_view port = text.substr(colon + 1);
    int number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size() || number < 0 ||
        number > 65535) {
        return invalid_argument(fmt::format("\"{}\" has no port from 0 to 65535", text));
    }
    return {};
}

std::string url_of_listener(std::string_view address, std::string_view host_name) {
    const std::size_t colon = address.rfind(':');
    if (colon == std::string_view::npos) {
        return {};
    }
    std::string_view host = address.substr(0, colon);
    const std::string_view port = address.substr(colon + 1);
    if (host.empty() || host == "0.0.0.0" || host == "[::]") {
        host = host_name;
    }
    if (host.empty() || port.find_first_not_of('0') == std::string_view::npos) {
        return {};
    }
    return fmt::format("http://{}:{}", host, port);
}

Result<void> check_url(std::string_view text) {
    const auto parsed = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
    if (parsed.has_error()) {
        return invalid_argument("not a URL");
    }
    const boost::urls::url_view& url = *parsed;
    if (url.scheme() != "http" && url.scheme() != "https") {
        return invalid_argument("the URL must begin with http:// or https://");
    }
    if (url.host().empty()) {
        return invalid_argument("the URL has no host");
    }
    return {};
}

Result<void> check_secret(std::string_view text) {
    constexpr std::size_t kBytesMin = 24;
    constexpr std::size_t kBytesMax = 64;
    constexpr std::string_view kPrefix = "whsec_";
    if (text.starts_with(kPrefix)) {
        text.remove_prefix(kPrefix.size());
    }
    std::size_t padding = 0;
    while (padding < 2 && text.ends_with('=')) {
        text.remove_suffix(1);
        ++padding;
    }
    const bool characters_fit =
        std::all_of(text.begin(), text.end(), [](char c) { return base64_value(c) >= 0; });
    if (!characters_fit || text.size() % 4 == 1 ||
        (padding > 0 && (text.size() + padding) % 4 != 0)) {
        return invalid_argument("the secret is not base64");
    }
    const std::size_t bytes = text.size() * 3 / 4;
    if (bytes < kBytesMin || bytes > kBytesMax) {
        return invalid_argument(fmt::format("the secret is base64 of {} bytes, it must be {} to {}",
                                            bytes, kBytesMin, kBytesMax));
    }
    return {};
}

Result<std::string> expand_environment(
    std::string_view text,
    const std::function<std::optional<std::string>(const std::string&)>& lookup) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::string_view rest = text.substr(at);
        if (rest.starts_with("$$")) {
            out += '$';
            at += 2;
            continue;
        }
        const std::size_t end = rest.starts_with("${") ? rest.find('}') : std::string_view::npos;
        if (end == std::string_view::npos) {
            out += rest.front();
            ++at;
            continue;
        }
        const std::string_view inside = rest.substr(2, end - 2);
        const std::size_t dash = inside.find(":-");
        const std::string name(inside.substr(0, std::min(dash, inside.size())));
        if (!is_variable_name(name)) {
            out += rest.front();
            ++at;
            continue;
        }
        const std::optional<std::string> value = lookup ? lookup(name) : std::nullopt;
        const bool has_default = dash != std::string_view::npos;
        if (!value && !has_default) {
            return not_found(fmt::format("the environment variable {} is not set", name));
        }
        // As in a shell, ":-" also stands in for an empty value.
        const bool use_default = has_default && (!value || value->empty());
        out += use_default ? inside.substr(dash + 2) : std::string_view(*value);
        at += end + 1;
    }
    return out;
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t kWordBytesMax = 64;
    if (word.size() > kWordBytesMax) {
        return "";
    }
    const std::size_t distance_max = std::max<std::size_t>(2, word.size() / 3);
    std::size_t best_distance = distance_max + 1;
    std::string best;
    for (const std::string& candidate : candidates) {
        if (candidate.size() > kWordBytesMax) {
            continue;
        }
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance && distance < std::max(word.size(), candidate.size())) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace kpid::config
