// One function for each shape of an expression.

#include "support/expression_generator.h"

#include <fmt/format.h>

namespace kpid::testing {
namespace {

constexpr std::string_view kArithmetic[] = {"+", "-", "*", "/", "^", "%", "atan2"};
// The first ones keep exact values exact.
constexpr std::size_t kExactArithmetic = 3;
// atan2 keeps names before 3.
constexpr std::size_t kArithmeticOf2 = 6;
constexpr std::string_view kComparisons[] = {"==", "!=", "<", "<=", ">", ">="};

}  // namespace

std::string ExpressionGenerator::next() {
    return once_in(8) ? scalar(options_.depth_max).text : vector(options_.depth_max).text;
}

std::string ExpressionGenerator::operand(const Piece& piece) {
    return piece.closed && !once_in(8) ? piece.text : "(" + piece.text + ")";
}

std::string ExpressionGenerator::number() {
    constexpr std::string_view kTame[] = {"0", "1", "2", "3", "0.5", "10", "100", "-1", "1e3"};
    constexpr std::string_view kWild[] = {"Inf", "NaN", "-Inf", "0x1f", "1_000", "1e300", "5m"};
    return std::string(!options_.as_prometheus_2 && once_in(8) ? one_of(kWild) : one_of(kTame));
}

// `offset` and `@`; mostly nothing.
std::string ExpressionGenerator::modifiers() {
    constexpr std::string_view kOffsets[] = {"10s", "1m", "5m", "-30s", "-2m", "1h"};
    constexpr std::string_view kComputed[] = {"step()", "(1m + 20s)", "-range()",
                                              "max_of(10s, step())"};
    constexpr std::string_view kPins[] = {"start()", "end()"};
    std::string text;
    if (once_in(5)) {
        const bool computed = !options_.as_prometheus_2 && once_in(6);
        text += fmt::format(" offset {}", computed ? one_of(kComputed) : one_of(kOffsets));
    }
    if (once_in(10)) {
        text += fmt::format(" @ {}", one_of(kPins));
    }
    return text;
}

ExpressionGenerator::Piece ExpressionGenerator::selector() {
    constexpr std::string_view kHosts[] = {"",
                                           "{host=\"a\"}",
                                           "{host!=\"b\"}",
                                           "{host=~\"a|c\"}",
                                           "{host!~\"a.*\"}",
                                           "{host=\"none\"}"};
    constexpr std::string_view kRooms[] = {"", "{room=\"x\"}", "{room!=\"x\"}",
                                           "{host=\"a\",room=\"x\"}"};
    constexpr std::string_view kBoth[] = {"{__name__=~\"temperature|requests_total\"}",
                                          "{host=\"a\",__name__!~\".*bucket|odd\"}"};
    std::string text;
    const std::size_t which = choose_(options_.as_prometheus_2 ? 15 : 17);
    if (which < 5) {
        text = fmt::format("temperature{}", once_in(2) ? one_of(kHosts) : one_of(kRooms));
    } else if (which < 9) {
        text = fmt::format("requests_total{}", once_in(2) ? one_of(kHosts) : one_of(kRooms));
    } else if (which < 11) {
        text = fmt::format("sparse{}", one_of(kHosts));
    } else if (which == 11) {
        text = "weight";
    } else if (which == 12) {
        text = "limit";
    } else if (which == 13) {
        text = fmt::format("latency_bucket{}", one_of(kHosts));
    } else if (which == 14) {
        text = one_of(kBoth);
    } else {
        text = fmt::format("odd{}", one_of(kHosts));
    }
    const std::string behind = modifiers();
    return {text + behind, true, behind.empty()};
}

ExpressionGenerator::Piece ExpressionGenerator::vector(std::size_t depth) {
    return depth == 0 || once_in(6) ? selector() : composed(depth - 1);
}

ExpressionGenerator::Piece ExpressionGenerator::composed(std::size_t depth) {
    switch (choose_(20)) {
        case 0:
        case 1:
        case 2:
            return with_scalar(depth);
        case 3:
        case 4:
            return joined(depth);
        case 5:
            return set_operation(depth);
        case 6:
        case 7:
        case 8:
            return aggregation(depth);
        case 9:
            return selection(depth);
        case 10:
        case 11:
            return function_of_values(depth);
        case 12:
        case 13:
        case 14:
        case 15:
            return function_of_range(depth);
        case 16:
            return quantile_of_buckets(depth);
        case 17:
            return relabelled(depth);
        default:
            return other_function(depth);
    }
}

// One whose values are the same in every order of arithmetic, where that matters.
ExpressionGenerator::Piece ExpressionGenerator::exact_vector(std::size_t depth) {
    Piece piece = vector(depth);
    return piece.exact || !options_.as_prometheus_2 ? piece : selector();
}

ExpressionGenerator::Piece ExpressionGenerator::scalar(std::size_t depth) {
    constexpr std::string_view kOfTheQuery[] = {"step()", "range()", "start()", "end()"};
    switch (depth == 0 ? choose_(3) : choose_(8)) {
        case 0:
        case 1:
            return {number(), true, true};
        case 2:
            return options_.as_prometheus_2 || !once_in(3)
                       ? Piece{"time()"}
                       : Piece{std::string(one_of(kOfTheQuery))};
        case 3:
        case 4: {
            const Piece inner = vector(depth - 1);
            return {fmt::format("scalar({})", inner.text), inner.exact};
        }
        case 5: {
            const Piece left = scalar(depth - 1);
            const Piece right = scalar(depth - 1);
            const std::size_t op = choose_(kExactArithmetic + 2);
            return {fmt::format("{} {} {}", operand(left), kArithmetic[op], operand(right)),
                    op < kExactArithmetic && left.exact && right.exact, false};
        }
        case 6:
            return {"pi()", false};
        default: {
            const Piece left = scalar(0);
            return {fmt::format("{} {} bool {}", operand(left), one_of(kComparisons), number()),
                    true, false};
        }
    }
}

ExpressionGenerator::Piece ExpressionGenerator::range(std::size_t depth) {
    // Of samples at a fraction of a second, at another one: no end falls on a sample. Of steps at
    // multiples of ten seconds: an odd second more does the same.
    constexpr std::string_view kRanges[] = {"1m", "2m", "5m", "10m", "30m", "45s", "7s"};
    constexpr std::string_view kSubqueries[] = {"[5m1s:1m]", "[10m1s:30s]", "[3m1s:10s]",
                                                "[20m1s:]"};
    constexpr std::string_view kComputed[] = {"[1m * 3]", "[max_of(step(), 2m)]", "[5m / 2:20s]"};
    if (depth == 0 || !once_in(4)) {
        Piece piece = selector();
        const std::size_t behind = piece.text.find_first_of(" ");
        const std::size_t split = behind == std::string::npos ? piece.text.size() : behind;
        std::string window = fmt::format("[{}]", one_of(kRanges));
        if (!options_.as_prometheus_2 && once_in(8)) {
            window = one_of(kComputed);
        }
        piece.text.insert(split, window);
        return piece;
    }
    const Piece inner = vector(depth - 1);
    return {fmt::format("{}{}{}", operand(inner), one_of(kSubqueries), modifiers()), inner.exact};
}

ExpressionGenerator::Piece ExpressionGenerator::with_scalar(std::size_t depth) {
    if (once_in(6)) {
        const Piece inner = vector(depth);
        return {"-" + operand(inner), inner.exact, false};
    }
    const bool compares = once_in(3);
    const std::size_t op =
        choose_(options_.as_prometheus_2 ? kArithmeticOf2 : std::size(kArithmetic));
    const bool jumps = compares || kArithmetic[op] == "%";
    const Piece left = jumps ? exact_vector(depth) : vector(depth);
    const Piece right = jumps ? Piece{number()} : scalar(depth);
    std::string a = operand(left);
    std::string b = operand(right);
    if (once_in(4)) {
        std::swap(a, b);
    }
    if (compares) {
        return {fmt::format("{} {}{} {}", a, one_of(kComparisons), once_in(2) ? " bool" : "", b),
                left.exact, false};
    }
    return {fmt::format("{} {} {}", a, kArithmetic[op], b),
            op < kExactArithmetic && left.exact && right.exact, false};
}

ExpressionGenerator::Piece ExpressionGenerator::joined(std::size_t depth) {
    constexpr std::string_view kMatching[] = {"", " on (host)", " ignoring (room)",
                                              " on (host, room)", " ignoring (le)"};
    constexpr std::string_view kGroupLeft[] = {
        " on (room) group_left ()", " on (room) group_left (extra)", " on () group_left ()"};
    const bool compares = once_in(4);
    const std::size_t op = choose_(kExactArithmetic + 1);
    const std::string_view sign = compares ? one_of(kComparisons) : kArithmetic[op];
    const std::string_view boolean = compares && once_in(2) ? " bool" : "";
    if (once_in(3)) {
        const Piece many = compares ? exact_vector(depth) : vector(depth);
        const std::string_view matching = one_of(kGroupLeft);
        const std::string_view one = matching.starts_with(" on ()") ? "limit" : "weight";
        return {fmt::format("{} {}{}{} {}", operand(many), sign, boolean, matching, one),
                many.exact && (compares || op < kExactArithmetic), false};
    }
    const Piece left = compares ? exact_vector(depth) : vector(depth);
    const Piece right = once_in(2) ? left : (compares ? exact_vector(depth) : vector(depth));
    return {fmt::format("{} {}{}{} {}", operand(left), sign, boolean, one_of(kMatching),
                        operand(right)),
            left.exact && right.exact && (compares || op < kExactArithmetic), false};
}

ExpressionGenerator::Piece ExpressionGenerator::set_operation(std::size_t depth) {
    constexpr std::string_view kOperators[] = {"and", "or", "unless"};
    constexpr std::string_view kMatching[] = {"", " on (host)", " ignoring (room)", " on ()"};
    const Piece left = vector(depth);
    const Piece right = vector(depth);
    return {fmt::format("{} {}{} {}", operand(left), one_of(kOperators), one_of(kMatching),
                        operand(right)),
            left.exact && right.exact, false};
}

std::string ExpressionGenerator::grouping() {
    constexpr std::string_view kGroupings[] = {"",
                                               " by (host)",
                                               " by (room)",
                                               " without (host)",
                                               " by (host, le)",
                                               " without (room, le)",
                                               " by ()"};
    return std::string(one_of(kGroupings));
}

ExpressionGenerator::Piece ExpressionGenerator::aggregation(std::size_t depth) {
    // The last ones round.
    constexpr std::string_view kOperators[] = {"sum",   "min", "max",    "count",
                                               "group", "avg", "stddev", "stdvar"};
    constexpr std::size_t kExact = 5;
    const std::size_t op = choose_(std::size(kOperators));
    const Piece inner = vector(depth);
    return {fmt::format("{}{} ({})", kOperators[op], grouping(), inner.text),
            (inner.exact && op < kExact) || kOperators[op] == "count" || kOperators[op] == "group"};
}

// Aggregations with a parameter. Of those that pick members only sums are asked where ties may be
// broken in another way.
ExpressionGenerator::Piece ExpressionGenerator::selection(std::size_t depth) {
    constexpr std::string_view kPickers[] = {"topk", "bottomk", "limitk"};
    switch (choose_(4)) {
        case 0: {
            const Piece inner = vector(depth);
            return {fmt::format("quantile{} ({}, {})", grouping(), once_in(2) ? "0.9" : number(),
                                inner.text),
                    false};
        }
        case 1: {
            const Piece inner = exact_vector(depth);
            return {fmt::format("count_values{} (\"value\", {})", grouping(), inner.text)};
        }
        case 2:
            if (!options_.as_prometheus_2) {
                constexpr std::string_view kRatios[] = {"0.5", "-0.5", "1", "0", "2"};
                const Piece inner = vector(depth);
                return {fmt::format("limit_ratio({}, {})", one_of(kRatios), inner.text),
                        inner.exact};
            }
            [[fallthrough]];
        default: {
            const Piece inner = exact_vector(depth);
            const std::size_t picker = choose_(options_.as_prometheus_2 ? 2 : 3);
            const std::string text = fmt::format("{}{} ({}, {})", kPickers[picker], grouping(),
                                                 1 + choose_(4), inner.text);
            return {options_.as_prometheus_2 ? "sum(" + text + ")" : text, inner.exact};
        }
    }
}

ExpressionGenerator::Piece ExpressionGenerator::function_of_values(std::size_t depth) {
    constexpr std::string_view kSmooth[] = {
        "exp",  "ln",   "log2", "log10", "sqrt",  "sin",   "cos",   "tan", "asin", "acos",
        "atan", "sinh", "cosh", "tanh",  "asinh", "acosh", "atanh", "deg", "rad"};
    constexpr std::string_view kJumping[] = {"abs", "ceil", "floor", "sgn", "round"};
    constexpr std::string_view kDates[] = {"minute",      "hour",         "month",
                                           "year",        "day_of_month", "day_of_week",
                                           "day_of_year", "days_in_month"};
    if (once_in(3)) {
        const Piece inner = exact_vector(depth);  // Waves of large values magnify every rounding.
        return {fmt::format("{}({})", one_of(kSmooth), inner.text), false};
    }
    const Piece inner = exact_vector(depth);
    switch (choose_(7)) {
        case 6: {
            // A calendar ends somewhere.
            const Piece times = options_.as_prometheus_2 ? selector() : inner;
            return {fmt::format("{}({})", one_of(kDates), times.text), times.exact};
        }
        case 0:
            return {fmt::format("clamp({}, {}, {})", inner.text, number(), number()), inner.exact};
        case 1:
            return {fmt::format("clamp_min({}, {})", inner.text, number()), inner.exact};
        case 2:
            return {fmt::format("clamp_max({}, {})", inner.text, number()), inner.exact};
        case 3:
            return {fmt::format("round({}, {})", inner.text, once_in(2) ? "5" : "0.5"),
                    inner.exact};
        default:
            return {fmt::format("{}({})", one_of(kJumping), inner.text), inner.exact};
    }
}

ExpressionGenerator::Piece ExpressionGenerator::function_of_range(std::size_t depth) {
    constexpr std::string_view kExact[] = {"count_over_time", "sum_over_time",  "min_over_time",
                                           "max_over_time",   "last_over_time", "present_over_time",
                                           "changes",         "resets",         "idelta"};
    constexpr std::string_view kRounding[] = {"rate",
                                              "increase",
                                              "irate",
                                              "delta",
                                              "avg_over_time",
                                              "stddev_over_time",
                                              "stdvar_over_time",
                                              "deriv"};
    constexpr std::string_view kNew[] = {"first_over_time",      "mad_over_time",
                                         "ts_of_max_over_time",  "ts_of_min_over_time",
                                         "ts_of_last_over_time", "ts_of_first_over_time"};
    const Piece window = range(depth);
    if (!options_.as_prometheus_2 && once_in(6)) {
        return {fmt::format("{}({})", one_of(kNew), window.text), false};
    }
    switch (choose_(8)) {
        case 0:
            return {fmt::format("quantile_over_time({}, {})", once_in(2) ? "0.7" : number(),
                                window.text),
                    false};
        case 1:
            if (!options_.as_prometheus_2 || window.text.find('@') == std::string::npos) {
                return {fmt::format("predict_linear({}, {})", window.text, number()), false};
            }
            [[fallthrough]];
        case 2:
            if (!options_.as_prometheus_2) {
                return {fmt::format("double_exponential_smoothing({}, 0.3, 0.6)", window.text),
                        false};
            }
            [[fallthrough]];
        case 3:
        case 4:
        case 5: {
            const std::string_view name = one_of(kRounding);
            const bool of_counters = window.text.starts_with("requests_total") ||
                                     window.text.starts_with("latency_bucket");
            const bool differs =
                options_.as_prometheus_2 && (name == "rate" || name == "increase") && !of_counters;
            return {fmt::format("{}({})", name, differs ? "requests_total[5m]" : window.text),
                    false};
        }
        default: {
            const std::string_view name = one_of(kExact);
            // Values that only rounding tells apart are no changes.
            const bool jumps = name == "changes" || name == "resets";
            return {fmt::format("{}({})", name,
                                jumps && !window.exact && options_.as_prometheus_2 ? "sparse[5m]"
                                                                                   : window.text),
                    window.exact};
        }
    }
}

ExpressionGenerator::Piece ExpressionGenerator::quantile_of_buckets(std::size_t depth) {
    constexpr std::string_view kBuckets[] = {
        "latency_bucket", "rate(latency_bucket[5m])", "sum by (le) (rate(latency_bucket[10m]))",
        "sum by (host, le) (increase(latency_bucket[2m] offset 1m))"};
    constexpr std::string_view kQuantiles[] = {"0.5", "0.99", "0", "1", "0.1", "-1", "2"};
    if (!options_.as_prometheus_2 && once_in(4)) {
        const std::string buckets = once_in(4) ? vector(depth).text : std::string(one_of(kBuckets));
        return once_in(2)
                   ? Piece{fmt::format("histogram_fraction(0, 0.7, {})", buckets), false}
                   : Piece{fmt::format("histogram_quantiles({}, \"q\", 0.5, 0.9)", buckets), false};
    }
    return {fmt::format("histogram_quantile({}, {})", one_of(kQuantiles), one_of(kBuckets)), false};
}

ExpressionGenerator::Piece ExpressionGenerator::relabelled(std::size_t depth) {
    constexpr std::string_view kReplacements[] = {
        "\"copy\", \"$1-$1\", \"host\", \"(.*)\"", "\"host\", \"all\", \"host\", \"a|b\"",
        "\"room\", \"\", \"room\", \".*\"", "\"__name__\", \"${1}_new\", \"__name__\", \"(.+)\""};
    const Piece inner = vector(depth);
    if (once_in(3)) {
        return {fmt::format("label_join({}, \"both\", \"/\", \"host\", \"room\")", inner.text),
                inner.exact};
    }
    return {fmt::format("label_replace({}, {})", inner.text, one_of(kReplacements)), inner.exact};
}

ExpressionGenerator::Piece ExpressionGenerator::other_function(std::size_t depth) {
    constexpr std::string_view kOfTime[] = {"hour()", "minute()", "day_of_week()", "year()"};
    switch (choose_(8)) {
        case 0: {
            const Piece inner = scalar(depth);
            return {fmt::format("vector({})", inner.text), inner.exact};
        }
        case 1:
            return {fmt::format("absent({})", vector(depth).text)};
        case 2:
            return {fmt::format("absent_over_time({})", range(depth).text)};
        case 3:
        case 4: {
            const Piece inner = vector(depth);
            const bool confusing = inner.text.find('@') != std::string::npos;
            return {fmt::format("timestamp({})", confusing && options_.as_prometheus_2
                                                     ? "temperature"
                                                     : inner.text)};
        }
        case 5: {
            const Piece inner = vector(depth);
            return {fmt::format("{}({})", once_in(2) ? "sort" : "sort_desc", inner.text),
                    inner.exact};
        }
        case 6:
            if (!options_.as_prometheus_2) {
                const Piece inner = vector(depth);
                return {fmt::format("sort_by_label({}, \"host\")", inner.text), inner.exact};
            }
            [[fallthrough]];
        default:
            return {std::string(one_of(kOfTime))};
    }
}

}  // namespace kpid::testing
