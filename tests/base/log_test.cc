#include "kpid/base/log.h"

#include "support/manual_clock.h"

#include <gtest/gtest.h>

namespace kpid {
namespace {

class CollectingSink final : public LogSink {
public:
    void write(std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

class Log : public ::testing::Test {
protected:
    std::shared_ptr<CollectingSink> sink_ = std::make_shared<CollectingSink>();
    testing::ManualClock clock_{Timestamp(0)};
};

TEST_F(Log, WritesLogfmtWithQuotesWhereNeeded) {
    const Logger log = Logger(sink_, clock_, LogLevel::kInfo, LogFormat::kLogfmt).named("net");
    log.debug("not shown");
    log.warn("two words", {{"a", "x"}, {"b", "y z"}, {"c", ""}});
    ASSERT_EQ(sink_->lines.size(), 1U);
    EXPECT_EQ(
        sink_->lines[0],
        R"(time=1970-01-01T00:00:00.000Z level=warn room=net msg="two words" a=x b="y z" c="")");
}

TEST_F(Log, WritesJson) {
    Logger(sink_, clock_, LogLevel::kInfo, LogFormat::kJson).info("hi", {{"k", "v"}});
    EXPECT_EQ(sink_->lines.at(0),
              R"({"time":"1970-01-01T00:00:00.000Z","level":"info","msg":"hi","k":"v"})");
}

TEST_F(Log, RepeatsAreSuppressedAndCounted) {
    const Logger log(sink_, clock_, LogLevel::kInfo, LogFormat::kLogfmt);
    for (int i = 0; i < 25; ++i) {
        log.info("again");
    }
    EXPECT_EQ(sink_->lines.size(), 10U);
    clock_.advance(std::chrono::seconds(11));
    log.info("again");
    ASSERT_EQ(sink_->lines.size(), 11U);
    EXPECT_NE(sink_->lines.back().find("suppressed=15"), std::string::npos);
}

}  // namespace
}  // namespace kpid
