// What an attempt's outcome means and how long the next one waits.

#include "notify/retry_policy.h"

#include "support/fake_transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <string>

namespace kpid::notify {
namespace {

using namespace std::chrono_literals;
using kpid::testing::http_answer;

constexpr Timestamp kNow{1'800'000'000'000};  // Fri, 15 Jan 2027 08:00:00 GMT

TEST(RetryPolicy, ReadsRetryAfter) {
    struct Case {
        const char* text;
        std::optional<Duration> want;
    };
    const Case kCases[] = {
        {"0", 0s},
        {"120", 120s},
        {"3600", 1h},
        {"3601", kRetryAfterMax},
        {"99999999999999999999999", kRetryAfterMax},
        {"Fri, 15 Jan 2027 08:02:00 GMT", 2min},
        {"Fri, 15 Jan 2027 07:00:00 GMT", 0s},
        {"Sat, 16 Jan 2027 08:00:00 GMT", kRetryAfterMax},
        {"", std::nullopt},
        {"-1", std::nullopt},
        {"+1", std::nullopt},
        {"1.5", std::nullopt},
        {"soon", std::nullopt},
        {"12 s", std::nullopt},
        {"Fri, 15 Jan 2027 08:02:00 GMT and more", std::nullopt},
        {"Mon, 15 Jan 2027 08:02:00 GMT", std::nullopt},
        {"Fri, 32 Jan 2027 08:02:00 GMT", std::nullopt},
    };
    for (const Case& test : kCases) {
        SCOPED_TRACE(test.text);
        EXPECT_EQ(parse_retry_after(test.text, kNow), test.want);
    }
}

TEST(RetryPolicy, JudgesEveryAnswer) {
    struct Case {
        unsigned status;
        Verdict want;
    };
    const Case kCases[] = {
        {200, Verdict::kDelivered}, {202, Verdict::kDelivered}, {204, Verdict::kDelivered},
        {301, Verdict::kRetry},     {302, Verdict::kRetry},     {400, Verdict::kRetry},
        {401, Verdict::kRetry},     {404, Verdict::kRetry},     {410, Verdict::kGiveUp},
        {429, Verdict::kRetry},     {500, Verdict::kRetry},     {503, Verdict::kRetry},
        {599, Verdict::kRetry},     {100, Verdict::kRetry},     {999, Verdict::kRetry},
    };
    for (const Case& test : kCases) {
        SCOPED_TRACE(test.status);
        const Outcome outcome = judge(http_answer(test.status), kNow);
        EXPECT_EQ(outcome.verdict, test.want);
        EXPECT_EQ(outcome.code, test.status);
        EXPECT_EQ(outcome.error.empty(), test.want == Verdict::kDelivered);
    }
}

TEST(RetryPolicy, RetriesWhatNeverAnswered) {
    const Outcome outcome = judge(unavailable("connection refused"), kNow);
    EXPECT_EQ(outcome.verdict, Verdict::kRetry);
    EXPECT_EQ(outcome.code, 0U);
    EXPECT_EQ(outcome.error, "connection refused");
}

TEST(RetryPolicy, TakesRetryAfterFromAnyFailure) {
    for (const unsigned status : {429U, 500U, 503U}) {
        const Outcome outcome = judge(http_answer(status, "", {{"retry-after", "30"}}), kNow);
        EXPECT_EQ(outcome.retry_after, std::optional<Duration>(30s));
    }
    EXPECT_EQ(judge(http_answer(429, "", {{"Retry-After", "later"}}), kNow).retry_after,
              std::nullopt);
}

TEST(RetryPolicy, ShowsABoundedPieceOfTheAnswer) {
    const Outcome outcome =
        judge(http_answer(500, "first\nsecond" + std::string(9'000, 'x')), kNow);
    EXPECT_LT(outcome.error.size(), 300U);
    EXPECT_NE(outcome.error.find("first second"), std::string::npos);
}

TEST(RetryPolicy, WaitsTwiceAsLongEachTimeUpToABound) {
    std::mt19937_64 random(1);
    for (std::uint64_t attempt = 1; attempt < 80; ++attempt) {
        const Duration bound =
            attempt > 20
                ? kBackoffMax
                : std::min<Duration>(kBackoffMin * (std::int64_t{1} << (attempt - 1)), kBackoffMax);
        for (int round = 0; round < 50; ++round) {
            const Duration wait = next_wait(attempt, {}, random);
            EXPECT_GE(wait, bound / 2) << attempt;
            EXPECT_LE(wait, bound) << attempt;
        }
    }
}

TEST(RetryPolicy, SpreadsTheWaits) {
    std::mt19937_64 random(1);
    std::set<Duration> waits;
    for (int round = 0; round < 50; ++round) {
        waits.insert(next_wait(10, {}, random));
    }
    EXPECT_GT(waits.size(), 40U);
}

TEST(RetryPolicy, WaitsAtLeastAsLongAsItWasAskedTo) {
    std::mt19937_64 random(1);
    EXPECT_EQ(next_wait(1, {.retry_after = 90s}, random), 90s);
    EXPECT_GE(next_wait(20, {.retry_after = 1s}, random), kBackoffMax / 2);
}

}  // namespace
}  // namespace kpid::notify
