"""Real peers: Prometheus scrapes kpid and is queried by it, promtool asks it, Alertmanager takes its alerts."""

import json
import os
import subprocess
import time

from harness import PEERS, Case, free_port, pushed_kpi, wait_until


class Peers(Case):
    def start_prometheus(self, kpid_port, port):
        config = os.path.join(self.subfolder("prometheus"), "prometheus.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write(f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: kpid
    static_configs: [{{targets: ["127.0.0.1:{kpid_port}"]}}]
""")
        prometheus = self.peer("prometheus", f"--config.file={config}", "--storage.tsdb.path=data",
                               f"--web.listen-address=127.0.0.1:{port}")
        wait_until("Prometheus being ready", lambda: self.get_json(
            f"http://127.0.0.1:{port}/api/v1/query?query=1")["status"] == "success")
        return prometheus

    def test_prometheus_scrapes_a_minute_without_an_error_and_is_queried(self):
        port = free_port()
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink, extra=f"""
sources:
  other:
    interval: 1s
    promql: {{url: "http://127.0.0.1:{port}", queries: {{kpid_up_there: {{expr: 'up{{job="kpid"}}'}}}}}}
""").replace("kpid_up_there", "seen_up"))
        kpid.push([{"metric": "errors", "labels": {"shop": "a\"b\\c\nd"}, "value": 9},
                   {"metric": "errors", "value": 0.1 + 0.2}])
        self.start_prometheus(kpid.port, port)
        base = f"http://127.0.0.1:{port}/api/v1"
        wait_until("Prometheus scraping kpid", lambda: self.get_json(
            f"{base}/query?query=up")["data"]["result"][0]["value"][1] == "1")
        # What kpid says of a KPI arrives unchanged.
        found = wait_until("the KPI in Prometheus", lambda: self.get_json(
            f"{base}/query?query=kpid_kpi_value")["data"]["result"])
        values = {r["metric"].get("shop", ""): r["value"][1] for r in found}
        self.assertEqual(values[""], "0.30000000000000004")
        self.assertEqual(values["a\"b\\c\nd"], "9")
        # kpid reads that Prometheus as a source.
        self.assertEqual(wait_until("the source's value", lambda: kpid.value("seen_up")), 1)
        started = time.monotonic()
        while time.monotonic() - started < 60:
            target = self.get_json(f"{base}/targets")["data"]["activeTargets"][0]
            self.assertEqual(target["lastError"], "")
            time.sleep(1)
        self.assertEqual(self.get_json(f"{base}/query?query=min_over_time(up[50s])")["data"]["result"][0]["value"][1], "1")

    def test_promtool_finds_nothing_and_gets_answers(self):
        kpid = self.kpid(pushed_kpi(self.sink(), extra="sources: {demo: {demo: {}}}"))
        # The second name is none that this promtool knows.
        kpid.push([{"metric": "errors", "value": 9}, {"metric": "errors", "labels": {"a b": "c"}, "value": 8}])
        wait_until("the demo being up", lambda: kpid.value("up"))
        page = kpid.request("GET", "/metrics").text
        promtool = os.path.join(PEERS, "promtool")
        done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertIn('kpid_kpi_value{a_b="c",kpi="errors"} 8', page)
        done = subprocess.run([promtool, "query", "instant", f"http://127.0.0.1:{kpid.port}", "up"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('up{', done.stdout)
        done = subprocess.run([promtool, "query", "labels", f"http://127.0.0.1:{kpid.port}", "job"],
                              capture_output=True, text=True, timeout=60)
        self.assertIn("demo", done.stdout)

    def test_alertmanager_shows_alerts_and_loses_them(self):
        port = free_port()
        config = os.path.join(self.subfolder("alertmanager"), "alertmanager.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("route: {receiver: none}\nreceivers: [{name: none}]\n")
        self.peer("prometheus-alertmanager", f"--config.file={config}", "--storage.path=data", "--cluster.listen-address=",
                  f"--web.listen-address=127.0.0.1:{port}")
        base = f"http://127.0.0.1:{port}/api/v2"
        wait_until("Alertmanager being ready", lambda: self.get_json(f"{base}/status")["versionInfo"])
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink).replace("alerting:\n", f"""alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
""").replace("global: {", "global: {external_labels: {site: berlin}, "))
        kpid.push({"metric": "errors", "labels": {"shop": "de"}, "value": 9})
        alerts = wait_until("the alert in Alertmanager", lambda: self.get_json(f"{base}/alerts"))
        self.assertEqual(alerts[0]["labels"], {
            "alertname": "errors", "kpi": "errors", "condition": "threshold", "severity": "critical",
            "owner": "ops", "shop": "de", "site": "berlin"})
        shown = subprocess.run([os.path.join(PEERS, "amtool"), f"--alertmanager.url=http://127.0.0.1:{port}",
                                "alert", "query"], capture_output=True, text=True, timeout=60)
        self.assertIn("errors", shown.stdout)
        kpid.push({"metric": "errors", "labels": {"shop": "de"}, "value": 0})
        wait_until("Alertmanager losing it", lambda: self.get_json(f"{base}/alerts") == [])
        # Own receivers stay silent while an Alertmanager speaks.
        self.assertEqual(json.dumps(sink.taken()), "[]")
