// Tables and CSV of answers.
#include "ctl/query_answer.h"

#include <gtest/gtest.h>

namespace kpid::ctl {
namespace {

QueryAnswer answer_of(std::string_view json) {
    const auto document = wire::JsonDocument::parse(json);
    EXPECT_TRUE(document);
    return read_query_answer(document->root());
}

constexpr std::string_view kVector = R"({"resultType":"vector","result":[
    {"metric":{"__name__":"up","job":"a,b","note":"say \"hi\"\n"},"value":[1800000000.5,"NaN"]},
    {"metric":{"instance":"x"},"value":[1800000000,"-1.5"]}]})";

TEST(QueryAnswer, IsATableWithARowAPoint) {
    EXPECT_EQ(query_table(answer_of(kVector)),
              "SERIES                              TIME                      VALUE\n"
              "up{job=\"a,b\", note=\"say \\\"hi\\\"\\n\"}  2027-01-15T08:00:00.500Z  NaN\n"
              "{instance=\"x\"}                      2027-01-15T08:00:00.000Z  -1.5\n");
    EXPECT_EQ(query_table(answer_of(R"({"resultType":"scalar","result":[0,"1"]})")),
              "SERIES  TIME                      VALUE\n"
              "scalar  1970-01-01T00:00:00.000Z  1\n");
    EXPECT_EQ(query_table(answer_of(R"({"resultType":"vector","result":[]})")),
              "SERIES  TIME  VALUE\n");
    EXPECT_EQ(query_table(answer_of("{}")), "SERIES  TIME  VALUE\n");
}

TEST(QueryAnswer, IsCsvWithAColumnALabel) {
    EXPECT_EQ(query_csv(answer_of(kVector)),
              "time,value,__name__,instance,job,note\r\n"
              "2027-01-15T08:00:00.500Z,NaN,up,,\"a,b\",\"say \"\"hi\"\"\n\"\r\n"
              "2027-01-15T08:00:00.000Z,-1.5,,x,,\r\n");
    EXPECT_EQ(query_csv(answer_of(
                  R"({"resultType":"matrix","result":[
                     {"metric":{"a":"1"},"values":[[0,"1"],[15,"2"]]},
                     {"metric":{"a":"2"},"values":[]}]})")),
              "time,value,a\r\n"
              "1970-01-01T00:00:00.000Z,1,1\r\n"
              "1970-01-01T00:00:15.000Z,2,1\r\n");
    EXPECT_EQ(query_csv(answer_of(R"({"resultType":"string","result":[0,"a,b"]})")),
              "time,value\r\n1970-01-01T00:00:00.000Z,\"a,b\"\r\n");
}

}  // namespace
}  // namespace kpid::ctl
