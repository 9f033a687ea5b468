// Export and import as HTTP.

#include "http/backfill_api.h"

#include "http/error_status.h"
#include "ingest/ingest_fixture.h"
#include "net/body_stream.h"

#include <gmock/gmock.h>

namespace kpid::http {
namespace {

class BackfillApi : public ::testing::Test {
protected:
    BackfillApi() : metrics_(registry_), sink_(storage_, clock_, metrics_), pool_({.threads = 1}) {}

    net::HttpResponse post(std::string body, std::string_view query = "",
                           ingest::ImportFormat format = ingest::ImportFormat::kOpenMetrics,
                           net::HttpHeaders headers = {}) {
        net::HttpRequest request;
        request.method = "POST";
        request.params = *net::parse_form(query);
        request.headers = std::move(headers);
        request.body = std::move(body);
        const Result<net::HttpResponse> response =
            import_response(sink_, format, may_restore_, request);
        return response ? *response : error_response(response.error());
    }

    bool may_restore_ = false;
    testing::ManualClock clock_;
    testing::MemoryStorage storage_;
    prometheus::Registry registry_;
    ingest::Metrics metrics_;
    ingest::ImportSink sink_;
    net::WorkerPool pool_;
};

TEST_F(BackfillApi, RestoresOnlyWhereThatIsAllowed) {
    const std::string text = "a 1 1\n# EOF\n";
    EXPECT_EQ(post(text, "recorded=true").status, 403U);
    EXPECT_EQ(post(text, "recorded=false").status, 200U);
    may_restore_ = true;
    EXPECT_EQ(post(text, "recorded=true").status, 200U);
    EXPECT_EQ(post(text, "recorded=yes").status, 400U);
}

TEST_F(BackfillApi, AnswersAnImportWithWhatBecameOfIt) {
    const net::HttpResponse response = post("a 1 1\na 2 1\nb 1 1\n# EOF\n", "line=41");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body,
              R"({"status":"success","data":{"accepted":2,"reserved":0,"rejectedTotal":1,)"
              R"("rejected":[{"line":42,"error":"another value"}]}})");
    EXPECT_EQ(post("{__name__=\"d\"} 1 5\n", "", ingest::ImportFormat::kTsdbDump).status, 200U);
}

TEST_F(BackfillApi, RefusesWhatCannotBeRead) {
    EXPECT_EQ(post("a b c\n# EOF\n", "line=7").status, 400U);
    EXPECT_THAT(post("a b c\n# EOF\n", "line=7").body, ::testing::HasSubstr("line 7: "));
    EXPECT_THAT(post("a 1 1\n").body, ::testing::HasSubstr("does not end with # EOF"));
    EXPECT_THAT(post("", "line=x").body, ::testing::HasSubstr("is no number of a line"));
    EXPECT_EQ(post("a 1 1\n# EOF\n", "", ingest::ImportFormat::kOpenMetrics,
                   {{"Content-Encoding", "zstd"}})
                  .status,
              415U);
}

TEST_F(BackfillApi, RefusesAnExportBeforeItBegins) {
    for (const std::string_view query : {"", "match[]={", "match[]=up&start=x"}) {
        const auto response = export_response(storage_, pool_, *net::parse_form(query));
        ASSERT_FALSE(response.has_value());
        EXPECT_EQ(response.error().code, Code::kInvalidArgument);
    }
    const auto fine = export_response(storage_, pool_, *net::parse_form("match[]=up"));
    ASSERT_TRUE(fine.has_value());
    EXPECT_NE(fine->stream, nullptr);
    EXPECT_THAT(std::string(fine->headers.get_or("Content-Type", "")),
                ::testing::StartsWith("application/openmetrics-text; version=1.0.0"));
}

}  // namespace
}  // namespace kpid::http
