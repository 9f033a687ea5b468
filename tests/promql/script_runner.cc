// Scripts line by line.

#include "promql/script_runner.h"

#include "kpid/base/number.h"
#include "kpid/promql/selectors.h"
#include "promql/script_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) {
        return false;
    }
    text = trimmed(text.substr(prefix.size()));
    return true;
}

Result<Duration> take_duration(std::string_view& text) {
    std::string_view word = take_word(text);
    const bool negative = take_prefix(word, "-");
    KPID_TRY(const Duration duration, parse_duration(word));
    return negative ? -duration : duration;
}

std::string unquoted(std::string_view text) {
    const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '`') &&
                        text.back() == text.front();
    return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

Pattern parse_pattern(std::string_view text) {
    if (take_prefix(text, "msg:")) {
        return {Pattern::Kind::kMessage, std::string(text)};
    }
    if (take_prefix(text, "regex:")) {
        return {Pattern::Kind::kRegex, std::string(text)};
    }
    return {};
}

// Functions and modifiers whose value depends on the query's frame, not on the time alone.
bool depends_on_frame(const Expr& expr) {
    bool depends = false;
    for_each_node(expr, [&](const Expr& node) {
        const auto at_frame = [](const TimeModifiers& m) {
            return m.at && m.at->kind != AtModifier::Kind::kTimestamp;
        };
        if (const auto* call = get_if<Call>(node)) {
            const std::string_view name = call->function->name;
            depends =
                depends || name == "step" || name == "range" || name == "start" || name == "end";
        } else if (const auto* selector = get_if<VectorSelector>(node)) {
            depends = depends || at_frame(selector->modifiers) || selector->modifiers.offset_expr;
        } else if (const auto* matrix = get_if<MatrixSelector>(node)) {
            depends = depends || matrix->range_expr;
        } else if (const auto* subquery = get_if<SubqueryExpr>(node)) {
            depends = depends || at_frame(subquery->modifiers) || subquery->modifiers.offset_expr ||
                      subquery->range_expr || subquery->step_expr;
        }
    });
    return depends;
}

class Runner {
public:
    Runner(std::string_view text, const ScriptOptions& options)
        : options_(options), engine_(options.engine, executor_) {
        while (!text.empty()) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            const std::string_view line = trimmed(text.substr(0, end));
            lines_.push_back(line.starts_with('#') ? "" : line);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    ScriptReport run() {
        while (next_ < lines_.size()) {
            std::string_view line = lines_[next_++];
            const std::size_t number = next_;
            const std::string_view command = take_word(line);
            Result<void> done;
            if (command == "load" || command == "load_with_nhcb") {
                done = load(line, command == "load_with_nhcb");
            } else if (command == "clear") {
                storage_.clear();
                start_times_.clear();
            } else if (command.starts_with("eval")) {
                done = eval(command, line);
            } else if (!command.empty()) {
                done = invalid_argument(fmt::format("unknown command {}", command));
            }
            if (!done) {
                fail(number, std::string(lines_[number - 1]), done.error().message);
            }
        }
        return std::move(report_);
    }

private:
    void fail(std::size_t line, const std::string& what, const std::string& why) {
        report_.failures.push_back(fmt::format("line {}: {}: {}", line, what, why));
    }

    Result<void> load(std::string_view line, bool with_nhcb) {
        KPID_TRY(const Duration step, take_duration(line));
        for (; next_ < lines_.size() && !lines_[next_].empty(); ++next_) {
            const std::string_view text = lines_[next_];
            if (const std::size_t mark = text.find("@st"); mark != std::string_view::npos) {
                KPID_TRY(const model::Labels labels, parse_metric(text.substr(0, mark)));
                start_times_.insert(labels);
                continue;
            }
            auto series = parse_series_description(text);
            if (!series) {
                fail(next_ + 1, std::string(text), series.error().message);
                continue;
            }
            store(*series, step, with_nhcb);
        }
        return {};
    }

    void store(const SeriesDescription& series, Duration step, bool with_nhcb) {
        const std::optional<model::Labels> fused =
            with_nhcb ? fused_labels(series.labels) : std::nullopt;
        Timestamp time;
        for (const SequenceValue& item : series.values) {
            if (item.histogram || (!item.omitted && start_times_.contains(series.labels))) {
                storage_.note_unsupported(series.labels, time);
            } else if (!item.omitted) {
                storage_.put(series.labels, time, item.value);
            }
            if (fused && !item.omitted) {
                storage_.note_unsupported(*fused, time);
            }
            time += step;
        }
    }

    // The native histogram that `load_with_nhcb` makes of a classic one's series.
    static std::optional<model::Labels> fused_labels(const model::Labels& labels) {
        const std::string_view name = labels.metric_name();
        for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
            if (name.ends_with(suffix)) {
                return labels.without("le").with(model::kMetricName,
                                                 name.substr(0, name.size() - suffix.size()));
            }
        }
        return std::nullopt;
    }

    Result<void> eval(std::string_view command, std::string_view line) {
        Evaluation evaluation;
        evaluation.line = next_;
        const bool head_ok = read_head(command, line, evaluation).has_value();
        Result<void> expectations;
        for (; next_ < lines_.size() && !lines_[next_].empty(); ++next_) {
            if (expectations) {
                expectations = read_expectation(lines_[next_], evaluation);
            }
        }
        if (!head_ok) {
            return invalid_argument("not an evaluation");
        }
        KPID_CHECK_OK(expectations);
        check(evaluation);
        return {};
    }

    Result<void> read_head(std::string_view command, std::string_view line,
                           Evaluation& evaluation) {
        evaluation.must_fail = command == "eval_fail";
        evaluation.ordered = command == "eval_ordered";
        if (command == "eval_warn") {
            evaluation.warnings.push_back({});
        } else if (command == "eval_info") {
            evaluation.infos.push_back({});
        }
        if (take_prefix(line, "instant at")) {
            KPID_TRY(const Duration time, take_duration(line));
            evaluation.start = evaluation.end = Timestamp() + time;
        } else {
            evaluation.is_range = true;
            KPID_TRY(const auto frame, take_frame(line));
            evaluation.start = Timestamp() + frame[0];
            evaluation.end = Timestamp() + frame[1];
            evaluation.step = frame[2];
        }
        evaluation.expr = line;
        return {};
    }

    // `[range] from A to B step S`.
    static Result<std::array<Duration, 3>> take_frame(std::string_view& line) {
        std::array<Duration, 3> frame{};
        (void)take_prefix(line, "range");
        constexpr std::array<std::string_view, 3> kWords = {"from", "to", "step"};
        for (std::size_t i = 0; i < kWords.size(); ++i) {
            if (!take_prefix(line, kWords[i])) {
                return invalid_argument("not a range");
            }
            KPID_TRY(frame[i], take_duration(line));
        }
        return frame;
    }

    static Result<void> read_expectation(std::string_view line, Evaluation& evaluation) {
        if (take_prefix(line, "expected_fail_message")) {
            evaluation.failures.push_back({Pattern::Kind::kMessage, std::string(line)});
        } else if (take_prefix(line, "expected_fail_regexp")) {
            evaluation.failures.push_back({Pattern::Kind::kRegex, std::string(line)});
        } else if (take_prefix(line, "expect ")) {
            return read_expect(line, evaluation);
        } else if (const auto number = parse_float(line)) {
            evaluation.scalar = *number;
        } else {
            KPID_TRY(SeriesDescription series, parse_series_description(line));
            evaluation.series.push_back(std::move(series));
        }
        return {};
    }

    static Result<void> read_expect(std::string_view line, Evaluation& evaluation) {
        const std::string_view kind = take_word(line);
        if (kind == "ordered") {
            evaluation.ordered = true;
        } else if (kind == "fail") {
            evaluation.must_fail = true;
            evaluation.failures.push_back(parse_pattern(line));
        } else if (kind == "warn") {
            evaluation.warnings.push_back(parse_pattern(line));
        } else if (kind == "info") {
            evaluation.infos.push_back(parse_pattern(line));
        } else if (kind == "no_warn") {
            evaluation.no_warnings = true;
        } else if (kind == "no_info") {
            evaluation.no_infos = true;
        } else if (kind == "string") {
            evaluation.string = unquoted(line);
        } else if (kind == "range" && take_prefix(line, "vector")) {
            KPID_TRY(const auto frame, take_frame(line));
            evaluation.range_vector = {Timestamp() + frame[0], frame[2]};
        } else {
            return invalid_argument(fmt::format("unknown expectation {}", kind));
        }
        return {};
    }

    void check(const Evaluation& evaluation) {
        const auto expr = parse_expr(evaluation.expr, options_.parse);
        if (!expr) {
            note(evaluation, expr.error(), check_failure(evaluation, expr.error()));
            return;
        }
        QueryContext context;
        context.text = evaluation.expr;
        const auto result = evaluation.is_range
                                ? engine_.range(**expr, evaluation.start, evaluation.end,
                                                evaluation.step, storage_, context)
                                : engine_.instant(**expr, evaluation.start, storage_, context);
        if (!result) {
            note(evaluation, result.error(), check_failure(evaluation, result.error()));
            return;
        }
        std::string wrong = check_result(evaluation, *result);
        if (wrong.empty() && !evaluation.is_range) {
            wrong = check_as_range(evaluation, **expr, result->value);
        }
        note(evaluation, {}, wrong);
    }

    std::string check_as_range(const Evaluation& evaluation, const Expr& expr,
                               const Value& instant) {
        if ((expr.type != ValueType::kVector && expr.type != ValueType::kScalar) ||
            depends_on_frame(expr)) {
            return "";
        }
        constexpr Duration kMinute = std::chrono::minutes(1);
        const auto result = engine_.range(expr, evaluation.start - kMinute,
                                          evaluation.start + kMinute, kMinute, storage_);
        if (!result) {
            return result.error().code == Code::kUnsupported
                       ? ""  // The minute around sees what the instant does not.
                       : "as a range query, unexpected error: " + result.error().message;
        }
        return check_middle(instant, result->value, evaluation.start);
    }

    void note(const Evaluation& evaluation, const Error& error, const std::string& wrong) {
        if (!error.message.empty() && error.code == Code::kUnsupported) {
            ++report_.unsupported;
        } else if (wrong.empty()) {
            ++report_.passed;
        } else {
            fail(evaluation.line, evaluation.expr, wrong);
        }
    }

    ScriptOptions options_;
    InlineExecutor executor_;
    Engine engine_;
    ScriptStorage storage_;
    std::set<model::Labels> start_times_;  // Series whose next line has start timestamps.
    std::vector<std::string_view> lines_;
    std::size_t next_ = 0;
    ScriptReport report_;
};

}  // namespace

ScriptOptions prometheus_options() {
    ScriptOptions options;
    options.engine.samples_max = 10'000;
    options.engine.delayed_name_removal = true;
    options.parse.experimental_functions = true;
    options.parse.duration_expressions = true;
    options.parse.extended_range_selectors = true;
    options.parse.fill_modifiers = true;
    return options;
}

ScriptReport run_script(std::string_view text, const ScriptOptions& options) {
    return Runner(text, options).run();
}

}  // namespace kpid::promql::testing
