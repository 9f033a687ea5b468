// Calls, aggregations and the modifiers of binary operators.

#include "kpid/promql/printer.h"
#include "promql/expression_parser.h"
#include "promql/quoting.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::promql {
namespace {

constexpr int kLowestPower = 1;

bool may_start_operand(TokenKind kind) {
    switch (kind) {
        case TokenKind::kNumber:
        case TokenKind::kDuration:
        case TokenKind::kString:
        case TokenKind::kLeftParen:
        case TokenKind::kLeftBrace:
        case TokenKind::kAdd:
        case TokenKind::kSub:
            return true;
        default:
            return may_name_metric(kind);
    }
}

std::uint32_t max_height(const std::vector<ExprPtr>& nodes) {
    std::uint32_t height = 0;
    for (const ExprPtr& node : nodes) {
        height = std::max(height, node->height);
    }
    return height;
}

}  // namespace

Result<ExpressionParser::Node> ExpressionParser::parse_call(const Token& name) {
    const FunctionSignature* function = find_function(name.text);
    auto arguments = parse_arguments(function);
    if (!arguments) {
        return std::move(arguments).error();
    }
    if (function == nullptr) {
        return error_at(name.position, "unknown function with name " + quote_string(name.text));
    }
    if (function->experimental && !options_.experimental_functions) {
        return error_at(name.position,
                        fmt::format("function {} is not enabled", quote_string(name.text)));
    }
    auto call = std::make_shared<Call>();
    call->function = function;
    call->type = function->returns;
    call->position = {name.position.start, reader_.taken_end()};
    call->arguments = *std::move(arguments);
    const std::uint32_t height = max_height(call->arguments);
    return finish(std::move(call), height);
}

// `(expr, …)`. `function` is null for an aggregation and an unknown function.
Result<std::vector<ExprPtr>> ExpressionParser::parse_arguments(const FunctionSignature* function) {
    std::vector<ExprPtr> arguments;
    if (!reader_.accept(TokenKind::kLeftParen)) {
        return unexpected();
    }
    if (reader_.accept(TokenKind::kRightParen)) {
        return arguments;
    }
    while (true) {
        Result<Node> argument = parse_binary(kLowestPower);
        if (!argument) {
            return std::move(argument).error();
        }
        Expr& node = **argument;
        if (function != nullptr && function->name == "info" && arguments.size() == 1 &&
            node.kind == ExprKind::kVectorSelector) {
            auto& selector = static_cast<VectorSelector&>(node);
            selector.bypass_empty_matcher_check = selector.name.empty();
        }
        arguments.push_back(*std::move(argument));
        if (reader_.accept(TokenKind::kRightParen)) {
            return arguments;
        }
        if (!reader_.peek_is(TokenKind::kComma)) {
            return unexpected();
        }
        const Token comma = reader_.take();
        const TokenKind next = reader_.peek().kind;
        if (next != TokenKind::kError && !may_start_operand(next)) {
            return error_at(comma.position, "trailing commas not allowed in function call args");
        }
    }
}

Result<ExpressionParser::Node> ExpressionParser::parse_aggregate(const Token& op) {
    auto aggregate = std::make_shared<AggregateExpr>();
    aggregate->op = op.aggregator;
    std::vector<ExprPtr> arguments;
    {
        const DepthGuard inside(aggregate_depth_);
        const bool modifier_first = !reader_.peek_is(TokenKind::kLeftParen);
        if (modifier_first) {
            KPID_CHECK_OK(parse_aggregate_modifier(*aggregate));
        }
        KPID_TRY(arguments, parse_arguments(nullptr));
        aggregate->position = {op.position.start, reader_.taken_end()};
        const TokenKind next = reader_.peek().kind;
        if (!modifier_first && (next == TokenKind::kBy || next == TokenKind::kWithout)) {
            KPID_CHECK_OK(parse_aggregate_modifier(*aggregate));
            aggregate->position.end = reader_.taken_end();
        } else if (!modifier_first && next == TokenKind::kError) {
            return reader_.unexpected();  // What is no token is said before what is no aggregation.
        }
    }
    if (arguments.empty()) {
        return error_at(op.position, "no arguments for aggregate expression provided");
    }
    const bool experimental = op.aggregator == AggregateOperator::kLimitk ||
                              op.aggregator == AggregateOperator::kLimitRatio;
    if (experimental && !options_.experimental_functions) {
        return error_at(op.position, fmt::format("{}() is experimental and must be enabled with "
                                                 "--enable-feature=promql-experimental-functions",
                                                 to_string(op.aggregator)));
    }
    const std::size_t wanted = takes_parameter(op.aggregator) ? 2 : 1;
    if (arguments.size() != wanted) {
        return error_at(op.position,
                        fmt::format("wrong number of arguments for aggregate expression provided, "
                                    "expected {}, got {}",
                                    wanted, arguments.size()));
    }
    const std::uint32_t height = max_height(arguments);
    aggregate->expr = std::move(arguments.back());
    if (wanted == 2) {
        aggregate->param = std::move(arguments.front());
    }
    return finish(std::move(aggregate), height);
}

// `by (…)` or `without (…)`; the next token is known to be one of these words.
Result<void> ExpressionParser::parse_aggregate_modifier(AggregateExpr& aggregate) {
    aggregate.without = reader_.take().kind == TokenKind::kWithout;
    KPID_TRY(aggregate.grouping, parse_grouping_labels());
    return {};
}

// `bool`, `on (…)` or `ignoring (…)`, `group_left (…)` or `group_right (…)`, fill values; all
// optional, in this order. Gives back a binary expression that has only these.
Result<std::unique_ptr<BinaryExpr>> ExpressionParser::parse_binary_modifiers() {
    auto binary = std::make_unique<BinaryExpr>();
    VectorMatching& matching = binary->matching.emplace();
    binary->return_bool = reader_.accept(TokenKind::kBool);
    if (reader_.peek_is(TokenKind::kOn) || reader_.peek_is(TokenKind::kIgnoring)) {
        matching.on = reader_.take().kind == TokenKind::kOn;
        KPID_TRY(matching.labels, parse_grouping_labels());
        if (reader_.peek_is(TokenKind::kGroupLeft) || reader_.peek_is(TokenKind::kGroupRight)) {
            const bool left = reader_.take().kind == TokenKind::kGroupLeft;
            matching.cardinality =
                left ? MatchCardinality::kManyToOne : MatchCardinality::kOneToMany;
            if (reader_.peek_is(TokenKind::kLeftParen)) {
                KPID_TRY(matching.include, parse_grouping_labels());
            } else if (!may_start_operand(reader_.peek().kind)) {
                return reader_.unexpected("grouping opts", "\"(\"");
            }
        }
    }
    KPID_CHECK_OK(parse_fill_modifiers(matching));
    return binary;
}

// `fill (x)`, or `fill_left (x)` and `fill_right (y)` in any order.
Result<void> ExpressionParser::parse_fill_modifiers(VectorMatching& matching) {
    if (reader_.accept(TokenKind::kFill)) {
        KPID_TRY(matching.fill_lhs, parse_fill_value());
        matching.fill_rhs = matching.fill_lhs;
        return {};
    }
    while ((reader_.peek_is(TokenKind::kFillLeft) && !matching.fill_lhs) ||
           (reader_.peek_is(TokenKind::kFillRight) && !matching.fill_rhs)) {
        const bool left = reader_.take().kind == TokenKind::kFillLeft;
        KPID_TRY((left ? matching.fill_lhs : matching.fill_rhs), parse_fill_value());
    }
    return {};
}

Result<double> ExpressionParser::parse_fill_value() {
    if (!reader_.accept(TokenKind::kLeftParen)) {
        return unexpected();
    }
    const bool negative = reader_.peek_is(TokenKind::kSub);
    if (negative || reader_.peek_is(TokenKind::kAdd)) {
        reader_.take();
    }
    if (!reader_.peek_is(TokenKind::kNumber) && !reader_.peek_is(TokenKind::kDuration)) {
        return unexpected();
    }
    KPID_TRY(const double value, reader_.number_value(reader_.take()));
    if (!reader_.accept(TokenKind::kRightParen)) {
        return unexpected();
    }
    return negative ? -value : value;
}

// `(label, …)`, also empty, also with a comma at the end.
Result<std::vector<std::string>> ExpressionParser::parse_grouping_labels() {
    constexpr std::string_view kGrouping = "grouping opts";
    std::vector<std::string> labels;
    if (!reader_.accept(TokenKind::kLeftParen)) {
        return unexpected({kGrouping, "\"(\""});
    }
    while (!reader_.accept(TokenKind::kRightParen)) {
        KPID_TRY(std::string label, parse_grouping_label());
        labels.push_back(std::move(label));
        if (reader_.accept(TokenKind::kComma)) {
            continue;
        }
        if (!reader_.peek_is(TokenKind::kRightParen)) {
            return unexpected({kGrouping, "\",\" or \")\""});
        }
    }
    return labels;
}

Result<std::string> ExpressionParser::parse_grouping_label() {
    const TokenKind kind = reader_.peek().kind;
    if (kind != TokenKind::kString && !may_name_label(kind)) {
        return unexpected({"grouping opts", "label"});
    }
    const Token token = reader_.take();
    std::string label(token.text);
    if (kind == TokenKind::kString) {
        KPID_TRY(label, reader_.string_value(token));
    }
    if (label.empty() || !is_valid_utf8(label)) {
        return error_at(token.position, "invalid label name for grouping: " + quote_string(label));
    }
    return label;
}

}  // namespace kpid::promql
