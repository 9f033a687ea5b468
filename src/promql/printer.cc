// Trees back to text. Their height is bounded by the parser, so recursion is.

#include "kpid/promql/printer.h"

#include "kpid/base/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace kpid::promql {
namespace {

constexpr std::string_view kIndent = "  ";

// Before `^` a sign would be read as that of the whole power.
constexpr std::string_view kInfiniteBase = "Inf";

bool has_infinite_base(const BinaryExpr& binary) {
    const auto* number = get_if<NumberLiteral>(*binary.lhs);
    return number != nullptr && binary.op == BinaryOperator::kPow && std::isinf(number->value);
}

class Printer {
public:
    void print(const Expr& expr);
    /// Over several lines where it is long; the first one is not indented.
    void print_pretty(const Expr& expr, std::size_t level);
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    void print_split(const Expr& expr, std::size_t level);
    void begin_line(std::size_t level);
    void print_below(const Expr& expr, std::size_t level);
    void print_split_binary(const BinaryExpr& binary, std::size_t level);
    void print_unindented(const Expr& expr, std::size_t level);
    void print_span_suffix(const SubqueryExpr& subquery);
    void print_operator(const BinaryExpr& binary);
    void print_aggregate_head(const AggregateExpr& aggregate);
    void print_number(const NumberLiteral& number);
    void print_duration(const DurationExpr& duration);
    void print_duration_call(std::string_view name, const DurationExpr& duration);
    void print_selector(const VectorSelector& selector);
    void print_matchers(const VectorSelector& selector);
    void print_matrix(const MatrixSelector& matrix);
    void print_subquery(const SubqueryExpr& subquery);
    void print_binary(const BinaryExpr& binary);
    void print_matching(const VectorMatching& matching);
    void print_aggregate(const AggregateExpr& aggregate);
    void print_list(const std::vector<ExprPtr>& expressions);
    void print_labels(const std::vector<std::string>& labels);
    void print_extension(const VectorSelector& selector);
    void print_at(const TimeModifiers& modifiers);
    void print_offset(const TimeModifiers& modifiers);
    void print_span(Duration span, const DurationExprPtr& expr);

    std::string out_;
};

void Printer::print(const Expr& expr) {
    switch (expr.kind) {
        case ExprKind::kNumberLiteral:
            return print_number(as<NumberLiteral>(expr));
        case ExprKind::kStringLiteral:
            out_ += quote_string(as<StringLiteral>(expr).value);
            return;
        case ExprKind::kVectorSelector: {
            const auto& selector = as<VectorSelector>(expr);
            print_selector(selector);
            print_at(selector.modifiers);
            print_extension(selector);
            return print_offset(selector.modifiers);
        }
        case ExprKind::kMatrixSelector:
            return print_matrix(as<MatrixSelector>(expr));
        case ExprKind::kSubquery:
            return print_subquery(as<SubqueryExpr>(expr));
        case ExprKind::kBinary:
            return print_binary(as<BinaryExpr>(expr));
        case ExprKind::kUnary:
            out_ += as<UnaryExpr>(expr).op == UnaryOperator::kMinus ? '-' : '+';
            return print(*as<UnaryExpr>(expr).expr);
        case ExprKind::kAggregate:
            return print_aggregate(as<AggregateExpr>(expr));
        case ExprKind::kCall:
            out_ += as<Call>(expr).function->name;
            return print_list(as<Call>(expr).arguments);
        case ExprKind::kParen:
            out_ += '(';
            print(*as<ParenExpr>(expr).expr);
            out_ += ')';
            return;
        case ExprKind::kDuration:
            return print_duration(as<DurationExpr>(expr));
    }
}

void Printer::print_number(const NumberLiteral& number) {
    if (number.is_duration) {
        out_ += format_duration(Duration(std::llround(number.value * 1000.0)));
    } else {
        out_ += format_float(number.value);
    }
}

std::string_view operator_text(DurationOperator op) {
    switch (op) {
        case DurationOperator::kAdd:
            return " + ";
        case DurationOperator::kSub:
            return " - ";
        case DurationOperator::kMul:
            return " * ";
        case DurationOperator::kDiv:
            return " / ";
        case DurationOperator::kMod:
            return " % ";
        case DurationOperator::kPow:
            return " ^ ";
        case DurationOperator::kStep:
        case DurationOperator::kRange:
        case DurationOperator::kMinOf:
        case DurationOperator::kMaxOf:
            return "";
    }
    return "";
}

void Printer::print_duration(const DurationExpr& duration) {
    out_ += duration.wrapped ? "(" : "";
    switch (duration.op) {
        case DurationOperator::kStep:
            out_ += "step()";
            break;
        case DurationOperator::kRange:
            out_ += "range()";
            break;
        case DurationOperator::kMinOf:
            print_duration_call("min_of", duration);
            break;
        case DurationOperator::kMaxOf:
            print_duration_call("max_of", duration);
            break;
        default:
            if (duration.lhs == nullptr) {
                out_ += duration.op == DurationOperator::kSub ? "-" : "";
            } else {
                print(*duration.lhs);
                out_ += operator_text(duration.op);
            }
            print(*duration.rhs);
            break;
    }
    out_ += duration.wrapped ? ")" : "";
}

void Printer::print_duration_call(std::string_view name, const DurationExpr& duration) {
    out_ += name;
    out_ += '(';
    print(*duration.lhs);
    out_ += ", ";
    print(*duration.rhs);
    out_ += ')';
}

void Printer::print_selector(const VectorSelector& selector) {
    out_ += selector.name;
    print_matchers(selector);
}

void Printer::print_matchers(const VectorSelector& selector) {
    std::vector<std::string> texts;
    for (const model::Matcher& matcher : selector.matchers) {
        const bool says_the_name = matcher.name() == model::kMetricName &&
                                   matcher.type() == model::MatchType::kEqual &&
                                   matcher.value() == selector.name && !matcher.value().empty();
        if (!says_the_name) {
            const std::string name = model::is_classic_label_name(matcher.name())
                                         ? matcher.name()
                                         : quote_string(matcher.name());
            texts.push_back(fmt::format("{}{}{}", name, model::to_string(matcher.type()),
                                        quote_string(matcher.value())));
        }
    }
    if (!texts.empty() || selector.name.empty()) {
        std::sort(texts.begin(), texts.end());
        out_ += fmt::format("{{{}}}", fmt::join(texts, ","));
    }
}

void Printer::print_extension(const VectorSelector& selector) {
    if (selector.anchored) {
        out_ += " anchored";
    } else if (selector.smoothed) {
        out_ += " smoothed";
    }
}

void Printer::print_at(const TimeModifiers& modifiers) {
    if (!modifiers.at) {
        return;
    }
    switch (modifiers.at->kind) {
        case AtModifier::Kind::kTimestamp:
            out_ += fmt::format(" @ {:.3f}", modifiers.at->time.seconds());
            return;
        case AtModifier::Kind::kStart:
            out_ += " @ start()";
            return;
        case AtModifier::Kind::kEnd:
            out_ += " @ end()";
            return;
    }
}

void Printer::print_offset(const TimeModifiers& modifiers) {
    if (modifiers.offset_expr != nullptr || modifiers.offset.count() != 0) {
        out_ += " offset ";
        print_span(modifiers.offset, modifiers.offset_expr);
    }
}

void Printer::print_span(Duration span, const DurationExprPtr& expr) {
    if (expr != nullptr) {
        print_duration(*expr);
    } else {
        out_ += format_duration(span);
    }
}

void Printer::print_matrix(const MatrixSelector& matrix) {
    print_selector(*matrix.selector);
    out_ += '[';
    print_span(matrix.range, matrix.range_expr);
    out_ += ']';
    print_extension(*matrix.selector);
    print_at(matrix.selector->modifiers);
    print_offset(matrix.selector->modifiers);
}

void Printer::print_subquery(const SubqueryExpr& subquery) {
    print(*subquery.expr);
    print_span_suffix(subquery);
}

void Printer::print_span_suffix(const SubqueryExpr& subquery) {
    out_ += '[';
    print_span(subquery.range, subquery.range_expr);
    out_ += ':';
    if (subquery.step.count() != 0 || subquery.step_expr != nullptr) {
        print_span(subquery.step, subquery.step_expr);
    }
    out_ += ']';
    print_at(subquery.modifiers);
    print_offset(subquery.modifiers);
}

void Printer::print_binary(const BinaryExpr& binary) {
    if (has_infinite_base(binary)) {
        out_ += kInfiniteBase;
    } else {
        print(*binary.lhs);
    }
    out_ += ' ';
    print_operator(binary);
    out_ += ' ';
    print(*binary.rhs);
}

void Printer::print_operator(const BinaryExpr& binary) {
    out_ += fmt::format("{}{}", to_string(binary.op), binary.return_bool ? " bool" : "");
    if (binary.matching) {
        print_matching(*binary.matching);
    }
}

void Printer::print_matching(const VectorMatching& matching) {
    const bool grouped = matching.cardinality == MatchCardinality::kManyToOne ||
                         matching.cardinality == MatchCardinality::kOneToMany;
    if (!matching.labels.empty() || matching.on || grouped) {
        out_ += matching.on ? " on (" : " ignoring (";
        print_labels(matching.labels);
        out_ += ')';
    }
    if (grouped) {
        out_ += matching.cardinality == MatchCardinality::kManyToOne ? " group_left ("
                                                                     : " group_right (";
        print_labels(matching.include);
        out_ += ')';
    }
    if (matching.fill_lhs && matching.fill_rhs && *matching.fill_lhs == *matching.fill_rhs) {
        out_ += fmt::format(" fill ({})", format_float_general(*matching.fill_lhs));
        return;
    }
    if (matching.fill_lhs) {
        out_ += fmt::format(" fill_left ({})", format_float_general(*matching.fill_lhs));
    }
    if (matching.fill_rhs) {
        out_ += fmt::format(" fill_right ({})", format_float_general(*matching.fill_rhs));
    }
}

void Printer::print_aggregate_head(const AggregateExpr& aggregate) {
    out_ += to_string(aggregate.op);
    if (aggregate.without || !aggregate.grouping.empty()) {
        out_ += aggregate.without ? " without (" : " by (";
        print_labels(aggregate.grouping);
        out_ += ") ";
    }
}

void Printer::print_aggregate(const AggregateExpr& aggregate) {
    print_aggregate_head(aggregate);
    out_ += '(';
    if (aggregate.param != nullptr) {
        print(*aggregate.param);
        out_ += ", ";
    }
    print(*aggregate.expr);
    out_ += ')';
}

void Printer::print_list(const std::vector<ExprPtr>& expressions) {
    std::string_view separator = "(";
    for (const ExprPtr& expr : expressions) {
        out_ += separator;
        print(*expr);
        separator = ", ";
    }
    out_ += expressions.empty() ? "()" : ")";
}

void Printer::print_labels(const std::vector<std::string>& labels) {
    std::string_view separator;
    for (const std::string& label : labels) {
        out_ += separator;
        out_ += model::is_classic_label_name(label) ? label : quote_string(label);
        separator = ", ";
    }
}

void Printer::begin_line(std::size_t level) {
    out_ += '\n';
    for (std::size_t i = 0; i < level; ++i) {
        out_ += kIndent;
    }
}

// On a line of its own.
void Printer::print_below(const Expr& expr, std::size_t level) {
    begin_line(level);
    print_pretty(expr, level);
}

// Right behind what stands before it.
void Printer::print_unindented(const Expr& expr, std::size_t level) {
    const std::size_t start = out_.size();
    print_pretty(expr, level);
    out_.erase(start, out_.find_first_not_of(' ', start) - start);
}

void Printer::print_pretty(const Expr& expr, std::size_t level) {
    const std::size_t start = out_.size();
    print(expr);
    if (out_.size() - start > kPrettyLineBytes) {
        out_.resize(start);
        print_split(expr, level);
    }
}

void Printer::print_split(const Expr& expr, std::size_t level) {
    switch (expr.kind) {
        case ExprKind::kBinary:
            return print_split_binary(as<BinaryExpr>(expr), level);
        case ExprKind::kUnary:
            out_ += as<UnaryExpr>(expr).op == UnaryOperator::kMinus ? '-' : '+';
            return print_unindented(*as<UnaryExpr>(expr).expr, level);
        case ExprKind::kSubquery:
            print_pretty(*as<SubqueryExpr>(expr).expr, level);
            return print_span_suffix(as<SubqueryExpr>(expr));
        case ExprKind::kAggregate:
            print_aggregate_head(as<AggregateExpr>(expr));
            out_ += '(';
            if (as<AggregateExpr>(expr).param != nullptr) {
                print_below(*as<AggregateExpr>(expr).param, level + 1);
                out_ += ',';
            }
            print_below(*as<AggregateExpr>(expr).expr, level + 1);
            break;
        case ExprKind::kCall: {
            out_ += as<Call>(expr).function->name;
            char separator = '(';
            for (const ExprPtr& argument : as<Call>(expr).arguments) {
                out_ += separator;
                print_below(*argument, level + 1);
                separator = ',';
            }
            break;
        }
        case ExprKind::kParen:
            out_ += '(';
            print_below(*as<ParenExpr>(expr).expr, level + 1);
            break;
        default:
            return print(expr);
    }
    begin_line(level);
    out_ += ')';
}

void Printer::print_split_binary(const BinaryExpr& binary, std::size_t level) {
    out_ += kIndent;  // The left side stands one level deeper than where this line begins.
    if (has_infinite_base(binary)) {
        out_ += kInfiniteBase;
    } else {
        print_pretty(*binary.lhs, level + 1);
    }
    begin_line(level);
    print_operator(binary);
    print_below(*binary.rhs, level + 1);
}

}  // namespace

std::string to_pretty_string(const Expr& expr) {
    std::string line = to_string(expr);
    if (line.size() <= kPrettyLineBytes || line.size() > kPrettyBytesMax) {
        return line;
    }
    Printer printer;
    printer.print_pretty(expr, 0);
    return printer.take();
}

std::string to_string(const Expr& expr) {
    Printer printer;
    printer.print(expr);
    return printer.take();
}

}  // namespace kpid::promql
