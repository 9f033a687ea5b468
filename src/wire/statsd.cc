#include "kpid/wire/statsd.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace kpid::wire {
namespace {

// What is wrong with a line.
struct Problem {
    StatsdReason reason;
    std::string message;
};
using Check = std::optional<Problem>;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Each character that is not of a name becomes one `_`; `colon` is part of metric names only.
std::string sanitise(std::string_view text, bool colon) {
    std::string name;
    name.reserve(text.size() + 1);
    if (!text.empty() && is_digit(text.front())) {
        name += '_';
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xc0U) == 0x80U) {
            continue;  // The rest of a character that was written already.
        }
        name += is_alphanumeric(c) || c == '_' || (colon && c == ':') ? c : '_';
    }
    return name;
}

// Takes the text up to `separator` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return part;
}

template <class Integer>
bool read_integer(std::string_view text, Integer& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

// `title_length,text_length}:title|text…`, lengths in bytes.
bool is_event(std::string_view rest) {
    std::string_view lengths = take_until(rest, '}');
    std::size_t title = 0;
    std::size_t text = 0;
    if (!read_integer(take_until(lengths, ','), title) || !read_integer(lengths, text) ||
        title == 0 || !rest.starts_with(':')) {
        return false;
    }
    rest.remove_prefix(1);
    return title < rest.size() && text <= rest.size() - title - 1 && rest[title] == '|';
}

// `name|status…`
bool is_service_check(std::string_view rest) {
    const std::string_view name = take_until(rest, '|');
    const std::string_view status = take_until(rest, '|');
    return !name.empty() && status.size() == 1 && status[0] >= '0' && status[0] <= '3';
}

class LineReader {
public:
    LineReader(StatsdDialect dialect, std::vector<StatsdEvent>& events)
        : dialect_(dialect), events_(events) {}

    Check read(std::string_view line) {
        if (!is_valid_utf8(line)) {
            return Problem{StatsdReason::kMalformed, "invalid UTF-8"};
        }
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0) {
            return Problem{StatsdReason::kMalformed, "no name and value with a colon between"};
        }
        if (Check problem = read_name(line.substr(0, colon))) {
            return problem;
        }
        std::string_view rest = line.substr(colon + 1);
        if (rest.find('|') == std::string_view::npos) {
            return Problem{StatsdReason::kMalformed, "no type"};
        }
        const std::string_view values = take_until(rest, '|');
        if (Check problem = read_type(take_until(rest, '|'))) {
            return problem;
        }
        while (!rest.empty()) {
            if (Check problem = read_section(take_until(rest, '|'))) {
                return problem;
            }
        }
        event_.tags = model::Labels::from(std::move(tags_));
        return read_values(values);
    }

private:
    // `name`, `name,a=b` (Influx), `name#a=b` (Librato) or `name[a=b]` (SignalFx).
    Check read_name(std::string_view text) {
        const std::size_t style = text.find_first_of("[#,");
        std::string_view tags;
        std::string name(text.substr(0, style));
        if (style == std::string_view::npos) {
            // A bare name.
        } else if (text[style] != '[') {
            tags = text.substr(style + 1);
        } else if (const std::size_t close = text.find(']', style);
                   close == std::string_view::npos) {
            name = text;
        } else {
            tags = text.substr(style + 1, close - style - 1);
            name += text.substr(close + 1);
        }
        if (name.empty()) {
            return Problem{StatsdReason::kMalformed, "no name"};
        }
        event_.name = std::move(name);
        return read_tags(tags, '=');
    }

    Check read_tags(std::string_view text, char separator) {
        while (!text.empty()) {
            std::string_view value = take_until(text, ',');
            if (separator == ':' && value.starts_with('#')) {
                value.remove_prefix(1);
            }
            if (value.find(separator) == std::string_view::npos) {
                continue;  // Empty, or without a value.
            }
            std::string key = sanitise(take_until(value, separator), false);
            if (key.empty() || value.empty() || key == model::kMetricName) {
                continue;
            }
            if (tags_.size() == StatsdLimits::kTagsMax) {
                return Problem{StatsdReason::kLimit,
                               fmt::format("more than {} tags", StatsdLimits::kTagsMax)};
            }
            tags_.push_back({std::move(key), std::string(value)});
        }
        return {};
    }

    Check read_type(std::string_view word) {
        struct Type {
            std::string_view word;
            StatsdKind kind;
        };
        static constexpr Type kTypes[] = {
            {"c", StatsdKind::kCounter}, {"g", StatsdKind::kGauge},
            {"ms", StatsdKind::kTimer},  {"h", StatsdKind::kHistogram},
            {"s", StatsdKind::kSet},     {"d", StatsdKind::kDistribution},
        };
        for (const Type& type : kTypes) {
            if (type.word == word) {
                event_.kind = type.kind;
                return {};
            }
        }
        return Problem{StatsdReason::kBadType,
                       fmt::format("unknown type \"{}\"", word.substr(0, 32))};
    }

    // What may follow the type, in any order: rate, tags, time. Others are passed over.
    Check read_section(std::string_view section) {
        if (section.starts_with('@')) {
            const Result<double> rate = parse_float(section.substr(1));
            if (!rate || !(*rate > 0 && *rate <= 1)) {
                return Problem{StatsdReason::kBadRate, "the sample rate is not in (0, 1]"};
            }
            event_.sample_rate = *rate;
            return {};
        }
        if (section.starts_with('#')) {
            if (section.size() > 1 && !tags_.empty()) {
                return Problem{StatsdReason::kBadTags, "tags in two styles"};
            }
            return read_tags(section.substr(1), ':');
        }
        if (section.starts_with('T')) {
            return read_time(section.substr(1));
        }
        return {};
    }

    Check read_time(std::string_view text) {
        constexpr std::int64_t kSecondsMax = 253402300799;  // the end of the year 9999
        std::int64_t seconds = 0;
        if (read_integer(text, seconds) && seconds > 0 && seconds <= kSecondsMax) {
            event_.time = Timestamp(seconds * 1000);
        } else if (dialect_ == StatsdDialect::kDogstatsd) {
            return Problem{StatsdReason::kMalformed, "the time is not in Unix seconds"};
        }
        return {};
    }

    Check read_values(std::string_view values) {
        if (event_.kind == StatsdKind::kSet) {
            if (values.empty()) {
                return Problem{StatsdReason::kBadValue, "a set's value is empty"};
            }
            event_.set_member = values;
            events_.push_back(std::move(event_));
            return {};
        }
        const std::size_t first = events_.size();
        std::size_t count = 0;
        bool more = true;
        while (more) {
            more = values.find(':') != std::string_view::npos;
            Check problem = ++count > StatsdLimits::kPackedValuesMax
                                ? Problem{StatsdReason::kLimit, "too many values"}
                                : read_number(take_until(values, ':'));
            if (problem) {
                events_.resize(first);
                return problem;
            }
        }
        return {};
    }

    Check read_number(std::string_view text) {
        const Result<double> value = parse_float(text);
        if (!value || !std::isfinite(*value)) {
            return Problem{StatsdReason::kBadValue,
                           fmt::format("not a finite number: \"{}\"", text.substr(0, 64))};
        }
        StatsdEvent event = event_;
        event.value = *value;
        if (event.kind == StatsdKind::kTimer) {
            if (*value < 0) {
                return Problem{StatsdReason::kBadValue, "a negative duration"};
            }
            event.value = *value / 1000;
        }
        const bool is_signed = text.front() == '+' || text.front() == '-';
        if (event.kind == StatsdKind::kGauge && is_signed && dialect_ == StatsdDialect::kEtsy) {
            event.kind = StatsdKind::kGaugeDelta;
        }
        events_.push_back(std::move(event));
        return {};
    }

    const StatsdDialect dialect_;
    std::vector<StatsdEvent>& events_;
    StatsdEvent event_;
    std::vector<model::Label> tags_;
};

Check read_line(std::string_view line, StatsdDialect dialect, StatsdPacket& packet) {
    if (line.size() > StatsdLimits::kLineBytesMax) {
        return Problem{StatsdReason::kLimit,
                       fmt::format("line of more than {} bytes", StatsdLimits::kLineBytesMax)};
    }
    constexpr std::string_view kEvent = "_e{";
    constexpr std::string_view kServiceCheck = "_sc|";
    if (line.starts_with(kEvent) || line.starts_with(kServiceCheck)) {
        const bool good = line.starts_with(kEvent)
                              ? is_event(line.substr(kEvent.size()))
                              : is_service_check(line.substr(kServiceCheck.size()));
        packet.ignored += good ? 1 : 0;
        return good ? Check()
                    : Problem{StatsdReason::kMalformed, "malformed event or service check"};
    }
    return LineReader(dialect, packet.events).read(line);
}

}  // namespace

std::string_view to_string(StatsdReason reason) {
    switch (reason) {
        case StatsdReason::kMalformed:
            return "malformed";
        case StatsdReason::kBadValue:
            return "bad_value";
        case StatsdReason::kBadType:
            return "bad_type";
        case StatsdReason::kBadRate:
            return "bad_rate";
        case StatsdReason::kBadTags:
            return "bad_tags";
        case StatsdReason::kLimit:
            return "limit";
    }
    return "malformed";
}

std::string sanitise_statsd_name(std::string_view name) {
    return sanitise(name, true);
}

StatsdPacket parse_statsd(std::string_view datagram, StatsdDialect dialect) {
    StatsdPacket packet;
    std::size_t line_number = 0;
    while (!datagram.empty()) {
        if (++line_number > StatsdLimits::kLinesMax) {
            packet.errors.push_back({line_number, StatsdReason::kLimit, "too many lines"});
            break;
        }
        std::string_view line = take_until(datagram, '\n');
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.empty()) {
            continue;
        }
        if (Check problem = read_line(line, dialect, packet)) {
            packet.errors.push_back({line_number, problem->reason, std::move(problem->message)});
        }
    }
    return packet;
}

}  // namespace kpid::wire
