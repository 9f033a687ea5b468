#pragma once
// What the tests of the parser share: parsing with everything on, and the parts of trees.

#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace kpid::promql::testing {

/// Everything experimental is on.
inline ParseOptions all_features() {
    ParseOptions options;
    options.experimental_functions = true;
    options.duration_expressions = true;
    options.extended_range_selectors = true;
    options.fill_modifiers = true;
    return options;
}

/// The tree; the test fails and an empty literal comes back when there is none.
inline ExprPtr parse(std::string_view text, const ParseOptions& options = all_features()) {
    auto expr = parse_expr(text, options);
    if (!expr) {
        ADD_FAILURE() << text << " does not parse: " << expr.error().message;
        return std::make_shared<NumberLiteral>();
    }
    return *expr;
}

/// The message of the error, or "" when the text parses.
inline std::string parse_error(std::string_view text,
                               const ParseOptions& options = all_features()) {
    auto expr = parse_expr(text, options);
    return expr ? std::string() : expr.error().message;
}

inline std::string printed(std::string_view text) {
    return to_string(*parse(text));
}

/// The tree with every operation in parentheses: how operators were grouped.
inline std::string grouped(const Expr& expr) {
    if (const auto* binary = get_if<BinaryExpr>(expr)) {
        return "(" + grouped(*binary->lhs) + " " + std::string(to_string(binary->op)) + " " +
               grouped(*binary->rhs) + ")";
    }
    if (const auto* unary = get_if<UnaryExpr>(expr)) {
        return std::string(unary->op == UnaryOperator::kMinus ? "-" : "+") + "(" +
               grouped(*unary->expr) + ")";
    }
    if (const auto* paren = get_if<ParenExpr>(expr)) {
        return grouped(*paren->expr);
    }
    return to_string(expr);
}

}  // namespace kpid::promql::testing
