#pragma once
// kpictl's commands. Each prints to standard output and gives back the exit code: 0 fine, 1 a
// finding of severity error or a refused request, 2 usage or input and output.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace kpid::ctl {

/// The last two of kpictl query only.
enum class OutputFormat { kText, kJson, kCsv, kPlot };

struct CommonOptions {
    std::string server = "http://127.0.0.1:9731";
    OutputFormat output = OutputFormat::kText;
};

struct CheckOptions {
    std::vector<std::string> files;
    bool strict = false;
    std::vector<std::string> features;
};
/// Checks configuration, KPI and rule files without a server.
[[nodiscard]] int run_check(const CheckOptions& options, const CommonOptions& common);

/// RFC 3339 or Unix seconds each; empty is now.
struct PastOptions {
    std::string time;      ///< What was then.
    std::string known_at;  ///< As it was known then.
};
struct KpiListOptions {
    std::string status;
    bool by_gap = false;
    PastOptions past;
};
[[nodiscard]] int run_kpi_list(const KpiListOptions& options, const CommonOptions& common);
[[nodiscard]] int run_kpi_show(const std::string& id, const PastOptions& past,
                               const CommonOptions& common);

/// Times are RFC 3339, Unix seconds or relative: "-6h", "now", "now-1d".
struct QueryOptions {
    std::string expression;
    std::string time;
    std::string start;
    std::string end;
    std::string step;
    std::string known_at;                ///< As it was known then.
    std::optional<OutputFormat> output;  ///< Absent: the common one.
    std::size_t width = 0;               ///< Of a plot; 0: the terminal's.
    std::size_t height = 0;              ///< Likewise.
};
/// An instant query, or a range query when `start` is given. Warnings and infos go to standard
/// error.
[[nodiscard]] int run_query(const QueryOptions& options, const CommonOptions& common);

enum class PromqlCommand { kFormat, kParse };
/// Formats an expression, or prints its tree as /api/v1/parse_query answers it, without a server.
/// "-" is standard input. What is wrong goes to standard error with its place.
[[nodiscard]] int run_promql(PromqlCommand command, const std::string& expression);

struct ExportOptions {
    std::vector<std::string> matches;  ///< Selectors; empty is everything.
    std::string start;
    std::string end;
    std::string file = "-";  ///< "-" is standard output; packed when it ends with ".gz".
};
/// Writes stored series as OpenMetrics with times. How many samples goes to standard error.
[[nodiscard]] int run_export(const ExportOptions& options, const CommonOptions& common);

struct ImportOptions {
    std::vector<std::string> files;  ///< "-" is standard input; packed ones are unpacked.
    std::string format = "auto";     ///< "auto", "openmetrics" or "tsdb-dump".
    bool with_recorded = false;      ///< Take kpid's own names too.
};
/// Sends samples with times of their own, batch by batch. Refused ones are told on standard error
/// as `file:line: why`.
[[nodiscard]] int run_import(const ImportOptions& options, const CommonOptions& common);

struct NotificationsOptions {
    std::string receiver;
    std::string state;
    std::string limit;
};
[[nodiscard]] int run_notifications_list(const NotificationsOptions& options,
                                         const CommonOptions& common);

}  // namespace kpid::ctl
