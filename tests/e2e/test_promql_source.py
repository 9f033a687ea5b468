"""The promql source beside real servers: values, periods, the past, warnings, a server that goes away and comes back."""

import base64
import http.client
import http.server
import json
import math
import os
import signal
import subprocess
import threading
import time
import urllib.parse

from harness import PEERS, Case, free_port, wait_until

HOUR = 3600
DAY = 24 * HOUR
STEP = 300  # Of the samples that the servers have.
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
owners: {{ops: {{title: Operations}}}}
sources:
  other:
    interval: {interval}
    timeout: {timeout}
    {more}
    promql:
      url: "{url}"
      {backfill}
      queries:
        {queries}
"""


class Middle:
    """Stands between kpid and its peer: writes down what is asked, and may change an answer or want a password."""

    def __init__(self, target):
        middle = self
        self.asked = []
        self.change = None
        self.password = None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if middle.password and self.headers.get("Authorization") != middle.password:
                    self.answer(401, "text/plain", b"Unauthorized")
                    return
                form = dict(urllib.parse.parse_qsl(body.decode()))
                middle.asked.append((self.path, form))
                connection = http.client.HTTPConnection("127.0.0.1", target, timeout=30)
                try:
                    connection.request("POST", self.path, body, {"Content-Type": self.headers["Content-Type"]})
                    response = connection.getresponse()
                    status, kind, text = response.status, response.headers.get("Content-Type", ""), response.read()
                except OSError:
                    self.close_connection = True
                    return
                finally:
                    connection.close()
                if middle.change:
                    text = json.dumps(middle.change(form, json.loads(text))).encode()
                self.answer(status, kind, text)

            def answer(self, status, kind, text):
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", kind)
                    self.send_header("Content-Length", str(len(text)))
                    self.end_headers()
                    self.wfile.write(text)
                except OSError:  # kpid was killed.
                    self.close_connection = True

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def times(self, metric_expr):
        """The instants that a query of periods was asked for."""
        return [float(form["time"]) for path, form in self.asked
                if path == "/api/v1/query" and form["query"] == metric_expr and "nocache" in form]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class PromqlSource(Case):
    def setUp(self):
        super().setUp()
        now = int(time.time())
        self.end = now - now % STEP
        self.start = self.end - 3 * DAY

    def lines(self, scale):
        """Two counters and two levels of three days; `scale` turns seconds into the format's times."""
        lines = []
        for family, shape in (("visits_total", lambda i, shop: i * (shop + 2)),
                              ("temperature", lambda i, shop: 20 + 5 * math.sin(i / 50 + shop))):
            lines.append(f"# TYPE {family.removesuffix('_total')} {'counter' if 'total' in family else 'gauge'}")
            for shop in (0, 1):
                for i in range((self.end - self.start) // STEP + 1):
                    lines.append(f'{family}{{shop="{shop}"}} {shape(i, shop)!r} {(self.start + i * STEP) * scale}')
        return "\n".join(lines) + "\n"

    def prometheus(self, port):
        folder = self.subfolder("prometheus")
        data = os.path.join(folder, "data")
        if not os.path.exists(data):
            text = os.path.join(folder, "history.txt")
            with open(text, "w", encoding="utf-8") as out:
                out.write(self.lines(1) + "# EOF\n")
            subprocess.run([os.path.join(PEERS, "promtool"), "tsdb", "create-blocks-from", "openmetrics", text, data],
                           check=True, capture_output=True, timeout=120)
            with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as out:
                out.write("global: {scrape_interval: 1m}\n")
        peer = self.peer("prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
                         f"--web.listen-address=127.0.0.1:{port}")
        wait_until("Prometheus being ready", lambda: self.ask(port, "query", query="1"))
        return peer

    def victoria_metrics(self, port):
        folder = self.subfolder("victoria-metrics")
        is_new = not os.path.exists(os.path.join(folder, "data"))
        peer = self.peer("victoria-metrics", "-storageDataPath=data", "-retentionPeriod=1y",
                         f"-httpListenAddr=127.0.0.1:{port}")
        wait_until("VictoriaMetrics being ready", lambda: self.ask(port, "query", query="1"))
        if is_new:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/api/v1/import/prometheus", self.lines(1000))
            self.assertEqual(connection.getresponse().status, 204)
            connection.close()
            wait_until("the import being seen", lambda: self.ask(
                port, "query", query="count(count_over_time(visits_total[4d]) > 860)", time=self.end)
                and self.ask(port, "query", query="visits_total", time=self.end))
        return peer

    def ask(self, port, what, **params):
        params.setdefault("nocache", 1)
        return self.get_json(f"http://127.0.0.1:{port}/api/v1/{what}?" + urllib.parse.urlencode(params))["data"]["result"]

    def middle(self, port):
        middle = Middle(port)
        self.addCleanup(middle.stop)
        return middle

    def config(self, port, queries, interval="1s", timeout="1s", backfill="", more=""):
        return CONFIG.format(url=f"http://127.0.0.1:{port}", interval=interval, timeout=timeout, backfill=backfill,
                             more=more, queries="\n        ".join(f"{name}: {{{text}}}" for name, text in queries.items()))

    def source(self, kpid):
        return kpid.api("/api/v1/sources")[0]

    def stored(self, kpid, metric):
        """By the label shop: time to value."""
        return {r["metric"].get("shop", ""): {t: float(v) for t, v in r["values"]}
                for r in kpid.query(f"{metric}[20d]")}

    def check_periods(self, kpid, port, metric, expr, seconds, count):
        """Each period's value, at its start, is what the server answers for its end when it is asked by hand."""
        stored = self.stored(kpid, metric)
        self.assertEqual(sorted(stored), ["0", "1"])
        newest = int(time.time()) // seconds * seconds
        for shop, samples in stored.items():
            self.assertGreaterEqual(len(samples), count)
            self.assertIn(newest - seconds, samples)
            for start, value in samples.items():
                self.assertEqual(start % seconds, 0)
                by_hand = {r["metric"]["shop"]: float(r["value"][1])
                           for r in self.ask(port, "query", query=expr, time=start + seconds)}
                self.assertEqual(value, by_hand[shop], (metric, start))
        return stored

    def check_past(self, kpid, port, metric, expr):
        start, end = self.end - 2 * DAY, self.end - STEP
        params = {"start": start, "end": end, "step": STEP}
        ours = kpid.api("/api/v1/query_range", query=metric, **params)["result"]
        theirs = self.ask(port, "query_range", query=expr, **params)
        self.assertEqual(len(ours), 2)
        by_shop = {r["metric"]["shop"]: r["values"] for r in theirs}
        for series in ours:
            self.assertEqual(series["metric"]["job"], "other")
            self.assertEqual([t for t, _ in series["values"]], [t for t, _ in by_shop[series["metric"]["shop"]]])
            for (_, value), (_, by_hand) in zip(series["values"], by_shop[series["metric"]["shop"]]):
                self.assertAlmostEqual(float(value), float(by_hand), delta=1e-9)

    def run_beside(self, start_peer):
        port = free_port()
        start_peer(port)
        middle = self.middle(port)
        hourly = "sum by (shop) (increase(visits_total[1h]))"
        daily = "sum by (shop) (increase(visits_total[1d]))"
        config = self.config(middle.port, {
            "visits_by_hour": f"expr: '{hourly}', per: hour", "visits_by_day": f"expr: '{daily}', per: day",
            "warm": "expr: 'max by (shop) (temperature)'"}, interval="1m", timeout="10s", backfill="backfill: 5d")
        kpid = self.kpid(config)
        wait_until("the whole past", lambda: self.source(kpid)["history"] == {
            "periods_pending": 0, "periods_given_up": 0, "backfills_pending": 0, "error": None})
        hours = self.check_periods(kpid, port, "visits_by_hour", hourly, HOUR, 70)
        self.check_periods(kpid, port, "visits_by_day", daily, DAY, 2)
        self.check_past(kpid, port, "warm", "max by (shop) (temperature)")
        wait_until("the first round", lambda: self.source(kpid)["health"] == "up")
        self.assertEqual(self.source(kpid)["notes"], [])
        # An instant query, as a panel asks it, has the newest closed period.
        self.assertEqual(len(kpid.query("visits_by_hour")), 2)
        # After a restart nothing of that is asked again.
        asked = middle.times(hourly)
        self.assertEqual(len(asked), len(set(asked)))
        kpid.kill()
        middle.asked.clear()
        kpid.restart()
        wait_until("a round after the start", lambda: kpid.metric(r"kpid_source_scrapes_total"))
        self.assertEqual([t for t in middle.times(hourly) if t in asked], [])
        self.assertEqual([form for path, form in middle.asked if path.endswith("query_range")], [])
        again = self.stored(kpid, "visits_by_hour")
        for shop, samples in hours.items():
            self.assertEqual({t: v for t, v in again[shop].items() if t in samples}, samples)

    def test_values_periods_and_past_are_those_of_prometheus(self):
        self.run_beside(self.prometheus)

    def test_values_periods_and_past_are_those_of_victoria_metrics(self):
        self.run_beside(self.victoria_metrics)

    def test_a_server_that_is_killed_and_comes_back(self):
        port = free_port()
        hourly = "sum by (shop) (increase(visits_total[1h]))"
        kpid = self.kpid(self.config(port, {"visits_by_hour": f"expr: '{hourly}', per: hour",
                                            "answers": "expr: 'vector(1)'"}, backfill="backfill: 2d"))
        wait_until("the source being down", lambda: kpid.value('up{job="other"}') == 0)
        wait_until("periods waiting", lambda: self.source(kpid)["history"]["periods_pending"] > 40)
        self.assertEqual(kpid.query("visits_by_hour[3d]"), [])
        peer = self.prometheus(port)
        wait_until("the periods", lambda: self.source(kpid)["history"]["periods_pending"] == 0)
        wait_until("the source being up", lambda: kpid.value('up{job="other"}') == 1)
        self.check_periods(kpid, port, "visits_by_hour", hourly, HOUR, 47)
        before = self.stored(kpid, "visits_by_hour")
        peer.stop(signal.SIGKILL)
        wait_until("the source being down again", lambda: kpid.value('up{job="other"}') == 0)
        wait_until("its series ending", lambda: kpid.query("answers") == [])
        self.prometheus(port)
        wait_until("the source being up again", lambda: kpid.value('up{job="other"}') == 1)
        after = self.stored(kpid, "visits_by_hour")
        for shop, samples in before.items():
            self.assertEqual({t: v for t, v in after[shop].items() if t in samples}, samples)

    def test_warnings_partial_answers_and_a_query_that_fails_are_told(self):
        port = free_port()
        self.prometheus(port)
        middle = self.middle(port)

        def change(form, answer):
            if form["query"] == "vector(5)":
                return dict(answer, warnings=["a store did not answer"], infos=["metric might not be a counter"],
                            isPartial=True)
            return answer
        middle.change = change
        kpid = self.kpid(self.config(middle.port, {
            "five": "expr: 'vector(5)'", "not_a_number": "expr: 'vector(0) / 0'", "endless": "expr: 'vector(1) / 0'",
            "nothing": "expr: 'no_such_metric'", "scalar_value": "expr: '7'", "wrong": "expr: 'sum(('",
            "strange": "expr: 'temperature[5m]'"}))
        wait_until("the value beside the warning", lambda: kpid.value("five") == 5)
        self.assertEqual(kpid.value("scalar_value"), 7)
        self.assertTrue(math.isnan(kpid.value("not_a_number")))
        self.assertEqual(kpid.value("endless"), math.inf)
        self.assertEqual(kpid.query("nothing"), [])
        source = self.source(kpid)
        self.assertEqual(source["health"], "down")
        self.assertIn("not a vector or scalar", source["last_error"])
        self.assertEqual(sorted((n["metric"], n["kind"], n["text"]) for n in source["notes"]), [
            ("five", "info", "metric might not be a counter"),
            ("five", "partial", "a part of the server did not answer"),
            ("five", "warning", "a store did not answer")])
        self.assertGreaterEqual(kpid.metric(r'kpid_source_query_notes_total\{kind="partial",source="other"\}'), 1)
        told = [line for line in kpid.process.lines if "a store did not answer" in line]
        self.assertEqual(len(told), len([line for line in told if "metric=five" in line]))
        self.assertIn(len(told), (1, 2))  # Of the rounds, and of the past.

    def test_a_query_that_takes_too_long_harms_no_other(self):
        port = free_port()
        self.prometheus(port)
        middle = self.middle(port)

        def change(form, answer):
            if form["query"] == "vector(6)":
                time.sleep(3)
            return answer
        middle.change = change
        queries = {f"quick_{i}": f"expr: 'vector({100 + i})'" for i in range(12)}
        kpid = self.kpid(self.config(middle.port, {"slow": "expr: 'vector(6)'", **queries}, backfill="backfill: 0s"))
        for i in range(12):
            self.assertEqual(wait_until(f"quick_{i}", lambda: kpid.value(f"quick_{i}")), 100 + i)
        wait_until("the source being down", lambda: self.source(kpid)["health"] == "down")
        self.assertIn("query of slow", self.source(kpid)["last_error"])
        self.assertIsNone(self.source(kpid)["history"])
        self.assertEqual(kpid.query("slow"), [])

    def test_a_password_is_sent(self):
        port = free_port()
        self.prometheus(port)
        middle = self.middle(port)
        middle.password = "Basic " + base64.b64encode(b"kpid:secret").decode()
        config = self.config(middle.port, {"five": "expr: 'vector(5)'", "v": "expr: 'sum(increase(visits_total[1h]))', per: hour"},
                             more="http_config: {basic_auth: {username: kpid, password: WORD}}")
        kpid = self.kpid(config.replace("WORD", "wrong"))
        wait_until("the refusal", lambda: "401" in (self.source(kpid)["last_error"] or ""))
        self.assertEqual(middle.asked, [])
        kpid.write_config(config.replace("WORD", "secret"))
        self.assertEqual(kpid.reload().status, 200)
        wait_until("the value", lambda: kpid.value("five") == 5)
        wait_until("the periods", lambda: len(kpid.query("v[4d]")[0]["values"]) > 60)

    def test_a_rare_source_has_a_value_between_its_polls_and_none_long_after(self):
        port = free_port()
        self.prometheus(port)
        kpid = self.kpid(self.config(port, {"hourly_value": "expr: 'vector(42)'"}, interval="1h", timeout="10s",
                                     backfill="backfill: 1d", more="valid_for: 2h"))
        wait_until("the past", lambda: self.source(kpid)["history"]["backfills_pending"] == 0)
        wait_until("the value", lambda: kpid.value("hourly_value") == 42)
        # As a panel asks: every 15 s of the last six hours has the value, though there is a sample an hour.
        end = int(time.time())
        values = kpid.api("/api/v1/query_range", query="hourly_value", start=end - 6 * HOUR, end=end, step=15)["result"]
        self.assertEqual(len(values), 1)
        self.assertEqual(len(values[0]["values"]), 6 * HOUR // 15 + 1)
        self.assertLess(len(kpid.query("hourly_value[6h]")[0]["values"]), 10)
        # valid_for after the newest sample it is gone.
        newest = kpid.query("hourly_value[1h]")[0]["values"][-1][0]
        later = kpid.api("/api/v1/query_range", query="hourly_value", start=int(newest), end=int(newest) + 3 * HOUR,
                         step=60)["result"][0]["values"]
        self.assertLessEqual(later[-1][0], newest + 2 * HOUR)
        self.assertGreater(later[-1][0], newest + 2 * HOUR - 120)
