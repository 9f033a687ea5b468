// kpictl's main: the command line.
#include "ctl/commands.h"
#include "ctl/report.h"
#include "kpid/version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <string>

namespace {

using kpid::ctl::CheckOptions;
using kpid::ctl::CommonOptions;
using kpid::ctl::ExportOptions;
using kpid::ctl::ImportOptions;
using kpid::ctl::KpiListOptions;
using kpid::ctl::NotificationsOptions;
using kpid::ctl::OutputFormat;
using kpid::ctl::PastOptions;
using kpid::ctl::QueryOptions;

const std::map<std::string, OutputFormat> kQueryOutputs{{"text", OutputFormat::kText},
                                                        {"json", OutputFormat::kJson},
                                                        {"csv", OutputFormat::kCsv},
                                                        {"plot", OutputFormat::kPlot}};

// The options of all commands and what the chosen one runs.
struct CommandLine {
    CommonOptions common;
    CheckOptions check;
    QueryOptions query;
    ExportOptions exported;
    ImportOptions imported;
    NotificationsOptions notifications;
    KpiListOptions kpi_list;
    PastOptions kpi_past;
    std::string kpi_id;
    std::string expression;
    std::function<int()> run;
};

void add_check(CLI::App& app, CommandLine& line) {
    CLI::App* check = app.add_subcommand("check", "Check configuration, KPI and rule files.");
    check->add_option("FILE", line.check.files, "Files to check.")->required();
    check->add_flag("--strict", line.check.strict, "Warnings count as errors.");
    check->add_option("--enable-feature", line.check.features, "As kpid's flag.")->delimiter(',');
    check->callback(
        [&line] { line.run = [&line] { return kpid::ctl::run_check(line.check, line.common); }; });
}

void add_past(CLI::App& command, PastOptions& past) {
    command.add_option("--time", past.time, "As it was then: RFC 3339 or Unix seconds.");
    command.add_option("--known-at", past.known_at, "From what was known then; likewise.");
}

void add_kpi(CLI::App& app, CommandLine& line) {
    CLI::App* kpi = app.add_subcommand("kpi", "What a running kpid says of its KPIs.");
    kpi->require_subcommand(1);
    CLI::App* list = kpi->add_subcommand("list", "All KPIs with status, value and target.");
    list->add_option("--status", line.kpi_list.status, "Only those with this status.");
    list->add_flag("--by-gap", line.kpi_list.by_gap, "The furthest from their targets first.");
    add_past(*list, line.kpi_list.past);
    list->callback([&line] {
        line.run = [&line] { return kpid::ctl::run_kpi_list(line.kpi_list, line.common); };
    });
    CLI::App* show = kpi->add_subcommand("show", "One KPI with its instances.");
    show->add_option("ID", line.kpi_id, "The KPI's id.")->required();
    add_past(*show, line.kpi_past);
    show->callback([&line] {
        line.run = [&line] {
            return kpid::ctl::run_kpi_show(line.kpi_id, line.kpi_past, line.common);
        };
    });
}

void add_query(CLI::App& app, CommandLine& line) {
    CLI::App* query = app.add_subcommand(
        "query",
        "A PromQL query, instant or over a range. Times are RFC 3339, Unix seconds or relative: "
        "-6h, now, now-1d12h.");
    query->add_option("EXPR", line.query.expression, "The expression.")->required();
    query->add_option("--time", line.query.time, "Of an instant query; default now.");
    query->add_option("--known-at", line.query.known_at, "From what was known then.");
    CLI::Option* start = query->add_option("--start", line.query.start, "Begin of a range.");
    query->add_option("--end", line.query.end, "End of the range; default now.")->needs(start);
    query
        ->add_option("--step", line.query.step,
                     "Step of the range: 15s; default a 250th of it, a second at least.")
        ->needs(start);
    query
        ->add_option_function<std::string>(
            "--output",
            [&line](const std::string& name) { line.query.output = kQueryOutputs.at(name); },
            "text, json (the answer's data), csv, or plot: lines of a range, bars of an instant.")
        ->check(CLI::IsMember(kQueryOutputs))
        ->type_name("TEXT");
    query->add_option("--width", line.query.width, "Columns of a plot; default the terminal's.");
    query->add_option("--height", line.query.height, "Lines of a plot; default the terminal's.");
    query->callback(
        [&line] { line.run = [&line] { return kpid::ctl::run_query(line.query, line.common); }; });
}

void add_promql(CLI::App& app, CommandLine& line) {
    CLI::App* promql = app.add_subcommand("promql", "PromQL expressions, without a server.");
    promql->require_subcommand(1);
    const auto add = [&line, promql](const char* name, const char* description,
                                     kpid::ctl::PromqlCommand command) {
        CLI::App* sub = promql->add_subcommand(name, description);
        sub->add_option("EXPR", line.expression, "The expression; - is standard input.")
            ->required();
        sub->callback([&line, command] {
            line.run = [&line, command] { return kpid::ctl::run_promql(command, line.expression); };
        });
    };
    add("format", "The expression as Prometheus formats it, over several lines where it is long.",
        kpid::ctl::PromqlCommand::kFormat);
    add("parse", "Its tree as JSON, as /api/v1/parse_query answers it.",
        kpid::ctl::PromqlCommand::kParse);
}

void add_export(CLI::App& app, CommandLine& line) {
    CLI::App* command = app.add_subcommand(
        "export", "Stored series as OpenMetrics with times, for backup and other stores.");
    command
        ->add_option("--match", line.exported.matches,
                     "Selector of series; may be given several times; default everything.")
        ->allow_extra_args(false);
    command->add_option("--start", line.exported.start,
                        "RFC 3339 or Unix seconds; default the oldest sample.");
    command->add_option("--end", line.exported.end,
                        "RFC 3339 or Unix seconds; default the newest sample.");
    command
        ->add_option("FILE", line.exported.file,
                     "Where to; packed when it ends with .gz; - is standard output.")
        ->capture_default_str();
    command->callback([&line] {
        line.run = [&line] { return kpid::ctl::run_export(line.exported, line.common); };
    });
}

void add_import(CLI::App& app, CommandLine& line) {
    CLI::App* command = app.add_subcommand(
        "import", "Back-fill: samples with times of their own, however late they are.");
    command
        ->add_option("FILE", line.imported.files,
                     "OpenMetrics, or what promtool tsdb dump prints; gzip is unpacked; - is "
                     "standard input.")
        ->required();
    command->add_option("--format", line.imported.format, "What the files are.")
        ->check(CLI::IsMember({"auto", "openmetrics", "tsdb-dump"}))
        ->capture_default_str();
    command->add_flag("--with-recorded", line.imported.with_recorded,
                      "Take kpid's own names too, as if it had recorded them: to bring a backup "
                      "back. kpid must run with --web.enable-admin-api.");
    command->callback([&line] {
        line.run = [&line] { return kpid::ctl::run_import(line.imported, line.common); };
    });
}

void add_notifications(CLI::App& app, CommandLine& line) {
    CLI::App* notifications =
        app.add_subcommand("notifications", "Messages that were sent or wait to be.");
    notifications->require_subcommand(1);
    CLI::App* list = notifications->add_subcommand("list", "The newest first.");
    list->add_option("--receiver", line.notifications.receiver, "Only of this receiver.");
    list->add_option("--state", line.notifications.state, "pending, delivered, failed or dropped.");
    list->add_option("--limit", line.notifications.limit, "At most so many.");
    list->callback([&line] {
        line.run = [&line] {
            return kpid::ctl::run_notifications_list(line.notifications, line.common);
        };
    });
}

int run(int argc, char** argv) {
    CommandLine line;
    CLI::App app("kpictl checks configurations and asks a running kpid.", "kpictl");
    app.set_version_flag("--version",
                         fmt::format("kpictl {} ({})", kpid::kVersion, kpid::kRevision));
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--server", line.common.server, "The kpid to ask.")
        ->envname("KPICTL_SERVER")
        ->capture_default_str();
    std::string output = "text";
    app.add_option("--output", output, "text or json.")
        ->check(CLI::IsMember({"text", "json"}))
        ->capture_default_str();
    add_check(app, line);
    add_kpi(app, line);
    add_query(app, line);
    add_promql(app, line);
    add_export(app, line);
    add_import(app, line);
    add_notifications(app, line);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kpid::ctl::kExitFine : kpid::ctl::kExitUsage;
    }
    line.common.output = output == "json" ? OutputFormat::kJson : OutputFormat::kText;
    return line.run();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& failure) {
        std::cerr << "kpictl: " << failure.what() << "\n";
        return kpid::ctl::kExitUsage;
    }
}
