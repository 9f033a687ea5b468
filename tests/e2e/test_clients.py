"""What other people's clients ask: the package prometheus-query, and Grafana's data source for Prometheus.

The calls of Grafana's data source were read off its source; each is sent as it sends it: methods, headers, parameters.
"""

import gzip
import json
import math
import os
import shutil
import subprocess
import sys
import time
import unittest
import urllib.parse

from harness import FORM, SOURCE, Case, wait_until

NPM = os.path.join(SOURCE, "build", "peers", "npm")

CONFIG = """
global: {evaluation_interval: 1s, scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs: [{job_name: self, static_configs: [{targets: ["127.0.0.1:PORT"]}]}]
rule_files: [rules.yaml]
owners: {ops: {title: Operations, receiver: inbox}}
kpis:
  queue: {title: Queue, owner: ops, unit: count, better: lower, value: {expr: "sum(jobs)"}, target: {at_most: 1}, evaluate: on_sample}
"""

RULES = """
groups:
  - name: g
    rules:
      - {record: "jobs:sum", expr: "sum(jobs)"}
      - {alert: Full, expr: "jobs > 1", labels: {severity: page}, annotations: {summary: "{{ $labels.queue }}"}}
"""


class WithData(Case):
    def setUp(self):
        super().setUp()
        with open(os.path.join(self.subfolder("kpid"), "rules.yaml"), "w", encoding="utf-8") as out:
            out.write(RULES)
        self.server = self.kpid(CONFIG.replace("PORT", "1"))
        self.server.write_config(CONFIG.replace("PORT", str(self.server.port)))
        self.assertEqual(self.server.reload().status, 200)
        pushed = self.server.push([{"metric": "jobs", "labels": {"queue": q}, "value": v}
                                   for q, v in (("x", 1), ("y", 2), ("z", 0.5))]
                                  + [{"metric": "requests_bucket", "labels": {"le": le}, "value": v}
                                     for le, v in (("1.0", 1), ("+Inf", 3))])
        self.assertEqual(pushed.status, 200, pushed.text)
        dotted = self.server.request("POST", "/api/v1/import/prometheus", '{"http.requests","http.method"="get"} 4\n')
        self.assertEqual(dotted.status, 204, dotted.text)
        wait_until("an alert", lambda: [a for a in self.server.api("/api/v1/alerts")["alerts"]
                                        if a["labels"]["alertname"] == "Full"])
        wait_until("a scrape", lambda: self.server.query('up{job="self"} == 1'))


class PrometheusQuery(WithData):
    def test_the_npm_package_reads_every_answer(self):
        if not os.path.isdir(os.path.join(NPM, "node_modules", "prometheus-query")) or shutil.which("node") is None:
            print("\n*** prometheus-query is not in build/peers/npm, or node is missing: this did NOT run "
                  "(packaging/fetch_peers) ***\n", file=sys.stderr, flush=True)
            return
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prometheus_query.js")
        done = subprocess.run(["node", script, NPM, f"http://127.0.0.1:{self.server.port}"], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        for form, answer in json.loads(done.stdout).items():
            with self.subTest(form=form):
                self.check(answer)

    def check(self, answer):
        self.assertEqual(answer["scalar"][1], "2")
        self.assertEqual({(s["metric"]["name"], s["metric"]["labels"]["queue"], s["value"]["value"])
                          for s in answer["vector"]}, {("jobs", "x", 1), ("jobs", "y", 2), ("jobs", "z", 0.5)})
        self.assertEqual(len(answer["range"]), 3)
        self.assertEqual({m["labels"]["queue"] for m in answer["series"]}, {"x", "y", "z"})
        self.assertEqual(answer["labelNames"], ["__name__", "queue"])
        self.assertEqual(answer["labelValues"], ["x", "y", "z"])
        self.assertEqual(answer["targets"]["activeTargets"][0]["health"], "up")
        self.assertEqual([m["type"] for m in answer["targetsMetadata"]], ["gauge"])
        self.assertEqual(answer["metadata"]["kpid_build_info"][0]["type"], "gauge")
        self.assertEqual(answer["rules"][0]["rules"][1]["alerts"][0]["state"], "firing")
        self.assertEqual({a["labels"]["queue"] for a in answer["alerts"] if a["labels"]["alertname"] == "Full"}, {"y"})
        self.assertEqual(answer["alertmanagers"]["activeAlertmanagers"], [])
        self.assertIn("kpis:", answer["config"]["yaml"])
        self.assertIn("config.file", answer["flags"])
        self.assertIn("storageRetention", answer["runtime"])
        self.assertTrue(answer["build"]["version"])
        self.assertGreater(answer["tsdb"]["headStats"]["numSeries"], 0)
        self.assertIn("unclosed left parenthesis", json.dumps(answer["error"]))


class Grafana(WithData):
    """Its back end asks for panels; its resources (variables, the metric browser) go through the same client."""

    HEADERS = {"User-Agent": "Grafana/11.6.0", "Accept-Encoding": "gzip", "X-Grafana-Org-Id": "1",
               "X-Datasource-Uid": "kpid", "X-Dashboard-Uid": "d1", "X-Panel-Id": "2", "X-Query-Group-Id": "abc"}
    # Its query for "everything": the metric browser and series without a selector.
    EVERYTHING = '{__name__!=""}'
    LIMIT = "40000"

    def call(self, method, path, params=None, in_url=False):
        """One request of the data source; `data` of the answer."""
        form = urllib.parse.urlencode(params or {}, doseq=True)
        headers = dict(self.HEADERS)
        if method == "POST":
            headers.update(FORM)
            path, body = (f"{path}?{form}", "") if in_url else (path, form)
        else:
            path, body = path + ("?" + form if form else ""), None
        response = self.server.request(method, path, body, headers)
        packed = response.getheader("Content-Encoding") == "gzip"
        answer = json.loads(gzip.decompress(response.body) if packed else response.body)
        self.assertEqual((response.status, answer["status"]), (200, "success"), f"{method} {path}: {answer}")
        return answer["data"]

    def resource(self, path, **params):
        """As it calls resources: with POST, its parameters in the URL; with GET where that is refused."""
        url = "/" + path + "?" + urllib.parse.urlencode(params, doseq=True)
        response = self.server.request("POST", url, "", {**self.HEADERS, **FORM})
        if response.status in (400, 405):
            return self.call("GET", "/" + path, params)
        return self.call("POST", "/" + path, params, in_url=True)

    def window(self, minutes=60):
        """Whole minutes around now, as its caches want them."""
        now = time.time()
        return {"start": str(math.floor((now - 60 * minutes) / 60) * 60), "end": str(math.ceil(now / 60) * 60)}

    def test_save_and_test(self):
        health = self.call("POST", "/api/v1/query", {"query": "1+1", "time": "4"})
        self.assertEqual(health, {"resultType": "scalar", "result": [4, "2"]})
        # The kind of server: no features, so that it is taken for a Prometheus. POST is refused first.
        build = self.resource("api/v1/status/buildinfo")
        self.assertNotIn("features", build)
        self.assertRegex(build["version"], r"^\d+\.\d+\.\d+")
        # Whether rules can be shown.
        self.assertTrue(self.resource("api/v1/rules")["groups"])

    def test_variables(self):
        window = self.window()
        self.assertEqual(self.call("GET", "/api/v1/label/queue/values", {"limit": self.LIMIT, **window}), ["x", "y", "z"])
        self.assertEqual(self.call("GET", "/api/v1/label/queue/values",
                                   {"limit": self.LIMIT, **window, "match[]": 'jobs{queue!="x"}'}), ["y", "z"])
        self.assertIn("queue", self.resource("api/v1/labels", limit=self.LIMIT, **window))
        self.assertEqual(self.resource("api/v1/labels", limit=self.LIMIT, **window, **{"match[]": "jobs"}),
                         ["__name__", "queue"])
        series = self.resource("api/v1/series", **window, **{"match[]": "jobs"}, limit=self.LIMIT)
        self.assertEqual([s["queue"] for s in series], ["x", "y", "z"])
        # query_result(…): an instant query.
        result = self.call("POST", "/api/v1/query", {"query": "topk(1, jobs)", "time": str(time.time())})["result"]
        self.assertEqual([s["metric"]["queue"] for s in result], ["y"])
        # A label whose name no path can spell, and nothing where nothing is.
        self.assertEqual(self.call("GET", "/api/v1/label/U__http_2e_method/values", {"limit": self.LIMIT, **window}),
                         ["get"])
        self.assertEqual(self.call("GET", "/api/v1/label/nothing/values", {"limit": self.LIMIT, **window}), [])

    def test_the_metric_browser(self):
        window = self.window()
        names = self.call("GET", "/api/v1/label/__name__/values", {"limit": self.LIMIT, **window})
        self.assertLess({"jobs", "jobs:sum", "requests_bucket", "http.requests", "ALERTS"}, set(names))
        metadata = self.call("GET", "/api/v1/metadata", {"limit": self.LIMIT})
        self.assertEqual(metadata["kpid_kpi_value"][0]["type"] if "kpid_kpi_value" in metadata else "gauge", "gauge")
        self.assertEqual(set(metadata["kpid_build_info"][0]), {"type", "help", "unit"})
        everything = self.resource("api/v1/series", **window, **{"match[]": self.EVERYTHING}, limit=self.LIMIT)
        self.assertIn({"__name__": "jobs", "queue": "x"}, everything)
        few = self.resource("api/v1/series", **window, **{"match[]": self.EVERYTHING}, limit="2")
        self.assertEqual(len(few), 2)

    def test_panels(self):
        step = 15
        end = math.floor(time.time() / step) * step + step
        frame = {"start": str(end - 3600), "end": str(end), "step": str(step)}
        for query, labels in (("jobs", {"__name__", "queue"}), ("sum by (queue) (jobs)", {"queue"}),
                              ("rate(jobs[1m0s])", {"queue"}), ("histogram_quantile(0.9, requests_bucket)", set()),
                              ('{"http.requests","http.method"="get"}', {"__name__", "http.method"}),
                              ('sum(ALERTS{alertstate="firing"})', set())):
            data = self.call("POST", "/api/v1/query_range", {"query": query, **frame})
            self.assertEqual(data["resultType"], "matrix")
            for series in data["result"]:
                self.assertEqual(set(series["metric"]), labels, query)
                times = [t for t, _ in series["values"]]
                self.assertEqual([t for t in times if t % step], [], "steps are aligned")
        # A table: the same as an instant query; a server that is set to GET; exemplars beside a graph.
        table = self.call("POST", "/api/v1/query", {"query": "jobs", "time": str(time.time()), "timeout": "60s"})
        self.assertEqual(len(table["result"]), 3)
        self.assertEqual(len(self.call("GET", "/api/v1/query_range", {"query": "jobs", **frame})["result"]), 3)
        self.assertEqual(self.call("POST", "/api/v1/query_exemplars",
                                   {"query": "requests_bucket", "start": frame["start"], "end": frame["end"]}), [])
        # A query that is wrong: the error reaches the panel.
        wrong = self.server.request("POST", "/api/v1/query_range", urllib.parse.urlencode({"query": "sum(", **frame}),
                                    {**self.HEADERS, **FORM})
        self.assertEqual((wrong.status, json.loads(wrong.body)["errorType"]), (400, "bad_data"))

    def test_alert_list_and_annotations(self):
        groups = self.call("GET", "/api/v1/rules", {"limit_alerts": "16"})["groups"]
        full = [r for g in groups for r in g["rules"] if r["name"] == "Full"][0]
        self.assertEqual((full["type"], full["state"], full["health"], full["alerts"][0]["labels"]["queue"]),
                         ("alerting", "firing", "ok", "y"))
        self.assertIn("kpis", [g["name"] for g in groups])
        self.assertEqual({a["labels"]["alertname"] for a in self.call("GET", "/api/v1/alerts")["alerts"]} & {"Full"},
                         {"Full"})
        # An annotation query is a range query with its own step.
        end = int(time.time()) + 1
        data = self.call("POST", "/api/v1/query_range",
                         {"query": 'ALERTS{alertname="Full"}', "start": str(end - 3600), "end": str(end), "step": "60"})
        self.assertEqual(data["resultType"], "matrix")
        self.assertEqual(self.call("POST", "/api/v1/format_query", {"query": "sum by(queue)(jobs)"}),
                         "sum by (queue) (jobs)")


if __name__ == "__main__":
    unittest.main()
