// The admin API: permission, parameters, JSON.

#include "http/admin_api.h"

#include "http/error_status.h"
#include "support/manual_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace kpid::http {
namespace {

class FakeAdmin final : public model::StorageAdmin {
public:
    struct Deletion {
        std::vector<std::string> matchers;
        model::TimeRange range;
    };
    [[nodiscard]] Result<std::size_t> delete_series(std::span<const model::Matcher> matchers,
                                                    model::TimeRange range) override {
        if (failure) {
            return *failure;
        }
        Deletion& deletion = deletions.emplace_back(Deletion{{}, range});
        for (const model::Matcher& matcher : matchers) {
            deletion.matchers.push_back(matcher.to_string());
        }
        return 1;
    }
    [[nodiscard]] Result<void> clean_tombstones() override {
        ++cleaned;
        return {};
    }
    [[nodiscard]] Result<std::string> snapshot(Timestamp now) override {
        return "at-" + std::to_string(now.ms());
    }
    [[nodiscard]] model::StorageCardinality cardinality(std::size_t top) const override {
        asked_top = top;
        return counts;
    }

    std::optional<Error> failure;
    std::vector<Deletion> deletions;
    int cleaned = 0;
    mutable std::size_t asked_top = 0;
    model::StorageCardinality counts;
};

class AdminApiTest : public ::testing::Test {
protected:
    static net::HttpParams params(std::string_view query) { return *net::parse_form(query); }
    static net::HttpResponse answer(const Result<net::HttpResponse>& response) {
        return response ? *response : error_response(response.error());
    }

    testing::ManualClock clock_;
    FakeAdmin admin_;
    AdminApi api_{admin_, true, clock_};
};

TEST_F(AdminApiTest, IsForbiddenUnlessEnabled) {
    const AdminApi disabled(admin_, false, clock_);
    for (const Result<net::HttpResponse>& refused :
         {disabled.delete_series(params("match[]=up")), disabled.clean_tombstones(),
          disabled.snapshot({})}) {
        const net::HttpResponse response = answer(refused);
        EXPECT_EQ(response.status, 403U);
        EXPECT_EQ(response.body,
                  R"({"status":"error","errorType":"unavailable","error":"admin APIs disabled"})");
    }
    EXPECT_EQ(answer(disabled.cardinality({})).status, 200U);
    EXPECT_TRUE(admin_.deletions.empty());
    EXPECT_EQ(admin_.cleaned, 0);
}

TEST_F(AdminApiTest, DeletesEachSelectorInTheRange) {
    EXPECT_EQ(answer(api_.delete_series(params("match[]=up&match[]={a=~\"b.*\"}&start=1&end=2.5")))
                  .status,
              204U);
    ASSERT_EQ(admin_.deletions.size(), 2U);
    EXPECT_EQ(admin_.deletions[0].matchers, std::vector<std::string>{"__name__=\"up\""});
    EXPECT_EQ(admin_.deletions[1].matchers, std::vector<std::string>{"a=~\"b.*\""});
    EXPECT_EQ(admin_.deletions[1].range.start, Timestamp(1000));
    EXPECT_EQ(admin_.deletions[1].range.end, Timestamp(2500));
    EXPECT_EQ(answer(api_.delete_series(params("match[]=up"))).status, 204U);
    EXPECT_EQ(admin_.deletions[2].range.start, Timestamp::min());
    EXPECT_EQ(admin_.deletions[2].range.end, Timestamp::max());
}

TEST_F(AdminApiTest, DeletesNothingWhenAnyParameterIsBad) {
    struct Case {
        std::string_view query;
        std::string_view want;
    };
    const std::vector<Case> cases = {
        {"", "no match[] parameter provided"},
        {"match[]=up&match[]={", "invalid parameter \"match[]\": "},
        {"match[]={a=\"\"}", "match[] must contain at least one non-empty matcher"},
        {"match[]=up&start=x", "invalid parameter \"start\": Invalid time value for 'start': "},
        {"match[]=up&end=x", "invalid parameter \"end\": Invalid time value for 'end': "},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.query);
        const auto response = api_.delete_series(params(c.query));
        ASSERT_FALSE(response.has_value());
        EXPECT_EQ(error_status(response.error().code).status, 400U);
        EXPECT_THAT(response.error().message, ::testing::HasSubstr(std::string(c.want)));
    }
    EXPECT_EQ(answer(api_.delete_series(params("match[]=up&start=2&end=1"))).status, 204U);
    EXPECT_TRUE(admin_.deletions.empty());
    admin_.failure = unavailable("the disk is full");
    EXPECT_EQ(answer(api_.delete_series(params("match[]=up"))).status, 503U);
}

TEST_F(AdminApiTest, CleansAndTakesSnapshots) {
    EXPECT_EQ(answer(api_.clean_tombstones()).status, 204U);
    EXPECT_EQ(admin_.cleaned, 1);
    const std::string name = "at-" + std::to_string(clock_.wall_now().ms());
    for (const std::string_view query : {"", "skip_head=true", "skip_head=0"}) {
        EXPECT_EQ(answer(api_.snapshot(params(query))).body,
                  R"({"status":"success","data":{"name":")" + name + R"("}})");
    }
    EXPECT_EQ(api_.snapshot(params("skip_head=maybe")).error().message,
              "invalid parameter \"skip_head\": unable to parse boolean: strconv.ParseBool: "
              "parsing \"maybe\": invalid syntax");
}

TEST_F(AdminApiTest, ShowsWhereTheSeriesAre) {
    admin_.counts = {.series = 3,
                     .label_names = 2,
                     .label_pairs = 4,
                     .chunks = 5,
                     .oldest = Timestamp(1000),
                     .newest = Timestamp(2000),
                     .series_by_metric_name = {{"up", 2}, {"a", 1}},
                     .values_by_label_name = {{"job", 2}},
                     .value_bytes_by_label_name = {{"job", 20}},
                     .series_by_label_pair = {{"job=a", 2}}};
    EXPECT_EQ(
        answer(api_.cardinality({})).body,
        R"({"status":"success","data":{"headStats":{"numSeries":3,"numLabelPairs":4,"chunkCount":5,)"
        R"("minTime":1000,"maxTime":2000},"seriesCountByMetricName":[{"name":"up","value":2},)"
        R"({"name":"a","value":1}],"labelValueCountByLabelName":[{"name":"job","value":2}],)"
        R"("memoryInBytesByLabelName":[{"name":"job","value":20}],)"
        R"("seriesCountByLabelValuePair":[{"name":"job=a","value":2}]}})");
    EXPECT_EQ(admin_.asked_top, 10U);
    EXPECT_EQ(answer(api_.cardinality(params("limit=3"))).status, 200U);
    EXPECT_EQ(admin_.asked_top, 3U);
    for (const std::string_view bad : {"limit=0", "limit=-1", "limit=x"}) {
        EXPECT_EQ(api_.cardinality(params(bad)).error().message, "limit must be a positive number");
    }
    EXPECT_EQ(api_.cardinality(params("limit=10001")).error().message,
              "limit must not exceed 10000");
}

}  // namespace
}  // namespace kpid::http
