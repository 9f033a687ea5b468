"""How targets are scraped: labels, limits, credentials, TLS, reloads, slow ones; and other servers' numbers."""

import gzip
import http.server
import json
import os
import ssl
import subprocess
import threading
import time
import unittest

from harness import Case, free_port, pushed_kpi, wait_until

TEXT = "text/plain; version=0.0.4"


class Target:
    """A web server whose pages a test writes: path -> function of the handler, or (content type, body)."""

    def __init__(self, tls=None):
        target = self
        self.pages = {}
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer_page(b"")

            def do_POST(self):
                self.answer_page(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer_page(self, body):
                target.seen.append({"path": self.path, "headers": dict(self.headers.items()), "body": body,
                                    "time": time.time()})
                page = target.pages.get(self.path.split("?")[0])
                if callable(page):
                    page(self)
                elif page is None:
                    self.reply(404, "text/plain", b"no such page")
                else:
                    self.reply(200, page[0], page[1].encode())

            def reply(self, status, content_type, data, headers=()):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def requests_of(self, path):
        return [r for r in self.seen if r["path"].split("?")[0] == path]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Scrape(Case):
    def target(self, tls=None):
        target = Target(tls)
        self.addCleanup(target.stop)
        return target

    def scraping(self, configs):
        lines = "".join(f"  - {json.dumps(config)}\n" for config in configs)
        return pushed_kpi(self.hook, extra="scrape_configs:\n" + lines)

    def setUp(self):
        super().setUp()
        self.hook = self.sink()

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def job(self, target, name, **more):
        return {"job_name": name, "metrics_path": "/" + name, "static_configs": [{"targets": [target.address]}], **more}

    def errors_of(self, kpid):
        return {t["scrapePool"]: t["lastError"] for t in kpid.api("/api/v1/targets")["activeTargets"]}

    def test_labels_of_targets_and_samples(self):
        target = self.target()
        own = 'own{job="theirs",instance="box",code="500"} 1\nown{code="200"} 2\nnoise 9\n'
        for name in ("honest", "stubborn", "edited"):
            target.pages["/" + name] = (TEXT, own)
        relabel = [{"source_labels": ["__address__"], "regex": r"127\.0\.0\.1:(\d+)", "target_label": "port"},
                   {"target_label": "zone", "replacement": "b"},
                   {"source_labels": ["__address__"], "regex": "gone.*", "action": "drop"}]
        metric_relabel = [{"source_labels": ["__name__"], "regex": "noise", "action": "drop"},
                          {"source_labels": ["code"], "regex": "(.).*", "target_label": "class", "replacement": "${1}xx"},
                          {"regex": "code", "action": "labeldrop"}]
        edited = self.job(target, "edited", relabel_configs=relabel, metric_relabel_configs=metric_relabel)
        edited["static_configs"] = [{"targets": [target.address, "gone:1"], "labels": {"team": "x"}}]
        kpid = self.kpid(self.scraping([self.job(target, "honest", honor_labels=True), self.job(target, "stubborn"), edited]))
        for name in ("honest", "stubborn", "edited"):
            wait_until(name, lambda: kpid.value(f'up{{job="{name}"}}') == 1)
        self.assertEqual(kpid.query('own{job="theirs",instance="box"}')[0]["metric"],
                         {"__name__": "own", "job": "theirs", "instance": "box", "code": "500"})
        self.assertEqual(kpid.query('own{job="stubborn",code="500"}')[0]["metric"],
                         {"__name__": "own", "job": "stubborn", "instance": target.address, "code": "500",
                          "exported_job": "theirs", "exported_instance": "box"})
        self.assertEqual(kpid.query('own{job="edited",class="2xx"}')[0]["metric"],
                         {"__name__": "own", "job": "edited", "instance": target.address, "class": "2xx",
                          "port": str(target.port), "zone": "b", "team": "x"})
        self.assertEqual(kpid.query('noise{job="edited"}'), [])
        self.assertEqual(kpid.value('scrape_samples_scraped{job="edited"}'), 3)
        self.assertEqual(kpid.value('scrape_samples_post_metric_relabeling{job="edited"}'), 2)
        targets = kpid.api("/api/v1/targets")
        self.assertEqual([t["discoveredLabels"]["__address__"] for t in targets["droppedTargets"]], ["gone:1"])
        self.assertTrue(all(t["lastScrapeDuration"] > 0 for t in targets["activeTargets"]))

    def test_times_limits_and_staleness(self):
        target = self.target()
        then = int(time.time()) - 30
        for name in ("honored", "ignored"):
            target.pages["/" + name] = (TEXT, f"stamped 1 {then}000\n")
        target.pages["/many"] = (TEXT, "many_a 1\nmany_b 2\nmany_c 3\n")
        target.pages["/leaving"] = (TEXT, "leaving 1\n")
        jobs = [self.job(target, "honored"), self.job(target, "ignored", honor_timestamps=False),
                self.job(target, "many", sample_limit=2), self.job(target, "leaving")]
        kpid = self.kpid(self.scraping(jobs))
        for name in ("honored", "ignored", "leaving"):
            wait_until(name, lambda: kpid.value(f'up{{job="{name}"}}') == 1)
        self.assertEqual(kpid.value('timestamp(stamped{job="honored"})'), then)
        self.assertGreater(kpid.value('timestamp(stamped{job="ignored"})'), then + 20)
        wait_until("the limit", lambda: kpid.value('up{job="many"}') == 0)
        self.assertEqual(kpid.query("many_a"), [])
        self.assertIn("sample limit exceeded", self.errors_of(kpid)["many"])
        # A target that a reload removes takes its series with it at once; the others stay.
        kpid.write_config(self.scraping(jobs[:-1]))
        self.assertEqual(kpid.reload().status, 200)
        wait_until("its series going", lambda: kpid.query('{job="leaving"}') == [])
        self.assertEqual(kpid.value('up{job="honored"}'), 1)
        self.assertIsNone(kpid.metric(r'kpid_source_up\{source="leaving"\}'))

    def test_what_is_sent_to_a_target(self):
        target = self.target()

        def packed(handler):
            handler.reply(200, TEXT, gzip.compress(b"packed 5\n"), [("Content-Encoding", "gzip")])
        target.pages["/packed"] = packed
        for name in ("basic", "bearer", "asked"):
            target.pages["/" + name] = (TEXT, name + " 1\n")
        password = self.file("password", "pass:wörd\n")
        token = self.file("token", "s3cret\n")
        kpid = self.kpid(self.scraping([
            self.job(target, "packed"),
            self.job(target, "basic", basic_auth={"username": "me", "password_file": password}),
            self.job(target, "bearer", authorization={"credentials_file": token}),
            self.job(target, "asked", params={"module": ["http_2xx"], "collect[]": ["a b", "c"]})]))
        for name in ("packed", "basic", "bearer", "asked"):
            wait_until(name, lambda: kpid.value(f'up{{job="{name}"}}') == 1)
        self.assertEqual(kpid.value("packed"), 5)
        headers = {name: target.requests_of("/" + name)[0]["headers"] for name in ("packed", "basic", "bearer")}
        self.assertEqual(headers["packed"]["Accept-Encoding"], "gzip")
        self.assertEqual(headers["packed"]["X-Prometheus-Scrape-Timeout-Seconds"], "1")
        self.assertTrue(headers["packed"]["User-Agent"].lower().startswith("kpid/"))
        self.assertEqual(headers["basic"]["Authorization"], "Basic bWU6cGFzczp3w7ZyZA==")
        self.assertEqual(headers["bearer"]["Authorization"], "Bearer s3cret")
        asked = target.requests_of("/asked")[0]["path"]
        self.assertEqual(asked.count("collect%5B%5D="), 2)
        self.assertIn("module=http_2xx", asked)
        # Secrets are read anew: a rotated token needs no reload.
        self.file("token", "rotated\n")
        wait_until("the new token", lambda: target.requests_of("/bearer")[-1]["headers"]["Authorization"]
                   == "Bearer rotated")
        page = kpid.request("GET", "/api/v1/targets").text
        self.assertNotIn("s3cret", page)

    def test_tls_with_an_own_authority(self):
        key, certificate = os.path.join(self.folder, "key.pem"), os.path.join(self.folder, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=shop.example",
                        "-addext", "subjectAltName=DNS:shop.example"], check=True, capture_output=True, timeout=60)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        target = self.target(context)
        for name in ("trusted", "unknown", "other_name", "careless"):
            target.pages["/" + name] = (TEXT, name + " 1\n")
        https = {"scheme": "https"}
        kpid = self.kpid(self.scraping([
            self.job(target, "trusted", **https, tls_config={"ca_file": certificate, "server_name": "shop.example"}),
            self.job(target, "unknown", **https, tls_config={"server_name": "shop.example"}),
            self.job(target, "other_name", **https, tls_config={"ca_file": certificate}),
            self.job(target, "careless", **https, tls_config={"insecure_skip_verify": True})]))
        for name in ("trusted", "careless"):
            wait_until(name, lambda: kpid.value(f'up{{job="{name}"}}') == 1)
        for name in ("unknown", "other_name"):
            wait_until(name, lambda: kpid.value(f'up{{job="{name}"}}') == 0)
            self.assertRegex(self.errors_of(kpid)[name].lower(), "certificate|ssl|tls")

    def test_a_slow_target_delays_no_other_and_rounds_are_spread(self):
        target = self.target()
        over = threading.Event()
        self.addCleanup(over.set)
        target.pages["/slow"] = lambda handler: over.wait(30)
        jobs = [self.job(target, "slow")]
        for number in range(12):
            target.pages[f"/fast{number}"] = (TEXT, "fast 1\n")
            jobs.append(self.job(target, f"fast{number}"))
        kpid = self.kpid(self.scraping(jobs))
        wait_until("the slow one being down", lambda: kpid.value('up{job="slow"}') == 0)
        self.assertRegex(self.errors_of(kpid)["slow"], "time")
        wait_until("many rounds", lambda: len(target.requests_of("/fast0")) >= 5)
        offsets = []
        for number in range(12):
            times = [r["time"] for r in target.requests_of(f"/fast{number}")]
            gaps = [b - a for a, b in zip(times[1:], times[2:])]
            self.assertLess(max(gaps), 1.9, gaps)
            offsets.append(times[-1] % 1)
        self.assertGreater(max(offsets) - min(offsets), 0.3)

    def test_another_server_that_answers_with_errors(self):
        target = self.target()
        answers = {"ok": {"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {"__name__": "x", "shop": "de"}, "value": [1, "7"]}]}},
            "bad": {"status": "error", "errorType": "bad_data", "error": "parse error: that is no query"}}

        def page(handler):
            asked = target.seen[-1]["body"].decode()
            which = "bad" if "nonsense" in asked else "ok"
            handler.reply(400 if which == "bad" else 200, "application/json", json.dumps(answers[which]).encode())
        target.pages["/prom/api/v1/query"] = page
        kpid = self.kpid(pushed_kpi(self.hook, extra=f"""
sources:
  other:
    interval: 1s
    labels: {{site: there}}
    promql: {{url: "http://{target.address}/prom", queries: {{sold: {{expr: x}}, broken: {{expr: nonsense}}}}}}
"""))
        wait_until("the good query", lambda: kpid.value('sold{shop="de",job="other",site="there"}') == 7)
        self.assertEqual(kpid.value('up{job="other"}'), 0)
        wait_until("the log line", lambda: any("that is no query" in line for line in kpid.process.lines))


if __name__ == "__main__":
    unittest.main()
