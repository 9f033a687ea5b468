// Exemplars as Prometheus answers them.

#include "http/exemplars_api.h"

#include "ingest/ingest_fixture.h"

#include <gmock/gmock.h>

namespace kpid::http {
namespace {

using ingest::Protocol;
using model::Labels;
using ::testing::HasSubstr;

class ExemplarsApi : public ::testing::Test {
protected:
    void add(const Labels& series, const Labels& labels, double value, std::int64_t ms) {
        EXPECT_TRUE(table_.add(Protocol::kRemoteWrite, series,
                               {.labels = labels, .value = value, .time = Timestamp(ms)},
                               Timestamp(1'000'000)));
    }
    [[nodiscard]] Result<net::HttpResponse> ask(const std::string& query,
                                                const std::string& start = "",
                                                const std::string& end = "") const {
        net::HttpParams params;
        params.add("query", query);
        params.add("start", start);
        params.add("end", end);
        return exemplars_response(table_, {}, params);
    }
    [[nodiscard]] std::string data(const std::string& query, const std::string& start = "",
                                   const std::string& end = "") const {
        const Result<net::HttpResponse> response = ask(query, start, end);
        EXPECT_TRUE(response.has_value()) << (response ? "" : response.error().message);
        return response ? response->body : "";
    }
    static std::string success(const std::string& data) {
        return R"({"status":"success","data":[)" + data + "]}";
    }

    prometheus::Registry registry_;
    ingest::Metrics metrics_{registry_};
    ingest::ExemplarTable table_{metrics_};
};

TEST_F(ExemplarsApi, AnswersTheSeriesOfEverySelector) {
    add({{"__name__", "b"}, {"job", "x"}}, {{"id", "2"}}, 0.5, 4053);
    add({{"__name__", "a"}, {"job", "x"}}, {{"id", "1"}}, 10, 2000);
    add({{"__name__", "a"}, {"job", "x"}}, {}, std::numeric_limits<double>::quiet_NaN(), 3000);
    add({{"__name__", "c"}}, {{"id", "3"}}, 1, 2000);
    const std::string a = R"({"seriesLabels":{"__name__":"a","job":"x"},"exemplars":[)"
                          R"({"labels":{"id":"1"},"value":"10","timestamp":2},)"
                          R"({"labels":{},"value":"NaN","timestamp":3}]})";
    const std::string b = R"({"seriesLabels":{"__name__":"b","job":"x"},"exemplars":[)"
                          R"({"labels":{"id":"2"},"value":"0.5","timestamp":4.053}]})";
    EXPECT_EQ(data("{job=\"x\"}"), success(a + "," + b));
    EXPECT_EQ(data("sum(rate(b[5m] offset 1h)) / a", "0", "5"), success(a + "," + b));
    EXPECT_EQ(data("{job=\"x\"}", "4", "4.1"), success(b));
    EXPECT_EQ(data("{job=\"x\"}", "5"), success(""));
    EXPECT_EQ(data("nothing"), success(""));
    EXPECT_EQ(data("1 + 1"), success(""));
}

TEST_F(ExemplarsApi, RefusesWhatPrometheusRefuses) {
    struct Case {
        std::string query;
        std::string start;
        std::string end;
        std::string want;
    };
    const Case cases[] = {
        {"", "", "", "parse error"},
        {"up{", "", "", "parse error"},
        {"up", "x", "", "invalid parameter \"start\""},
        {"up", "", "x", "invalid parameter \"end\""},
        {"up", "5", "4", "end timestamp must not be before start timestamp"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.want);
        const Result<net::HttpResponse> response = ask(c.query, c.start, c.end);
        ASSERT_FALSE(response.has_value());
        EXPECT_EQ(response.error().code, Code::kInvalidArgument);
        EXPECT_THAT(response.error().message, HasSubstr(c.want));
    }
}

}  // namespace
}  // namespace kpid::http
