// Durations in brackets and behind `offset`: a literal, or arithmetic on literals, step() and
// range().

#include "promql/expression_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace kpid::promql {
namespace {

constexpr int kLowestPower = 1;
constexpr int kPowPower = 3;
// Prometheus counts durations in nanoseconds, 64 bits with a sign.
constexpr double kSecondsMax = 9223372036.854775807;
constexpr std::string_view kWhatMayStand = "number, duration, step(), or range()";

struct Operator {
    DurationOperator op;
    int power;
};

std::optional<Operator> duration_operator(TokenKind kind) {
    switch (kind) {
        case TokenKind::kAdd:
            return Operator{DurationOperator::kAdd, kLowestPower};
        case TokenKind::kSub:
            return Operator{DurationOperator::kSub, kLowestPower};
        case TokenKind::kMul:
            return Operator{DurationOperator::kMul, 2};
        case TokenKind::kDiv:
            return Operator{DurationOperator::kDiv, 2};
        case TokenKind::kMod:
            return Operator{DurationOperator::kMod, 2};
        case TokenKind::kPow:
            return Operator{DurationOperator::kPow, kPowPower};
        default:
            return std::nullopt;
    }
}

bool is_out_of_range(double seconds) {
    return seconds > kSecondsMax || seconds < -kSecondsMax;
}

bool is_zero(const Expr& expr) {
    const auto* number = get_if<NumberLiteral>(expr);
    return number != nullptr && number->value == 0;
}

}  // namespace

// What stands in brackets: greater than zero as far as that shows already.
Result<ExpressionParser::Node> ExpressionParser::parse_positive_duration(Context context) {
    KPID_TRY(Node node, parse_duration_expr(kLowestPower, context));
    if (const auto* number = get_if<NumberLiteral>(*node);
        number != nullptr && !(number->value > 0)) {
        return error_at(node->position, "duration must be greater than 0");
    }
    return node;
}

// What stands behind `offset`: one signed operand, so that `foo offset 5m - 3` is a subtraction
// from foo. Only behind parentheses or two signs does it go on with operators.
Result<ExpressionParser::Node> ExpressionParser::parse_offset_duration() {
    constexpr Context kOffset{"offset", kWhatMayStand};
    const TokenKind first = reader_.peek().kind;
    if (first == TokenKind::kLeftParen) {
        return parse_duration_expr(kLowestPower, kOffset);
    }
    if (first != TokenKind::kAdd && first != TokenKind::kSub) {
        return parse_duration_operand(kOffset);
    }
    const Token sign = reader_.take();
    const TokenKind second = reader_.peek().kind;
    if (second == TokenKind::kLeftParen) {
        reader_.take();
        KPID_TRY(Node inner, parse_duration_expr(kLowestPower, kOffset));
        if (!reader_.accept(TokenKind::kRightParen)) {
            return unexpected(kOffset);
        }
        return apply_sign(sign, wrap(std::move(inner)));
    }
    if (second != TokenKind::kAdd && second != TokenKind::kSub) {
        KPID_TRY(Node operand, parse_duration_operand(kOffset));
        return apply_sign(sign, std::move(operand));
    }
    KPID_TRY(Node operand, parse_duration_expr(kPowPower, kOffset));
    KPID_TRY(Node lhs, apply_sign(sign, std::move(operand)));
    return continue_duration_expr(std::move(lhs), kLowestPower, kOffset);
}

// All nesting of durations passes here.
Result<ExpressionParser::Node> ExpressionParser::parse_duration_expr(int power_min,
                                                                     Context context) {
    const DepthGuard guard(depth_);
    if (depth_ > options_.depth_max) {
        return too_deep(reader_.peek().position.start);
    }
    const TokenKind kind = reader_.peek().kind;
    if (kind == TokenKind::kAdd || kind == TokenKind::kSub) {
        const Token sign = reader_.take();
        KPID_TRY(Node operand, parse_duration_expr(kPowPower, context));
        KPID_TRY(Node lhs, apply_sign(sign, std::move(operand)));
        return continue_duration_expr(std::move(lhs), power_min, context);
    }
    KPID_TRY(Node lhs, parse_duration_operand(context));
    return continue_duration_expr(std::move(lhs), power_min, context);
}

Result<ExpressionParser::Node> ExpressionParser::continue_duration_expr(Node lhs, int power_min,
                                                                        Context context) {
    while (true) {
        const std::optional<Operator> op = duration_operator(reader_.peek().kind);
        if (!op || op->power < power_min) {
            return lhs;
        }
        const Token token = reader_.take();
        const int power = op->op == DurationOperator::kPow ? op->power : op->power + 1;
        KPID_TRY(Node rhs, parse_duration_expr(power, context));
        KPID_TRY(lhs, make_duration_binary(token, op->op, std::move(lhs), std::move(rhs)));
    }
}

Result<ExpressionParser::Node> ExpressionParser::parse_duration_operand(Context context) {
    switch (reader_.peek().kind) {
        case TokenKind::kNumber:
        case TokenKind::kDuration: {
            KPID_TRY(Node number, parse_number());
            if (is_out_of_range(as<NumberLiteral>(*number).value)) {
                return error_at(number->position, "duration out of range");
            }
            return number;
        }
        case TokenKind::kStep:
        case TokenKind::kRange:
        case TokenKind::kMaxOf:
        case TokenKind::kMinOf:
            return parse_duration_call(context);
        case TokenKind::kLeftParen: {
            reader_.take();
            KPID_TRY(Node inner, parse_duration_expr(kLowestPower, context));
            if (!reader_.accept(TokenKind::kRightParen)) {
                return unexpected(context);
            }
            KPID_CHECK_OK(require_duration_expressions(*inner));
            return wrap(std::move(inner));
        }
        default:
            return unexpected(context);
    }
}

// step(), range(), max_of(a, b), min_of(a, b).
Result<ExpressionParser::Node> ExpressionParser::parse_duration_call(Context context) {
    const Token name = reader_.take();
    auto call = std::make_shared<DurationExpr>();
    if (!reader_.accept(TokenKind::kLeftParen)) {
        return unexpected(context);
    }
    std::uint32_t height = 0;
    if (name.kind == TokenKind::kMaxOf || name.kind == TokenKind::kMinOf) {
        call->op =
            name.kind == TokenKind::kMaxOf ? DurationOperator::kMaxOf : DurationOperator::kMinOf;
        KPID_TRY(Node lhs, parse_duration_expr(kLowestPower, context));
        if (!reader_.accept(TokenKind::kComma)) {
            return unexpected(context);
        }
        KPID_TRY(Node rhs, parse_duration_expr(kLowestPower, context));
        height = std::max(lhs->height, rhs->height);
        call->lhs = std::move(lhs);
        call->rhs = std::move(rhs);
    } else {
        call->op =
            name.kind == TokenKind::kStep ? DurationOperator::kStep : DurationOperator::kRange;
    }
    if (!reader_.accept(TokenKind::kRightParen)) {
        return unexpected(context);
    }
    call->position = {name.position.start, reader_.taken_end()};
    KPID_CHECK_OK(require_duration_expressions(*call));
    return finish(std::move(call), height);
}

// Remembers the parentheses around a duration; a number, which cannot, becomes the operand of a
// plus.
ExpressionParser::Node ExpressionParser::wrap(Node inner) {
    if (inner->kind == ExprKind::kDuration) {
        static_cast<DurationExpr&>(*inner).wrapped = true;
        return inner;
    }
    auto plus = std::make_shared<DurationExpr>();
    plus->position = inner->position;
    plus->height = inner->height + 1;
    plus->rhs = std::move(inner);
    plus->wrapped = true;
    return plus;
}

Result<ExpressionParser::Node> ExpressionParser::apply_sign(const Token& sign, Node operand) {
    const bool minus = sign.kind == TokenKind::kSub;
    if (operand->kind == ExprKind::kNumberLiteral) {
        auto& number = static_cast<NumberLiteral&>(*operand);
        number.value = minus ? -number.value : number.value;
        number.position.start = sign.position.start;
        return operand;
    }
    if (!minus) {
        return operand;
    }
    auto negated = std::make_shared<DurationExpr>();
    negated->op = DurationOperator::kSub;
    negated->position = {sign.position.start, operand->position.end};
    const std::uint32_t height = operand->height;
    negated->rhs = std::move(operand);
    return finish(std::move(negated), height);
}

Result<ExpressionParser::Node> ExpressionParser::make_duration_binary(const Token& op,
                                                                      DurationOperator what,
                                                                      Node lhs, Node rhs) {
    KPID_CHECK_OK(require_duration_expressions(*lhs));
    if (what == DurationOperator::kDiv && is_zero(*rhs)) {
        return error_at(op.position, "division by zero");
    }
    if (what == DurationOperator::kMod && is_zero(*rhs)) {
        return error_at(op.position, "modulo by zero");
    }
    auto binary = std::make_shared<DurationExpr>();
    binary->op = what;
    binary->position = {lhs->position.start, rhs->position.end};
    const std::uint32_t height = std::max(lhs->height, rhs->height);
    binary->lhs = std::move(lhs);
    binary->rhs = std::move(rhs);
    return finish(std::move(binary), height);
}

Result<void> ExpressionParser::require_duration_expressions(const Expr& at) const {
    if (!options_.duration_expressions) {
        return error_at(at.position, "experimental duration expression is not enabled");
    }
    return {};
}

}  // namespace kpid::promql
