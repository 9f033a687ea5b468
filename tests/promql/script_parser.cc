// Scripts line by line.

#include "kpid/model/regex.h"
#include "kpid/promql/parser.h"
#include "promql/number_literal.h"
#include "promql/quoting.h"
#include "promql/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace kpid::promql::testing {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) {
        return "";
    }
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Cuts the first word off.
std::string_view take_word(std::string_view& text) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    const std::string_view word = text.substr(0, end);
    text = trimmed(text.substr(end));
    return word;
}

// Cuts a text off that stands at the beginning.
bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text = trimmed(text.substr(prefix.size()));
    return true;
}

// Cuts the first word off if it is this one.
bool take_exactly(std::string_view& text, std::string_view word) {
    std::string_view rest = text;
    if (take_word(rest) != word) {
        return false;
    }
    text = rest;
    return true;
}

std::string lower(std::string_view text) {
    std::string answer(text);
    std::transform(answer.begin(), answer.end(), answer.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return answer;
}

Result<Duration> take_duration(std::string_view& text) {
    std::string_view word = take_word(text);
    const bool negative = take_prefix(word, "-");
    KPID_TRY(const Duration duration, parse_duration(word));
    return negative ? -duration : duration;
}

// `from A to B step S`.
Result<std::array<Duration, 3>> take_frame(std::string_view& line) {
    std::array<Duration, 3> frame{};
    constexpr std::array<std::string_view, 3> kWords = {"from", "to", "step"};
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        if (!take_exactly(line, kWords[i])) {
            return invalid_argument(fmt::format("expected \"{}\"", kWords[i]));
        }
        KPID_TRY(frame[i], take_duration(line));
    }
    if (frame[1] < frame[0]) {
        return invalid_argument("the end lies before the start");
    }
    return frame;
}

std::optional<double> parse_scalar(std::string_view text) {
    std::string_view digits = text;
    const bool negative = take_prefix(digits, "-");
    if (!negative) {
        (void)take_prefix(digits, "+");
    }
    const auto number = parse_number_literal(digits);
    if (!number) {
        return std::nullopt;
    }
    return negative ? -*number : *number;
}

Result<Pattern> parse_pattern(std::string_view text) {
    if (text.empty()) {
        return Pattern{};
    }
    if (take_prefix(text, "msg:")) {
        return Pattern{Pattern::Kind::kMessage, std::string(text)};
    }
    if (!take_prefix(text, "regex:")) {
        return invalid_argument("expected \"msg:\" or \"regex:\"");
    }
    if (const auto regex = model::Regex::compile(text); !regex) {
        return regex.error();
    }
    return Pattern{Pattern::Kind::kRegex, std::string(text)};
}

Result<void> add_pattern(std::vector<Pattern>& patterns, std::string_view text) {
    KPID_TRY(Pattern pattern, parse_pattern(text));
    patterns.push_back(std::move(pattern));
    return {};
}

// How many values a sequence of start timestamps has: `_`, `_xN`, `-1m`, `-1mxN`, `-1m+5sxN`.
Result<std::size_t> count_start_times(std::string_view text) {
    std::size_t count = 0;
    while (!text.empty()) {
        const std::string_view item = take_word(text);
        const std::size_t mark = item.rfind('x');
        std::size_t times = 0;
        if (mark != std::string_view::npos) {
            const char* end = item.data() + item.size();
            const auto [at, error] = std::from_chars(item.data() + mark + 1, end, times);
            if (error != std::errc() || at != end) {
                return invalid_argument(fmt::format("invalid start timestamp \"{}\"", item));
            }
        }
        const bool blank = item.starts_with('_');
        count += blank && mark != std::string_view::npos ? times : times + 1;
    }
    return count;
}

class ScriptParser {
public:
    explicit ScriptParser(std::string_view text) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            const std::string_view line = trimmed(text.substr(0, end));
            lines_.push_back(line.starts_with('#') ? "" : line);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    Script parse() {
        while (next_ < lines_.size()) {
            std::string_view line = lines_[next_++];
            if (line.empty()) {
                continue;
            }
            const std::size_t number = next_;
            wrong_line_ = number;
            const std::string command = lower(take_word(line));
            Result<void> done;
            if (command == "clear") {
                script_.commands.push_back({number, ClearCommand()});
            } else if (command == "load" || command == "load_with_nhcb") {
                done = read_load(number, line, command == "load_with_nhcb");
            } else if (command == "eval" || command.starts_with("eval_")) {
                done = read_eval(number, command, line);
            } else {
                done = invalid_argument(fmt::format("invalid command \"{}\"", command));
            }
            if (!done) {
                script_.errors.push_back({wrong_line_, done.error().message});
                while (next_ < lines_.size() && !lines_[next_].empty()) {
                    ++next_;  // What belongs to the command goes with it.
                }
            }
        }
        return std::move(script_);
    }

private:
    // Takes the next line of the block; false at its end.
    bool take_line(std::string_view& line) {
        if (next_ == lines_.size() || lines_[next_].empty()) {
            return false;
        }
        line = lines_[next_++];
        wrong_line_ = next_;
        return true;
    }

    Result<void> read_load(std::size_t number, std::string_view line, bool with_nhcb) {
        LoadCommand load;
        load.with_nhcb = with_nhcb;
        KPID_TRY(load.step, take_duration(line));
        struct StartTimes {
            model::Labels labels;
            std::size_t count = 0;
        };
        std::optional<StartTimes> start_times;
        while (take_line(line)) {
            std::string_view rest = line;
            const std::string_view metric = take_word(rest);
            if (metric.ends_with("@st") && !start_times) {
                start_times.emplace();
                KPID_TRY(start_times->labels, parse_metric(metric.substr(0, metric.size() - 3)));
                KPID_TRY(start_times->count, count_start_times(rest));
                continue;
            }
            LoadCommand::Series series;
            KPID_TRY(series.description, parse_series_description(line));
            series.has_start_times = start_times.has_value();
            if (start_times && (start_times->labels != series.description.labels ||
                                start_times->count != series.description.values.size())) {
                return invalid_argument("the line of start timestamps before it is another's");
            }
            start_times.reset();
            load.series.push_back(std::move(series));
        }
        if (start_times) {
            return invalid_argument("start timestamps without a line of samples behind");
        }
        script_.commands.push_back({number, std::move(load)});
        return {};
    }

    Result<void> read_eval(std::size_t number, std::string_view command, std::string_view line) {
        Evaluation evaluation;
        KPID_CHECK_OK(read_head(command, line, evaluation));
        while (take_line(line)) {
            KPID_CHECK_OK(read_expectation(line, evaluation));
            KPID_CHECK_OK(validate(evaluation));
        }
        script_.commands.push_back({number, std::move(evaluation)});
        return {};
    }

    static Result<void> read_head(std::string_view command, std::string_view line,
                                  Evaluation& evaluation) {
        const std::string_view mode = command.substr(std::min<std::size_t>(5, command.size()));
        const bool instant = take_exactly(line, "instant");
        if (!instant && !take_exactly(line, "range")) {
            return invalid_argument("expected \"instant\" or \"range\"");
        }
        if (mode == "fail") {
            evaluation.must_fail = true;
        } else if (mode == "ordered" && instant) {
            evaluation.ordered = true;
        } else if (mode == "warn") {
            evaluation.warnings.push_back({});
        } else if (mode == "info") {
            evaluation.infos.push_back({});
        } else if (!mode.empty()) {
            return invalid_argument(fmt::format("invalid command \"{}\"", command));
        }
        if (instant) {
            if (!take_exactly(line, "at")) {
                return invalid_argument("expected \"at\"");
            }
            KPID_TRY(const Duration time, take_duration(line));
            evaluation.start = evaluation.end = Timestamp() + time;
        } else {
            KPID_TRY(const auto frame, take_frame(line));
            evaluation.is_range = true;
            evaluation.start = Timestamp() + frame[0];
            evaluation.end = Timestamp() + frame[1];
            evaluation.step = frame[2];
        }
        if (line.empty()) {
            return invalid_argument("expected an expression");
        }
        evaluation.expr = line;
        return {};
    }

    static Result<void> read_expectation(std::string_view line, Evaluation& evaluation) {
        if (evaluation.scalar) {
            return invalid_argument("nothing may follow an expected scalar");
        }
        if (take_prefix(line, "expected_fail_message")) {
            evaluation.failures.push_back({Pattern::Kind::kMessage, std::string(line)});
        } else if (take_prefix(line, "expected_fail_regexp")) {
            return add_pattern(evaluation.failures, "regex:" + std::string(line));
        } else if (take_exactly(line, "expect")) {
            return read_expect(line, evaluation);
        } else if (const auto number = parse_scalar(line)) {
            evaluation.scalar = number;
        } else {
            KPID_TRY(SeriesDescription series, parse_series_description(line));
            if (series.values.size() > 1 && !evaluation.is_range && !evaluation.range_vector) {
                return invalid_argument(
                    "several values of a series in an instant evaluation need \"expect range "
                    "vector\"");
            }
            evaluation.series.push_back(std::move(series));
        }
        return {};
    }

    static Result<void> read_expect(std::string_view line, Evaluation& evaluation) {
        const std::string_view kind = take_word(line);
        if (kind == "fail") {
            evaluation.must_fail = true;
            return add_pattern(evaluation.failures, line);
        }
        if (kind == "warn" || kind == "info") {
            return add_pattern(kind == "warn" ? evaluation.warnings : evaluation.infos, line);
        }
        if (kind == "string") {
            evaluation.string = unquote(line);
            return evaluation.string ? Result<void>()
                                     : invalid_argument("expected a quoted string");
        }
        if (kind == "range" && take_exactly(line, "vector")) {
            KPID_TRY(const auto frame, take_frame(line));
            evaluation.range_vector = {Timestamp() + frame[0], frame[2]};
            evaluation.start = evaluation.end = Timestamp() + frame[1];
            return {};
        }
        if (kind == "ordered" && line.empty()) {
            evaluation.ordered = true;
        } else if (kind == "no_warn" && line.empty()) {
            evaluation.no_warnings = true;
        } else if (kind == "no_info" && line.empty()) {
            evaluation.no_infos = true;
        } else {
            return invalid_argument(fmt::format("invalid expectation \"{}\"", kind));
        }
        return {};
    }

    static Result<void> validate(const Evaluation& evaluation) {
        if (evaluation.no_warnings && !evaluation.warnings.empty()) {
            return invalid_argument("warn and no_warn exclude each other");
        }
        if (evaluation.no_infos && !evaluation.infos.empty()) {
            return invalid_argument("info and no_info exclude each other");
        }
        if (evaluation.failures.size() > 1) {
            return invalid_argument("more than one expectation of a failure");
        }
        return {};
    }

    std::vector<std::string_view> lines_;
    std::size_t next_ = 0;
    std::size_t wrong_line_ = 0;  // From 1: what an error is about.
    Script script_;
};

}  // namespace

Script parse_script(std::string_view text) {
    return ScriptParser(text).parse();
}

}  // namespace kpid::promql::testing
