// Where samples are passed on to: what is read, and what is refused where.

#include "config/remote_write.h"

#include "config/loading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::config {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines;
using testing::load_text;
using ::testing::Pair;

TEST(RemoteWriteSection, HasPrometheusDefaults) {
    const LoadResult result = load_text("remote_write: [{url: \"http://there/api/v1/write\"}]\n");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    ASSERT_EQ(result.config->remote_writes.size(), 1U);
    const RemoteWriteConfig& remote = result.config->remote_writes[0];
    EXPECT_EQ(remote.url, "http://there/api/v1/write");
    EXPECT_EQ(remote.timeout, seconds(30));
    EXPECT_EQ(remote.send, RemoteWriteSend::kRecorded);
    EXPECT_EQ(remote.queue, RemoteWriteQueueConfig());
    EXPECT_EQ(remote.queue.capacity, 10'000U);
    EXPECT_EQ(remote.queue.min_backoff, milliseconds(30));
    EXPECT_TRUE(remote.metadata_send);
    EXPECT_EQ(remote.metadata_send_interval, minutes(1));
    EXPECT_TRUE(remote.http.follow_redirects);
    EXPECT_FALSE(remote.http.enable_http2);
}

TEST(RemoteWriteSection, ReadsEverything) {
    const LoadResult result = load_text(R"(
remote_write:
  - url: "https://there/api/v1/write"
    name: there
    remote_timeout: 5s
    headers: {X-Scope-OrgID: shop}
    send: all
    write_relabel_configs:
      - {source_labels: [__name__], regex: "go_.*", action: drop}
    queue_config:
      capacity: 500
      min_shards: 2
      max_shards: 4
      max_samples_per_send: 100
      batch_send_deadline: 200ms
      min_backoff: 1s
      max_backoff: 1m
      retry_on_http_429: true
      sample_age_limit: 2h
    metadata_config: {send: false, send_interval: 5m, max_samples_per_send: 10}
    basic_auth: {username: a, password: b}
    proxy_url: "http://proxy:3128"
    follow_redirects: false
    tls_config: {insecure_skip_verify: true}
    protobuf_message: prometheus.WriteRequest
    send_exemplars: false
  - url: "https://there/api/v1/write"
    send: ingested
    authorization: {credentials: secret}
)");
    ASSERT_THAT(lines(result.findings), IsEmpty());
    ASSERT_EQ(result.config->remote_writes.size(), 2U);
    const RemoteWriteConfig& remote = result.config->remote_writes[0];
    EXPECT_EQ(remote.name, "there");
    EXPECT_EQ(remote.timeout, seconds(5));
    EXPECT_EQ(remote.send, RemoteWriteSend::kAll);
    EXPECT_EQ(remote.write_relabel_configs.size(), 1U);
    EXPECT_THAT(remote.http.headers, ElementsAre(Pair("X-Scope-OrgID", "shop")));
    EXPECT_EQ(remote.queue, (RemoteWriteQueueConfig{.capacity = 500,
                                                    .min_shards = 2,
                                                    .max_shards = 4,
                                                    .max_samples_per_send = 100,
                                                    .batch_send_deadline = milliseconds(200),
                                                    .min_backoff = seconds(1),
                                                    .max_backoff = minutes(1),
                                                    .retry_on_http_429 = true,
                                                    .sample_age_limit = hours(2)}));
    EXPECT_FALSE(remote.metadata_send);
    EXPECT_EQ(remote.metadata_send_interval, minutes(5));
    EXPECT_EQ(remote.metadata_max_samples_per_send, 10U);
    EXPECT_EQ(remote.http.basic_auth->username, "a");
    EXPECT_FALSE(remote.http.follow_redirects);
    const RemoteWriteConfig& other = result.config->remote_writes[1];
    EXPECT_EQ(other.send, RemoteWriteSend::kIngested);
    EXPECT_EQ(other.http.authorization->credentials, "secret");
    EXPECT_EQ(other.identity(), "https://there/api/v1/write");
}

TEST(RemoteWriteSection, NamesWhatIsWrongAtItsPlace) {
    struct Case {
        std::string entry;
        std::string want;
    };
    const Case cases[] = {
        {"{name: a}", "kpid.yaml:1:16: error: remote_write needs \"url\""},
        {"~", "empty or null remote write config section"},
        {"{url: ftp://there}", "kpid.yaml:1:22: error"},
        {"{url: \"http://a\", send: some}", "\"send\""},
        {"{url: \"http://a\", headers: {Host: b}}",
         "Host is a reserved header. It must not be changed"},
        {"{url: \"http://a\", headers: {Authorization: b}}",
         "authorization header must be changed via the basic_auth or authorization parameter"},
        {"{url: \"http://a\", queue_config: {min_shards: 9, max_shards: 3}}",
         "kpid.yaml:1:49: error: min_shards (9) is above max_shards (3)"},
        {"{url: \"http://a\", queue_config: {min_backoff: 10s}}",
         "min_backoff (10s) is above max_backoff (5s)"},
        {"{url: \"http://a\", queue_config: {capacity: 0}}",
         "\"capacity\" must be from 1 to 1000000"},
        {"{url: \"http://a\", queue_config: {shards: 1}}", "unknown key \"shards\""},
        {"{url: \"http://a\", send_exemplars: true}", "\"send_exemplars\" is not supported yet"},
        {"{url: \"http://a\", protobuf_message: io.prometheus.write.v2.Request}",
         "is not supported yet"},
        {"{url: \"http://a\", sigv4: {}}", "\"sigv4\" is not supported yet"},
        {"{url: \"http://a\", azuread: {}}", "\"azuread\" is not supported yet"},
        {"{url: \"http://a\", oauth2: {}}", "\"oauth2\" is not supported yet"},
        {"{url: \"http://a\", write_relabel_configs: [{action: jump}]}", "jump"},
        {"{url: \"http://a\"}, {url: \"http://a\"}",
         "kpid.yaml:1:41: error: remote_write \"http://a\" is defined twice, first at "
         "kpid.yaml:1:22"},
        {"{url: \"http://a\", name: x}, {url: \"http://b\", name: x}", "\"x\""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.entry);
        const LoadResult result = load_text("remote_write: [" + c.entry + "]\n");
        EXPECT_EQ(result.config, nullptr);
        EXPECT_THAT(lines(result.findings), Contains(HasSubstr(c.want)));
        EXPECT_EQ(result.findings.size(), 1U);
    }
}

TEST(RemoteWriteSection, BelongsInTheMainFile) {
    const LoadResult result =
        testing::load_files({{"kpid.yaml", "kpi_files: [a.yaml]\n"},
                             {"a.yaml", "owners: {ops: {title: Ops}}\nremote_write: []\n"}});
    EXPECT_THAT(lines(result.findings), Contains(HasSubstr("it belongs in the main file")));
}

TEST(RemoteWriteConfigNames, ShowNoSecrets) {
    struct Case {
        std::string url;
        std::string want;
    };
    const Case cases[] = {
        {"http://there/write", "http://there/write"},
        {"https://me:word@there:8080/write?token=x#y", "https://there:8080/write"},
        {"http://there?a@b", "http://there"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ((RemoteWriteConfig{.url = c.url}).shown_url(), c.want);
    }
    const RemoteWriteConfig unnamed{.url = "http://there/write?token=x"};
    EXPECT_EQ(unnamed.shown_name().size(), 6U);
    EXPECT_EQ((RemoteWriteConfig{.url = "http://there", .name = "x"}).shown_name(), "x");
}

}  // namespace
}  // namespace kpid::config
