"""Remote write: a real Prometheus sends what it scrapes; hand-made requests get the answers that senders act on."""

import http.server
import json
import math
import os
import re
import struct
import threading
import time
import urllib.parse

from harness import FULL, PATIENCE, Case, free_port, pushed_kpi, wait_until

PROTOBUF = "application/x-protobuf"
VERSION_2 = PROTOBUF + ";proto=io.prometheus.write.v2.Request"
SUMS = 100


def varint(number):
    out = b""
    while number >= 128:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(tag, data):
    return varint(tag << 3 | 2) + varint(len(data)) + data


def sample(seconds, value):
    return field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(int(seconds * 1000)))


def series(labels, *samples):
    """A series of version 1."""
    names = b"".join(field(1, field(1, name.encode()) + field(2, value.encode())) for name, value in labels.items())
    return field(1, names + b"".join(sample(*one) for one in samples))


def snappy(message):
    """A block of literals only."""
    out = varint(len(message))
    for begin in range(0, len(message), 60):
        piece = message[begin:begin + 60]
        out += bytes([len(piece) - 1 << 2]) + piece
    return out


def same(one, other):
    """Equal but for the order in which numbers were added."""
    return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))


class Prometheus:
    """Debian's Prometheus: scrapes itself and a node exporter, and sends all of it to kpid."""

    def __init__(self, case, kpid, interval, collectors=(), jobs=""):
        port, exporter_port = free_port(), free_port()
        config = os.path.join(case.subfolder("prometheus"), "prometheus.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"""
global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}
scrape_configs:
  - job_name: prometheus
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{exporter_port}"]}}]
{jobs}
remote_write:
  - url: "http://127.0.0.1:{kpid.port}/api/v1/write"
    send_exemplars: true
    queue_config: {{batch_send_deadline: 200ms}}
    metadata_config: {{send_interval: 1s}}
""")
        self.case = case
        self.kpid = kpid
        self.base = f"http://127.0.0.1:{port}/api/v1"
        self.exporter = case.peer("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{exporter_port}",
                                  *collectors)
        case.peer("prometheus", f"--config.file={config}", "--storage.tsdb.path=data",
                  "--enable-feature=exemplar-storage", f"--web.listen-address=127.0.0.1:{port}")

    def ask(self, path, **params):
        answer = self.case.get_json(f"{self.base}/{path}?" + urllib.parse.urlencode(params))
        self.case.assertEqual(answer["status"], "success", (params, answer))
        return answer["data"]

    def query(self, expression, **params):
        return self.ask("query", query=expression, **params)["result"]

    def value(self, expression, **params):
        result = self.query(expression, **params)
        return float(result[0]["value"][1]) if result else None

    def difference(self, expression, instant):
        """What the two answer when it is not the same, else nothing."""
        answers = []
        for asked in (self, self.kpid):
            answers.append({tuple(sorted(one["metric"].items())): float(one["value"][1])
                            for one in asked.query(expression, time=instant)})
        there, here = answers
        wrong = {labels: (there.get(labels), here.get(labels)) for labels in there.keys() | here.keys()
                 if labels not in there or labels not in here or not same(there[labels], here[labels])}
        return {expression: wrong} if wrong else {}

    def differences(self, expressions, instant):
        found = {}
        for expression in expressions:
            found.update(self.difference(expression, instant))
        return found

    def instant_without_samples(self):
        """In milliseconds: windows that begin there hold the same samples whether their start belongs to them
        or not, which changed between Prometheus' versions."""
        def find():
            instant = int(time.time() * 1000) - 1500
            return None if self.query('count_over_time(up[2ms])', time=instant / 1000) else instant
        return wait_until("an instant without samples", find)

    def names(self, pattern=".*"):
        """Every name of a metric of the two jobs."""
        return [name for name in self.ask("label/__name__/values", **{"match[]": '{job=~".+"}'})
                if re.fullmatch(pattern, name)]


class Requests:
    """Something to scrape: a counter and buckets, each scrape with the trace of another request."""

    def __init__(self):
        requests = self
        self.count = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.count += 1
                count = requests.count
                text = ("# TYPE orders counter\n"
                        f'orders_total {count} # {{trace_id="{count:032x}"}} {count / 8} {time.time():.3f}\n'
                        "# TYPE seconds histogram\n"
                        f'seconds_bucket{{le="0.5"}} {count} # {{trace_id="b{count}",span_id="ä"}} 0.25\n'
                        f'seconds_bucket{{le="+Inf"}} {count} # {{}} 0.75\n'
                        f"seconds_count {count}\nseconds_sum {count / 4}\n# EOF\n").encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class BesidePrometheus(Case):
    """What Prometheus scraped is in kpid as it is there: the first of a pair is Prometheus' answer."""

    def wait_until_same(self, what, differences, patience=PATIENCE):
        last = {}

        def is_same():
            nonlocal last
            last = differences()
            return not last

        try:
            wait_until(what, is_same, patience)
        except AssertionError:
            self.assertEqual(last, {}, what)
            raise

    def test_all_series_agree_and_a_stopped_exporter_is_stale_at_once(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        prometheus = Prometheus(self, kpid, "5s" if FULL else "500ms")
        wait_until("samples of both jobs in kpid", lambda: kpid.value('count(up{job=~".+"} == 1)') == 2)
        begin = time.time()
        scrapes = 'min(count_over_time(up{job=~".+"}[10m]))'
        wait_until("a window's first scrapes", lambda: (prometheus.value(scrapes) or 0) >= 5)
        window_begin = prometheus.instant_without_samples()
        wait_until("enough scrapes", lambda: (prometheus.value(scrapes) or 0) >= (60 if FULL else 40)
                   and time.time() >= begin + (300 if FULL else 0), 600)

        age = 60 if FULL else 3
        last = time.time() - age
        everything = 'count({__name__!~"kpid_.*|ALERTS.*", job=~".+"})'
        self.assertGreater(prometheus.value(everything, time=last), 500)
        names = prometheus.names()
        # Gauges and counters of both jobs, from the whole of the list.
        chosen = names[::max(1, len(names) // SUMS)]
        self.assertGreaterEqual(len(chosen), SUMS)
        kinds = {metadata["type"] for name in chosen
                 for metadata in prometheus.ask("metadata", metric=name).get(name, [])}
        self.assertLessEqual({"counter", "gauge"}, kinds)
        sums = [everything] + [f"sum({name})" for name in chosen] + [f"sum by (job) ({name})" for name in chosen]
        for instant in (last, (begin + last) / 2, begin + 1):
            self.wait_until_same(f"the same sums at {instant}", lambda: prometheus.differences(sums, instant))
        rates = [f"rate({name}[{int(last * 1000) - window_begin}ms])" for name in names if name.endswith("_total")]
        self.wait_until_same("the same rates", lambda: prometheus.differences(rates, int(last * 1000) / 1000))
        # What it says of its metrics arrives too.
        said = prometheus.ask("metadata", metric="node_load1")
        self.assertEqual(wait_until("metadata", lambda: kpid.api("/api/v1/metadata", metric="node_load1")), said)
        self.assertEqual(kpid.metric(r'kpid_ingest_rejected_total\{.*protocol="remote_write"'), 0)

        # Long before the lookback of five minutes would end them.
        stopped = time.time()
        prometheus.exporter.stop()
        ended = 'count({job="node", __name__=~"node_.*"})'
        wait_until("the exporter's series being stale in Prometheus", lambda: prometheus.query(ended) == [])
        wait_until("the exporter's series being stale in kpid", lambda: kpid.query(ended) == [], 5)
        seen = time.time()
        ups = 'up{job=~".+"}'
        self.wait_until_same("the same targets up", lambda: prometheus.difference(ups, seen))
        self.assertEqual(kpid.value('up{job="node"}'), 0)
        self.assertEqual(kpid.value('up{job="prometheus"}'), 1)
        # At the same instant: looked at afterwards, in steps that no scrape is as short as.
        parts = {"query": ended, "start": f"{stopped - 2:.3f}", "end": f"{seen:.3f}", "step": "0.02"}
        self.assertEqual(kpid.api("/api/v1/query_range", **parts)["result"],
                         prometheus.ask("query_range", **parts)["result"])

    def test_exemplars_arrive_and_are_scraped(self):
        requests = Requests()
        self.addCleanup(requests.stop)
        target = f'[{{targets: ["127.0.0.1:{requests.port}"]}}]'
        # It scrapes too, under another job, so that both ways can be told apart.
        kpid = self.kpid(pushed_kpi(self.sink(), extra=f"""
scrape_configs:
  - job_name: own
    static_configs: {target}
"""))
        prometheus = Prometheus(self, kpid, "500ms", ["--collector.disable-defaults"],
                                f"  - job_name: orders\n    static_configs: {target}")
        parts = {"query": 'rate(orders_total{job="orders"}[1m]) or seconds_bucket{job="orders"}'}

        def orders():
            return {one["seriesLabels"]["__name__"]: len(one["exemplars"])
                    for one in kpid.api("/api/v1/query_exemplars", **parts)}

        wait_until("exemplars", lambda: orders()["orders_total"] >= 10 and len(orders()) == 2)
        parts.update(start=f"{time.time() - 60:.3f}", end=f"{time.time() - 1:.3f}")

        def difference():
            there, here = prometheus.ask("query_exemplars", **parts), kpid.api("/api/v1/query_exemplars", **parts)
            return {} if there == here and there else {"there": there, "here": here}

        self.wait_until_same("the same exemplars", difference)
        self.assertGreater(kpid.metric(r'kpid_ingest_exemplars_total\{protocol="remote_write"'), 10)
        self.assertEqual(kpid.metric("kpid_ingest_exemplars_dropped_total"), 0)
        own = wait_until("exemplars of kpid's own scrapes", lambda: kpid.api(
            "/api/v1/query_exemplars", query='orders_total{job="own"}'))
        self.assertRegex(own[0]["exemplars"][0]["labels"]["trace_id"], "^[0-9a-f]{32}$")

    def test_a_backlog_arrives_whole_after_kpid_was_killed(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        few = ["--collector.disable-defaults"] + [f"--collector.{one}" for one in ("cpu", "loadavg", "meminfo", "vmstat")]
        prometheus = Prometheus(self, kpid, "250ms" if FULL else "100ms", () if FULL else few)
        wait_until("samples of both jobs in kpid", lambda: kpid.value('count(up{job=~".+"} == 1)') == 2)
        scrapes = 'min(count_over_time(up{job=~".+"}[1h]))'
        wait_until("some scrapes before", lambda: (kpid.value(scrapes) or 0) >= 20)
        begin = prometheus.instant_without_samples()
        kpid.kill()
        before = prometheus.value(scrapes)
        # As many as there are in 90 minutes at one each 15 s.
        wait_until("the backlog", lambda: prometheus.value(scrapes) >= before + (1440 if FULL else 360), 900)
        kpid.restart()
        back = time.time()
        wait_until("scrapes after", lambda: prometheus.value("max(timestamp(up))") > back + 1)
        end = int(time.time() * 1000)
        names = prometheus.names()
        counters = prometheus.names(".*_total")
        self.assertGreater(len(counters), 30)
        expressions = ([f"count_over_time({name}[1h])" for name in names]
                       + [f"{what}({name}[{end - begin}ms])" for name in counters for what in ("increase", "changes")]
                       + [f"sum_over_time({name}[1h])" for name in names[::10]])
        self.wait_until_same("every sample of the backlog", lambda: prometheus.difference(expressions[0], end / 1000))
        self.wait_until_same("every sample of the backlog", lambda: prometheus.differences(expressions, end / 1000))
        self.assertEqual(kpid.metric(r'kpid_ingest_rejected_total\{.*protocol="remote_write"'), 0)
        for lost in ("failed", "dropped"):
            self.assertEqual(prometheus.value(f"sum(prometheus_remote_storage_samples_{lost}_total)"), 0)


class RemoteWrite(Case):
    def write(self, kpid, message, content_type=PROTOBUF, encoding="snappy", packed=None):
        headers = {"Content-Type": content_type, "Content-Encoding": encoding,
                   "X-Prometheus-Remote-Write-Version": "0.1.0"}
        return kpid.request("POST", "/api/v1/write", snappy(message) if packed is None else packed,
                            {name: value for name, value in headers.items() if value})

    def test_answers_say_what_to_send_again(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        now = math.floor(time.time())
        up = {"__name__": "up", "job": "a"}
        stored = self.write(kpid, series(up, (now - 60, 1), (now, 2)))
        self.assertEqual((stored.status, stored.text), (204, ""))
        self.assertEqual(kpid.value("up"), 2)
        self.assertEqual(self.write(kpid, series(up, (now, 2))).status, 204, "a repetition")
        # A client without headers, with labels in no order.
        bare = self.write(kpid, series({"z": "1", "__name__": "bare", "a": ""}, (now, 3)), None, None)
        self.assertEqual(bare.status, 204)
        self.assertEqual(kpid.query("bare")[0]["metric"], {"__name__": "bare", "z": "1"})

        other = self.write(kpid, series({"__name__": "good"}, (now, 1)) + series(up, (now, 9)))
        self.assertEqual(other.status, 400)
        self.assertIn('up{job="a"}', other.text)
        self.assertEqual(kpid.value("good"), 1, "what is valid is stored")
        for when in (now - 7200, now - 500 * 86400, now + 3600):
            self.assertEqual(self.write(kpid, series(up, (when, 1))).status, 400, when)
        twice = field(1, field(1, field(1, b"a") + field(2, b"1")) * 2 + sample(now, 1))
        self.assertIn("comes twice", self.write(kpid, twice).text)
        self.assertEqual(self.write(kpid, series(up, (now, 1)) + b"\x0a").status, 400)
        self.assertEqual(self.write(kpid, b"", packed=b"not snappy").status, 400)
        self.assertEqual(self.write(kpid, b"", packed=b"\xff\xff\xff\xff\x0f").status, 413)
        self.assertEqual(self.write(kpid, b"", packed=bytes(33 << 20)).status, 413)
        self.assertEqual(self.write(kpid, b"", content_type="application/json").status, 415)
        self.assertEqual(self.write(kpid, b"", encoding="gzip", packed=b"neither").status, 415)
        self.assertEqual(kpid.request("GET", "/api/v1/write").status, 405)

        own = self.write(kpid, series({"__name__": "kpid_fake"}, (now, 1)) + series({"__name__": "ALERTS"}, (now, 1)))
        self.assertEqual(own.status, 204)
        self.assertIsNone(kpid.value("kpid_fake"))
        refused = r'kpid_ingest_rejected_total\{protocol="remote_write",reason="%s"'
        self.assertEqual(kpid.metric(refused % "reserved"), 2)
        self.assertEqual(kpid.metric(refused % "duplicate_timestamp"), 1)
        self.assertEqual(kpid.metric(refused % "out_of_order"), 1)
        self.assertEqual(kpid.metric(refused % "too_far_in_future"), 1)

    def test_version_2_is_told_what_was_written(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        now = math.floor(time.time())
        symbols = b"".join(field(4, text) for text in (b"", b"__name__", b"two", b"job", b"a"))
        message = symbols + field(5, field(1, bytes([1, 2, 3, 4])) + sample(now, 5))
        answer = self.write(kpid, message, VERSION_2)
        self.assertEqual(answer.status, 204)
        self.assertEqual(answer.getheader("X-Prometheus-Remote-Write-Samples-Written"), "1")
        self.assertEqual(kpid.query('two{job="a"}')[0]["value"][1], "5")
        histogram = symbols + field(5, field(1, bytes([1, 2])) + field(3, b""))
        answer = self.write(kpid, histogram, VERSION_2)
        self.assertEqual(answer.status, 400)
        self.assertIn("native histogram", answer.text)
        known = json.loads(kpid.request("GET", "/api/v1/metadata").text)["data"]
        self.assertEqual([name for name in known if not name.startswith("kpid_")], [])
