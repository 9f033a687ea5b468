"""What people ask Prometheus with: promtool, and a Prometheus that federates."""

import json
import os
import subprocess
import time
import unittest
from urllib.parse import quote, urlencode

from harness import PEERS, Case, free_port, wait_until

CONFIG = """
global: {evaluation_interval: 1s, scrape_interval: 1s, scrape_timeout: 1s, external_labels: {region: eu, zone: b}}
"""


class Promtool(Case):
    def setUp(self):
        super().setUp()
        self.server = self.kpid(CONFIG)
        self.url = f"http://127.0.0.1:{self.server.port}"
        pushed = self.server.push([{"metric": "jobs", "labels": {"queue": q, "zone": "a"} if q == "x" else {"queue": q},
                                    "value": v} for q, v in (("x", 1.5), ("y", 2), ("ü \"z\"\\", "NaN"))])
        self.assertEqual(pushed.status, 200, pushed.text)

    def promtool(self, *args, text=None, code=0):
        done = subprocess.run([os.path.join(PEERS, "promtool"), *args], input=text, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, code, f"{args}\n{done.stdout}\n{done.stderr}")
        return done.stdout + done.stderr

    def test_queries(self):
        instant = json.loads(self.promtool("query", "instant", "-o", "json", self.url, 'jobs{queue="x"}'))
        self.assertEqual((instant[0]["metric"], instant[0]["value"][1]),
                         ({"__name__": "jobs", "queue": "x", "zone": "a"}, "1.5"))
        self.assertIn("2 @", self.promtool("query", "instant", self.url, 'sum(jobs{queue="y"})'))
        now = time.time()
        ranged = json.loads(self.promtool("query", "range", "-o", "json", f"--start={now}", f"--end={now + 60}",
                                          "--step=15s", self.url, 'jobs{queue="y"}'))
        self.assertEqual([v for _, v in ranged[0]["values"]], ["2"] * 5)
        series = self.promtool("query", "series", f"--match={{queue=~'x|y'}}", self.url)
        self.assertEqual(sorted(series.strip().splitlines()),
                         ['{__name__="jobs", queue="x", zone="a"}', '{__name__="jobs", queue="y"}'])
        labels = self.promtool("query", "labels", self.url, "queue")
        self.assertEqual(labels.split("\n")[:3], ["x", "y", 'ü "z"\\'])
        refused = self.promtool("query", "instant", self.url, "sum(", code=1)
        self.assertIn("unclosed left parenthesis", refused)

    def test_what_kpid_exposes_is_well_formed(self):
        self.promtool("check", "metrics", text=self.server.request("GET", "/metrics").text)
        # What federation gives has no help, in Prometheus neither; every line is read all the same.
        found = self.promtool("check", "metrics", text=self.federate('{__name__=~".+"}').text, code=3)
        self.assertNotIn("error while linting", found)
        self.assertEqual({line.split(" ", 1)[1] for line in found.splitlines() if not line.startswith("kpid_")},
                         {"no help text"})

    def federate(self, *selectors, accept=None):
        return self.server.request("GET", "/federate?" + urlencode({"match[]": selectors}, doseq=True),
                                   headers={"Accept": accept} if accept else {})

    def test_federate_gives_the_newest_sample_of_each_series(self):
        now = int(time.time() * 1000)
        self.server.push([{"metric": "a.b", "labels": {"c.d": "e"}, "value": 1}])
        answer = self.federate('jobs{queue="y"}', 'jobs{queue=~"x|y"}')
        self.assertEqual(answer.getheader("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
        lines = answer.text.splitlines()
        self.assertEqual([line.rsplit(" ", 1)[0] for line in lines],
                         ["# TYPE jobs",
                          'jobs{queue="x",zone="a",instance="",region="eu"} 1.5',
                          'jobs{queue="y",instance="",region="eu",zone="b"} 2'])
        for line in lines[1:]:
            self.assertLess(abs(int(line.rsplit(" ", 1)[1]) - now), 60_000)
        # Names that are not classic: as the scraper says that it can read them.
        self.assertIn('a_b{c_d="e",', self.federate('{__name__="a.b"}').text)
        spelled = self.federate('{__name__="a.b"}', accept="text/plain;version=1.0.0;escaping=allow-utf-8")
        self.assertIn('{"a.b","c.d"="e",', spelled.text)
        self.assertEqual(spelled.getheader("Content-Type"),
                         "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8")
        # Always the text format, as in Prometheus.
        self.assertIn("version=0.0.4", self.federate("jobs", accept="application/openmetrics-text;version=1.0.0")
                      .getheader("Content-Type"))
        self.assertEqual((self.federate().status, self.federate().text), (200, ""))
        refused = self.federate("jobs{")
        self.assertEqual((refused.status, refused.getheader("Content-Type"), refused.text),
                         (400, "text/plain; charset=utf-8", "1:6: parse error: unexpected end of input inside braces\n"))

    def test_federate_leaves_out_what_is_old_or_has_ended(self):
        now = time.time()
        lines = f"old 1 {int(now - 400)}\nyoung 1 {int(now - 200)}\n# EOF\n"
        loaded = self.server.request("POST", "/api/v1/import/openmetrics", lines,
                                     {"Content-Type": "application/openmetrics-text; version=1.0.0"})
        self.assertEqual(loaded.status, 200, loaded.text)
        text = self.federate('{__name__=~"old|young"}').text
        self.assertNotIn("old", text)
        self.assertIn(f"young{{instance=\"\",region=\"eu\",zone=\"b\"}} 1 {int(now - 200) * 1000}\n", text)
        # A recorded series ends with its rule.
        rules = os.path.join(self.folder, "kpid", "rules.yaml")
        with open(rules, "w", encoding="utf-8") as out:
            out.write('groups: [{name: g, rules: [{record: "jobs:sum", expr: "sum(jobs{queue=\'y\'})"}]}]')
        self.server.write_config(CONFIG + "rule_files: [rules.yaml]\n")
        self.assertEqual(self.server.reload().status, 200)
        wait_until("the recorded series", lambda: "jobs:sum" in self.federate('{__name__="jobs:sum"}').text)
        self.server.write_config(CONFIG)
        self.assertEqual(self.server.reload().status, 200)
        wait_until("its end", lambda: "jobs:sum" not in self.federate('{__name__="jobs:sum"}').text)

    def test_prometheus_federates_from_kpid(self):
        port = free_port()
        folder = self.subfolder("prometheus")
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as out:
            out.write(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: federate
    honor_labels: true
    metrics_path: /federate
    params: {{"match[]": ['jobs', '{{__name__=~"kpid_build.*"}}']}}
    static_configs: [{{targets: ["127.0.0.1:{self.server.port}"]}}]
""")
        self.peer("prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                  f"--web.listen-address=127.0.0.1:{port}", name="prometheus-run")
        base = f"http://127.0.0.1:{port}/api/v1"

        def ask(expression):
            return self.get_json(f"{base}/query?query={quote(expression)}")["data"]["result"]
        wait_until("a federated series", lambda: ask('jobs{queue="x"}'))
        self.assertEqual(sorted((s["metric"].get("queue"), s["metric"].get("zone"), s["metric"].get("region"),
                                 s["metric"].get("instance"), s["metric"]["job"], s["value"][1]) for s in ask("jobs")),
                         [("x", "a", "eu", None, "federate", "1.5"), ("y", "b", "eu", None, "federate", "2"),
                          ('ü "z"\\', "b", "eu", None, "federate", "NaN")])
        self.assertEqual(len(ask("kpid_build_info")), 1)
        target = self.get_json(f"{base}/targets")["data"]["activeTargets"][0]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))


if __name__ == "__main__":
    unittest.main()
