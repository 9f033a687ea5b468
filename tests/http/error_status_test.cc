#include "http/error_status.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

TEST(ErrorStatus, CodesMapAsPrometheusAnswers) {
    struct Case {
        Code code;
        unsigned status;
        std::string_view type;
    };
    const std::vector<Case> cases{
        {Code::kInvalidArgument, 400, "bad_data"}, {Code::kUnprocessable, 422, "execution"},
        {Code::kDeadlineExceeded, 503, "timeout"}, {Code::kCancelled, 499, "canceled"},
        {Code::kUnavailable, 503, "unavailable"},  {Code::kResourceExhausted, 429, "unavailable"},
        {Code::kNotFound, 404, "not_found"},       {Code::kInternal, 500, "internal"},
        {Code::kUnsupported, 400, "bad_data"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(error_status(c.code).status, c.status);
        EXPECT_EQ(error_status(c.code).error_type, c.type);
    }
}

TEST(ErrorStatus, WhatMayBeTriedAgainSaysWhen) {
    EXPECT_TRUE(error_response(unavailable("the disk is full")).headers.has("Retry-After"));
    EXPECT_TRUE(error_response(resource_exhausted("x")).headers.has("Retry-After"));
    const net::HttpResponse bad = error_response(invalid_argument("no \"x\""));
    EXPECT_FALSE(bad.headers.has("Retry-After"));
    EXPECT_EQ(bad.body, R"({"status":"error","errorType":"bad_data","error":"no \"x\""})");
}

TEST(ErrorStatus, StatusesWithoutACodeHaveTheEnvelopeToo) {
    const net::HttpResponse large = error_response(413, "too large");
    EXPECT_EQ(large.status, 413U);
    EXPECT_EQ(large.body, R"({"status":"error","errorType":"bad_data","error":"too large"})");
    const net::HttpResponse full = error_response(503, "too many");
    EXPECT_EQ(full.headers.get_or("Retry-After", ""), "1");
    EXPECT_NE(full.body.find(R"("errorType":"unavailable")"), std::string::npos);
    EXPECT_NE(error_response(500, "x").body.find(R"("errorType":"internal")"), std::string::npos);
}

}  // namespace
}  // namespace kpid::http
