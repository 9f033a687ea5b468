// Answers of Prometheus to queries.

#include "kpid/wire/query_result.h"

#include "wire/conformance_table.h"

#include <fmt/format.h>
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
            "warnings":["w"],"infos":["i"],"isPartial":true})");
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->type, QueryResultType::kVector);
    ASSERT_EQ(result->samples.size(), 2U);
    EXPECT_EQ(result->samples[0].labels.to_string(), "up{job=\"a\"}");
    EXPECT_EQ(result->samples[0].time, Timestamp(1435781451781));
    EXPECT_TRUE(std::isnan(result->samples[1].value));
    EXPECT_THAT(result->notes.warnings,
                ::testing::ElementsAre("w", "1 native histograms were left out"));
    EXPECT_THAT(result->notes.infos, ::testing::ElementsAre("i"));
    EXPECT_TRUE(result->notes.is_partial);
}

TEST(QueryResult, ReadsAMatrix) {
    const auto matrix = decode_query_matrix(
        R"({"status":"success","isPartial":false,"data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"up","job":"a"},"values":[[1,"1"],[2.5,"NaN"],[4,"+Inf"]]},
            {"metric":{},"histograms":[[1,{"count":"1"}]]}]}})");
    ASSERT_TRUE(matrix) << matrix.error().message;
    ASSERT_EQ(matrix->series.size(), 1U);
    EXPECT_EQ(matrix->series[0].labels.to_string(), "up{job=\"a\"}");
    EXPECT_THAT(matrix->series[0].times,
                ::testing::ElementsAre(Timestamp(1000), Timestamp(2500), Timestamp(4000)));
    EXPECT_TRUE(std::isnan(matrix->series[0].values[1]));
    EXPECT_THAT(matrix->notes.warnings,
                ::testing::ElementsAre("1 native histograms were left out"));
    EXPECT_FALSE(matrix->notes.is_partial);
}

TEST(QueryResult, RefusesWhatIsNoMatrix) {
    struct Case {
        std::string_view body;
        Code want;
    };
    const Case cases[] = {
        {R"({"status":"success","data":{"resultType":"vector","result":[]}})", Code::kUnsupported},
        {R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{}}]}})",
         Code::kInvalidArgument},
        {R"({"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{},"values":[[2,"1"],[2,"1"]]}]}})",
         Code::kInvalidArgument},
        {R"({"status":"error","errorType":"bad_data","error":"exceeded maximum resolution"})",
         Code::kInvalidArgument}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.body);
        const auto matrix = decode_query_matrix(c.body);
        ASSERT_FALSE(matrix);
        EXPECT_EQ(matrix.error().code, c.want);
    }
}

TEST(QueryResult, ReadsAScalar) {
    const auto result = decode_query_result(
        R"({"status":"success","data":{"resultType":"scalar","result":[5,"+Inf"]}})");
    ASSERT_TRUE(result);
    EXPECT_EQ(result->type, QueryResultType::kScalar);
    EXPECT_TRUE(std::isinf(result->samples.at(0).value));
    EXPECT_TRUE(result->samples.at(0).labels.empty());
}

TEST(QueryResult, RefusesMorePointsThanItsLimit) {
    std::string points = "[0,\"1\"]";
    for (std::size_t i = 1; i <= QueryMatrix::kPointsMax; ++i) {
        points += fmt::format(",[{},\"1\"]", i);
    }
    const std::string body =
        R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[)" +
        points + "]}]}}";
    const auto matrix = decode_query_matrix(body);
    ASSERT_FALSE(matrix);
    EXPECT_EQ(matrix.error().code, Code::kResourceExhausted);
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
        {R"({"status":"error","errorType":"422","error":"x"})", Code::kUnprocessable},
        {R"({"status":"error","errorType":"503","error":"x"})", Code::kUnavailable},
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
        static_cast<void>(decode_query_matrix(testing::read_file(entry.path())));
    }
}

}  // namespace
}  // namespace kpid::wire
