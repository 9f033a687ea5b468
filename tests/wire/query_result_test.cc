// Answers of Prometheus to instant queries.

#include "kpid/wire/query_result.h"

#include "wire/conformance_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace kpid::wire {
namespace {

TEST(QueryResult, ReadsAVector) {
    const auto result = decode_query_result(
        R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"__name__":"up","job":"a"},"value":[1435781451.781,"1"]},
            {"metric":{},"value":[1435781451,"NaN"]},
            {"metric":{},"histogram":[1435781451,{"count":"1"}]}]},
            "warnings":["w"],"infos":["i"]})");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->type, QueryResultType::kVector);
    ASSERT_EQ(result->samples.size(), 2U);
    EXPECT_EQ(result->samples[0].labels.to_string(), "up{job=\"a\"}");
    EXPECT_EQ(result->samples[0].time, Timestamp(1435781451781));
    EXPECT_TRUE(std::isnan(result->samples[1].value));
    EXPECT_THAT(result->warnings,
                ::testing::ElementsAre("w", "i", "1 native histograms were left out"));
}

TEST(QueryResult, ReadsAScalar) {
    const auto result = decode_query_result(
        R"({"status":"success","data":{"resultType":"scalar","result":[5,"+Inf"]}})");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->type, QueryResultType::kScalar);
    EXPECT_TRUE(std::isinf(result->samples.at(0).value));
    EXPECT_TRUE(result->samples.at(0).labels.empty());
}

TEST(QueryResult, TurnsErrorsIntoCodes) {
    struct Case {
        std::string_view body;
        Code want;
    };
    const Case cases[] = {
        {R"({"status":"error","errorType":"bad_data","error":"x"})", Code::kInvalidArgument},
        {R"({"status":"error","errorType":"execution","error":"x"})", Code::kUnprocessable},
        {R"({"status":"error","errorType":"timeout","error":"x"})", Code::kDeadlineExceeded},
        {R"({"status":"error","errorType":"internal","error":"x"})", Code::kUnavailable},
        {R"({"status":"success","data":{"resultType":"matrix","result":[]}})", Code::kUnsupported},
        {R"({"status":"success","data":{"resultType":"string","result":[1,"a"]}})",
         Code::kUnsupported},
        {R"({"status":"success","data":{"resultType":"vector","result":{}}})",
         Code::kInvalidArgument},
        {R"({"status":"success","data":{"resultType":"vector","result":[{}]}})",
         Code::kInvalidArgument},
        {R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{"a":1},"value":[1,"1"]}]}})",
         Code::kInvalidArgument},
        {R"({"status":"success","data":{"resultType":"vector","result":[
            {"metric":{},"value":[1,1]}]}})",
         Code::kInvalidArgument},
        {R"({"status":"success"})", Code::kInvalidArgument},
        {"[]", Code::kInvalidArgument},
        {"<html></html>", Code::kInvalidArgument},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.body);
        const auto result = decode_query_result(c.body);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, c.want);
    }
    EXPECT_EQ(decode_query_result(cases[0].body).error().message, "bad_data: x");
}

TEST(QueryResult, ReadsWhatPrometheusAnswered) {
    const auto folder = testing::conformance_dir("captured-clients");
    if (!folder) {
        return;
    }
    const auto decode = [&](const std::string& name) {
        return decode_query_result(
            testing::read_file(*folder / "prom-http-api-2.42" / (name + ".json")));
    };
    for (const char* name : {"instant_vector", "scalar", "hist", "empty_result"}) {
        SCOPED_TRACE(name);
        const auto result = decode(name);
        ASSERT_TRUE(result) << result.error().message;
        EXPECT_EQ(result->samples.empty(), std::string_view(name) == "empty_result");
    }
    EXPECT_EQ(decode("err_parse").error().code, Code::kInvalidArgument);
    EXPECT_EQ(decode("matrix_instant").error().code, Code::kUnsupported);
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "prom-http-api-2.42")) {
        static_cast<void>(decode_query_result(testing::read_file(entry.path())));
    }
}

}  // namespace
}  // namespace kpid::wire
