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

}  // namespace
}  // namespace kpid::http
