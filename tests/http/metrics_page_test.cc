#include "http/metrics_page.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

TEST(MetricsPage, EscapesNamesUnlessTheReaderAllowsUtf8) {
    const MetricsFormat plain = metrics_format("*/*");
    EXPECT_EQ(plain.format, wire::ExpositionFormat::kText);
    EXPECT_EQ(plain.escaping, wire::NameEscaping::kUnderscores);
    EXPECT_EQ(plain.content_type, "text/plain; version=0.0.4; charset=utf-8");
    const MetricsFormat old = metrics_format(
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
        "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    EXPECT_EQ(old.format, wire::ExpositionFormat::kOpenMetrics);
    EXPECT_EQ(old.escaping, wire::NameEscaping::kUnderscores);
    const MetricsFormat current = metrics_format(
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2");
    EXPECT_EQ(current.format, wire::ExpositionFormat::kOpenMetrics);
    EXPECT_EQ(current.escaping, wire::NameEscaping::kAllowUtf8);
    EXPECT_EQ(current.content_type,
              "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8");
}

}  // namespace
}  // namespace kpid::http
