// What is pushed over HTTP.

#include "ingest/push_sink.h"

#include "ingest/ingest_fixture.h"

#include <gmock/gmock.h>

namespace kpid::ingest {
namespace {

using ::testing::HasSubstr;

class PushSinkTest : public ::testing::Test {
protected:
    PushSinkTest()
        : appender_(storage_), metrics_(registry_), sink_(appender_, storage_, clock_, metrics_) {}

    PushOutcome push(std::string_view body, std::string_view key = "") {
        const Result<PushOutcome> outcome = sink_.push_json(body, key);
        EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().message);
        return outcome.value_or(PushOutcome());
    }
    [[nodiscard]] std::size_t sample_count() const {
        std::size_t count = 0;
        const auto all = storage_.select({}, {Timestamp::min(), Timestamp::max()}, {});
        for (const model::SeriesColumns& series : *all) {
            count += series.values.size();
        }
        return count;
    }
    [[nodiscard]] std::size_t key_count() const {
        return storage_.scan("ingest/idempotency/", 1'000'000)->size();
    }
    [[nodiscard]] double counted(const std::string& name,
                                 const std::map<std::string, std::string>& labels = {}) const {
        return metric_value(registry_, name, labels);
    }

    testing::ManualClock clock_;
    testing::MemoryStorage storage_;
    FailingAppender appender_;
    prometheus::Registry registry_;
    Metrics metrics_;
    PushSink sink_;
};

TEST_F(PushSinkTest, WhatFindsALimitMayBeSentAgain) {
    const std::string body = R"({"metric":"new","value":1})";
    appender_.refused = {{"new", model::RejectReason::kLimit}};
    const auto refused = sink_.push_json(body, "key-1");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
    EXPECT_EQ(key_count(), 0U);
    storage_.clear();
    appender_.refused.clear();
    EXPECT_EQ(push(body, "key-1").accepted, 1U);
    appender_.refused = {{"new", model::RejectReason::kLimit}};
    const auto text = sink_.import_text("new 1\n", wire::ExpositionFormat::kText);
    ASSERT_FALSE(text.has_value());
    EXPECT_EQ(text.error().code, Code::kResourceExhausted);
}

TEST_F(PushSinkTest, StoresWhatIsGoodAndNamesWhatIsNot) {
    appender_.refused = {{"old", model::RejectReason::kTooOld}};
    const PushOutcome outcome = push(R"([{"metric":"a","value":1},{"metric":"b"},)"
                                     R"({"metric":"old","value":2},{"metric":"c","value":3}])");
    EXPECT_EQ(outcome.accepted, 2U);
    ASSERT_EQ(outcome.rejected.size(), 2U);
    EXPECT_EQ(outcome.rejected[0].index, 1U);
    EXPECT_EQ(outcome.rejected[1].index, 2U);
    EXPECT_EQ(outcome.rejected[1].error, "refused");
    EXPECT_EQ(counted("kpid_ingest_samples_total", {{"protocol", "push"}}), 2);
    EXPECT_EQ(counted("kpid_ingest_rejected_total", {{"protocol", "push"}, {"reason", "too_old"}}),
              1);
    EXPECT_EQ(
        counted("kpid_ingest_rejected_total", {{"protocol", "push"}, {"reason", "malformed"}}), 1);
}

TEST_F(PushSinkTest, DropsReservedNamesWithoutTellingTheSender) {
    appender_.refused = {{"kpid_x", model::RejectReason::kReserved}};
    const PushOutcome outcome = push(R"([{"metric":"kpid_x","value":1},{"metric":"a","value":1}])");
    EXPECT_EQ(outcome.accepted, 2U);
    EXPECT_TRUE(outcome.rejected.empty());
    EXPECT_EQ(counted("kpid_ingest_rejected_total", {{"protocol", "push"}, {"reason", "reserved"}}),
              1);
}

TEST_F(PushSinkTest, TakesAnEmptyListAndRefusesBadJson) {
    EXPECT_EQ(push("[]"), PushOutcome());
    const Result<PushOutcome> bad = sink_.push_json("[{", "");
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().code, Code::kInvalidArgument);
    EXPECT_THAT(bad.error().message, HasSubstr("byte"));
}

TEST_F(PushSinkTest, AddsNothingForAKeyThatItKnows) {
    const char* body = R"([{"metric":"a","value":1},{"metric":"a"}])";
    const PushOutcome first = push(body, "key-1");
    clock_.advance(std::chrono::minutes(5));
    EXPECT_EQ(push(body, "key-1"), first);
    EXPECT_EQ(sample_count(), 1U);
    EXPECT_EQ(counted("kpid_ingest_push_repeats_total"), 1);
    push(body, "key-2");
    EXPECT_EQ(sample_count(), 2U);
}

TEST_F(PushSinkTest, AnswersARepeatedKeyWithWhatStorageRefusedToo) {
    appender_.refused = {{"old", model::RejectReason::kTooOld}};
    const char* body = R"([{"metric":"old","value":1},{"metric":"a","value":1}])";
    const PushOutcome first = push(body, "key");
    EXPECT_EQ(first.accepted, 1U);
    EXPECT_EQ(push(body, "key"), first);
}

TEST_F(PushSinkTest, KnowsKeysAfterARestartForADay) {
    const char* body = R"({"metric":"a","value":1})";
    push(body, "key");
    PushSink restarted(appender_, storage_, clock_, metrics_);
    clock_.advance(std::chrono::hours(23));
    EXPECT_TRUE(restarted.push_json(body, "key").has_value());
    EXPECT_EQ(sample_count(), 1U);
    ASSERT_TRUE(restarted.sweep_idempotency_keys().has_value());
    EXPECT_EQ(key_count(), 1U);
    clock_.advance(std::chrono::hours(1));
    ASSERT_TRUE(restarted.sweep_idempotency_keys().has_value());
    EXPECT_EQ(key_count(), 0U);
    EXPECT_TRUE(restarted.push_json(body, "key").has_value());
    EXPECT_EQ(sample_count(), 2U);
}

TEST_F(PushSinkTest, KeepsAKeyThatCameAgainAfterItsDay) {
    const char* body = R"({"metric":"a","value":1})";
    push(body, "key");
    clock_.advance(std::chrono::hours(25));
    push(body, "key");
    EXPECT_EQ(sample_count(), 2U);
    ASSERT_TRUE(sink_.sweep_idempotency_keys().has_value());
    EXPECT_EQ(key_count(), 1U);
}

TEST_F(PushSinkTest, RemembersNoKeyOfARequestThatWasNotStored) {
    appender_.failure = unavailable("disk full");
    const char* body = R"({"metric":"a","value":1})";
    const Result<PushOutcome> failed = sink_.push_json(body, "key");
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, Code::kUnavailable);
    appender_.failure.reset();
    EXPECT_EQ(push(body, "key").accepted, 1U);
    EXPECT_EQ(sample_count(), 1U);
}

TEST_F(PushSinkTest, RefusesBadKeys) {
    for (const std::string& key : {std::string(257, 'k'), std::string("a b"), std::string("\n")}) {
        const Result<PushOutcome> outcome = sink_.push_json("[]", key);
        ASSERT_FALSE(outcome.has_value());
        EXPECT_EQ(outcome.error().code, Code::kInvalidArgument);
    }
}

TEST_F(PushSinkTest, ImportsText) {
    EXPECT_TRUE(sink_.import_text("# TYPE a gauge\na{x=\"1\"} 1\nb 2 1700000000000\n"));
    EXPECT_EQ(sample_count(), 2U);
    EXPECT_TRUE(sink_.import_text("c 3"));
    EXPECT_EQ(sample_count(), 3U);
    EXPECT_TRUE(sink_.import_text(""));
    EXPECT_EQ(counted("kpid_ingest_samples_total", {{"protocol", "text"}}), 3);
}

TEST_F(PushSinkTest, ImportsOpenMetrics) {
    const std::string_view text =
        "# TYPE a counter\na_total 1 1700000000.5\na_created 1600000000\n# EOF\n";
    ASSERT_TRUE(sink_.import_text(text, wire::ExpositionFormat::kOpenMetrics));
    const auto all = storage_.select({}, {Timestamp::min(), Timestamp::max()}, {});
    ASSERT_EQ(all->size(), 1U);
    EXPECT_EQ(all->at(0).labels.metric_name(), "a_total");
    EXPECT_EQ(all->at(0).times.at(0), Timestamp(1'700'000'000'500));
    EXPECT_FALSE(sink_.import_text("a 1\n", wire::ExpositionFormat::kOpenMetrics));
}

TEST_F(PushSinkTest, ImportsNothingOfABadText) {
    const Result<void> imported = sink_.import_text("a 1\nb two\n");
    ASSERT_FALSE(imported.has_value());
    EXPECT_EQ(imported.error().code, Code::kInvalidArgument);
    EXPECT_THAT(imported.error().message, HasSubstr("line 2"));
    EXPECT_EQ(sample_count(), 0U);
    EXPECT_EQ(
        counted("kpid_ingest_rejected_total", {{"protocol", "text"}, {"reason", "malformed"}}), 1);
}

TEST_F(PushSinkTest, NamesTheLineOfARefusedSampleAndStoresNothing) {
    const Result<void> imported = sink_.import_text("a 1\nb 1\na 2\n");
    ASSERT_FALSE(imported.has_value());
    EXPECT_THAT(imported.error().message,
                HasSubstr("nothing was stored; 1 of 3 samples cannot be; line 3"));
    EXPECT_EQ(sample_count(), 0U);
    EXPECT_TRUE(sink_.import_text("a 1\nb 1\n"));
    EXPECT_EQ(sample_count(), 2U);
}

}  // namespace
}  // namespace kpid::ingest
