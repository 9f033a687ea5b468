// Vector selectors and what stands behind operands: ranges, subqueries, `offset`, `@`.

#include "kpid/promql/printer.h"
#include "promql/expression_parser.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

namespace kpid::promql {
namespace {

constexpr std::string_view kLabelMatching = "label matching";
constexpr std::string_view kRangeOnly = "ranges only allowed for vector selectors";

std::optional<model::MatchType> match_type(TokenKind kind) {
    switch (kind) {
        case TokenKind::kEqual:
            return model::MatchType::kEqual;
        case TokenKind::kNotEqual:
            return model::MatchType::kNotEqual;
        case TokenKind::kRegexEqual:
            return model::MatchType::kRegexp;
        case TokenKind::kRegexNotEqual:
            return model::MatchType::kNotRegexp;
        default:
            return std::nullopt;
    }
}

// The value of a duration literal, whose bounds are checked already.
Duration to_duration(double seconds) {
    return Duration(static_cast<std::int64_t>(std::llround(seconds * 1000.0)));
}

// Puts a duration where it belongs: a literal as a span, anything else as an expression.
void store_duration(std::shared_ptr<Expr> node, Duration& span, DurationExprPtr& expr) {
    if (const auto* number = get_if<NumberLiteral>(*node)) {
        span = to_duration(number->value);
    } else {
        expr = std::static_pointer_cast<DurationExpr>(std::move(node));
    }
}

bool has_offset(const TimeModifiers& modifiers) {
    return modifiers.offset.count() != 0 || modifiers.offset_expr != nullptr;
}

// As C's %f writes it, which is what messages show.
std::string format_fixed(double value) {
    if (std::isnan(value)) {
        return "NaN";
    }
    if (std::isinf(value)) {
        return value > 0 ? "+Inf" : "-Inf";
    }
    return fmt::format("{:f}", value);
}

}  // namespace

// `name`, `name{…}` or `{…}`; the name is taken already, where there is one.
Result<ExpressionParser::Node> ExpressionParser::parse_vector_selector(const Token* name) {
    auto selector = std::make_shared<VectorSelector>();
    selector->position =
        name != nullptr ? name->position : Position{reader_.peek().position.start, 0};
    if (reader_.peek_is(TokenKind::kLeftBrace)) {
        KPID_CHECK_OK(parse_matchers(*selector));
        selector->position.end = reader_.taken_end();
    }
    if (name != nullptr) {
        selector->name = std::string(name->text);
        selector->matchers.push_back(model::Matcher::equal(model::kMetricName, selector->name));
    }
    return Node(std::move(selector));
}

Result<void> ExpressionParser::parse_matchers(VectorSelector& selector) {
    reader_.take();
    while (!reader_.accept(TokenKind::kRightBrace)) {
        KPID_TRY(model::Matcher matcher, parse_matcher());
        selector.matchers.push_back(std::move(matcher));
        if (reader_.accept(TokenKind::kComma)) {
            continue;
        }
        if (!reader_.peek_is(TokenKind::kRightBrace)) {
            return unexpected({kLabelMatching, "\",\" or \"}\""});
        }
    }
    return {};
}

// `label="value"`, `"label"="value"` or `"metric"`.
Result<model::Matcher> ExpressionParser::parse_matcher() {
    const TokenKind kind = reader_.peek().kind;
    if (kind != TokenKind::kIdentifier && kind != TokenKind::kString) {
        return unexpected({kLabelMatching, "identifier or \"}\""});
    }
    const Token token = reader_.take();
    std::string label(token.text);
    if (kind == TokenKind::kString) {
        KPID_TRY(label, reader_.string_value(token));
    }
    if (match_type(reader_.peek().kind)) {
        return parse_match_value(label, token.position.start);
    }
    if (kind == TokenKind::kIdentifier) {
        return unexpected({kLabelMatching, "label matching operator"});
    }
    return model::Matcher::equal(model::kMetricName, label);
}

Result<model::Matcher> ExpressionParser::parse_match_value(const std::string& label,
                                                           std::uint32_t start) {
    const model::MatchType type = *match_type(reader_.take().kind);
    if (!reader_.peek_is(TokenKind::kString)) {
        return unexpected({kLabelMatching, "string"});
    }
    KPID_TRY(const std::string value, reader_.string_value(reader_.take()));
    Result<model::Matcher> matcher = model::Matcher::make(type, label, value);
    if (!matcher) {
        return reader_.error_at(start, matcher.error().message);
    }
    return matcher;
}

// Everything that stands behind an operand binds tighter than any operator.
Result<ExpressionParser::Node> ExpressionParser::parse_postfix(Node node) {
    // What `offset` and `@` change: the selector, also when it has become a range's, or the
    // subquery.
    TimeModifiers* modifiers = nullptr;
    VectorSelector* selector = nullptr;
    while (true) {
        if (node->kind == ExprKind::kVectorSelector) {
            selector = static_cast<VectorSelector*>(node.get());
            modifiers = &selector->modifiers;
        } else if (node->kind == ExprKind::kSubquery) {
            selector = nullptr;
            modifiers = &static_cast<SubqueryExpr&>(*node).modifiers;
        }
        switch (reader_.peek().kind) {
            case TokenKind::kLeftBracket: {
                KPID_TRY(node, parse_brackets(std::move(node)));
                break;
            }
            case TokenKind::kOffset:
                KPID_CHECK_OK(parse_offset(*node, modifiers));
                break;
            case TokenKind::kAt:
                KPID_CHECK_OK(parse_at(*node, modifiers));
                break;
            case TokenKind::kAnchored:
            case TokenKind::kSmoothed:
                KPID_CHECK_OK(parse_extension(*node, selector));
                break;
            default:
                return node;
        }
    }
}

// `[range]`, `[range:]` or `[range:step]`.
Result<ExpressionParser::Node> ExpressionParser::parse_brackets(Node node) {
    constexpr Context kBehindColon{"subquery selector",
                                   "number, duration, step(), range(), or \"]\""};
    const Token open = reader_.take();
    KPID_TRY(Node range, parse_positive_duration({"subquery or range selector",
                                                  "number, duration, step(), or range()"}));
    if (reader_.accept(TokenKind::kRightBracket)) {
        return finish_range(std::move(node), open, std::move(range));
    }
    if (!reader_.accept(TokenKind::kColon)) {
        return unexpected({"subquery or range", "\":\" or \"]\""});
    }
    auto subquery = std::make_shared<SubqueryExpr>();
    store_duration(std::move(range), subquery->range, subquery->range_expr);
    if (!reader_.accept(TokenKind::kRightBracket)) {
        KPID_TRY(Node step, parse_positive_duration(kBehindColon));
        store_duration(std::move(step), subquery->step, subquery->step_expr);
        if (!reader_.accept(TokenKind::kRightBracket)) {
            return unexpected({"subquery selector", "\"]\""});
        }
    }
    subquery->position = {node->position.start, reader_.taken_end()};
    const std::uint32_t height = node->height;
    subquery->expr = std::move(node);
    return finish(std::move(subquery), height);
}

// The brackets are taken.
Result<ExpressionParser::Node> ExpressionParser::finish_range(Node node, const Token& open,
                                                              Node range) {
    if (node->kind != ExprKind::kVectorSelector) {
        return error_at(open.position, kRangeOnly);
    }
    auto selector = std::static_pointer_cast<VectorSelector>(std::move(node));
    if (has_offset(selector->modifiers)) {
        return error_at(open.position, "no offset modifiers allowed before range");
    }
    if (selector->modifiers.at) {
        return error_at(open.position, "no @ modifiers allowed before range");
    }
    auto matrix = std::make_shared<MatrixSelector>();
    store_duration(std::move(range), matrix->range, matrix->range_expr);
    matrix->position = {selector->position.start, reader_.taken_end()};
    const std::uint32_t height = selector->height;
    matrix->selector = std::move(selector);
    return finish(std::move(matrix), height);
}

Result<void> ExpressionParser::parse_offset(Expr& target, TimeModifiers* modifiers) {
    reader_.take();
    KPID_TRY(Node offset, parse_offset_duration());
    if (modifiers == nullptr) {
        return error_at(target.position,
                        "offset modifier must be preceded by an instant vector selector or range "
                        "vector selector or a subquery");
    }
    if (has_offset(*modifiers)) {
        return error_at(target.position, "offset may not be set multiple times");
    }
    store_duration(std::move(offset), modifiers->offset, modifiers->offset_expr);
    target.position.end = reader_.taken_end();
    return {};
}

Result<void> ExpressionParser::parse_at(Expr& target, TimeModifiers* modifiers) {
    constexpr Context kAt{"@", "timestamp"};
    reader_.take();
    AtModifier at;
    if (reader_.peek_is(TokenKind::kStart) || reader_.peek_is(TokenKind::kEndKeyword)) {
        const bool start = reader_.take().kind == TokenKind::kStart;
        at.kind = start ? AtModifier::Kind::kStart : AtModifier::Kind::kEnd;
        if (!reader_.accept(TokenKind::kLeftParen) || !reader_.accept(TokenKind::kRightParen)) {
            return unexpected(kAt);
        }
    } else {
        const bool negative = reader_.peek_is(TokenKind::kSub);
        if (negative || reader_.peek_is(TokenKind::kAdd)) {
            reader_.take();
        }
        if (!reader_.peek_is(TokenKind::kNumber) && !reader_.peek_is(TokenKind::kDuration)) {
            return unexpected(kAt);
        }
        KPID_TRY(const double unsigned_seconds, reader_.number_value(reader_.take()));
        const double seconds = negative ? -unsigned_seconds : unsigned_seconds;
        const Result<Timestamp> time = timestamp_from_seconds(seconds);
        if (!time) {
            return error_at(target.position,
                            "timestamp out of bounds for @ modifier: " + format_fixed(seconds));
        }
        at.time = *time;
    }
    if (modifiers == nullptr) {
        return error_at(target.position,
                        "@ modifier must be preceded by an instant vector selector or range vector "
                        "selector or a subquery");
    }
    if (modifiers->at) {
        return error_at(target.position, "@ <timestamp> may not be set multiple times");
    }
    modifiers->at = at;
    target.position.end = reader_.taken_end();
    return {};
}

// `anchored` or `smoothed`.
Result<void> ExpressionParser::parse_extension(Expr& target, VectorSelector* selector) {
    const bool anchored = reader_.take().kind == TokenKind::kAnchored;
    const std::string_view word = anchored ? "anchored" : "smoothed";
    if (!options_.extended_range_selectors) {
        return error_at(target.position,
                        fmt::format("{} modifier is experimental and not enabled", word));
    }
    if (target.kind == ExprKind::kSubquery) {
        return error_at(target.position,
                        fmt::format("{} modifier is not supported for subqueries", word));
    }
    if (selector == nullptr) {
        return error_at(target.position, fmt::format("{} modifier not implemented", word));
    }
    (anchored ? selector->anchored : selector->smoothed) = true;
    if (selector->anchored && selector->smoothed) {
        return error_at(target.position, "anchored and smoothed modifiers cannot be used together");
    }
    return {};
}

}  // namespace kpid::promql
