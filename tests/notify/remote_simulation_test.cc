// Seeded walks over appends, outages, crashes, reloads: nothing is lost, nothing out of order.

#include "notify/remote_fixture.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace kpid::notify::testing {
namespace {

class RemoteSimulation : public RemoteWriteTest {
protected:
    /// A remote that is given some samples twice keeps the first.
    static FakeRemote::Points once(const FakeRemote::Points& points) {
        FakeRemote::Points kept;
        for (const auto& point : points) {
            if (std::find(kept.begin(), kept.end(), point) == kept.end()) {
                kept.push_back(point);
            }
        }
        return kept;
    }

    void step(std::mt19937_64& random) {
        switch (random() % 16) {
            case 0:
                remote_.set_down(true);
                break;
            case 1:
            case 2:
                remote_.set_down(false);
                break;
            case 3:
                remote_.answer_next(net::HttpClientResponse{.status = 500});
                break;
            case 4:
                remote_.lose_answers(random() % 3);
                break;
            case 5:
                remote_.set_latency(Duration(random() % 400));
                break;
            case 6: {
                const bool down = random() % 2 == 0;
                crash();
                remote_.set_down(down);
                start();
                log_.maintain(1'000'000);
                break;
            }
            case 7:
                remote_config().queue.max_samples_per_send = 1 + random() % 7;
                remote_config().queue.max_shards = 1 + random() % 5;
                reload();
                break;
            case 8:
                log_.maintain(1'000'000);
                break;
            case 9:
                stop();
                start();
                break;
            default:
                break;
        }
        store_many(static_cast<int>(random() % 4), {"a", "b", "c", "d", "e"});
        sim_.advance(Duration(random() % 3000));
    }

    void walk(std::uint64_t seed, bool strict) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        remote_.set_strict(strict);
        remote_config().queue.capacity = 20;
        remote_config().queue.max_samples_per_send = 5;
        remote_config().queue.batch_send_deadline = 300ms;
        start();
        for (int i = 0; i < 150; ++i) {
            step(random);
            ASSERT_LE(metric("samples_pending"), 20 * 8 + 20);
        }
        remote_.set_down(false);
        remote_.lose_answers(0);
        sim_.advance(10min);
        EXPECT_EQ(metric("samples_pending"), 0);
        EXPECT_EQ(metric("lost_records_total"), 0);
        for (const auto& [series, points] : expected_) {
            const FakeRemote::Points& got = remote_.series().at(series);
            const FakeRemote::Points kept = once(got);
            if (strict) {
                EXPECT_EQ(got.size(), kept.size());
            }
            const auto [want, have] =
                std::mismatch(points.begin(), points.end(), kept.begin(), kept.end());
            EXPECT_TRUE(want == points.end() && have == kept.end())
                << series << " differs at " << want - points.begin() << " of " << points.size()
                << ", there are " << kept.size();
        }
    }
};

TEST_F(RemoteSimulation, LosesNothing) {
    walk(20261122, false);
}

TEST_F(RemoteSimulation, LosesNothingWithARemoteThatRefusesRequestsWhole) {
    walk(4711, true);
}

TEST_F(RemoteSimulation, LosesNothingOnAnotherWalk) {
    walk(99, true);
}

}  // namespace
}  // namespace kpid::notify::testing
