// Expressions as text and as a tree.
#include "http/expression_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "kpid/promql/printer.h"

#include <vector>

namespace kpid::http {
namespace {

Result<promql::ExprPtr> query_param(const promql::ParseOptions& options,
                                    const net::HttpParams& params) {
    Result<promql::ExprPtr> expr = promql::parse_expr(params.get_or("query", ""), options);
    return expr ? std::move(expr) : bad_parameter("query", expr.error().message);
}

// Recursion is bounded by the parser's limit on depth.
class TreeWriter {
public:
    void write(const promql::Expr& expr);
    void write_or_null(const promql::ExprPtr& expr);
    [[nodiscard]] std::string take() { return std::move(json_).take(); }

private:
    JsonWriter& begin(std::string_view type) {
        return json_.begin_object().key("type").string(type);
    }
    void write_aggregate(const promql::AggregateExpr& aggregate);
    void write_binary(const promql::BinaryExpr& binary);
    void write_matching(const promql::VectorMatching& matching);
    void write_call(const promql::Call& call);
    void write_subquery(const promql::SubqueryExpr& subquery);
    void write_selector(const promql::VectorSelector& selector);
    void write_at(const promql::TimeModifiers& modifiers);
    void write_number_or_null(std::string_view key, const std::optional<double>& number);

    JsonWriter json_;
};

void TreeWriter::write_or_null(const promql::ExprPtr& expr) {
    if (expr != nullptr) {
        write(*expr);
    } else {
        json_.null();
    }
}

void TreeWriter::write(const promql::Expr& expr) {
    using promql::ExprKind;
    switch (expr.kind) {
        case ExprKind::kNumberLiteral:
            begin("numberLiteral").key("val");
            json_.string(format_float(promql::as<promql::NumberLiteral>(expr).value)).end_object();
            break;
        case ExprKind::kStringLiteral:
            begin("stringLiteral").key("val");
            json_.string(promql::as<promql::StringLiteral>(expr).value).end_object();
            break;
        case ExprKind::kVectorSelector:
            begin("vectorSelector");
            return write_selector(promql::as<promql::VectorSelector>(expr));
        case ExprKind::kMatrixSelector: {
            const auto& matrix = promql::as<promql::MatrixSelector>(expr);
            begin("matrixSelector").key("range").number(matrix.range.count());
            return write_selector(*matrix.selector);
        }
        case ExprKind::kSubquery:
            return write_subquery(promql::as<promql::SubqueryExpr>(expr));
        case ExprKind::kBinary:
            return write_binary(promql::as<promql::BinaryExpr>(expr));
        case ExprKind::kUnary: {
            const auto& unary = promql::as<promql::UnaryExpr>(expr);
            begin("unaryExpr").key("op");
            json_.string(unary.op == promql::UnaryOperator::kMinus ? "-" : "+").key("expr");
            write(*unary.expr);
            json_.end_object();
            break;
        }
        case ExprKind::kAggregate:
            return write_aggregate(promql::as<promql::AggregateExpr>(expr));
        case ExprKind::kCall:
            return write_call(promql::as<promql::Call>(expr));
        case ExprKind::kParen:
            begin("parenExpr").key("expr");
            write(*promql::as<promql::ParenExpr>(expr).expr);
            json_.end_object();
            break;
        case ExprKind::kDuration:  // inside ranges and offsets, which are numbers here
            json_.null();
            break;
    }
}

void TreeWriter::write_aggregate(const promql::AggregateExpr& aggregate) {
    begin("aggregation").key("op").string(promql::to_string(aggregate.op)).key("expr");
    write(*aggregate.expr);
    json_.key("param");
    write_or_null(aggregate.param);
    json_.key("grouping");
    write_strings(json_, aggregate.grouping);
    json_.key("without").boolean(aggregate.without).end_object();
}

void TreeWriter::write_binary(const promql::BinaryExpr& binary) {
    begin("binaryExpr").key("op").string(promql::to_string(binary.op)).key("lhs");
    write(*binary.lhs);
    json_.key("rhs");
    write(*binary.rhs);
    json_.key("matching");
    if (binary.matching) {
        write_matching(*binary.matching);
    } else {
        json_.null();
    }
    json_.key("bool").boolean(binary.return_bool).end_object();
}

void TreeWriter::write_number_or_null(std::string_view key, const std::optional<double>& number) {
    json_.key(key);
    if (number) {
        json_.number(*number);
    } else {
        json_.null();
    }
}

void TreeWriter::write_matching(const promql::VectorMatching& matching) {
    json_.begin_object().key("card").string(promql::to_string(matching.cardinality)).key("labels");
    write_strings(json_, matching.labels);
    json_.key("on").boolean(matching.on).key("include");
    write_strings(json_, matching.include);
    json_.key("fillValues").begin_object();
    write_number_or_null("lhs", matching.fill_lhs);
    write_number_or_null("rhs", matching.fill_rhs);
    json_.end_object().end_object();
}

void TreeWriter::write_call(const promql::Call& call) {
    const promql::FunctionSignature& function = *call.function;
    begin("call").key("func").begin_object().key("name").string(function.name);
    json_.key("argTypes").begin_array();
    for (const promql::ValueType type : function.arguments) {
        json_.string(promql::to_string(type));
    }
    json_.end_array().key("variadic").number(function.variadic);
    json_.key("returnType").string(promql::to_string(function.returns)).end_object();
    json_.key("args").begin_array();
    for (const promql::ExprPtr& argument : call.arguments) {
        write(*argument);
    }
    json_.end_array().end_object();
}

void TreeWriter::write_subquery(const promql::SubqueryExpr& subquery) {
    begin("subquery").key("expr");
    write(*subquery.expr);
    json_.key("range").number(subquery.range.count()).key("step").number(subquery.step.count());
    write_at(subquery.modifiers);
    json_.end_object();
}

// What ends a selector of either kind.
void TreeWriter::write_selector(const promql::VectorSelector& selector) {
    json_.key("name").string(selector.name).key("matchers").begin_array();
    for (const model::Matcher& matcher : selector.matchers) {
        json_.begin_object().key("name").string(matcher.name()).key("value");
        json_.string(matcher.value()).key("type").string(model::to_string(matcher.type()));
        json_.end_object();
    }
    json_.end_array();
    write_at(selector.modifiers);
    json_.key("anchored").boolean(selector.anchored);
    json_.key("smoothed").boolean(selector.smoothed).end_object();
}

void TreeWriter::write_at(const promql::TimeModifiers& modifiers) {
    using Kind = promql::AtModifier::Kind;
    json_.key("offset").number(modifiers.offset.count()).key("timestamp");
    if (modifiers.at && modifiers.at->kind == Kind::kTimestamp) {
        json_.number(modifiers.at->time.ms());
    } else {
        json_.null();
    }
    json_.key("startOrEnd");
    if (modifiers.at && modifiers.at->kind != Kind::kTimestamp) {
        json_.string(modifiers.at->kind == Kind::kStart ? "start" : "end");
    } else {
        json_.null();
    }
}

}  // namespace

std::string expression_json(const promql::Expr& expr) {
    TreeWriter writer;
    writer.write(expr);
    return writer.take();
}

Result<net::HttpResponse> format_query_response(const promql::ParseOptions& options,
                                                const net::HttpParams& params) {
    KPID_TRY(const promql::ExprPtr expr, query_param(options, params));
    JsonWriter json;
    json.string(promql::to_pretty_string(*expr));
    return success(std::move(json).take());
}

Result<net::HttpResponse> parse_query_response(const promql::ParseOptions& options,
                                               const net::HttpParams& params) {
    KPID_TRY(const promql::ExprPtr expr, query_param(options, params));
    return success(expression_json(*expr));
}

}  // namespace kpid::http
