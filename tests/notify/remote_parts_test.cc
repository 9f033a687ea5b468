// The parts of a remote's queue that need no time: progress, answers, shards.

#include "notify/remote_policy.h"
#include "notify/remote_progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace kpid::notify {
namespace {

TEST(RemoteProgress, MovesOnWhenAllBeforeIsSettled) {
    RemoteProgress progress(100);
    EXPECT_EQ(progress.settled(), 100U);
    const std::uint64_t first = progress.add(110, 2);
    const std::uint64_t second = progress.add(120, 1);
    progress.add(130, 0);
    EXPECT_EQ(progress.outstanding(), 3U);
    progress.settle(second);
    progress.settle(first);
    EXPECT_EQ(progress.settled(), 100U);
    progress.settle(first);
    EXPECT_EQ(progress.settled(), 130U);
    EXPECT_EQ(progress.outstanding(), 0U);
    progress.add(140, 0);
    EXPECT_EQ(progress.settled(), 140U);
    EXPECT_EQ(progress.next_piece(), 2U);
    EXPECT_EQ(progress.add(150, 1), 2U);
}

TEST(RemotePolicy, JudgesAnswers) {
    struct Case {
        Result<net::HttpClientResponse> answer;
        bool retry_on_http_429;
        WriteVerdict want;
    };
    const auto status = [](unsigned code) { return net::HttpClientResponse{.status = code}; };
    const Case cases[] = {
        {status(200), false, WriteVerdict::kDelivered},
        {status(204), false, WriteVerdict::kDelivered},
        {status(302), false, WriteVerdict::kGiveUp},
        {status(400), false, WriteVerdict::kGiveUp},
        {status(401), false, WriteVerdict::kGiveUp},
        {status(429), false, WriteVerdict::kGiveUp},
        {status(429), true, WriteVerdict::kRetry},
        {status(500), false, WriteVerdict::kRetry},
        {status(503), false, WriteVerdict::kRetry},
        {unavailable("connection refused"), false, WriteVerdict::kRetry},
        {invalid_argument("the secret cannot be read"), false, WriteVerdict::kRetry},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.answer ? std::to_string(c.answer->status) : c.answer.error().message);
        EXPECT_EQ(judge_write(c.answer, c.retry_on_http_429, Timestamp(0)).verdict, c.want);
    }
    const net::HttpClientResponse busy{
        .status = 503, .headers = {{"Retry-After", "7"}}, .body = "too busy\r\nmore"};
    const WriteOutcome outcome = judge_write(busy, false, Timestamp(0));
    EXPECT_EQ(outcome.retry_after, std::chrono::seconds(7));
    EXPECT_EQ(outcome.error, "the remote answered 503 Service Unavailable: too busy");
}

TEST(RemotePolicy, WaitsLongerAfterEachAttempt) {
    const config::RemoteWriteQueueConfig queue{.min_backoff = Duration(30),
                                               .max_backoff = Duration(5000)};
    std::mt19937_64 random(7);
    std::int64_t ceiling = 30;
    for (std::uint64_t attempts = 1; attempts < 200; ++attempts) {
        const std::int64_t wait = write_wait(attempts, queue, {}, random).count();
        EXPECT_GE(wait, ceiling / 2) << attempts;
        EXPECT_LE(wait, ceiling) << attempts;
        ceiling = std::min<std::int64_t>(ceiling * 2, 5000);
    }
    EXPECT_EQ(write_wait(1, queue, {.retry_after = Duration(60'000)}, random).count(), 60'000);
}

TEST(RemotePolicy, FitsTheShardsToTheBacklog) {
    struct Case {
        std::string name;
        std::size_t shards;
        ShardLoad load;
        std::size_t want;
    };
    const config::RemoteWriteQueueConfig queue{.min_shards = 2, .max_shards = 10};
    const Case cases[] = {
        {"held up", 4, {.held_up = 0.9, .busy = 1}, 8},
        {"held up, at most", 8, {.held_up = 0.9, .busy = 1}, 10},
        {"held up by a remote that is down", 4, {.held_up = 1, .busy = 0, .failed = true}, 4},
        {"at ease", 4, {.held_up = 0.1, .busy = 0.5}, 4},
        {"idle", 8, {.held_up = 0, .busy = 0.1}, 4},
        {"idle, at least", 3, {.held_up = 0, .busy = 0}, 2},
        {"idle, the least", 2, {.held_up = 0, .busy = 0}, 2},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(wanted_shards(c.shards, queue, c.load), c.want);
    }
}

}  // namespace
}  // namespace kpid::notify
