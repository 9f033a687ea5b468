"""Answers of kpid beside answers that Prometheus gave: recorded ones, and its own table of calls and answers."""

import json
import time
import unittest
import urllib.parse

from harness import FORM, Case, conformance, wait_until

RECORDED = conformance("captured-clients", "prom-http-api-2.42")
TABLE = conformance("prom-http-api", "testEndpoints.json")

CONFIG = """
global: {evaluation_interval: 1s, scrape_interval: 1s, scrape_timeout: 1s}
storage: {retention: 36500d, out_of_order_window: 36500d}
"""

WATCHED = """
scrape_configs:
  - {job_name: self, static_configs: [{targets: ["127.0.0.1:1"]}]}
rule_files: [rules.yaml]
alerting: {alertmanagers: [{static_configs: [{targets: ["127.0.0.1:1"]}]}]}
"""

RULES = """
groups:
  - name: g
    rules:
      - {record: "a:b", expr: odd_total}
      - {alert: Odd, expr: odd_values > 0, labels: {severity: page}, annotations: {summary: "{{ $value }}"}}
"""

# The recorded answers whose every byte is known; times are those of the recording.
EXACT = ["empty_result", "err_empty_selector", "err_endbefore", "err_exec", "err_invalid_match", "err_labelname",
         "err_missing", "err_parse", "err_points", "err_series", "err_step0", "err_time", "format_query"]
# Those that differ by their times alone, or by what else is in the store.
BUT_FOR_TIMES = ["scalar", "string", "post_form", "instant_vector", "label_values", "series"]
# Those whose shape is compared: the keys of every object and the kinds of every value.
SHAPES = ["alerts", "alertmanagers", "exemplars", "labels", "matrix_instant", "metadata", "range", "rules",
          "targets", "tsdb", "buildinfo"]
# Keys that later versions of Prometheus answer and the recorded one did not.
LATER = {"droppedTargetCounts", "labels"}


def recorded(name):
    with open(f"{RECORDED}/{name}.json", encoding="utf-8") as text:
        body = text.read()
    with open(f"{RECORDED}/{name}.status", encoding="utf-8") as text:
        status, kind = text.read().strip().split(" ", 1)
    with open(f"{RECORDED}/{name}.request", encoding="utf-8") as text:
        return parse_request(text.read()), int(status), kind, body


def parse_request(text):
    """Path, method and parameters of "[POST] PATH [form] --data-urlencode NAME=VALUE …"."""
    parts = text.strip().split(" --data-urlencode ")
    words = parts[0].split()
    method = "POST" if words[0] == "POST" else "GET"
    words = [word for word in words if word not in ("POST", "form")]
    params = [tuple(part.split("=", 1)) for part in parts[1:] + words[1:]]
    return words[0], method, params


def shape(value):
    """What a value is made of; objects in lists are taken together."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__ if not isinstance(value, (int, float)) else "number"


class Recorded(Case):
    def ask(self, server, request):
        path, method, params = request
        form = urllib.parse.urlencode(params)
        if method == "POST":
            return server.request("POST", path, form, FORM)
        return server.request("GET", path + ("?" + form if form else ""))

    def load_odd_values(self, server):
        """The series that were there when the answers were recorded."""
        answer = json.loads(recorded("instant_vector")[3])
        for sample in answer["data"]["result"]:
            labels = dict(sample["metric"])
            name = labels.pop("__name__")
            refused = server.push([{"metric": name, "labels": labels,
                                    "value": sample["value"][1] if sample["value"][1] in ("NaN", "+Inf", "-Inf")
                                    else float(sample["value"][1])}])
            self.assertEqual(refused.status, 200, refused.text)

    @unittest.skipUnless(RECORDED, "no recorded answers")
    def test_errors_and_short_answers_are_the_recorded_ones_to_the_byte(self):
        server = self.kpid(CONFIG)
        self.load_odd_values(server)
        for name in EXACT:
            request, status, kind, body = recorded(name)
            answer = self.ask(server, request)
            self.assertEqual((answer.status, answer.getheader("Content-Type"), answer.text.strip()),
                             (status, kind, body.strip()), name)
        request, status, kind, body = recorded("notfound")
        answer = self.ask(server, request)
        self.assertEqual((answer.status, answer.getheader("Content-Type"), answer.text.strip()),
                         (status, kind, body.strip()))

    @unittest.skipUnless(RECORDED, "no recorded answers")
    def test_answers_about_the_same_series_are_the_recorded_ones(self):
        server = self.kpid(CONFIG)
        self.load_odd_values(server)
        for name in BUT_FOR_TIMES:
            request, status, _, body = recorded(name)
            answer = self.ask(server, request)
            self.assertEqual(answer.status, status, answer.text)
            self.assertEqual(self.without_times(json.loads(answer.text)["data"]),
                             self.without_times(json.loads(body)["data"]), name)

    @staticmethod
    def without_times(data):
        if isinstance(data, list):
            return sorted(data, key=json.dumps)
        result = data["result"]
        if data["resultType"] in ("scalar", "string"):
            return result[1]
        return sorted(([s["metric"], s["value"][1]] for s in result), key=json.dumps)

    def check_table_case(self, server, case):
        endpoint = case["endpoint"]["_expr"].replace("api . ", "")
        path = {"query": "query", "queryRange": "query_range", "formatQuery": "format_query",
                "series": "series"}[endpoint]
        params = [(name, value) for name, values in case.get("query", {}).items() if name != "_type"
                  for value in values]
        answer = self.ask(server, ("/api/v1/" + path, "GET", params))
        document = json.loads(answer.text)
        if "errType" in case:
            self.assertEqual((answer.status, document["errorType"]), (400, "bad_data"))
            self.assertEqual(case["errType"]["_id"], "errorBadData")
            return
        self.assertEqual(answer.status, 200, answer.text)
        data = document["data"]
        if "warningsCount" in case:
            self.assertEqual(len(document.get("warnings", [])), case["warningsCount"])
        if "responseAsJSON" in case:
            self.assertEqual(data, json.loads(case["responseAsJSON"]))
        elif "responseLen" in case:
            self.assertEqual(len(data), case["responseLen"])
        elif path == "series":
            wanted = [dict(zip(s["_args"][::2], s["_args"][1::2])) for s in case["response"] or []]
            self.assertEqual(data, wanted)
        elif path == "format_query":
            self.assertEqual(data, case["response"])
        else:
            result = case["response"]["Result"]
            if isinstance(result, dict):
                self.assertEqual(float(data["result"][1]), result["V"])
            else:
                self.assertEqual([[float(v) for _, v in s["values"]] for s in data["result"]],
                                 [[p["F"] for p in s["Floats"]] for s in result])

    @unittest.skipUnless(TABLE, "no table of answers")
    def test_the_table_of_calls_and_answers(self):
        server = self.kpid(CONFIG)
        lines = []
        # The series that the table was made for, a sample each minute from the epoch on.
        for name, labels in (("test_metric1", 'foo="bar"'), ("test_metric1", 'foo="boo"'), ("test_metric2", 'foo="boo"'),
                             ("test_metric3", 'dup="1",foo="bar"'), ("test_metric3", 'dup="1",foo="boo"'),
                             ("test_metric4", 'dup="1",foo="bar"'), ("test_metric4", 'dup="1",foo="boo"'),
                             ("test_metric4", 'foo="boo"')):
            lines += [f"# TYPE {name} unknown"] if f"# TYPE {name} unknown" not in lines else []
            lines += [f"{name}{{{labels}}} 1 {60 * i}" for i in range(100)]
        loaded = server.request("POST", "/api/v1/import/openmetrics", "\n".join(lines + ["# EOF", ""]),
                                {"Content-Type": "application/openmetrics-text; version=1.0.0"})
        self.assertEqual(json.loads(loaded.text)["data"]["rejectedTotal"], 0, loaded.text)
        checked = 0
        with open(TABLE, encoding="utf-8") as text:
            for case in json.load(text)["cases"]:
                if case["endpoint"].get("_expr", "").split()[-1] in ("query", "queryRange", "formatQuery", "series"):
                    with self.subTest(case=json.dumps(case)[:300]):
                        self.check_table_case(server, case)
                    checked += 1
        self.assertGreater(checked, 35)


class Shapes(Case):
    """What depends on scrapes and rules: the keys of the answers and the kinds of their values."""

    @unittest.skipUnless(RECORDED, "no recorded answers")
    def test_answers_have_the_recorded_shape(self):
        with open(self.subfolder("kpid") + "/rules.yaml", "w", encoding="utf-8") as out:
            out.write(RULES)
        server = self.kpid(CONFIG + WATCHED)
        server.push([{"metric": "odd_values", "labels": {"k": str(k)}, "value": k} for k in range(3)])
        server.push([{"metric": "odd_total", "value": 1}])
        wait_until("an alert", lambda: server.api("/api/v1/alerts")["alerts"])
        for name in SHAPES:
            request, status, _, body = recorded(name)
            path, method, params = request
            params = [(key, {"start": str(time.time() - 10), "end": str(time.time()), "time": str(time.time())}
                       .get(key, value)) for key, value in params]
            answer = self.ask(server, (path, method, params))
            self.assertEqual(answer.status, status, answer.text)
            self.compare(shape(json.loads(body)["data"]), shape(json.loads(answer.text)["data"]), name)

    ask = Recorded.ask

    def compare(self, wanted, have, where):
        """Each object has the recorded keys (labels and names of metrics are free), each value its kind."""
        if isinstance(wanted, dict) and isinstance(have, dict):
            if not set(wanted) <= set(have) <= set(wanted) | LATER:
                free = all(isinstance(v, str) for v in wanted.values()) or "metadata" in where
                if free and where.rsplit(".", 1)[-1] in ("metric", "labels", "annotations", "seriesLabels",
                                                         "discoveredLabels", "metadata"):
                    return
                self.assertEqual(set(wanted), set(have), where)
            for key, value in wanted.items():
                self.compare(value, have[key], f"{where}.{key}")
        elif isinstance(wanted, list) and isinstance(have, list) and "number" in wanted:
            self.assertEqual(wanted, have, where)
        elif isinstance(wanted, list) and isinstance(have, list):
            for item in have:
                kinds = [w for w in wanted if isinstance(w, type(item))
                         and (not isinstance(item, dict) or w.get("state") == item.get("state"))]
                if kinds:
                    self.compare(kinds[0], item, where)
        else:
            self.assertEqual(wanted, have, where)


if __name__ == "__main__":
    unittest.main()
