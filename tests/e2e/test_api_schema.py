"""Every answer of the query API against Prometheus' own OpenAPI document, in both forms of a request.

The document is looked for in KPID_CONFORMANCE_DIR. Without it statuses and envelopes are checked all the same.
"""

import json
import os
import time
import unittest
import urllib.parse

from harness import FORM, Case, conformance, debian_module, wait_until

DOCUMENT = conformance("prom-http-api", "openapi_3.1_golden.yaml")
NOW = time.time()

# Endpoint of the document: what is asked of it, and the status that is to come. All of its parameters occur.
CALLS = {
    "/query": [
        ({"query": "wide"}, 200), ({"query": "1"}, 200), ({"query": "wide[5m]"}, 200), ({"query": "nothing"}, 200),
        ({"query": "rate(wide[5m])", "stats": "true"}, 200),
        ({"query": "wide", "time": NOW, "timeout": "10s", "lookback_delta": "1m", "stats": "all", "limit": 2}, 200),
        ({}, 400), ({"query": "sum("}, 400), ({"query": "{}"}, 400), ({"query": "1", "time": "abc"}, 400),
        ({"query": "1", "limit": "-1"}, 400), ({"query": "1", "timeout": "x"}, 400),
        ({"query": "1", "lookback_delta": "x"}, 400), ({"query": "1", "timeout": "0"}, 503),
        ({"query": 'label_replace(wide,"n","x","n",".*")'}, 422)],
    "/query_range": [
        ({"query": "wide", "start": NOW - 60, "end": NOW + 60, "step": 15}, 200),
        ({"query": "1", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z", "step": "1m"}, 200),
        ({"query": "wide", "start": NOW - 60, "end": NOW + 60, "step": "15s", "timeout": 10, "lookback_delta": 60,
          "stats": "all", "limit": 1}, 200),
        ({"query": "1", "end": 1, "step": 1}, 400), ({"query": "1", "start": 1, "step": 1}, 400),
        ({"query": "1", "start": 0, "end": 1}, 400), ({"query": "1", "start": 2, "end": 1, "step": 1}, 400),
        ({"query": "1", "start": 0, "end": 1, "step": 0}, 400),
        ({"query": "1", "start": 0, "end": 11001, "step": 1}, 400),
        ({"query": "wide[1m]", "start": 0, "end": 1, "step": 1}, 400)],
    "/query_exemplars": [({"query": "exemplary_total", "start": NOW - 600, "end": NOW + 600}, 200),
                         ({"query": "nothing"}, 200), ({"query": "sum("}, 400),
                         ({"query": "a", "start": 2, "end": 1}, 400)],
    "/format_query": [({"query": "sum by(a)(b)"}, 200), ({"query": "invalid/"}, 400), ({}, 400)],
    "/parse_query": [({"query": "topk(2, rate(wide[5m] offset 1m)) * on(n) group_left vector(1)"}, 200),
                     ({"query": "invalid/"}, 400)],
    "/labels": [({}, 200), ({"start": NOW - 60, "end": NOW + 60, "match[]": ["wide", "other"], "limit": 1}, 200),
                ({"limit": "x"}, 400), ({"match[]": "{}"}, 400), ({"start": "x"}, 400)],
    "/label/n/values": [({}, 200), ({"start": NOW - 60, "end": NOW + 60, "match[]": ["wide"], "limit": 1}, 200),
                        ({"match[]": "{"}, 400), ({"end": "x"}, 400)],
    "/series": [({"match[]": "wide"}, 200),
                ({"match[]": ["wide", "nothing"], "start": NOW - 60, "end": NOW + 60, "limit": 2}, 200),
                ({}, 400), ({"match[]": '{n=""}'}, 400), ({"match[]": "wide", "limit": "-1"}, 400)],
    "/metadata": [({}, 200), ({"metric": "kpid_build_info"}, 200), ({"limit": 2, "limit_per_metric": 1}, 200),
                  ({"limit": "x"}, 400), ({"limit_per_metric": "x"}, 400)],
    "/scrape_pools": [({}, 200)],
    "/targets": [({}, 200), ({"state": "active", "scrapePool": "self"}, 200), ({"state": "dropped"}, 200)],
    "/targets/metadata": [({}, 200), ({"match_target": '{job="self"}', "metric": "kpid_build_info", "limit": 2}, 200),
                          ({"limit": "x"}, 400), ({"match_target": "{"}, 400)],
    "/rules": [({}, 200), ({"type": "alert", "exclude_alerts": "true"}, 200), ({"rule_name[]": "Wide"}, 200),
               ({"rule_group[]": "g", "file[]": "none"}, 200), ({"match[]": '{team="a"}'}, 200),
               ({"group_limit": 1}, 200), ({"group_limit": 1, "group_next_token": "none"}, 400),
               ({"group_limit": 0}, 400), ({"type": "x"}, 400), ({"exclude_alerts": "x"}, 400)],
    "/alerts": [({}, 200)],
    "/alertmanagers": [({}, 200)],
    "/status/config": [({}, 200)],
    "/status/runtimeinfo": [({}, 200)],
    "/status/buildinfo": [({}, 200)],
    "/status/flags": [({}, 200)],
    "/status/tsdb": [({}, 200), ({"limit": 3}, 200), ({"limit": 0}, 400), ({"limit": 10001}, 400)],
    "/status/tsdb/blocks": [({}, 200)],
    "/status/walreplay": [({}, 200)],
    "/features": [({}, 200)],
}

# Endpoints of the document that are not here, and why.
LACKING = {
    "/search/metric_names": "experimental in Prometheus; labels and label values are there",
    "/search/label_names": "as above",
    "/search/label_values": "as above",
    "/scrape_pools/config": "the configuration of one job; status/config shows all of it",
    "/targets/relabel_steps": "for Prometheus' own page",
    "/status/self_metrics": "/metrics has them",
    "/read": "remote read: nothing asks for it here yet",
    "/otlp/v1/metrics": "not there yet",
    "/notifications": "kpid's own list of what was told to whom has this path",
    # Tested elsewhere, since their answers have no body of JSON.
    "/write": "there: test_remote_write; its errors are text, as its senders read them",
    "/admin/tsdb/delete_series": "there: test_admin_api; 204, as Prometheus answers, where the document says 200",
    "/admin/tsdb/clean_tombstones": "there: test_admin_api; likewise",
    "/admin/tsdb/snapshot": "there: test_admin_api",
}

CONFIG = """
global: {evaluation_interval: 1s, scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: self
    static_configs: [{targets: ["127.0.0.1:PORT", "127.0.0.1:1"]}]
    relabel_configs: [{source_labels: [__address__], regex: ".*:1", action: drop}]
rule_files: [rules.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:1"]}]}]}
"""

RULES = """
groups:
  - name: g
    rules:
      - {record: "wide:sum", expr: "sum(wide)", labels: {team: a}}
      - {alert: Wide, expr: "wide > 1", labels: {team: a}, annotations: {summary: "{{ $value }}"}}
  - name: h
    rules: [{alert: Never, expr: "wide > 100", for: 1m}]
"""


class Schema(Case):
    @classmethod
    def setUpClass(cls):
        cls.document = None
        if DOCUMENT:
            with open(DOCUMENT, encoding="utf-8") as text:
                cls.document = debian_module("yaml").safe_load(text)
            cls.jsonschema = debian_module("jsonschema")

    def start(self):
        with open(os.path.join(self.subfolder("kpid"), "rules.yaml"), "w", encoding="utf-8") as out:
            out.write(RULES)
        server = self.kpid(CONFIG.replace("PORT", "1"))
        server.write_config(CONFIG.replace("PORT", str(server.port)))
        self.assertEqual(server.reload().status, 200)
        server.push([{"metric": "wide", "labels": {"n": str(n)}, "value": n} for n in range(5)]
                    + [{"metric": "other", "labels": {"m": "1"}, "value": 1}])
        wait_until("alerts", lambda: server.api("/api/v1/alerts")["alerts"])
        wait_until("a scrape", lambda: [t for t in server.api("/api/v1/targets")["activeTargets"]
                                        if t["health"] == "up"])
        return server

    def ask(self, server, method, path, params):
        form = urllib.parse.urlencode(params, doseq=True)
        if method == "POST":
            return server.request("POST", "/api/v1" + path, form, FORM)
        return server.request(method, "/api/v1" + path + ("?" + form if form else ""))

    def validate(self, path, method, status, answer):
        """The answer against its schema; every violation as one text."""
        if self.document is None:
            return []
        operation = self.document["paths"][path][method.lower()]
        response = operation["responses"].get(str(status), operation["responses"].get("default"))
        schema = dict(response["content"]["application/json"]["schema"], components=self.document["components"])
        validator = self.jsonschema.Draft202012Validator(schema)
        return [f"{method} {path}: {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(answer)]

    def test_every_answer_fits_the_document(self):
        server = self.start()
        if self.document is not None:  # the validator refuses what does not fit
            self.assertEqual(len(self.validate("/labels", "GET", 200, {"status": "success", "data": [1], "x": 1})), 2)
        wrong = []
        for path, calls in CALLS.items():
            documented = path.replace("/label/n/", "/label/{name}/")
            methods = ["GET"]
            if self.document is None or "post" in self.document["paths"][documented]:
                methods += ["POST"] if path in POSTED else []
            for params, status in calls:
                for method in methods:
                    response = self.ask(server, method, path, params)
                    where = f"{method} {path} {params}: {response.status} {response.text[:300]}"
                    self.assertEqual(response.status, status, where)
                    self.assertEqual(response.getheader("Content-Type"), "application/json", where)
                    answer = json.loads(response.text)
                    self.assertEqual(answer["status"], "success" if status == 200 else "error", where)
                    wrong += self.validate(documented, method, status, answer)
        self.assertEqual(wrong, [])

    def test_every_endpoint_and_parameter_of_the_document_is_asked_for_or_named_as_lacking(self):
        if self.document is None:
            return
        called = {path.replace("/label/n/", "/label/{name}/"): calls for path, calls in CALLS.items()}
        self.assertEqual(set(self.document["paths"]) - set(called) - set(LACKING), set())
        self.assertEqual((set(called) | set(LACKING)) - set(self.document["paths"]), set())
        for path, calls in called.items():
            used = {name for params, status in calls if status == 200 for name in params}
            documented = {p["name"] for p in self.document["paths"][path]["get"].get("parameters", [])
                          if p["in"] == "query"}
            form = self.document["paths"][path].get("post", {}).get("requestBody")
            if form:
                name = form["content"][FORM["Content-Type"]]["schema"]["$ref"].rsplit("/", 1)[1]
                documented |= set(self.document["components"]["schemas"][name]["properties"])
                self.assertIn(path, POSTED)
            untested = documented - used - ({"group_next_token"} if path == "/rules" else set())
            self.assertEqual(untested, set(), path)

    def test_a_text_is_the_one_answer_that_the_document_describes_in_another_way(self):
        # The document has the time of a string result as a string; Prometheus itself writes a number.
        answer = json.loads(self.ask(self.start(), "GET", "/query", {"query": "'a'", "time": 1}).text)
        self.assertEqual(answer["data"], {"resultType": "string", "result": [1, "a"]})


# Endpoints that also take a form.
POSTED = {"/query", "/query_range", "/query_exemplars", "/format_query", "/parse_query", "/labels", "/series"}


if __name__ == "__main__":
    unittest.main()
