// The examples of the language load, or wait only for what is not built yet.

#include "config/load.h"
#include "config/loading.h"
#include "support/conformance.h"
#include "support/source_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>

namespace kpid::config {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::filesystem::path examples() {
    return kpid::testing::source_dir() / "config" / "examples";
}

LoadResult load_example(const std::string& name) {
    return load_config(examples() / name / "kpid.yaml");
}

TEST(Examples, MinimalLoadsWithoutFindings) {
    const LoadResult result = load_example("minimal");
    EXPECT_THAT(testing::lines(result.findings), IsEmpty());
    ASSERT_NE(result.config, nullptr);
    ASSERT_EQ(result.config->kpis.size(), 1U);
    const KpiEntry& kpi = result.config->kpis[0];
    EXPECT_EQ(kpi.definition.id, "disk_free_ratio");
    EXPECT_NE(kpi.value, nullptr);
    ASSERT_TRUE(kpi.definition.target);
    EXPECT_EQ(kpi.definition.target->op, kpi::Operator::kAtLeast);
    EXPECT_EQ(std::get<double>(kpi.definition.target->a), 0.2);
    ASSERT_EQ(result.config->sources.size(), 1U);
    const auto& scrape = std::get<ScrapeConfig>(result.config->sources[0].kind);
    EXPECT_EQ(scrape.job_name, "node");
    EXPECT_EQ(scrape.static_configs[0].targets[0], "127.0.0.1:9100");
    const ReceiverConfig* hook = result.config->find_receiver("hook");
    ASSERT_NE(hook, nullptr);
    EXPECT_EQ(hook->webhooks[0].url, "http://127.0.0.1:5001/hook");
}

TEST(Examples, OthersWaitOnlyForWhatIsNotBuiltYet) {
    for (const char* name : {"ops", "company", "beside-prometheus"}) {
        SCOPED_TRACE(name);
        const LoadResult result = load_example(name);
        EXPECT_THAT(testing::lines(result.findings), Not(IsEmpty()));
        EXPECT_THAT(testing::lines(result.findings), Each(HasSubstr("not supported yet")));
        for (const Finding& finding : result.findings) {
            EXPECT_GT(finding.line, 0);
            EXPECT_GT(finding.column, 0);
        }
    }
}

TEST(Examples, AreTheSameAsThoseBesideTheCheckout) {
    const auto theirs = kpid::testing::source_dir() / ".." / "shared" / "examples";
    if (!std::filesystem::is_directory(theirs)) {
        std::cerr << "\n*** " << theirs << " is absent: nothing to compare with ***\n\n";
        return;
    }
    std::size_t compared = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(theirs)) {
        if (entry.is_regular_file()) {
            const auto name = std::filesystem::relative(entry.path(), theirs);
            SCOPED_TRACE(name.string());
            EXPECT_EQ(kpid::testing::read_file(examples() / name),
                      kpid::testing::read_file(entry.path()));
            ++compared;
        }
    }
    EXPECT_GT(compared, 0U);
}

}  // namespace
}  // namespace kpid::config
