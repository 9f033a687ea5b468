#include "http/expression_api.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::http {
namespace {

std::string tree(std::string_view text) {
    const auto expr = promql::parse_expr(text);
    EXPECT_TRUE(expr.has_value()) << text;
    return expr ? expression_json(**expr) : "";
}

net::HttpParams query(std::string text) {
    net::HttpParams params;
    params.add("query", std::move(text));
    return params;
}

TEST(ExpressionApi, TreesHavePrometheusKeys) {
    EXPECT_EQ(tree("1.5"), R"({"type":"numberLiteral","val":"1.5"})");
    EXPECT_EQ(tree("'a'"), R"({"type":"stringLiteral","val":"a"})");
    EXPECT_EQ(tree("-(1)"), R"({"type":"unaryExpr","op":"-","expr":{"type":"parenExpr","expr":)"
                            R"({"type":"numberLiteral","val":"1"}}})");
    EXPECT_EQ(
        tree("up{a!=\"b\"} @ 1.5 offset 1m"),
        R"({"type":"vectorSelector","name":"up","matchers":[)"
        R"({"name":"a","value":"b","type":"!="},{"name":"__name__","value":"up","type":"="}],)"
        R"("offset":60000,"timestamp":1500,"startOrEnd":null,)"
        R"("anchored":false,"smoothed":false})");
    const std::string up =
        R"("name":"up","matchers":[{"name":"__name__","value":"up","type":"="}],"offset":0,)"
        R"("timestamp":null,"startOrEnd":"end","anchored":false,"smoothed":false})";
    EXPECT_EQ(tree("up[5m] @ end()"), R"({"type":"matrixSelector","range":300000,)" + up);
    const std::string one = R"({"type":"numberLiteral","val":"1"})";
    EXPECT_EQ(tree("vector(1)"),
              R"({"type":"call","func":{"name":"vector","argTypes":["scalar"],"variadic":0,)"
              R"("returnType":"vector"},"args":[)" +
                  one + "]}");
    EXPECT_EQ(tree("vector(1)[1h:5m]"),
              R"({"type":"subquery","expr":)" + tree("vector(1)") +
                  R"(,"range":3600000,"step":300000,"offset":0,"timestamp":null,)"
                  R"("startOrEnd":null})");
    EXPECT_EQ(tree("topk without(a) (1, vector(1))"),
              R"({"type":"aggregation","op":"topk","expr":)" + tree("vector(1)") + R"(,"param":)" +
                  one + R"(,"grouping":["a"],"without":true})");
    EXPECT_EQ(tree("1 == bool 1"), R"({"type":"binaryExpr","op":"==","lhs":)" + one + R"(,"rhs":)" +
                                       one + R"(,"matching":null,"bool":true})");
    EXPECT_EQ(tree("vector(1) * on(a) group_left(b) vector(1)"),
              R"({"type":"binaryExpr","op":"*","lhs":)" + tree("vector(1)") + R"(,"rhs":)" +
                  tree("vector(1)") +
                  R"(,"matching":{"card":"many-to-one","labels":["a"],"on":true,"include":["b"],)"
                  R"("fillValues":{"lhs":null,"rhs":null}},"bool":false})");
}

TEST(ExpressionApi, FormatsAndRefusesAsPrometheusDoes) {
    EXPECT_EQ(format_query_response({}, query("foo+bar"))->body,
              R"({"status":"success","data":"foo + bar"})");
    for (const auto& refused : {format_query_response({}, query("invalid_expression/")),
                                parse_query_response({}, query("invalid_expression/"))}) {
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(refused.error().message,
                  "invalid parameter \"query\": 1:20: parse error: unexpected end of input");
    }
    simdjson::dom::parser parser;
    const std::string body = parse_query_response({}, query("sum(rate(a[5m])) / 2"))->body;
    EXPECT_EQ(parser.parse(body)["data"]["type"].get_string().value(), "binaryExpr");
}

}  // namespace
}  // namespace kpid::http
