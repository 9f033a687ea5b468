// Large answers: in pieces of bounded size, and the same text as a small one.

#include "http/answer_stream.h"

#include "http/answer_parts.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>

namespace kpid::http {
namespace {

promql::Matrix matrix_of(std::size_t series, std::size_t points) {
    promql::Matrix matrix;
    for (std::size_t s = 0; s < series; ++s) {
        promql::MatrixSeries one{{{"__name__", "m"}, {"n", std::to_string(s)}}, {}};
        for (std::size_t i = 0; i < points; ++i) {
            one.points.push_back({Timestamp(static_cast<std::int64_t>(i) * 15'000), 1.0 / 3});
        }
        matrix.push_back(std::move(one));
    }
    return matrix;
}

PiecewiseText text_of(promql::Value value) {
    return enveloped(R"({"resultType":"x","result":)", result_part(std::move(value)), "}", {});
}

struct Read {
    std::string text;
    std::size_t pieces = 0;
    std::size_t largest = 0;
};

Read read_all(PiecewiseText text) {
    Read read;
    for (std::string piece = text.next(); !piece.empty(); piece = text.next()) {
        ++read.pieces;
        read.largest = std::max(read.largest, piece.capacity());
        read.text += piece;
    }
    EXPECT_TRUE(text.ended());
    return read;
}

std::string result_of(promql::Value value) {
    const std::string text = read_all(text_of(std::move(value))).text;
    constexpr std::string_view kHead = R"({"status":"success","data":{"resultType":"x","result":)";
    EXPECT_TRUE(text.starts_with(kHead)) << text;
    EXPECT_TRUE(text.ends_with("}}")) << text;
    return text.substr(kHead.size(), text.size() - kHead.size() - 2);
}

TEST(AnswerStream, ValuesReadAsPrometheusWritesThem) {
    EXPECT_EQ(result_of(promql::Vector{}), "[]");
    EXPECT_EQ(result_of(promql::Matrix{}), "[]");
    EXPECT_EQ(result_of(promql::Scalar{Timestamp(1500), 2}), R"([1.5,"2"])");
    EXPECT_EQ(result_of(promql::String{Timestamp(1000), "a\"b"}), R"([1,"a\"b"])");
    EXPECT_EQ(result_of(promql::String{Timestamp(1000), ""}), R"([1,""])");
    EXPECT_EQ(result_of(promql::Vector{{{{"__name__", "up"}, {"job", "a"}}, Timestamp(1000), 1},
                                       {{}, Timestamp(1000), -0.0}}),
              R"([{"metric":{"__name__":"up","job":"a"},"value":[1,"1"]},)"
              R"({"metric":{},"value":[1,"-0"]}])");
    EXPECT_EQ(
        result_of(promql::Matrix{{{{"a", "b"}}, {{Timestamp(1000), 1}, {Timestamp(2000), NAN}}},
                                 {{{"a", "c"}}, {{Timestamp(-500), 3}}}}),
        R"([{"metric":{"a":"b"},"values":[[1,"1"],[2,"NaN"]]},)"
        R"({"metric":{"a":"c"},"values":[[-0.5,"3"]]}])");
}

TEST(AnswerStream, ListsAreWrittenWhole) {
    const auto list = [](std::unique_ptr<AnswerPart> part) {
        return read_all(PiecewiseText("", std::move(part), "")).text;
    };
    EXPECT_EQ(list(strings_part({})), "[]");
    EXPECT_EQ(list(strings_part({"a", "<\n>"})), R"(["a","\u003c\n\u003e"])");
    EXPECT_EQ(list(series_part({})), "[]");
    EXPECT_EQ(list(series_part({{{"a", "1"}}, {}})), R"([{"a":"1"},{}])");
}

TEST(AnswerStream, WarningsAndInfosStandBehindTheData) {
    EXPECT_EQ(read_all(enveloped("", strings_part({}), "", {{"careful"}, {"note"}})).text,
              R"({"status":"success","data":[],"warnings":["careful"],"infos":["note"]})");
}

// 22 MB of text, of which never more than a piece is there at once.
TEST(AnswerStream, NeverHoldsMoreThanAPieceOfALargeAnswer) {
    const Read read = read_all(text_of(matrix_of(200, 4000)));
    EXPECT_GT(read.text.size(), 20'000'000U);
    EXPECT_LT(read.largest, 2 * PiecewiseText::kPieceBytes);
    EXPECT_GT(read.pieces, read.text.size() / (2 * PiecewiseText::kPieceBytes));
    simdjson::dom::parser parser;
    const auto result = parser.parse(read.text)["data"]["result"].get_array();
    ASSERT_EQ(result.size(), 200U);
    EXPECT_EQ(result.at(199)["values"].get_array().size(), 4000U);
}

TEST(AnswerStream, AShortAnswerIsWholeAndALongOneIsAStream) {
    net::WorkerPool pool({.threads = 0});
    EXPECT_EQ(text_answer("t", text_of(matrix_of(1, 10)), pool).stream, nullptr);
    net::HttpResponse response = text_answer("t", text_of(matrix_of(10, 4000)), pool);
    ASSERT_NE(response.stream, nullptr);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.headers.get_or("Content-Type", ""), "t");
}

}  // namespace
}  // namespace kpid::http
