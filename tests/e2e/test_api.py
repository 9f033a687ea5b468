"""The HTTP surface as a suspicious client sees it: forms, limits, deadlines, encodings, answers promised to pushes."""

import gzip
import json
import socket
import threading
import time
import unittest
import urllib.parse

from harness import Case, pushed_kpi, wait_until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# Takes far longer than any timeout here.
SLOW = 'sum_over_time(quantile_over_time(0.5, (vector(1) * vector(1))[1h:1s])[20d:1s])'


class Api(Case):
    def setUp(self):
        super().setUp()
        self.server = self.kpid(pushed_kpi(self.sink(), extra="limits: {query_timeout: 2s, concurrent_queries: 2}"))

    def ask(self, path, **params):
        response = self.server.request("GET", path + "?" + urllib.parse.urlencode(params, doseq=True))
        return response.status, json.loads(response.text)

    def error(self, path, **params):
        status, answer = self.ask(path, **params)
        self.assertEqual(answer["status"], "error")
        return status, answer["errorType"], answer["error"]

    def test_forms_and_parameters(self):
        self.server.push([{"metric": "a", "labels": {"x": x}, "value": 1} for x in "123"])
        posted = self.server.request("POST", "/api/v1/query?query=2", "query=1", FORM)
        self.assertEqual(json.loads(posted.text)["data"]["result"][1], "1")
        head = self.server.request("HEAD", "/api/v1/query?query=1")
        self.assertEqual((head.status, head.body), (200, b""))
        status, answer = self.ask("/api/v1/query", query="a", limit=2)
        self.assertEqual((status, len(answer["data"]["result"]), answer["warnings"]),
                         (200, 2, ["results truncated due to limit"]))
        now = time.time()
        status, answer = self.ask("/api/v1/query_range", query="a", start=now - 1, end=now + 1, step=1, limit=1)
        self.assertEqual((status, len(answer["data"]["result"])), (200, 1))
        self.assertEqual(self.error("/api/v1/query", query="a", limit="x")[:2], (400, "bad_data"))
        # The newest sample is older than the lookback that the caller asks for.
        later = {"query": "a", "time": now + 20}
        self.assertEqual(len(self.ask("/api/v1/query", **later)[1]["data"]["result"]), 3)
        self.assertEqual(self.ask("/api/v1/query", **later, lookback_delta="10s")[1]["data"]["result"], [])
        self.assertEqual(self.error("/api/v1/query", **later, lookback_delta="x")[:2], (400, "bad_data"))
        # Eleven thousand steps are taken, one more is not.
        self.assertEqual(self.ask("/api/v1/query_range", query="a", start=0, end=11000, step=1)[0], 200)
        for name, text in (("start", ""), ("end", "abc")):
            self.assertEqual(self.error("/api/v1/query_range", **{"query": "a", "start": 0, "end": 1, "step": 1, name: text}),
                             (400, "bad_data", f'invalid parameter "{name}": cannot parse "{text}" to a valid timestamp'))
        self.assertIn("11,000 points", self.error("/api/v1/query_range", query="a", start=0, end=11001, step=1)[2])
        # Nothing is in a range that ends before it begins.
        for path in ("series?match[]=a&", "labels?", "label/x/values?"):
            answer = self.server.request("GET", f"/api/v1/{path}start={now}&end={now - 9}")
            self.assertEqual((answer.status, json.loads(answer.text)["data"]), (200, []), path)
        self.assertEqual(self.error("/api/v1/query", query=""),
                         (400, "bad_data", 'invalid parameter "query": 1:1: parse error: no expression found in input'))
        # Names that a path cannot spell.
        self.server.request("POST", "/api/v1/import/prometheus", '{"m","label.name"="v"} 1\n')
        self.assertEqual(self.ask("/api/v1/label/U__label_2e_name/values")[1]["data"], ["v"])
        self.assertEqual(self.error("/api/v1/label/a-b/values"), (400, "bad_data", 'invalid label name: "a-b"'))

    def test_statistics_say_what_a_query_looked_at(self):
        now = int(time.time())
        lines = [f'a{{x="{x}"}} {i} {now - 60 + 15 * i}' for x in "12" for i in range(5)]
        loaded = self.server.request("POST", "/api/v1/import/openmetrics", "\n".join([*lines, "# EOF", ""]),
                                     {"Content-Type": "application/openmetrics-text; version=1.0.0"})
        self.assertEqual(json.loads(loaded.text)["data"]["accepted"], 10, loaded.text)
        params = {"query": "sum(sum_over_time(a[30s]))", "start": now - 30, "end": now, "step": 15}
        status, answer = self.ask("/api/v1/query_range", **params, stats="all")
        stats = answer["data"]["stats"]
        self.assertEqual(stats["samples"]["totalQueryableSamplesPerStep"], [[now - 30, 4], [now - 15, 4], [now, 4]])
        self.assertEqual(stats["samples"]["samplesReadPerStep"], [[now - 30, 4], [now - 15, 2], [now, 2]])
        self.assertEqual((stats["samples"]["totalQueryableSamples"], stats["samples"]["samplesRead"]), (12, 8))
        self.assertGreater(stats["samples"]["peakSamples"], 0)
        self.assertEqual(set(stats["timings"]), {"evalTotalTime", "resultSortTime", "queryPreparationTime",
                                                 "innerEvalTime", "execQueueTime", "execTotalTime"})
        self.assertGreater(stats["timings"]["execTotalTime"], 0)
        # Without the steps; by a word that Prometheus warns of; not at all.
        plain = self.ask("/api/v1/query_range", **params, stats="true")[1]
        self.assertEqual(set(plain["data"]["stats"]["samples"]), {"totalQueryableSamples", "samplesRead", "peakSamples"})
        self.assertNotIn("warnings", plain)
        other = self.ask("/api/v1/query", query="a", time=now, stats="1")[1]
        self.assertEqual(other["data"]["stats"]["samples"]["totalQueryableSamples"], 2)
        self.assertEqual(other["warnings"], ['value "1" for parameter "stats" is deprecated and will be rejected in the '
                                             'next major release, use "true" or "all"'])
        self.assertNotIn("stats", self.ask("/api/v1/query", query="a")[1]["data"])

    def test_methods_and_paths(self):
        for path, allow in (("/api/v1/query", "GET, HEAD, POST"), ("/api/v1/push", "POST"), ("/-/reload", "POST, PUT")):
            refused = self.server.request("DELETE", path)
            self.assertEqual((refused.status, refused.getheader("Allow")), (405, allow))
            if path.startswith("/api/"):
                self.assertEqual(json.loads(refused.text),
                                 {"status": "error", "errorType": "bad_data", "error": "method not allowed"})
        missing = self.server.request("GET", "/api/v1/nope")
        self.assertEqual((missing.status, missing.getheader("Content-Type"), missing.text),
                         (404, "text/plain; charset=utf-8", "404 page not found\n"))

    def test_the_timeout_counts_the_time_in_the_queue(self):
        self.server.push({"metric": "a", "value": 1})
        self.assertEqual(self.error("/api/v1/query", query="1", timeout=0)[:2], (503, "timeout"))
        outcomes = []

        def ask():
            started = time.monotonic()
            status, kind, _ = self.error("/api/v1/query", query=SLOW)
            outcomes.append((status, kind, time.monotonic() - started))
        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        # Pushes and views do not queue behind queries.
        self.assertEqual(self.server.push([]).status, 200)
        self.assertEqual(self.server.request("GET", "/api/v1/kpis").status, 200)
        for thread in threads:
            thread.join()
        self.assertEqual({o[:2] for o in outcomes}, {(503, "timeout")})
        # Queued ones one after the other would take three times the timeout.
        self.assertLess(max(o[2] for o in outcomes), 5)

    def test_a_client_that_leaves_takes_its_query_with_it(self):
        self.server.push({"metric": "a", "value": 1})
        self.server.write_config(pushed_kpi(self.sink(), extra="limits: {query_timeout: 1h, concurrent_queries: 2}"))
        self.assertEqual(self.server.reload().status, 200)
        for _ in range(6):
            leaver = socket.create_connection(("127.0.0.1", self.server.port))
            query = urllib.parse.urlencode({"query": SLOW})
            leaver.sendall(f"GET /api/v1/query?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            time.sleep(0.1)
            leaver.close()
        self.assertEqual(self.ask("/api/v1/query", query="1")[0], 200)

    def test_encodings_of_bodies(self):
        item = b'{"metric":"packed","value":1}'
        packed = self.server.request("POST", "/api/v1/push", gzip.compress(item), {"Content-Encoding": "gzip"})
        self.assertEqual(packed.status, 200)
        for path in ("/api/v1/push", "/api/v1/import/prometheus"):
            refused = self.server.request("POST", path, item, {"Content-Encoding": "br"})
            self.assertEqual(refused.status, 415)
            self.assertIn("br", json.loads(refused.text)["error"])
        damaged = self.server.request("POST", "/api/v1/push", b"no gzip", {"Content-Encoding": "gzip"})
        self.assertEqual(damaged.status, 400)
        self.assertEqual(json.loads(damaged.text)["errorType"], "bad_data")
        bomb = self.server.request("POST", "/api/v1/push", gzip.compress(bytes(64 << 20)), {"Content-Encoding": "gzip"})
        self.assertEqual((bomb.status, json.loads(bomb.text)["status"]), (413, "error"))
        # Remote write's errors are text, as its senders read them.
        for path, kind in (("/api/v1/push", "application/json"), ("/api/v1/write", "text/plain; charset=utf-8")):
            large = self.server.request("POST", path, bytes(33 << 20))
            self.assertEqual((large.status, large.getheader("Content-Type")), (413, kind))
        self.server.push([{"metric": "wide", "labels": {"n": str(n)}, "value": n} for n in range(500)])
        wide = self.server.request("GET", "/api/v1/query?query=wide", headers={"Accept-Encoding": "gzip"})
        self.assertEqual(wide.getheader("Content-Encoding"), "gzip")
        self.assertEqual(len(json.loads(gzip.decompress(wide.body))["data"]["result"]), 500)

    def test_a_push_that_is_repeated_after_a_restart_adds_nothing(self):
        item = {"metric": "once", "value": 1}
        first = self.server.push([item, {"metric": "once", "value": None}], key="order-1")
        self.assertEqual(json.loads(first.text)["data"]["accepted"], 1)
        self.server.stop()
        self.server.restart()
        again = self.server.push([item, {"metric": "once", "value": None}], key="order-1")
        self.assertEqual(json.loads(again.text), json.loads(first.text))
        self.assertEqual(len(self.server.query("once[1h]")[0]["values"]), 1)

    def test_a_text_import_is_stored_whole_or_not_at_all(self):
        def send(text):
            return self.server.request("POST", "/api/v1/import/prometheus", text)
        self.assertEqual(send("good 1\n# any comment\nother{a=\"b\"} 2\n").status, 204)
        for text, line in (("new 1\nnew two\n", "line 2"), ("new 1\nnew 2\n", "line 2"),
                           ("new 1\nnew2 1 1000\n", "line 2"), ("new 1 1.5\n", "line 1")):
            refused = send(text)
            self.assertEqual(refused.status, 400, text)
            self.assertIn(line, json.loads(refused.text)["error"])
        self.assertEqual(self.server.query("new") + self.server.query("new2"), [])
        self.assertEqual(self.server.metric(r'kpid_ingest_rejected_total\{protocol="text",reason="malformed"\}'), 2)
        # A type that says OpenMetrics is taken by its word: its times are seconds.
        now = time.time()
        lines = f"# TYPE open gauge\nopen 7 {now:.3f}\n# EOF\n"
        for kind, status in (("application/openmetrics-text; version=1.0.0; charset=utf-8", 204),
                             ("application/openmetrics-text; version=9", 415), ("text/plain", 400)):
            answer = self.server.request("POST", "/api/v1/import/prometheus", lines, {"Content-Type": kind})
            self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(self.server.value("open"), 7)
        # Names that are kpid's own are left out without a word.
        self.assertEqual(send("kpid_mine 1\nmine 1\n").status, 204)
        self.assertEqual(self.server.value("mine"), 1)

    def test_counters_on_the_page_are_those_of_now(self):
        config = pushed_kpi(self.sink()).replace("scrape_interval: 1s", "scrape_interval: 1h")
        server = self.kpid(config, name="hourly")
        before = server.metric("^kpid_storage_samples_appended_total")
        server.push([{"metric": "m", "labels": {"n": str(n)}, "value": n} for n in range(50)])
        self.assertGreaterEqual(server.metric("^kpid_storage_samples_appended_total"), before + 50)

    def test_refused_json_says_where(self):
        for body, place in (('{"metric":"a","value":1', "byte 23"), ('{"metric":"a","value":NaN}', "byte 22"),
                            ('[{"metric":"a","value":1}]]', "byte 26")):
            refused = self.server.request("POST", "/api/v1/push", body)
            self.assertEqual(refused.status, 400)
            self.assertIn(place, json.loads(refused.text)["error"])

    def test_alerts_are_valued_as_prometheus_writes_them(self):
        self.server.push({"metric": "errors", "value": 25})
        alert = wait_until("the alert", lambda: self.server.api("/api/v1/alerts")["alerts"])[0]
        self.assertEqual(alert["value"], "2.5e+01")


if __name__ == "__main__":
    unittest.main()
