// How an import is cut into requests.

#include "ctl/import_batches.h"

#include <gtest/gtest.h>

#include <vector>

namespace kpid::ctl {
namespace {

std::vector<ImportBatch> cut(ImportBatches& batches, const std::vector<std::string_view>& lines) {
    std::vector<ImportBatch> all;
    const auto keep = [&](std::optional<ImportBatch> batch) {
        if (batch) {
            all.push_back(*std::move(batch));
        }
    };
    for (const std::string_view line : lines) {
        keep(batches.add(line));
    }
    keep(batches.finish());
    return all;
}

TEST(ImportBatches, RepeatsTheTypeLineAndEndsEachBatch) {
    ImportBatches batches(ImportFormat::kOpenMetrics, 1000, 2);
    const auto all = cut(batches, {"# TYPE a counter", "a_total 1 1", "a_total 2 2",
                                   "# TYPE b gauge", "b 1 1", "# EOF"});
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].body, "# TYPE a counter\na_total 1 1\n# EOF\n");
    EXPECT_EQ(all[0].first_line, 1U);
    EXPECT_EQ(all[1].body, "# TYPE a counter\na_total 2 2\n# TYPE b gauge\n# EOF\n");
    EXPECT_EQ(all[1].first_line, 2U);
    EXPECT_EQ(all[2].body, "# TYPE b gauge\nb 1 1\n# EOF\n");
    EXPECT_EQ(all[2].first_line, 4U);
    EXPECT_TRUE(batches.is_whole());
}

TEST(ImportBatches, NoticesATextThatWasCut) {
    ImportBatches batches(ImportFormat::kOpenMetrics);
    EXPECT_EQ(cut(batches, {"a 1 1"}).size(), 1U);
    EXPECT_FALSE(batches.is_whole());
    ImportBatches joined(ImportFormat::kOpenMetrics);
    EXPECT_EQ(cut(joined, {"a 1 1", "# EOF", "", "b 1 1", "# EOF", ""}).size(), 2U);
    EXPECT_TRUE(joined.is_whole());
    ImportBatches again(ImportFormat::kOpenMetrics);
    const auto all = cut(again, {"a 1 1", "# EOF", "b 1 1"});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].first_line, 3U);
    EXPECT_FALSE(again.is_whole());
}

TEST(ImportBatches, CutsDumpsByBytesToo) {
    ImportBatches batches(ImportFormat::kTsdbDump, 10, 1000);
    const auto all = cut(batches, {"0123456789", "1", "2", "3456789"});
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].body, "0123456789\n");
    EXPECT_EQ(all[1].body, "1\n2\n3456789\n");
    EXPECT_EQ(all[1].first_line, 2U);
    EXPECT_EQ(all[1].lines, 3U);
    EXPECT_TRUE(batches.is_whole());
}

TEST(ImportBatches, KnowsADumpByItsFirstLine) {
    EXPECT_EQ(guess_format("{__name__=\"up\"} 1 2"), ImportFormat::kTsdbDump);
    EXPECT_EQ(guess_format("{\"A.b\"=\"c\", __name__=\"up\"} 1 2"), ImportFormat::kTsdbDump);
    EXPECT_EQ(guess_format("{\"my.metric\",a=\"b\"} 1 2"), ImportFormat::kOpenMetrics);
    EXPECT_EQ(guess_format("{\"my.metric\"} 1 2"), ImportFormat::kOpenMetrics);
    EXPECT_EQ(guess_format("# TYPE a gauge"), ImportFormat::kOpenMetrics);
    EXPECT_EQ(guess_format("a 1 1"), ImportFormat::kOpenMetrics);
    EXPECT_EQ(guess_format(""), ImportFormat::kOpenMetrics);
}

}  // namespace
}  // namespace kpid::ctl
