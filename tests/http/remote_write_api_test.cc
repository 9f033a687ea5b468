// Remote write as HTTP: encodings, statuses, headers.

#include "http/remote_write_api.h"

#include "http/metadata_api.h"
#include "ingest/ingest_fixture.h"
#include "support/remote_write_body.h"

#include <gmock/gmock.h>

namespace kpid::http {
namespace {

using ingest::FailingAppender;
using ::testing::HasSubstr;
using testing::SentSeries;

constexpr std::string_view kV2Type = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

class RemoteWriteApi : public ::testing::Test {
protected:
    RemoteWriteApi()
        : appender_(storage_),
          metrics_(registry_),
          exemplars_(metrics_),
          sink_({.appender = appender_,
                 .metadata = table_,
                 .exemplars = exemplars_,
                 .clock = clock_,
                 .metrics = metrics_}) {}

    net::HttpResponse post(std::string body, net::HttpHeaders headers = {}) {
        net::HttpRequest request;
        request.method = "POST";
        request.headers = std::move(headers);
        request.body = std::move(body);
        const Result<net::HttpResponse> response = remote_write_response(sink_, request);
        EXPECT_TRUE(response.has_value()) << (response ? "" : response.error().message);
        return response.value_or(net::HttpResponse());
    }
    static std::string body(const std::vector<SentSeries>& series) {
        return testing::snappy_block(testing::request_message_v1(series));
    }
    static SentSeries sent(const std::string& name) {
        return {.labels = {{"__name__", name}}, .samples = {{1000, 1}}};
    }

    testing::ManualClock clock_;
    testing::MemoryStorage storage_;
    FailingAppender appender_;
    prometheus::Registry registry_;
    ingest::Metrics metrics_;
    ingest::MetadataTable table_;
    ingest::ExemplarTable exemplars_;
    ingest::RemoteWriteSink sink_;
};

TEST_F(RemoteWriteApi, TakesKnownAndMissingHeadersOnly) {
    struct Case {
        std::string_view name;
        net::HttpHeaders headers;
        unsigned want;
    };
    const std::string type = "application/x-protobuf";
    const std::vector<Case> cases = {
        {"none", {}, 204},
        {"as Prometheus",
         {{"Content-Encoding", "snappy"},
          {"Content-Type", type},
          {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
         204},
        {"with proto", {{"content-type", type + ";proto=prometheus.WriteRequest"}}, 204},
        {"upper case", {{"Content-Encoding", "Snappy"}}, 204},
        {"json", {{"Content-Type", "application/json"}}, 415},
        {"another message", {{"Content-Type", type + ";proto=some.Other"}}, 415},
        {"gzip", {{"Content-Type", type}, {"Content-Encoding", "gzip"}}, 415},
        {"identity", {{"Content-Encoding", "identity"}}, 415},
        {"version 1 sent as 2", {{"Content-Type", std::string(kV2Type)}}, 400},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const net::HttpResponse response = post(body({sent("a")}), c.headers);
        EXPECT_EQ(response.status, c.want) << response.body;
        EXPECT_EQ(response.body.empty(), c.want == 204);
    }
}

TEST_F(RemoteWriteApi, SaysWhatOfVersion2WasWritten) {
    appender_.refused = {{"old", model::RejectReason::kTooOld}};
    const net::HttpHeaders headers{{"Content-Type", std::string(kV2Type)}};
    const auto message = [](const std::vector<SentSeries>& series) {
        return testing::snappy_block(testing::request_message_v2(series));
    };
    const net::HttpResponse stored = post(message({sent("a"), sent("b")}), headers);
    EXPECT_EQ(stored.status, 204U);
    EXPECT_EQ(stored.headers.get("X-Prometheus-Remote-Write-Samples-Written"), "2");
    EXPECT_EQ(stored.headers.get("X-Prometheus-Remote-Write-Histograms-Written"), "0");
    EXPECT_EQ(stored.headers.get("X-Prometheus-Remote-Write-Exemplars-Written"), "0");
    SentSeries with_exemplar = sent("a");
    with_exemplar.exemplars = {{{{"trace_id", "x"}}, 1, 1000}};
    EXPECT_EQ(post(message({with_exemplar}), headers)
                  .headers.get("X-Prometheus-Remote-Write-Exemplars-Written"),
              "1");
    const net::HttpResponse partly = post(message({sent("a"), sent("old")}), headers);
    EXPECT_EQ(partly.status, 400U);
    EXPECT_EQ(partly.headers.get("X-Prometheus-Remote-Write-Samples-Written"), "1");
    EXPECT_FALSE(post(body({sent("a")})).headers.has("X-Prometheus-Remote-Write-Samples-Written"));
}

TEST_F(RemoteWriteApi, TellsWhatToSendAgain) {
    appender_.refused = {{"old", model::RejectReason::kTooOld},
                         {"new", model::RejectReason::kLimit},
                         {"kpid_x", model::RejectReason::kReserved}};
    const net::HttpResponse old = post(body({sent("a"), sent("old")}));
    EXPECT_EQ(old.status, 400U);
    EXPECT_THAT(old.body, HasSubstr("the first: series 2 of the request (old): refused"));
    EXPECT_FALSE(old.headers.has(net::header::kRetryAfter));
    const net::HttpResponse limited = post(body({sent("new")}));
    EXPECT_EQ(limited.status, 429U);
    EXPECT_TRUE(limited.headers.has(net::header::kRetryAfter));
    EXPECT_EQ(post(body({sent("kpid_x")})).status, 204U);
    EXPECT_EQ(post("not snappy").status, 400U);
    EXPECT_EQ(post("").status, 400U);
    EXPECT_EQ(post("\xff\xff\xff\xff\x0f").status, 413U);
}

TEST_F(RemoteWriteApi, LeavesTheFailuresOfTheStoreToTheOneTable) {
    appender_.failure = resource_exhausted("the queue is full");
    net::HttpRequest request;
    request.body = body({sent("a")});
    const Result<net::HttpResponse> response = remote_write_response(sink_, request);
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, Code::kResourceExhausted);
}

TEST_F(RemoteWriteApi, ShowsMetadataAsPrometheusDoes) {
    std::string message;
    protozero::pbf_writer(message).add_message(
        3, testing::metadata_message(4, "sizes", "How large.", "bytes"));
    EXPECT_EQ(post(testing::snappy_block(message)).status, 204U);
    const std::string want =
        R"({"status":"success","data":{"sizes":[{"type":"gaugehistogram","help":"How large.",)"
        R"("unit":"bytes"}]}})";
    EXPECT_EQ(metadata_response(table_, {}, net::HttpParams())->body, want);
}

}  // namespace
}  // namespace kpid::http
