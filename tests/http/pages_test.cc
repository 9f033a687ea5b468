#include "http/pages.h"

#include "http/page_frame.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

TEST(Pages, EscapeWhatHtmlWouldRead) {
    EXPECT_EQ(escape_html("<b>&\"'</b>"), "&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;");
}

TEST(Pages, FrameForbidsScripts) {
    const net::HttpResponse response = page("KPIs", "<p>x</p>", 5);
    EXPECT_EQ(response.status, 200U);
    EXPECT_NE(response.headers.get_or("Content-Security-Policy", "").find("default-src 'none'"),
              std::string_view::npos);
    EXPECT_NE(response.body.find("<p>x</p>"), std::string::npos);
}

TEST(Pages, MergeTheRowOfTheOnlyInstance) {
    const config::KpiEntry entry{
        .definition = {.id = "tickets",
                       .title = "Open tickets",
                       .target = kpi::Condition{.op = kpi::Operator::kAtMost, .a = 20.0}}};
    evaluate::KpiView view;
    view.config = std::make_shared<const config::Config>();
    view.entry = &entry;
    const auto rows = [&view] {
        const std::string html = kpi_rows({view});
        std::size_t count = 0;
        for (std::size_t at = html.find("<tr>"); at != std::string::npos;
             at = html.find("<tr>", at + 1)) {
            ++count;
        }
        return std::pair(count, html);
    };
    EXPECT_EQ(rows().first, 1U);
    EXPECT_NE(rows().second.find("at most 20"), std::string::npos) << "no value yet";
    view.report.instances.push_back({.labels = {{"shop", "de"}}, .value = 7});
    view.report.instances[0].target = kpi::ResolvedCondition{kpi::Operator::kAtMost, 20};
    EXPECT_EQ(rows().first, 1U);
    EXPECT_NE(rows().second.find("{shop=&quot;de&quot;}"), std::string::npos);
    EXPECT_NE(rows().second.find("<td class=\"number\">7</td><td>at most 20</td>"),
              std::string::npos)
        << rows().second;
    view.report.instances.push_back({.labels = {{"shop", "at"}}, .value = 8});
    EXPECT_EQ(rows().first, 3U);
}

}  // namespace
}  // namespace kpid::http
