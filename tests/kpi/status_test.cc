// Names and order of statuses.
#include "kpid/kpi/status.h"

#include <gtest/gtest.h>

#include <set>

namespace kpid::kpi {
namespace {

TEST(Status, PrintsAndParses) {
    for (const Status status : kStatuses) {
        EXPECT_EQ(parse_status(to_string(status)), status);
    }
    EXPECT_FALSE(parse_status("fine"));
}

TEST(Status, HasAStrictOrderOfBadness) {
    std::set<int> ranks;
    for (const Status status : kStatuses) {
        ranks.insert(badness(status));
    }
    EXPECT_EQ(ranks.size(), kStatuses.size());
    EXPECT_EQ(worse(Status::kOnTarget, Status::kStale), Status::kStale);
    EXPECT_EQ(worse(Status::kCritical, Status::kNoData), Status::kCritical);
    EXPECT_EQ(worse(Status::kOnTarget, Status::kUntargeted), Status::kUntargeted);
}

}  // namespace
}  // namespace kpid::kpi
