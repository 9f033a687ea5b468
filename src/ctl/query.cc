// kpictl query.
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/json_text.h"
#include "ctl/plot.h"
#include "ctl/query_answer.h"
#include "ctl/query_params.h"
#include "ctl/report.h"
#include "ctl/terminal.h"
#include "kpid/base/clock.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <cstdio>
#include <limits>

namespace kpid::ctl {
namespace {

// Lines below a plot that stay for its legend and the prompt.
constexpr std::size_t kLinesBelow = 5;
constexpr std::size_t kPlotLinesMin = 8;

std::vector<PlotSeries> plot_series(const QueryAnswer& answer) {
    std::vector<PlotSeries> all;
    all.reserve(answer.series.size());
    for (const QueryAnswer::Series& series : answer.series) {
        PlotSeries& one = all.emplace_back(PlotSeries{series.text(), {}, {}});
        for (const QueryAnswer::Point& point : series.points) {
            const Result<double> value = parse_float(point.value);
            one.xs.push_back(point.seconds);
            one.ys.push_back(value ? *value : std::numeric_limits<double>::quiet_NaN());
        }
    }
    return all;
}

std::string plot_of(const QueryAnswer& answer, const QueryOptions& options) {
    const TerminalSize size = terminal_size();
    const std::size_t height = size.lines - std::min(size.lines - 1, kLinesBelow);
    const PlotOptions plot{
        .width = options.width > 0 ? options.width : size.columns,
        .height = options.height > 0 ? options.height : std::max(height, kPlotLinesMin),
        .has_color = terminal_has_color()};
    const std::vector<PlotSeries> series = plot_series(answer);
    return answer.type == "matrix" ? plot_lines(series, plot) : plot_bars(series, plot);
}

void print_notes(const wire::JsonValue& root) {
    for (const auto& [member, word] : {std::pair("warnings", "warning"), {"infos", "info"}}) {
        if (const auto list = root.member(member)) {
            list->for_each([&word = word](std::string_view, const wire::JsonValue& text) {
                fmt::print(stderr, "{}: {}\n", word, text.string());
            });
        }
    }
}

}  // namespace

int run_query(const QueryOptions& options, const CommonOptions& common) {
    const bool is_range = !options.start.empty();
    const Result<net::HttpParams> params = query_params(options, SystemClock().wall_now());
    if (!params) {
        fmt::print(stderr, "kpictl: {}\n", params.error().message);
        return kExitUsage;
    }
    const Result<ApiAnswer> answer =
        ApiClient(common.server).get(is_range ? "/api/v1/query_range" : "/api/v1/query", *params);
    if (!answer) {
        return report_error(answer.error());
    }
    print_notes(answer->document.root());
    switch (options.output.value_or(common.output)) {
        case OutputFormat::kJson:
            fmt::print("{}\n", json_text(answer->data()));
            break;
        case OutputFormat::kText:
            fmt::print("{}", query_table(read_query_answer(answer->data())));
            break;
        case OutputFormat::kCsv:
            fmt::print("{}", query_csv(read_query_answer(answer->data())));
            break;
        case OutputFormat::kPlot:
            fmt::print("{}", plot_of(read_query_answer(answer->data()), options));
            break;
    }
    return kExitFine;
}

}  // namespace kpid::ctl
