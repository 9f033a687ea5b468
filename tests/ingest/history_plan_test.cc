// What of the past is next, and how far it is.
#include "ingest/history_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kpid::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Timestamp at(std::string_view text) {
    return *parse_rfc3339(text);
}

std::vector<std::string> texts(const std::vector<Timestamp>& times) {
    std::vector<std::string> all;
    all.reserve(times.size());
    for (const Timestamp time : times) {
        all.push_back(format_rfc3339(time).substr(0, 13));
    }
    return all;
}

TEST(CoveredSpans, JoinWhatTouches) {
    CoveredSpans spans;
    spans.add(Timestamp(30), Timestamp(40));
    spans.add(Timestamp(10), Timestamp(20));
    spans.add(Timestamp(5), Timestamp(5));
    EXPECT_THAT(spans.spans(), ElementsAre(CoveredSpans::Span{Timestamp(10), Timestamp(20)},
                                           CoveredSpans::Span{Timestamp(30), Timestamp(40)}));
    EXPECT_TRUE(spans.covers(Timestamp(12), Timestamp(20)));
    EXPECT_FALSE(spans.covers(Timestamp(12), Timestamp(21)));
    EXPECT_EQ(spans.begin_of(Timestamp(40)), Timestamp(30));
    EXPECT_EQ(spans.begin_of(Timestamp(30)), Timestamp(30)) << "nothing ends there";
    EXPECT_EQ(spans.begin_of(Timestamp(35)), Timestamp(30));
    spans.add(Timestamp(20), Timestamp(30));
    EXPECT_THAT(spans.spans(), ElementsAre(CoveredSpans::Span{Timestamp(10), Timestamp(40)}));
    spans.add(Timestamp(0), Timestamp(100));
    EXPECT_THAT(spans.spans(), ElementsAre(CoveredSpans::Span{Timestamp(0), Timestamp(100)}));
}

TEST(HistoryProgress, ComesBackAsItWas) {
    HistoryProgress progress{.of = "a\"b", .since = Timestamp(1'800'000'000'123), .done = {}};
    EXPECT_EQ(decode_progress(encode_progress(progress)), progress);
    progress.done.add(Timestamp(-10), Timestamp(20));
    progress.done.add(Timestamp(1'700'000'000'000), Timestamp(1'700'000'000'001));
    EXPECT_EQ(decode_progress(encode_progress(progress)), progress);
    for (const char* bad :
         {"", "{}", "[]", R"({"of":"a","since":1})", R"({"of":"a","since":1e300,"done":[]})",
          R"({"of":"a","since":1,"done":[[1]]})", R"({"of":1,"since":1,"done":[]})"}) {
        EXPECT_FALSE(decode_progress(bad)) << bad;
    }
}

TEST(PeriodPlan, GoesBackFromTheNewestClosedPeriod) {
    const PeriodPlan plan{.period = config::Period::kHour, .backfill = std::chrono::hours(3)};
    HistoryProgress progress{.since = at("2026-05-13T10:30:00Z")};
    EXPECT_THAT(texts(plan.due(progress, progress.since, 10)),
                ElementsAre("2026-05-13T09", "2026-05-13T08"));
    EXPECT_THAT(texts(plan.due(progress, progress.since, 1)), ElementsAre("2026-05-13T09"));
    EXPECT_EQ(plan.next_after(progress.since), at("2026-05-13T11:01:00Z"));
    // A period that has just ended is let settle.
    EXPECT_EQ(plan.due(progress, at("2026-05-13T11:00:59Z"), 10).size(), 2U);
    EXPECT_EQ(plan.next_after(at("2026-05-13T11:00:59Z")), at("2026-05-13T11:01:00Z"));
    EXPECT_THAT(texts(plan.due(progress, at("2026-05-13T11:01:00Z"), 1)),
                ElementsAre("2026-05-13T10"));
}

TEST(PeriodPlan, LeavesOutWhatIsDoneAndFindsWhatWasMissed) {
    const PeriodPlan plan{.period = config::Period::kMonth, .backfill = Duration(0)};
    HistoryProgress progress{.since = at("2026-01-13T10:30:00Z")};
    EXPECT_THAT(plan.due(progress, progress.since, 10), IsEmpty()) << "nothing closed since";
    progress.done.add(at("2026-02-01T00:00:00Z"), at("2026-04-01T00:00:00Z"));
    progress.done.add(at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    EXPECT_THAT(texts(plan.due(progress, at("2026-08-02T00:00:00Z"), 10)),
                ElementsAre("2026-07-01T00", "2026-05-01T00", "2026-04-01T00", "2026-01-01T00"));
}

TEST(PeriodPlan, GoesBackNoFurtherThanItsLimit) {
    const PeriodPlan plan{.period = config::Period::kHour,
                          .backfill = std::chrono::hours(1'000'000)};
    const HistoryProgress progress{.since = at("2026-01-13T10:00:00Z")};
    const std::vector<Timestamp> due = plan.due(progress, progress.since, 1'000'000);
    EXPECT_GE(due.size(), PeriodPlan::kPeriodsMax - 1U);
    EXPECT_LE(due.size(), static_cast<std::size_t>(PeriodPlan::kPeriodsMax));
}

TEST(BackfillPlan, GoesBackPieceByPiece) {
    using std::chrono::minutes;
    const BackfillPlan plan{.interval = minutes(10), .backfill = minutes(60)};
    HistoryProgress progress{.since = at("2026-05-13T10:05:00Z")};
    const Timestamp top = plan.align(progress.since);
    EXPECT_EQ(top, at("2026-05-13T10:10:00Z"));
    EXPECT_EQ(plan.align(top), top);
    // The newest piece has no neighbour; the others look at the first instant of the one after.
    auto piece = plan.next(progress, top, 4);
    EXPECT_EQ(piece, (BackfillPlan::Piece{.from = at("2026-05-13T09:30:00Z"),
                                          .last = at("2026-05-13T10:00:00Z"),
                                          .until = top}));
    progress.done.add(piece->from, piece->until);
    piece = plan.next(progress, top, 4);
    EXPECT_EQ(piece, (BackfillPlan::Piece{.from = at("2026-05-13T09:10:00Z"),
                                          .last = at("2026-05-13T09:30:00Z"),
                                          .until = at("2026-05-13T09:30:00Z")}));
    progress.done.add(piece->from, piece->until);
    EXPECT_EQ(plan.next(progress, top, 4), std::nullopt);
    const BackfillPlan none{.interval = minutes(10), .backfill = Duration(0)};
    EXPECT_EQ(none.next({.since = top}, top, 4), std::nullopt);
}

}  // namespace
}  // namespace kpid::ingest
