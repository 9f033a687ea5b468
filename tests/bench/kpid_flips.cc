// The run against kpid.
#include "bench/child_process.h"
#include "bench/flip_run.h"
#include "support/temporary_folder.h"

#include <fmt/format.h>

#include <charconv>
#include <fstream>

namespace kpid::bench {
namespace {

constexpr std::chrono::seconds kStartMax{30};

std::string configuration(std::uint16_t sink_port) {
    return fmt::format(R"(owners:
  bench: {{title: Benchmark, receiver: sink}}
kpis:
  probe:
    title: A value that flips
    owner: bench
    unit: count
    better: lower
    value: {{expr: bench_probe}}
    evaluate: on_sample
    warning: none
    critical: {{above: 5}}
alerting:
  route: {{receiver: sink, group_wait: 0s, group_interval: 0s}}
  receivers:
    - name: sink
      webhook_configs: [{{url: "http://127.0.0.1:{}/hook"}}]
)",
                       sink_port);
}

Result<std::uint16_t> port_of(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    std::uint16_t port = 0;
    if (colon != std::string::npos) {
        std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    }
    if (port == 0) {
        return unavailable("kpid listens on \"" + address + "\"");
    }
    return port;
}

}  // namespace

Result<FlipReport> run_kpid(const std::string& program, const FlipOptions& options) {
    const kpid::testing::TemporaryFolder folder;
    WebhookSink sink;
    std::ofstream(folder.file("kpid.yaml")) << configuration(sink.port());
    KPID_TRY(ChildProcess kpid,
             ChildProcess::start(
                 {program, "--config.file=" + folder.file("kpid.yaml"),
                  "--storage.path=" + folder.file("data"), "--web.listen-address=127.0.0.1:0"},
                 folder.file("kpid.log")));
    KPID_TRY(const std::string address, kpid.wait_for_log("msg=listening address=", kStartMax));
    KPID_TRY(const std::uint16_t port, port_of(address));
    const Result<void> ready = wait_until_ready(port, "/-/ready", kStartMax);
    if (!ready) {
        return ready.error();
    }
    KPID_TRY(HttpConnection connection, HttpConnection::open(port));

    const auto push = [&connection](double value) -> Result<void> {
        const std::string body = fmt::format(R"({{"metric":"bench_probe","value":{}}})", value);
        KPID_TRY(
            const auto response,
            connection.request("POST", "/api/v1/push", "Content-Type: application/json\r\n", body));
        if (response.status / 100 != 2) {
            return unavailable(fmt::format("kpid answered {}: {}", response.status, response.body));
        }
        return {};
    };
    Result<FlipReport> report = run_flips(
        {.name = "kpid", .push = push, .cpu_seconds = [&kpid] { return kpid.cpu_seconds(); }}, sink,
        options);
    if (!report) {
        return unavailable(report.error().message + "; its log:\n" + kpid.log());
    }
    return report;
}

}  // namespace kpid::bench
