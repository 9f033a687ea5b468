// Back-fill.

#include "ingest/import_sink.h"

#include "ingest/ingest_fixture.h"

#include <gmock/gmock.h>

namespace kpid::ingest {
namespace {

using ::testing::HasSubstr;

class ImportSinkTest : public ::testing::Test {
protected:
    ImportSinkTest()
        : appender_(storage_), metrics_(registry_), sink_(appender_, clock_, metrics_) {}

    ImportOutcome import_text(std::string_view body,
                              ImportFormat format = ImportFormat::kOpenMetrics,
                              std::size_t first_line = 1) {
        const Result<ImportOutcome> outcome = sink_.import_samples(body, format, first_line);
        EXPECT_TRUE(outcome.has_value()) << (outcome ? "" : outcome.error().message);
        return outcome.value_or(ImportOutcome());
    }
    [[nodiscard]] std::vector<model::SeriesColumns> stored() const {
        return *storage_.select({}, {Timestamp::min(), Timestamp::max()}, {});
    }

    testing::ManualClock clock_;
    testing::MemoryStorage storage_;
    FailingAppender appender_;
    prometheus::Registry registry_;
    Metrics metrics_;
    ImportSink sink_;
};

TEST_F(ImportSinkTest, StoresOpenMetricsWithTheirTimes) {
    const ImportOutcome outcome = import_text(
        "# TYPE a unknown\n"
        "a{b=\"c\"} 1 1500\n"
        "a{b=\"c\"} 2 1500.25\n"
        "# EOF\n");
    EXPECT_EQ(outcome.accepted, 2U);
    EXPECT_EQ(outcome.rejected_total, 0U);
    const auto all = stored();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].labels, (model::Labels{{"__name__", "a"}, {"b", "c"}}));
    EXPECT_EQ(all[0].times, (std::vector{Timestamp(1'500'000), Timestamp(1'500'250)}));
}

TEST_F(ImportSinkTest, StoresADumpAndAddsNothingTheSecondTime) {
    const std::string_view dump = "{__name__=\"a\"} 1 1000\n{__name__=\"a\"} 2 2000\n";
    EXPECT_EQ(import_text(dump, ImportFormat::kTsdbDump).accepted, 2U);
    EXPECT_EQ(import_text(dump, ImportFormat::kTsdbDump).accepted, 2U);
    ASSERT_EQ(stored().size(), 1U);
    EXPECT_EQ(stored()[0].values, (std::vector<double>{1, 2}));
    EXPECT_EQ(metric_value(registry_, "kpid_ingest_samples_total", {{"protocol", "import"}}), 4);
}

TEST_F(ImportSinkTest, TellsRefusalsByTheSendersLine) {
    appender_.refused = {{"old", model::RejectReason::kTooOld},
                         {"kpid_x", model::RejectReason::kReserved}};
    const ImportOutcome outcome = import_text(
        "a 1 1\n"
        "old 1 1\n"
        "b 1\n"
        "kpid_x 1 1\n"
        "# EOF\n",
        ImportFormat::kOpenMetrics, 1000);
    EXPECT_EQ(outcome.accepted, 1U);
    EXPECT_EQ(outcome.reserved, 1U);
    EXPECT_EQ(outcome.rejected_total, 2U);
    EXPECT_EQ(outcome.rejected, (std::vector<ImportOutcome::Refusal>{
                                    {1001, "refused"}, {1002, "the sample has no time"}}));
}

TEST_F(ImportSinkTest, TakesWhatKpidRecordedWhenItIsToComeBack) {
    appender_.refused = {{"kpid_x", model::RejectReason::kReserved},
                         {"old", model::RejectReason::kTooOld}};
    const std::string_view text = "a 1 1\nkpid_x 2 1\nold 3 1\nkpid_x 4 2\n# EOF\n";
    const auto outcome = sink_.import_samples(text, ImportFormat::kOpenMetrics, 1, true);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->accepted, 3U);
    EXPECT_EQ(outcome->reserved, 0U);
    EXPECT_EQ(outcome->rejected, (std::vector<ImportOutcome::Refusal>{{3, "refused"}}));
    EXPECT_EQ(appender_.appended.at("kpid_x").size(), 4U);  // The first two were refused.
}

TEST_F(ImportSinkTest, NamesABoundedNumberOfRefusals) {
    std::string body;
    for (std::size_t i = 0; i < 3 * ImportSink::kRefusalsMax; ++i) {
        body += "a 1\n";
    }
    const ImportOutcome outcome = import_text(body + "# EOF\n");
    EXPECT_EQ(outcome.rejected_total, 3 * ImportSink::kRefusalsMax);
    EXPECT_EQ(outcome.rejected.size(), ImportSink::kRefusalsMax);
}

TEST_F(ImportSinkTest, StoresNothingOfWhatCannotBeRead) {
    const auto outcome =
        sink_.import_samples("a 1 1\na b c\n# EOF\n", ImportFormat::kOpenMetrics, 501);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, Code::kInvalidArgument);
    EXPECT_THAT(outcome.error().message, HasSubstr("line 502: "));
    EXPECT_TRUE(stored().empty());
    const auto dump = sink_.import_samples("x", ImportFormat::kTsdbDump, 8);
    EXPECT_EQ(dump.error().message, "line 8: expected {");
}

TEST_F(ImportSinkTest, AsksForAWindowThatTakesAllAndLeavesAgeToTheStore) {
    import_text("a 1 1\n# EOF\n");
    EXPECT_GT(appender_.last_window.value_or(Duration(0)), std::chrono::hours(24 * 3650));
}

}  // namespace
}  // namespace kpid::ingest
