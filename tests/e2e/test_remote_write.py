"""Remote write: a real Prometheus sends what it scrapes; hand-made requests get the answers that senders act on."""

import http.server
import json
import math
import os
import struct
import threading
import time
import urllib.parse

from harness import Case, free_port, pushed_kpi, wait_until

PROTOBUF = "application/x-protobuf"
VERSION_2 = PROTOBUF + ";proto=io.prometheus.write.v2.Request"


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


class Target:
    """Something to scrape that can be stopped."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                text = "# HELP probe_value What is seen.\n# TYPE probe_value gauge\n" + "".join(
                    f'probe_value{{probe="{i}"}} {i * 0.1}\n' for i in range(50))
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class RemoteWrite(Case):
    def write(self, kpid, message, content_type=PROTOBUF, encoding="snappy", packed=None):
        headers = {"Content-Type": content_type, "Content-Encoding": encoding,
                   "X-Prometheus-Remote-Write-Version": "0.1.0"}
        return kpid.request("POST", "/api/v1/write", snappy(message) if packed is None else packed,
                            {name: value for name, value in headers.items() if value})

    def prometheus(self, kpid, target):
        port = free_port()
        config = os.path.join(self.subfolder("prometheus"), "prometheus.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: prometheus
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
  - job_name: probe
    static_configs: [{{targets: ["127.0.0.1:{target.port}"]}}]
remote_write:
  - url: "http://127.0.0.1:{kpid.port}/api/v1/write"
    queue_config: {{batch_send_deadline: 200ms}}
    metadata_config: {{send_interval: 1s}}
""")
        self.peer("prometheus", f"--config.file={config}", "--storage.tsdb.path=data",
                  f"--web.listen-address=127.0.0.1:{port}")
        return f"http://127.0.0.1:{port}/api/v1"

    def test_prometheus_and_kpid_agree_and_a_stopped_target_ends_at_once(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        target = Target()
        base = self.prometheus(kpid, target)

        def ask_prometheus(path, **params):
            return self.get_json(f"{base}/{path}?" + urllib.parse.urlencode(params))["data"]

        def at(expression, instant):
            """The one value of both."""
            both = []
            for result in (ask_prometheus("query", query=expression, time=instant)["result"],
                           kpid.query(expression, time=instant)):
                both.append(float(result[0]["value"][1]) if result else None)
            return both

        def agree(expression, instant):
            there, here = at(expression, instant)
            if there is None or here is None:
                return there is None and here is None
            return math.isclose(there, here, rel_tol=1e-12) or (math.isnan(there) and math.isnan(here))

        wait_until("samples of both jobs in kpid", lambda: kpid.value("count(up == 1)") == 2)
        time.sleep(15)
        instant = int(time.time()) - 5
        everything = 'count({__name__!="", __name__!~"kpid_.*|ALERTS.*"})'
        wait_until("as many series in both", lambda: agree(everything, instant))
        self.assertGreater(at(everything, instant)[1], 300)
        names = ask_prometheus("label/__name__/values")
        self.assertGreater(len(names), 100)
        wrong = [(name, at(f"sum({name})", instant)) for name in names if not agree(f"sum({name})", instant)]
        self.assertEqual(wrong, [])
        rate = "sum(rate(prometheus_http_requests_total[8s]))"
        self.assertTrue(agree(rate, instant), at(rate, instant))
        # What it says of its metrics arrives too.
        metadata = wait_until("metadata in kpid", lambda: kpid.api("/api/v1/metadata", metric="probe_value"))
        self.assertEqual(metadata, {"probe_value": [{"type": "gauge", "help": "What is seen.", "unit": ""}]})
        self.assertEqual(kpid.metric(r'kpid_ingest_rejected_total\{.*protocol="remote_write"'), 0)

        self.assertEqual(kpid.value("count(probe_value)"), 50)
        target.stop()
        # Far sooner than the lookback of five minutes.
        wait_until("the stopped target's series being stale", lambda: kpid.query("probe_value") == [], 30)
        self.assertEqual(kpid.value('up{job="probe"}'), 0)
        self.assertEqual(kpid.value('up{job="prometheus"}'), 1)

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
        self.assertEqual(json.loads(kpid.request("GET", "/api/v1/metadata").text)["data"], {})
