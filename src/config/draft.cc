// Definitions and references of a draft, and expressions with their places.

#include "config/draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace kpid::config {
namespace {

/// "1:5: rest": the byte offset in `text` that the numbers name, and what follows them.
std::size_t take_offset(std::string_view text, std::string_view message) {
    int line = 0;
    int column = 0;
    const char* const begin = message.data();
    const char* const end = begin + message.size();
    const auto first = std::from_chars(begin, end, line);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':') {
        return 0;
    }
    const auto second = std::from_chars(first.ptr + 1, end, column);
    if (second.ec != std::errc{} || line < 1 || column < 1) {
        return 0;
    }
    std::size_t offset = 0;
    for (int i = 1; i < line; ++i) {
        const std::size_t next = text.find('\n', offset);
        if (next == std::string_view::npos) {
            return 0;
        }
        offset = next + 1;
    }
    return std::min(offset + static_cast<std::size_t>(column - 1), text.size());
}

}  // namespace

bool Draft::define(std::map<std::string, Place>& names, std::string_view what,
                   const std::string& name, Context& context, Position position) {
    const auto [known, added] = names.emplace(name, Place{context.file(), position});
    if (!added) {
        const Place& first = known->second;
        context.error(position, "duplicate-id",
                      fmt::format("{} \"{}\" is defined twice, first at {}:{}:{}", what, name,
                                  first.file, first.position.line, first.position.column));
    }
    return added;
}

void Draft::refer(Reference::Kind kind, std::string name, Context& context, Position position) {
    references.push_back({kind, std::move(name), {context.file(), position}});
}

bool is_reserved_metric(std::string_view name) {
    return name.starts_with("kpid_") || name == "ALERTS" || name == "ALERTS_FOR_STATE";
}

void check_metric_name(Context& context, Position position, std::string_view name) {
    if (!model::is_classic_metric_name(name)) {
        context.error(position, "metric-name", fmt::format("\"{}\" is not a metric name", name));
    } else if (is_reserved_metric(name)) {
        context.error(position, "metric-name",
                      fmt::format("\"{}\" is kpid's own: names that begin with kpid_, and ALERTS, "
                                  "are reserved",
                                  name));
    }
}

void check_out_of_order_window(Fields& fields, Duration window, Duration retention) {
    if (window > retention) {
        fields.context().error(
            fields.key_position("out_of_order_window"), "out-of-range",
            fmt::format("\"out_of_order_window\" must not be longer than the retention, {}",
                        format_duration(retention)));
    }
}

std::optional<double> read_number(Fields& fields, std::string_view key) {
    const YamlNode* node = fields.take(key);
    return node == nullptr ? std::nullopt : read_quantity(fields.context(), *node, key);
}

promql::ExprPtr decode_expr(Draft& draft, Context& context, const YamlNode& node,
                            const std::string& text) {
    auto expr = promql::parse_expr(text, draft.config.parse_options);
    if (!expr) {
        const std::string& message = expr.error().message;
        context.error(context.position_in(node, text, take_offset(text, message)), "promql",
                      fmt::format("could not parse expression: {}", message));
        return nullptr;
    }
    return *std::move(expr);
}

promql::ExprPtr decode_value_expr(Draft& draft, Context& context, const YamlNode& node,
                                  const std::string& text) {
    promql::ExprPtr expr = decode_expr(draft, context, node, text);
    if (expr == nullptr) {
        return nullptr;
    }
    if (expr->type != promql::ValueType::kVector && expr->type != promql::ValueType::kScalar) {
        context.error(
            node, "promql",
            fmt::format("the expression must be an instant vector or a scalar, it is a {}",
                        promql::documented_name(expr->type)));
        return nullptr;
    }
    return expr;
}

}  // namespace kpid::config
