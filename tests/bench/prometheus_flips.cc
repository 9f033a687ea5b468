// The run against Prometheus with Alertmanager.
#include "bench/child_process.h"
#include "bench/flip_run.h"
#include "support/temporary_folder.h"

#include <fmt/format.h>
#include <snappy.h>

#include <bit>
#include <fstream>

namespace kpid::bench {
namespace {

constexpr std::chrono::seconds kStartMax{60};

// Protocol Buffers by hand: a key is the field's number and its wire type.
constexpr char kField1Double = 0x09;
constexpr char kField1Bytes = 0x0a;
constexpr char kField2Number = 0x10;
constexpr char kField2Bytes = 0x12;

void append_number(std::string& out, std::uint64_t number) {
    while (number >= 0x80) {
        out += static_cast<char>((number & 0x7f) | 0x80);
        number >>= 7U;
    }
    out += static_cast<char>(number);
}

void append_bytes(std::string& out, char key, std::string_view bytes) {
    out += key;
    append_number(out, bytes.size());
    out += bytes;
}

// A WriteRequest with one sample of one series without labels, compressed.
std::string remote_write_body(std::string_view metric, double value, std::uint64_t now_ms) {
    std::string label;
    append_bytes(label, kField1Bytes, "__name__");
    append_bytes(label, kField2Bytes, metric);
    std::string sample(1, kField1Double);
    const auto bits = std::bit_cast<std::uint64_t>(value);
    for (unsigned shift = 0; shift < 64; shift += 8) {
        sample += static_cast<char>((bits >> shift) & 0xff);
    }
    sample += kField2Number;
    append_number(sample, now_ms);
    std::string series;
    append_bytes(series, kField1Bytes, label);
    append_bytes(series, kField2Bytes, sample);
    std::string request;
    append_bytes(request, kField1Bytes, series);
    std::string compressed;
    snappy::Compress(request.data(), request.size(), &compressed);
    return compressed;
}

std::uint64_t now_ms() {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
}

void write_files(const kpid::testing::TemporaryFolder& folder, std::uint16_t alertmanager_port,
                 std::uint16_t sink_port) {
    std::ofstream(folder.file("rules.yml")) << R"(groups:
  - name: probe
    rules:
      - {alert: Probe, expr: bench_probe > 5}
)";
    std::ofstream(folder.file("prometheus.yml")) << fmt::format(
        R"(global: {{evaluation_interval: 100ms}}
rule_files: [rules.yml]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ["127.0.0.1:{}"]}}]
)",
        alertmanager_port);
    // Alertmanager refuses a group_interval of 0.
    std::ofstream(folder.file("alertmanager.yml")) << fmt::format(
        R"(route: {{receiver: sink, group_by: [alertname], group_wait: 0s, group_interval: 1ms}}
receivers:
  - name: sink
    webhook_configs: [{{url: "http://127.0.0.1:{}/hook"}}]
)",
        sink_port);
}

}  // namespace

Result<FlipReport> run_prometheus(const PeerPrograms& programs, const FlipOptions& options) {
    const kpid::testing::TemporaryFolder folder;
    WebhookSink sink;
    const std::uint16_t alertmanager_port = free_port();
    const std::uint16_t prometheus_port = free_port();
    write_files(folder, alertmanager_port, sink.port());
    KPID_TRY(ChildProcess alertmanager,
             ChildProcess::start(
                 {programs.alertmanager, "--config.file=" + folder.file("alertmanager.yml"),
                  "--storage.path=" + folder.file("alertmanager"), "--cluster.listen-address=",
                  fmt::format("--web.listen-address=127.0.0.1:{}", alertmanager_port)},
                 folder.file("alertmanager.log")));
    KPID_TRY(
        ChildProcess prometheus,
        ChildProcess::start({programs.prometheus, "--config.file=" + folder.file("prometheus.yml"),
                             "--storage.tsdb.path=" + folder.file("prometheus"),
                             "--web.enable-remote-write-receiver", "--rules.alert.resend-delay=1s",
                             fmt::format("--web.listen-address=127.0.0.1:{}", prometheus_port)},
                            folder.file("prometheus.log")));
    for (const std::uint16_t port : {alertmanager_port, prometheus_port}) {
        const Result<void> ready = wait_until_ready(port, "/-/ready", kStartMax);
        if (!ready) {
            return ready.error().with_context(prometheus.log() + alertmanager.log());
        }
    }
    KPID_TRY(HttpConnection connection, HttpConnection::open(prometheus_port));

    constexpr std::string_view kHeaders =
        "Content-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n"
        "X-Prometheus-Remote-Write-Version: 0.1.0\r\n";
    const auto push = [&](double value) -> Result<void> {
        KPID_TRY(const auto response,
                 connection.request("POST", "/api/v1/write", kHeaders,
                                    remote_write_body("bench_probe", value, now_ms())));
        if (response.status / 100 != 2) {
            return unavailable(
                fmt::format("Prometheus answered {}: {}", response.status, response.body));
        }
        return {};
    };
    return run_flips(
        {.name = "prometheus + alertmanager",
         .push = push,
         .cpu_seconds = [&] { return prometheus.cpu_seconds() + alertmanager.cpu_seconds(); }},
        sink, options);
}

}  // namespace kpid::bench
