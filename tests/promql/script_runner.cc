// Runs what script_parser.cc read.

#include "promql/script_runner.h"

#include "kpid/promql/selectors.h"
#include "promql/pin_selectors.h"
#include "promql/script_check.h"
#include "promql/script_storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace kpid::promql::testing {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);

const Expr& without_parens(const Expr& expr) {
    const auto* paren = get_if<ParenExpr>(expr);
    return paren == nullptr ? expr : without_parens(*paren->expr);
}

// Their value depends on when they are evaluated, whatever their arguments are.
bool looks_at_the_time(std::string_view function) {
    constexpr std::array<std::string_view, 15> kNames = {
        "day_of_month", "day_of_week", "day_of_year", "days_in_month",  "end",
        "hour",         "minute",      "month",       "predict_linear", "range",
        "start",        "step",        "time",        "timestamp",      "year"};
    return std::find(kNames.begin(), kNames.end(), function) != kNames.end();
}

bool may_be_pinned(const Expr& expr) {
    bool may = true;
    for_each_node(expr, [&](const Expr& node) {
        const auto* call = get_if<Call>(node);
        may = may && (call == nullptr || !looks_at_the_time(call->function->name));
    });
    return may;
}

// A range query gives start(), end(), range() and step() other values than an instant query.
bool looks_at_the_query(std::string_view text) {
    constexpr std::array<std::string_view, 4> kCalls = {"start()", "end()", "range()", "step()"};
    return std::any_of(kCalls.begin(), kCalls.end(), [text](std::string_view call) {
        return text.find(call) != std::string_view::npos;
    });
}

// Where else a pinned expression is evaluated.
std::array<Timestamp, 5> other_times(Timestamp time) {
    const std::int64_t t = time.ms();
    if (t == 0) {
        return {Timestamp(-1000), Timestamp(0), Timestamp(1000), Timestamp(-1), Timestamp(1)};
    }
    return {Timestamp(-10 * t), Timestamp(0), Timestamp(t / 5), time, Timestamp(10 * t)};
}

bool expects_histogram(const Evaluation& evaluation) {
    return std::any_of(evaluation.series.begin(), evaluation.series.end(), [](const auto& series) {
        return std::any_of(series.values.begin(), series.values.end(),
                           [](const SequenceValue& item) { return item.histogram.has_value(); });
    });
}

// Whether it reads instants alone, and no windows.
bool has_no_window(const Expr& expr) {
    bool none = true;
    for_each_node(expr, [&](const Expr& node) {
        none = none && node.kind != ExprKind::kMatrixSelector && node.kind != ExprKind::kSubquery;
    });
    return none;
}

// Counters that look at start timestamps, where they stand before a range of series that have some.
bool needs_start_times(const Expr& expr, const ScriptStorage& storage) {
    constexpr std::array<std::string_view, 4> kNames = {"increase", "irate", "rate", "resets"};
    bool needs = false;
    for_each_node(expr, [&](const Expr& node) {
        const auto* call = get_if<Call>(node);
        if (call == nullptr ||
            std::find(kNames.begin(), kNames.end(), call->function->name) == kNames.end()) {
            return;
        }
        const auto* range = get_if<MatrixSelector>(without_parens(*call->arguments[0]));
        needs = needs || (range != nullptr && storage.has_start_times(range->selector->matchers));
    });
    return needs;
}

// The part of the language that the engine refuses for now and that this message names; empty: it
// refuses something that it should not.
std::string lacking_part(const Error& error) {
    constexpr std::array<std::string_view, 5> kParts = {"\"anchored\"", "\"fill\"", "\"info\"",
                                                        "\"smoothed\"", "\"start_timestamp\""};
    if (error.code != Code::kUnsupported) {
        return "";
    }
    if (error.message == kSeesNativeHistograms) {
        return error.message;
    }
    const auto part = std::find_if(kParts.begin(), kParts.end(), [&](std::string_view name) {
        return error.message.find(name) != std::string::npos;
    });
    return part == kParts.end() ? "" : "the expression has " + std::string(*part);
}

class Runner {
public:
    explicit Runner(const ScriptOptions& options)
        : options_(options), engine_(options.engine, executor_) {}

    ScriptReport run(std::string_view text) {
        Script script = parse_script(text);
        ScriptReport report;
        report.errors = std::move(script.errors);
        for (const Command& command : script.commands) {
            if (const auto* load = std::get_if<LoadCommand>(&command.what)) {
                storage_.load(*load);
            } else if (const auto* evaluation = std::get_if<Evaluation>(&command.what)) {
                CaseReport result{command.line, evaluation->expr};
                std::tie(result.outcome, result.why) = check(*evaluation);
                report.cases.push_back(std::move(result));
            } else {
                storage_.clear();
            }
        }
        return report;
    }

private:
    using Verdict = std::pair<Outcome, std::string>;

    static Verdict verdict(std::string wrong) {
        const Outcome outcome = wrong.empty() ? Outcome::kPassed : Outcome::kFailed;
        return {outcome, std::move(wrong)};
    }
    static Verdict verdict(const Evaluation& evaluation, const Error& error) {
        std::string lacking = lacking_part(error);
        return lacking.empty() ? verdict(check_failure(evaluation, error))
                               : Verdict{Outcome::kSkipped, std::move(lacking)};
    }

    Verdict check(const Evaluation& evaluation) {
        if (expects_histogram(evaluation)) {
            return {Outcome::kSkipped, "native histograms are expected"};
        }
        const auto expr = parse_expr(evaluation.expr, options_.parse);
        if (!expr) {
            return verdict(evaluation, expr.error());
        }
        if (needs_start_times(**expr, storage_)) {
            return {Outcome::kSkipped, "start timestamps are loaded"};
        }
        if (evaluation.is_range) {
            return check_range(evaluation, **expr);
        }
        Verdict first = check_instant(evaluation, evaluation.expr, evaluation.start);
        if (first.first != Outcome::kPassed || !may_be_pinned(**expr)) {
            return first;
        }
        const std::string pinned = pin_selectors(**expr, evaluation.start);
        for (const Timestamp time : other_times(evaluation.start)) {
            // One that sees what cannot be stored is left out.
            const auto [outcome, why] = check_instant(evaluation, pinned, time);
            if (outcome == Outcome::kFailed) {
                return verdict(fmt::format("as {} at {} ms, {}", pinned, time.ms(), why));
            }
        }
        return first;
    }

    Verdict check_range(const Evaluation& evaluation, const Expr& expr) const {
        QueryContext context;
        context.text = evaluation.expr;
        const auto result = engine_.range(expr, evaluation.start, evaluation.end, evaluation.step,
                                          storage_, context);
        return result ? verdict(check_result(evaluation, *result))
                      : verdict(evaluation, result.error());
    }

    Verdict check_instant(const Evaluation& evaluation, const std::string& text, Timestamp time) {
        const auto expr = parse_expr(text, options_.parse);
        if (!expr) {
            return verdict("does not parse: " + expr.error().message);
        }
        QueryContext context;
        context.text = text;
        storage_.set_only_newest_seen(has_no_window(**expr));
        const auto result = engine_.instant(**expr, time, storage_, context);
        storage_.set_only_newest_seen(false);
        if (!result) {
            return verdict(evaluation, result.error());
        }
        std::string wrong = check_result(evaluation, *result);
        const ValueType type = (*expr)->type;
        if (!wrong.empty() || looks_at_the_query(text) ||
            (type != ValueType::kVector && type != ValueType::kScalar)) {
            return verdict(std::move(wrong));
        }
        const auto matrix =
            engine_.range(**expr, time - kMinute, time + kMinute, kMinute, storage_);
        if (!matrix) {
            return lacking_part(matrix.error()).empty()
                       ? verdict("as a range query, error: " + matrix.error().message)
                       : verdict("");  // The minute around sees what the instant does not.
        }
        if (evaluation.ordered) {
            return verdict("");
        }
        wrong = check_middle(evaluation, matrix->value, time, type);
        return verdict(wrong.empty() ? "" : "as a range query, " + wrong);
    }

    ScriptOptions options_;
    InlineExecutor executor_;
    Engine engine_;
    ScriptStorage storage_;
};

}  // namespace

std::size_t ScriptReport::count(Outcome outcome) const {
    return static_cast<std::size_t>(
        std::count_if(cases.begin(), cases.end(),
                      [outcome](const CaseReport& one) { return one.outcome == outcome; }));
}

ScriptOptions prometheus_options() {
    ScriptOptions options;
    options.engine.delayed_name_removal = true;
    options.parse.experimental_functions = true;
    options.parse.duration_expressions = true;
    options.parse.extended_range_selectors = true;
    options.parse.fill_modifiers = true;
    return options;
}

ScriptReport run_script(std::string_view text, const ScriptOptions& options) {
    return Runner(options).run(text);
}

}  // namespace kpid::promql::testing
