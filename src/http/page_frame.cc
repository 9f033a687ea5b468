// The frame of the pages.
#include "http/page_frame.h"

#include <fmt/format.h>

namespace kpid::http {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --line: #8884; --dim: #888; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1.5rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; } nav a { margin-right: 1rem; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--dim); }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.dim { color: var(--dim); font-size: .9em; } pre { overflow: auto; max-height: 24rem; }
.status { padding: .1rem .5rem; border-radius: .6rem; color: #fff; background: #667;
  white-space: nowrap; }
.on_target { background: #28734a; } .off_target { background: #7a6a1d; }
.warning { background: #a8620a; } .critical, .firing { background: #b3261e; }
.resolved { background: #28734a; }
)css";

}  // namespace

net::HttpResponse page(std::string_view title, std::string_view body,
                       std::optional<int> refresh_seconds) {
    const std::string refresh =
        refresh_seconds
            ? fmt::format("<meta http-equiv=\"refresh\" content=\"{}\">", *refresh_seconds)
            : "";
    std::string html = fmt::format(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width\">"
        "{}<title>{} – "
        "kpid</title><style>{}</style></head>"
        "<body><nav><a href=\"/\">KPIs</a><a href=\"/inbox\">Inbox</a>"
        "<a href=\"/metrics\">Metrics</a><a href=\"/api/v1/alerts\">Alerts</a>"
        "<a href=\"/api/v1/targets\">Targets</a>"
        "<a href=\"/api/v1/sources\">Sources</a></nav>\n<main>{}</main></body></html>\n",
        refresh, title, kStyle, body);
    net::HttpResponse response =
        net::make_response(200, "text/html; charset=utf-8", std::move(html));
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; style-src 'unsafe-inline'");
    response.headers.set("X-Content-Type-Options", "nosniff");
    response.headers.set(net::header::kCacheControl, "no-store");
    return response;
}

}  // namespace kpid::http
