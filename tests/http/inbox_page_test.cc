#include "http/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kpid::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

notify::Message message(std::string body, std::size_t alerts) {
    notify::Message made{.id = "id-1", .receiver = "inbox", .body = std::move(body)};
    made.alerts.resize(alerts);
    return made;
}

TEST(InboxPage, SaysWhatHappenedInTheRow) {
    const std::string html =
        inbox_page(
            {message(
                R"({"alerts":[{"status":"firing","labels":{"alertname":"errors <1>","severity":"critical"},)"
                R"("annotations":{"summary":"5 % & more"}},)"
                R"({"status":"resolved","labels":{"alertname":"tickets"},"annotations":{}}]})",
                2)})
            .body;
    EXPECT_THAT(html, HasSubstr("<span class=\"status firing\">firing</span> "
                                "<b>errors &lt;1&gt;</b> "
                                "<span class=\"status critical\">critical</span> "
                                "5 % &amp; more</div>"));
    EXPECT_THAT(html, HasSubstr("<span class=\"status resolved\">resolved</span> "
                                "<b>tickets</b></div>"));
    EXPECT_THAT(html, HasSubstr("{\n  &quot;alerts&quot;: [\n"));
    EXPECT_THAT(html, Not(HasSubstr("http-equiv=\"refresh\"")));
}

TEST(InboxPage, CountsTheAlertsThatItDoesNotShow) {
    std::string alerts;
    for (int i = 0; i < 12; ++i) {
        alerts += std::string(i == 0 ? "" : ",") + R"({"status":"firing","labels":{}})";
    }
    EXPECT_THAT(inbox_page({message("{\"alerts\":[" + alerts + "]}", 12)}).body,
                HasSubstr("and 2 more"));
    EXPECT_THAT(inbox_page({message("not JSON", 1)}).body, HasSubstr("and 1 more"));
    EXPECT_THAT(inbox_page(std::vector<notify::Message>()).body, HasSubstr("Nothing so far."));
}

}  // namespace
}  // namespace kpid::http
