// Samples passed on: batches, retries, positions, reloads.

#include "notify/remote_writer.h"

#include "notify/remote_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace kpid::notify::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

net::HttpClientResponse answered(unsigned status, net::HttpHeaders headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = "go away\nplease"};
}

class RemoteWriter : public RemoteWriteTest {};

TEST_F(RemoteWriter, PostsWhatIsStoredAsRemoteWrite) {
    remote_config().timeout = 5s;
    remote_config().http.headers = {{"X-Scope-OrgID", "shop"}};
    start();
    store({"a", "b"});
    sim_.advance(2s);
    ASSERT_EQ(remote_.requests().size(), 1U);
    const net::HttpClientRequest& request = remote_.requests()[0];
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, kUrl);
    EXPECT_EQ(request.headers.get("content-encoding"), "snappy");
    EXPECT_EQ(request.headers.get("content-type"), "application/x-protobuf");
    EXPECT_EQ(request.headers.get("x-prometheus-remote-write-version"), "0.1.0");
    EXPECT_EQ(request.options.headers, remote_config().http.headers);
    EXPECT_EQ(request.timeout, 5s);
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_EQ(metric("samples_total"), 2);
    EXPECT_EQ(metric("samples_pending"), 0);
    EXPECT_EQ(metric("shards"), 1);
    EXPECT_EQ(metric("highest_sent_timestamp_seconds"), Timestamp(start_ + 1000).seconds());
    EXPECT_EQ(metric("sent_bytes_total"), static_cast<double>(request.body.size()));
}

TEST_F(RemoteWriter, SendsAtOnceWhatFillsABatchAndTheRestAtItsDeadline) {
    remote_config().queue.max_samples_per_send = 4;
    remote_config().queue.batch_send_deadline = 2s;
    start();
    store_many(5, {"a", "b"});
    sim_.advance(600ms);
    EXPECT_EQ(remote_.sample_count(), 8U);
    sim_.advance(1s);
    EXPECT_EQ(remote_.sample_count(), 8U);
    sim_.advance(1s);
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_EQ(remote_.requests().size(), 3U);
}

TEST_F(RemoteWriter, BeginsAtTheLogsEndAndGoesOnWhereItWas) {
    store({"before"});
    expected_.clear();
    start();
    store({"a"});
    sim_.advance(2s);
    stop();
    store({"a"});
    start();
    sim_.advance(2s);
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_EQ(remote_.requests().size(), 2U);
}

TEST_F(RemoteWriter, SendsOnlyWhatIsAskedFor) {
    remote_config().send = config::RemoteWriteSend::kRecorded;
    remote_config().name = "recorded";
    config_.remote_writes.push_back(remote_config());
    config_.remote_writes[1].send = config::RemoteWriteSend::kIngested;
    config_.remote_writes[1].name = "ingested";
    config_.remote_writes[1].url = "http://other/";
    start();
    store({"in"}, model::AppendOrigin::kExternal);
    store({"rec"}, model::AppendOrigin::kRecorded);
    sim_.advance(3s);
    ASSERT_EQ(remote_.requests().size(), 2U);
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_EQ(metric("samples_total", {{"remote_name", "recorded"}, {"url", kUrl}}), 1);
    EXPECT_EQ(metric("samples_total", {{"remote_name", "ingested"}, {"url", "http://other/"}}), 1);
}

TEST_F(RemoteWriter, AddsExternalLabelsAndRelabels) {
    config_.global.external_labels = model::Labels{{"site", "x"}, {"__name__", "never"}};
    model::RelabelRule drop;
    drop.source_labels = {"__name__"};
    drop.regex = "b";
    drop.action = model::RelabelAction::kDrop;
    remote_config().write_relabel_configs = {*model::RelabelConfig::make(drop)};
    start();
    store_many(2, {"a", "b"});
    sim_.advance(2s);
    ASSERT_EQ(remote_.series().size(), 1U);
    EXPECT_EQ(remote_.series().begin()->first, "a{site=\"x\"}");
    EXPECT_EQ(metric("samples_dropped_total", {{"reason", "relabelled"}}), 2);
}

TEST_F(RemoteWriter, RepeatsForEverWithGrowingWaits) {
    remote_config().queue.min_backoff = 1s;
    remote_config().queue.max_backoff = 8s;
    start();
    remote_.set_down(true);
    store({"a"});
    sim_.advance(2s);
    const std::size_t first = remote_.requests().size();
    EXPECT_GE(first, 1U);
    sim_.advance(15min);
    const std::size_t many = remote_.requests().size();
    EXPECT_GT(many, 900U / 8);
    EXPECT_LT(many, 900U / 3);
    EXPECT_EQ(metric("samples_retried_total"), static_cast<double>(many));
    EXPECT_EQ(metric("samples_pending"), 1);
    remote_.set_down(false);
    sim_.advance(8s);
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_EQ(metric("samples_failed_total"), 0);
}

TEST_F(RemoteWriter, WaitsAsLongAsTheRemoteAsks) {
    start();
    remote_.answer_next(answered(503, {{"Retry-After", "60"}}));
    store({"a"});
    sim_.advance(30s);
    EXPECT_EQ(remote_.requests().size(), 1U);
    sim_.advance(40s);
    EXPECT_EQ(remote_.requests().size(), 2U);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, GivesUpWhatIsRefusedAndCountsTheStatus) {
    start();
    for (const unsigned status : {400U, 429U, 404U}) {
        remote_.answer_next(answered(status));
        store({"a"});
        sim_.advance(2s);
    }
    store({"b"});
    sim_.advance(2s);
    EXPECT_EQ(remote_.requests().size(), 4U);
    EXPECT_EQ(remote_.series().size(), 1U);
    EXPECT_EQ(metric("samples_failed_total", {{"reason", "400"}}), 1);
    EXPECT_EQ(metric("samples_failed_total", {{"reason", "429"}}), 1);
    EXPECT_EQ(metric("samples_failed_total", {{"reason", "404"}}), 1);
    EXPECT_EQ(metric("samples_total"), 1);
}

TEST_F(RemoteWriter, RepeatsTooManyRequestsWhereThatIsAskedFor) {
    remote_config().queue.retry_on_http_429 = true;
    start();
    remote_.answer_next(answered(429));
    store({"a"});
    sim_.advance(3s);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, LeavesOutWhatIsOlderThanTheAgeLimit) {
    remote_config().queue.sample_age_limit = 10min;
    start();
    sim_.clock().set_wall(Timestamp(start_));
    remote_.set_down(true);
    store({"a"});
    sim_.advance(11min);
    EXPECT_EQ(metric("samples_dropped_total", {{"reason", "too_old"}}), 1);
    EXPECT_EQ(metric("samples_pending"), 0);
    remote_.set_down(false);
    store({"a"});
    sim_.advance(2s);
    EXPECT_EQ(metric("samples_dropped_total", {{"reason", "too_old"}}), 2);
    EXPECT_EQ(remote_.sample_count(), 0U);
}

TEST_F(RemoteWriter, AddsShardsForABacklogAndTakesThemAway) {
    remote_config().queue = {
        .capacity = 10, .max_shards = 8, .max_samples_per_send = 5, .batch_send_deadline = 1s};
    remote_.set_latency(200ms);
    std::vector<std::string> series;
    for (int i = 0; i < 40; ++i) {
        series.push_back("s" + std::to_string(i));
    }
    start();
    store_many(100, series);
    sim_.advance(55s);
    EXPECT_EQ(metric("shards"), 8);
    sim_.advance(10min);
    EXPECT_EQ(metric("shards"), 1);
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_LE(remote_.running_most(), 8U);
    EXPECT_GT(remote_.running_most(), 4U);
}

TEST_F(RemoteWriter, HoldsABoundedPartOfTheLogInMemory) {
    remote_config().queue.capacity = 50;
    remote_config().queue.max_samples_per_send = 10;
    start();
    remote_.set_down(true);
    store_many(1000, {"a"});
    sim_.advance(1min);
    EXPECT_LE(metric("samples_pending"), 50);
    remote_.set_down(false);
    sim_.advance(1min);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, CountsWhatTheLogGaveUp) {
    remote_config().queue.capacity = 10;
    remote_config().queue.max_samples_per_send = 5;
    start();
    remote_.set_down(true);
    store_many(100, {"a"});
    sim_.advance(10s);
    EXPECT_EQ(log_.holds().size(), 1U);
    log_.maintain(1000);
    EXPECT_EQ(metric("lost_records_total"), 0);
    log_.maintain(20);
    remote_.set_down(false);
    sim_.advance(1min);
    EXPECT_EQ(metric("lost_records_total"), 70);
    EXPECT_EQ(remote_.sample_count(), 30U);
    store({"a"});
    sim_.advance(2s);
    EXPECT_EQ(remote_.sample_count(), 31U);
}

TEST_F(RemoteWriter, GoesOnAfterTheLogCouldNotBeRead) {
    start();
    log_.fail(true);
    store({"a"});
    sim_.advance(10s);
    EXPECT_EQ(remote_.requests().size(), 0U);
    log_.fail(false);
    sim_.advance(3s);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, SendsTheRestWhenItStops) {
    remote_config().queue.batch_send_deadline = 5min;
    start();
    store_many(3, {"a", "b"});
    stop();
    EXPECT_EQ(remote_.series(), expected_);
    EXPECT_EQ(remote_.requests().size(), 1U);
    start();
    sim_.advance(1min);
    EXPECT_EQ(remote_.requests().size(), 1U);
}

TEST_F(RemoteWriter, StopsSoonWhenTheRemoteIsDown) {
    start();
    remote_.set_down(true);
    store({"a"});
    sim_.advance(10s);
    const MonoTime before = sim_.clock().mono_now();
    writer_->stop(sim_.timers().after(10s));
    sim_.run_until_idle();
    EXPECT_EQ(sim_.clock().mono_now(), before);
    EXPECT_THAT(sim_.run(writer_->join(sim_.timers().after(1s))), ::testing::Optional(true));
    writer_.reset();
    remote_.set_down(false);
    start();
    sim_.advance(2s);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, SendsTheRestOfARefusedRepetitionOneByOne) {
    remote_.set_strict(true);
    start();
    store_many(10, {"a", "b"});
    sim_.advance(2s);
    ASSERT_EQ(remote_.series(), expected_);
    // The position was not saved yet: all of it is sent again, with more behind it.
    crash();
    store_many(3, {"a", "b", "c"});
    start();
    sim_.advance(1min);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, SendsMetadataOfWhatOthersSend) {
    families_ = {{.family = "a", .help = "A."}, {.family = "b"}};
    remote_config().metadata_max_samples_per_send = 1;
    start();
    sim_.advance(90s);
    EXPECT_THAT(remote_.families(), ElementsAre("a", "b", "a", "b"));
    EXPECT_EQ(metric("metadata_total"), 4);
    remote_config().send = config::RemoteWriteSend::kRecorded;
    reload();
    sim_.advance(90s);
    EXPECT_EQ(remote_.families().size(), 4U);
}

TEST_F(RemoteWriter, KeepsAQueueWhoseConfigurationStays) {
    remote_.set_latency(5s);
    start();
    store({"a"});
    sim_.advance(2s);
    ASSERT_EQ(remote_.requests().size(), 1U);
    reload();
    sim_.advance(10s);
    EXPECT_EQ(remote_.requests().size(), 1U);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, GoesOnInAnotherQueueWhereItWas) {
    remote_.set_strict(true);
    start();
    store_many(3, {"a"});
    sim_.advance(2s);
    remote_.set_down(true);
    store_many(3, {"a", "b"});
    sim_.advance(10s);
    remote_config().queue.max_samples_per_send = 2;
    reload();
    sim_.advance(1s);
    store_many(3, {"b"});
    remote_.set_down(false);
    sim_.advance(20s);
    EXPECT_EQ(remote_.series(), expected_);
}

TEST_F(RemoteWriter, ForgetsARemoteThatIsGone) {
    start();
    store({"a"});
    sim_.advance(5s);
    EXPECT_EQ(store_.size("notify/remote_write/"), 1U);
    EXPECT_EQ(log_.holds().size(), 1U);
    const auto kept = config_.remote_writes;
    config_.remote_writes.clear();
    reload();
    sim_.advance(5s);
    EXPECT_EQ(store_.size("notify/remote_write/"), 0U);
    EXPECT_THAT(log_.holds(), IsEmpty());
    store({"missed"});
    config_.remote_writes = kept;
    reload();
    store({"b"});
    sim_.advance(5s);
    EXPECT_EQ(remote_.series().size(), 2U);
    EXPECT_EQ(store_.size("notify/remote_write/"), 1U);
}

TEST_F(RemoteWriter, ShowsHowFarItIsBehind) {
    start();
    const std::vector<model::SeriesSample> samples = {
        {model::Labels{{"__name__", "a"}}, Timestamp(5000), 1}};
    writer_->observer().on_append({.samples = samples}, {.accepted = 1});
    writer_->refresh_metrics();
    EXPECT_EQ(metric("highest_timestamp_in_seconds"), 5);
}

TEST_F(RemoteWriter, BeginsAtTheEndWhenItsPositionIsOfNoUse) {
    start();
    store({"a"});
    sim_.advance(5s);
    stop();
    const auto entries = store_.scan("notify/remote_write/", 10);
    const model::StateWrite broken{entries->at(0).first, "999999"};
    ASSERT_TRUE(store_.write({&broken, 1}));
    store({"b"});
    start();
    store({"c"});
    sim_.advance(5s);
    EXPECT_EQ(remote_.series().size(), 2U);
}

}  // namespace
}  // namespace kpid::notify::testing
