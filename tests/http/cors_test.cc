#include "http/cors.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

net::HttpHeaders headers_for(std::string_view origins, std::string_view origin) {
    const Cors cors(*model::Regex::compile(origins));
    net::HttpRequest request;
    if (!origin.empty()) {
        request.headers.set("Origin", origin);
    }
    net::HttpResponse response;
    cors.allow(request, response);
    return response.headers;
}

TEST(Cors, AnswersDependOnTheOriginAlsoWithoutOne) {
    EXPECT_EQ(headers_for(".*", ""), (net::HttpHeaders{{"Vary", "Origin"}}));
}

TEST(Cors, EveryOriginMayReadByDefault) {
    const net::HttpHeaders headers = headers_for(".*", "http://a.example");
    EXPECT_EQ(headers.get_or("Access-Control-Allow-Origin", ""), "*");
    EXPECT_EQ(headers.get_or("Access-Control-Allow-Methods", ""), "GET, POST, OPTIONS");
    EXPECT_EQ(headers.get_or("Access-Control-Allow-Headers", ""),
              "Accept, Authorization, Content-Type, Origin");
    EXPECT_EQ(headers.get_or("Access-Control-Expose-Headers", ""), "Date");
}

TEST(Cors, OnlyTheOriginsOfTheExpressionMayRead) {
    EXPECT_EQ(headers_for("https?://(a|b)[.]example", "http://b.example")
                  .get_or("Access-Control-Allow-Origin", ""),
              "http://b.example");
    EXPECT_FALSE(headers_for("https?://a[.]example", "http://a.example.org")
                     .has("Access-Control-Allow-Origin"));
}

}  // namespace
}  // namespace kpid::http
