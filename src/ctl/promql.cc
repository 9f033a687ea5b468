// kpictl promql: expressions without a server.
#include "ctl/commands.h"
#include "ctl/expression_error.h"
#include "ctl/report.h"
#include "http/expression_api.h"
#include "kpid/promql/parser.h"
#include "kpid/promql/printer.h"

#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <optional>

namespace kpid::ctl {
namespace {

// The expression itself, or standard input. Nothing when that cannot be read or is too long.
std::optional<std::string> read_expression(const std::string& argument) {
    if (argument != "-") {
        return argument;
    }
    std::string text;
    for (int c = std::cin.get(); c != EOF; c = std::cin.get()) {
        text += static_cast<char>(c);
        if (text.size() > promql::kExprBytesMax) {
            return std::nullopt;
        }
    }
    if (text.ends_with('\n')) {
        text.pop_back();
    }
    return std::cin.bad() ? std::nullopt : std::optional(std::move(text));
}

// Everything that the language has, experimental or not: a server says itself what it has.
constexpr promql::ParseOptions kAllOfIt{.experimental_functions = true,
                                        .duration_expressions = true,
                                        .extended_range_selectors = true,
                                        .fill_modifiers = true};

}  // namespace

int run_promql(PromqlCommand command, const std::string& expression) {
    const std::optional<std::string> text = read_expression(expression);
    if (!text) {
        fmt::print(stderr, "kpictl: standard input cannot be read, or is longer than {} bytes\n",
                   promql::kExprBytesMax);
        return kExitUsage;
    }
    const Result<promql::ExprPtr> expr = promql::parse_expr(*text, kAllOfIt);
    if (!expr) {
        fmt::print(stderr, "{}", show_expression_error(*text, expr.error().message));
        return kExitFinding;
    }
    if (command == PromqlCommand::kFormat) {
        fmt::print("{}\n", promql::to_pretty_string(**expr));
    } else {
        fmt::print("{}\n", http::expression_json(**expr));
    }
    return kExitFine;
}

}  // namespace kpid::ctl
