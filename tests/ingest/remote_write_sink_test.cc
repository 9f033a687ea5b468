// What is sent by remote write.

#include "ingest/remote_write_sink.h"

#include "ingest/ingest_fixture.h"
#include "support/remote_write_body.h"

#include <gmock/gmock.h>

#include <thread>

namespace kpid::ingest {
namespace {

using ::testing::HasSubstr;
using testing::SentSeries;
using Answer = RemoteWriteOutcome::Answer;
using wire::RemoteWriteVersion;

class RemoteWriteSinkTest : public ::testing::Test {
protected:
    RemoteWriteSinkTest()
        : appender_(storage_),
          metrics_(registry_),
          exemplars_(metrics_),
          sink_({.appender = appender_,
                 .metadata = table_,
                 .exemplars = exemplars_,
                 .clock = clock_,
                 .metrics = metrics_}) {}

    RemoteWriteOutcome send_message(const std::string& message,
                                    RemoteWriteVersion version = RemoteWriteVersion::kV1) {
        const Result<RemoteWriteOutcome> outcome =
            sink_.write(testing::snappy_block(message), version);
        EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().message);
        return outcome.value_or(RemoteWriteOutcome());
    }
    RemoteWriteOutcome send(const std::vector<SentSeries>& series) {
        return send_message(testing::request_message_v1(series));
    }
    static SentSeries sent(const std::string& name, double value, std::int64_t ms = 1000) {
        return {.labels = {{"__name__", name}}, .samples = {{ms, value}}};
    }
    [[nodiscard]] double accepted() const {
        return metric_value(registry_, "kpid_ingest_samples_total", {{"protocol", "remote_write"}});
    }
    [[nodiscard]] double rejected(const std::string& reason) const {
        return metric_value(registry_, "kpid_ingest_rejected_total",
                            {{"protocol", "remote_write"}, {"reason", reason}});
    }

    testing::ManualClock clock_;
    testing::MemoryStorage storage_;
    FailingAppender appender_;
    prometheus::Registry registry_;
    Metrics metrics_;
    MetadataTable table_;
    ExemplarTable exemplars_;
    RemoteWriteSink sink_;
};

TEST_F(RemoteWriteSinkTest, StoresBothVersions) {
    const std::vector<SentSeries> series = {sent("a", 1), sent("b", 2)};
    for (const RemoteWriteVersion version : {RemoteWriteVersion::kV1, RemoteWriteVersion::kV2}) {
        const RemoteWriteOutcome outcome =
            send_message(version == RemoteWriteVersion::kV1 ? testing::request_message_v1(series)
                                                            : testing::request_message_v2(series),
                         version);
        EXPECT_EQ(outcome.answer, Answer::kStored) << outcome.error;
        EXPECT_EQ(outcome.samples_written, 2U);  // the second time they are repetitions
    }
    EXPECT_EQ(storage_.series({}, {Timestamp::min(), Timestamp::max()})->size(), 2U);
    EXPECT_EQ(accepted(), 4);
}

TEST_F(RemoteWriteSinkTest, StoresTheValidAndNamesTheFirstBadSeries) {
    appender_.refused = {{"old", model::RejectReason::kTooOld}};
    const SentSeries twice{.labels = {{"__name__", "twice"}, {"a", "1"}, {"a", "2"}},
                           .samples = {{1000, 1}, {2000, 2}}};
    RemoteWriteOutcome outcome = send({sent("a", 1), sent("old", 1), twice, sent("b", 1)});
    EXPECT_EQ(outcome.answer, Answer::kRefused);
    EXPECT_EQ(outcome.samples_written, 2U);
    EXPECT_EQ(outcome.error,
              "3 of 5 samples were not stored; the first: series 2 of the request (old): refused");
    EXPECT_EQ(rejected("too_old"), 1);
    EXPECT_EQ(rejected("invalid_labels"), 2);
    outcome = send({twice, sent("old", 1)});
    EXPECT_THAT(outcome.error, HasSubstr("series 1 of the request (twice)"));
}

TEST_F(RemoteWriteSinkTest, RefusesAnotherValueAtOneInstant) {
    EXPECT_EQ(send({sent("a", 1)}).answer, Answer::kStored);
    EXPECT_EQ(send({sent("a", 1)}).answer, Answer::kStored);
    const RemoteWriteOutcome outcome = send({sent("a", 2), sent("b", 2)});
    EXPECT_EQ(outcome.answer, Answer::kRefused);
    EXPECT_EQ(outcome.samples_written, 1U);
    EXPECT_EQ(rejected("duplicate_timestamp"), 1);
}

TEST_F(RemoteWriteSinkTest, DropsReservedNamesWithoutTellingTheSender) {
    appender_.refused = {{"ALERTS", model::RejectReason::kReserved}};
    const RemoteWriteOutcome outcome = send({sent("ALERTS", 1), sent("a", 1)});
    EXPECT_EQ(outcome.answer, Answer::kStored);
    EXPECT_EQ(outcome.samples_written, 1U);
    EXPECT_EQ(rejected("reserved"), 1);
}

TEST_F(RemoteWriteSinkTest, AsksForALimitedRequestAgain) {
    appender_.refused = {{"new", model::RejectReason::kLimit},
                         {"old", model::RejectReason::kTooOld}};
    EXPECT_EQ(send({sent("old", 1), sent("new", 1)}).answer, Answer::kLimited);
}

TEST_F(RemoteWriteSinkTest, KeepsExemplarsOfBothVersionsAndCountsTheOthers) {
    const std::vector<SentSeries> series = {
        {.labels = {{"__name__", "a"}, {"job", "j"}},
         .exemplars = {{{{"trace_id", "1"}}, 0.5, 1000},
                       {{{"trace_id", std::string(121, 'x')}}, 0.5, 2000},
                       {{{"twice", "1"}, {"twice", "2"}}, 0.5, 2000},
                       {{{"trace_id", "early"}}, 0.5, 900}}},
        {.labels = {{"__name__", "b"}, {"b", "1"}, {"b", "2"}}, .exemplars = {{{}, 1, 1000}}}};
    for (const RemoteWriteVersion version : {RemoteWriteVersion::kV1, RemoteWriteVersion::kV2}) {
        const RemoteWriteOutcome outcome =
            send_message(version == RemoteWriteVersion::kV1 ? testing::request_message_v1(series)
                                                            : testing::request_message_v2(series),
                         version);
        EXPECT_EQ(outcome.answer, Answer::kStored) << outcome.error;
        EXPECT_EQ(outcome.exemplars_written, 1U);  // the second time it is a repetition
    }
    EXPECT_EQ(exemplars_.size(), 1U);
    const auto counted = [this](const std::string& reason) {
        return metric_value(registry_, "kpid_ingest_exemplars_dropped_total",
                            {{"protocol", "remote_write"}, {"reason", reason}});
    };
    EXPECT_EQ(
        metric_value(registry_, "kpid_ingest_exemplars_total", {{"protocol", "remote_write"}}), 1);
    EXPECT_EQ(counted("invalid_labels"), 4);
    EXPECT_EQ(counted("too_long"), 2);
    EXPECT_EQ(counted("out_of_order"), 2);
    EXPECT_EQ(counted("too_far_in_future"), 0);
}

TEST_F(RemoteWriteSinkTest, RefusesHistogramsCounted) {
    const RemoteWriteOutcome outcome =
        send({sent("a", 1), {.labels = {{"__name__", "h"}}, .native_histograms = 3}});
    EXPECT_EQ(outcome.answer, Answer::kRefused);
    EXPECT_EQ(outcome.samples_written, 1U);
    EXPECT_EQ(outcome.error,
              "3 native histograms were not stored, since kpid does not take them; the first: "
              "series 2 of the request (h)");
    EXPECT_EQ(rejected("native_histogram"), 3);
}

TEST_F(RemoteWriteSinkTest, StoresNothingOfWhatCannotBeDecoded) {
    const std::string good = testing::request_message_v1({sent("a", 1)});
    EXPECT_EQ(send_message(good + "\x0a").answer, Answer::kUndecodable);
    const auto unpacked = sink_.write(good, RemoteWriteVersion::kV1);
    ASSERT_TRUE(unpacked.has_value());
    EXPECT_EQ(unpacked->answer, Answer::kUndecodable);
    const auto huge = sink_.write("\xff\xff\xff\xff\x0f", RemoteWriteVersion::kV1);
    ASSERT_TRUE(huge.has_value());
    EXPECT_EQ(huge->answer, Answer::kTooLarge);
    EXPECT_EQ(rejected("malformed"), 3);
    EXPECT_TRUE(storage_.series({}, {Timestamp::min(), Timestamp::max()})->empty());
}

TEST_F(RemoteWriteSinkTest, HandsOnTheFailureOfTheStore) {
    appender_.failure = unavailable("the disk is gone");
    const auto outcome =
        sink_.write(testing::snappy_block(testing::request_message_v1({sent("a", 1)})),
                    RemoteWriteVersion::kV1);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, Code::kUnavailable);
    EXPECT_EQ(metric_value(registry_, "kpid_ingest_store_failures_total"), 1);
    // Without samples the store is not asked.
    EXPECT_EQ(send({}).answer, Answer::kStored);
}

TEST_F(RemoteWriteSinkTest, KeepsTheNewestMetadata) {
    std::string message;
    protozero::pbf_writer request(message);
    request.add_message(3, testing::metadata_message(1, "b", "Old.", ""));
    request.add_message(3, testing::metadata_message(2, "a", "Gauge.", "bytes"));
    request.add_message(3, testing::metadata_message(1, "b", "New.", ""));
    request.add_message(3, testing::metadata_message(1, "", "Of nothing.", ""));
    request.add_message(3, testing::metadata_message(1, "c", "\xff", ""));
    EXPECT_EQ(send_message(message).answer, Answer::kStored);
    EXPECT_EQ(metric_value(registry_, "kpid_ingest_metadata_dropped_total"), 2);
    const std::vector<model::MetricMetadata> all = table_.list("", 0);
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].family, "a");
    EXPECT_EQ(all[0].unit, "bytes");
    EXPECT_EQ(all[1].help, "New.");
    EXPECT_EQ(table_.list("", 1).size(), 1U);
    EXPECT_EQ(table_.list("b", 0).front().type, model::MetricType::kCounter);
    EXPECT_TRUE(table_.list("absent", 0).empty());
}

TEST_F(RemoteWriteSinkTest, BoundsTheMetadata) {
    const std::string help(MetadataTable::kBytesMax / 2, 'h');
    const std::vector<wire::RemoteWriteMetadata> large = {
        {.family = "a", .help = help}, {.family = "b", .help = help}, {.family = "c", .help = ""}};
    EXPECT_EQ(table_.put(large), 1U);
    const std::vector<wire::RemoteWriteMetadata> smaller = {{.family = "a", .help = "short"}};
    EXPECT_EQ(table_.put(smaller), 0U);
    EXPECT_EQ(table_.put(std::span(large).subspan(1, 1)), 0U);
}

TEST_F(RemoteWriteSinkTest, ServesSeveralSendersAtOnce) {
    std::vector<std::thread> senders;
    for (int sender = 0; sender < 4; ++sender) {
        senders.emplace_back([this, sender] {
            for (int i = 0; i < 50; ++i) {
                send({sent("m" + std::to_string(sender), i, i)});
            }
        });
    }
    for (std::thread& sender : senders) {
        sender.join();
    }
    EXPECT_EQ(accepted(), 200);
}

}  // namespace
}  // namespace kpid::ingest
