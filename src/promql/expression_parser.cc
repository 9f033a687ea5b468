// Operators and operands.

#include "promql/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace kpid::promql {
namespace {

// How tightly operators bind. A sign binds as multiplication does: only `^` is evaluated before it.
constexpr int kLowestPower = 1;
constexpr int kPowPower = 6;

struct Operator {
    BinaryOperator op;
    int power;
};

std::optional<Operator> binary_operator(TokenKind kind) {
    switch (kind) {
        case TokenKind::kOr:
            return Operator{BinaryOperator::kOr, kLowestPower};
        case TokenKind::kAnd:
            return Operator{BinaryOperator::kAnd, 2};
        case TokenKind::kUnless:
            return Operator{BinaryOperator::kUnless, 2};
        case TokenKind::kEqualEqual:
            return Operator{BinaryOperator::kEqual, 3};
        case TokenKind::kNotEqual:
            return Operator{BinaryOperator::kNotEqual, 3};
        case TokenKind::kLess:
            return Operator{BinaryOperator::kLess, 3};
        case TokenKind::kLessOrEqual:
            return Operator{BinaryOperator::kLessOrEqual, 3};
        case TokenKind::kGreater:
            return Operator{BinaryOperator::kGreater, 3};
        case TokenKind::kGreaterOrEqual:
            return Operator{BinaryOperator::kGreaterOrEqual, 3};
        case TokenKind::kTrimUpper:
            return Operator{BinaryOperator::kTrimUpper, 3};
        case TokenKind::kTrimLower:
            return Operator{BinaryOperator::kTrimLower, 3};
        case TokenKind::kAdd:
            return Operator{BinaryOperator::kAdd, 4};
        case TokenKind::kSub:
            return Operator{BinaryOperator::kSub, 4};
        case TokenKind::kMul:
            return Operator{BinaryOperator::kMul, 5};
        case TokenKind::kDiv:
            return Operator{BinaryOperator::kDiv, 5};
        case TokenKind::kMod:
            return Operator{BinaryOperator::kMod, 5};
        case TokenKind::kAtan2:
            return Operator{BinaryOperator::kAtan2, 5};
        case TokenKind::kPow:
            return Operator{BinaryOperator::kPow, kPowPower};
        default:
            return std::nullopt;
    }
}

}  // namespace

Result<ExprPtr> ExpressionParser::parse() {
    if (reader_.peek_is(TokenKind::kEnd)) {
        return reader_.error_at(0, "no expression found in input");
    }
    KPID_TRY(Node expr, parse_binary(kLowestPower));
    if (!reader_.peek_is(TokenKind::kEnd)) {
        return unexpected();
    }
    return ExprPtr(std::move(expr));
}

Result<std::vector<model::Matcher>> ExpressionParser::parse_selector() {
    Node node;
    if (may_name_metric(reader_.peek().kind)) {
        const Token name = reader_.take();
        KPID_TRY(node, parse_vector_selector(&name));
    } else if (reader_.peek_is(TokenKind::kLeftBrace)) {
        KPID_TRY(node, parse_vector_selector(nullptr));
    } else {
        return unexpected();
    }
    if (!reader_.peek_is(TokenKind::kEnd)) {
        return unexpected();
    }
    return as<VectorSelector>(*node).matchers;
}

// All nesting passes here: parentheses, arguments, signs and right operands.
Result<ExpressionParser::Node> ExpressionParser::parse_binary(int power_min) {
    const DepthGuard guard(depth_);
    if (depth_ > options_.depth_max) {
        return too_deep(reader_.peek().position.start);
    }
    Result<Node> lhs = parse_operand();
    while (lhs) {
        const std::optional<Operator> op = binary_operator(reader_.peek().kind);
        if (!op || op->power < power_min) {
            break;
        }
        const Token token = reader_.take();
        auto modifiers = parse_binary_modifiers();
        if (!modifiers) {
            return std::move(modifiers).error();
        }
        // Equal operators group to the left, `^` to the right.
        Result<Node> rhs = parse_binary(op->op == BinaryOperator::kPow ? op->power : op->power + 1);
        if (!rhs) {
            return rhs;
        }
        lhs = make_binary(token, op->op, *std::move(lhs), *std::move(rhs), *std::move(modifiers));
    }
    return lhs;
}

Result<ExpressionParser::Node> ExpressionParser::parse_operand() {
    const TokenKind kind = reader_.peek().kind;
    if (kind == TokenKind::kAdd || kind == TokenKind::kSub) {
        return parse_unary();
    }
    Result<Node> operand = parse_primary();
    return operand ? parse_postfix(*std::move(operand)) : operand;
}

Result<ExpressionParser::Node> ExpressionParser::parse_unary() {
    const Token sign = reader_.take();
    Result<Node> operand = parse_binary(kPowPower);
    if (!operand) {
        return operand;
    }
    Node node = *std::move(operand);
    if (node->kind == ExprKind::kNumberLiteral) {
        auto& number = static_cast<NumberLiteral&>(*node);
        number.value = sign.kind == TokenKind::kSub ? -number.value : number.value;
        number.position.start = sign.position.start;
        return node;
    }
    auto unary = std::make_shared<UnaryExpr>();
    unary->op = sign.kind == TokenKind::kSub ? UnaryOperator::kMinus : UnaryOperator::kPlus;
    unary->type = node->type;
    unary->position = {sign.position.start, node->position.end};
    const std::uint32_t height = node->height;
    unary->expr = std::move(node);
    return finish(std::move(unary), height);
}

Result<ExpressionParser::Node> ExpressionParser::parse_primary() {
    const TokenKind kind = reader_.peek().kind;
    switch (kind) {
        case TokenKind::kNumber:
        case TokenKind::kDuration:
            return parse_number();
        case TokenKind::kString:
            return parse_string();
        case TokenKind::kLeftParen:
            return parse_paren();
        case TokenKind::kLeftBrace:
            return parse_vector_selector(nullptr);
        default:
            break;
    }
    if (!may_name_metric(kind)) {
        return unexpected();
    }
    const Token word = reader_.take();
    const TokenKind next = reader_.peek().kind;
    if (kind == TokenKind::kAggregator &&
        (next == TokenKind::kLeftParen || next == TokenKind::kBy || next == TokenKind::kWithout)) {
        return parse_aggregate(word);
    }
    const bool may_be_function = kind == TokenKind::kIdentifier || kind == TokenKind::kStart ||
                                 kind == TokenKind::kEndKeyword || kind == TokenKind::kStep ||
                                 kind == TokenKind::kRange || kind == TokenKind::kMaxOf ||
                                 kind == TokenKind::kMinOf;
    if (may_be_function && next == TokenKind::kLeftParen) {
        return parse_call(word);
    }
    return parse_vector_selector(&word);
}

Result<ExpressionParser::Node> ExpressionParser::parse_paren() {
    const std::uint32_t start = reader_.take().position.start;
    Result<Node> inner = parse_binary(kLowestPower);
    if (!inner) {
        return inner;
    }
    if (!reader_.accept(TokenKind::kRightParen)) {
        return unexpected();
    }
    auto paren = std::make_shared<ParenExpr>();
    paren->type = (*inner)->type;
    paren->position = {start, reader_.taken_end()};
    const std::uint32_t height = (*inner)->height;
    paren->expr = *std::move(inner);
    return finish(std::move(paren), height);
}

Result<ExpressionParser::Node> ExpressionParser::parse_number() {
    const Token token = reader_.take();
    KPID_TRY(const double value, reader_.number_value(token));
    auto number = std::make_shared<NumberLiteral>();
    number->value = value;
    number->is_duration = token.kind == TokenKind::kDuration;
    number->position = token.position;
    return Node(std::move(number));
}

Result<ExpressionParser::Node> ExpressionParser::parse_string() {
    const Token token = reader_.take();
    KPID_TRY(std::string value, reader_.string_value(token));
    auto literal = std::make_shared<StringLiteral>();
    literal->value = std::move(value);
    literal->position = token.position;
    return Node(std::move(literal));
}

Result<ExpressionParser::Node> ExpressionParser::make_binary(
    const Token& op, BinaryOperator what, Node lhs, Node rhs,
    std::unique_ptr<BinaryExpr> modifiers) {
    std::shared_ptr<BinaryExpr> binary(std::move(modifiers));
    binary->op = what;
    binary->position = {lhs->position.start, rhs->position.end};
    const bool scalars = lhs->type == ValueType::kScalar && rhs->type == ValueType::kScalar;
    const bool vectors = lhs->type == ValueType::kVector && rhs->type == ValueType::kVector;
    binary->type = scalars ? ValueType::kScalar : ValueType::kVector;

    VectorMatching& matching = *binary->matching;
    const bool fills = matching.fill_lhs.has_value() || matching.fill_rhs.has_value();
    if (fills && !options_.fill_modifiers) {
        return error_at(op.position, "binop fill modifiers are experimental and not enabled");
    }
    if (is_set_operator(what) && matching.cardinality == MatchCardinality::kOneToOne) {
        matching.cardinality = MatchCardinality::kManyToMany;
    }
    // The check refuses labels and fill values between others than vectors; it needs to see them.
    if (!vectors && matching.labels.empty() && !fills) {
        binary->matching.reset();
    }
    const std::uint32_t height = std::max(lhs->height, rhs->height);
    binary->lhs = std::move(lhs);
    binary->rhs = std::move(rhs);
    return finish(std::move(binary), height);
}

Result<ExpressionParser::Node> ExpressionParser::finish(Node node, std::uint32_t children_height) {
    node->height = children_height + 1;
    if (node->height > options_.depth_max) {
        return too_deep(node->position.start);
    }
    return node;
}

Error ExpressionParser::too_deep(std::uint32_t offset) const {
    return reader_.error_at(
        offset, fmt::format("expression is nested deeper than {} levels", options_.depth_max));
}

}  // namespace kpid::promql
