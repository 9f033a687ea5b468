"""Grafana's dashboards of config/grafana: every panel, variable and annotation is asked as Grafana asks it, and has data."""

import glob
import itertools
import json
import os
import re
import time
import unittest
import urllib.parse

from harness import SOURCE, Case, free_port, wait_until

GRAFANA = os.path.join(SOURCE, "config", "grafana")
PANELS = {"stat", "table", "timeseries", "state-timeline", "bargauge", "alertlist", "row"}
METRIC = re.compile(r"\b(?:kpid_[a-z_]+|ALERTS(?:_FOR_STATE)?|up)\b")
# What may have nothing to show, and why: (dashboard, panel, query) or (dashboard, panel, None) for all of its queries.
EMPTY = {
    ("kpid-kpi", "Value", "B"): "no KPI of the demo is in seconds",
    ("kpid-kpi", "Value", "C"): "no KPI of the demo is in bytes",
    ("kpid-kpi", "Target", "B"): "likewise",
    ("kpid-kpi", "Target", "C"): "likewise",
    **{("kpid-kpi", "Value against target and levels", ref): "no KPI of the demo is in seconds or bytes" for ref in "BCFGJK"},
    ("kpid-alerts", "Alerts for Alertmanagers", None): "no Alertmanager is configured",
    ("kpid-daemon", "Samples refused", "A"): "nothing that comes in is refused",
    ("kpid-daemon", "What other servers say", "A"): "there is no promql source",
    ("kpid-daemon", "Periods owed", "A"): "there is no promql source",
    ("kpid-daemon", "Remote write", None): "no remote_write is configured",
    ("kpid-daemon", "How far remotes are behind", "A"): "no remote_write is configured",
}


def dashboards():
    found = sorted(glob.glob(os.path.join(GRAFANA, "dashboards", "*.json")))
    assert found, "no dashboards"
    for path in found:
        with open(path, encoding="utf-8") as file:
            yield path, json.load(file)


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def variables(dashboard, kind):
    return [v for v in dashboard["templating"]["list"] if v["type"] == kind]


def duration_text(seconds):
    return f"{int(seconds)}s" if seconds >= 1 else f"{int(seconds * 1000)}ms"


class Asked:
    """A time range as a dashboard shows it, and what Grafana puts for variables in it."""

    SCRAPE = 15  # timeInterval of the data source.

    def __init__(self, start, end, values, pixels=1200):
        self.start, self.end = start, end
        # Steps are round and at least the data source's interval.
        least = max((end - start) / pixels, self.SCRAPE)
        self.step = next(s for s in (15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600) if s >= least)
        self.values = values

    def expand(self, text):
        own = {"__interval": duration_text(self.step), "__interval_ms": str(self.step * 1000),
               "__rate_interval": duration_text(max(self.step + self.SCRAPE, 4 * self.SCRAPE)),
               "__range": duration_text(self.end - self.start), "__range_s": str(int(self.end - self.start)),
               "__range_ms": str(int((self.end - self.start) * 1000))}

        def value(match):
            name, form = match.group(1) or match.group(2), match.group(3)
            if name in own:
                return own[name]
            value = self.values[name]
            if isinstance(value, list):  # Of several: a regular expression, also without a format.
                return "(" + "|".join(re.escape(v) for v in value) + ")" if len(value) > 1 else re.escape(value[0])
            if form == "regex":
                return re.escape(value)
            return value
        return re.sub(r"\$(?:(\w+)|\{(\w+)(?::(\w+))?\})", value, text)


class Dashboards(Case):
    def post(self, kpid, path, **form):
        response = kpid.request("POST", path, urllib.parse.urlencode(form),
                                {"Content-Type": "application/x-www-form-urlencoded", "X-Grafana-Org-Id": "1"})
        self.assertEqual(response.status, 200, (path, form, response.text))
        return json.loads(response.text)["data"]["result"]

    def has_data(self, result):
        return any(value != "NaN" for series in result for _, value in series.get("values", [series.get("value")]))

    def ask(self, kpid, target, asked):
        expr = asked.expand(target["expr"])
        self.assertNotIn("$", expr)
        if target["instant"]:
            return self.post(kpid, "/api/v1/query", query=expr, time=f"{asked.end:.3f}")
        step = asked.step
        return self.post(kpid, "/api/v1/query_range", query=expr, step=step,
                         start=asked.start // step * step, end=asked.end // step * step + step)

    def variable_values(self, kpid, variable, asked):
        found = re.fullmatch(r"label_values\((?:(.+), *)?(\w+)\)", variable["query"]["query"])
        self.assertIsNotNone(found, variable["query"])
        selector, label = found.groups()
        values = kpid.api(f"/api/v1/label/{label}/values", **{"match[]": asked.expand(selector), "start": int(asked.start),
                                                             "end": int(asked.end)})
        self.assertTrue(values, variable["name"])
        return values

    def choices(self, kpid, dashboard, asked):
        """Every combination of values that are tried: all, and each single one of a variable that has no all."""
        names, lists = ["datasource"], [["kpid"]]
        for variable in variables(dashboard, "query"):
            so_far = Asked(asked.start, asked.end, {n: v[0] for n, v in zip(names, lists)})
            values = self.variable_values(kpid, variable, so_far)
            names.append(variable["name"])
            lists.append([variable["allValue"], values[:1], values] if variable["includeAll"] else values)
        return [dict(zip(names, choice)) for choice in itertools.product(*lists)]

    def demo(self):
        with open(os.path.join(SOURCE, "config", "kpid.yaml"), encoding="utf-8") as file:
            config = file.read().replace("127.0.0.1:8125", f"127.0.0.1:{free_port()}")
        # The shop is told by a webhook, so that there is a way to an acknowledgement.
        self.assertIn("type: team, receiver: inbox}\n\n", config)
        config = config.replace("type: team, receiver: inbox}\n\n", "type: team, receiver: hook}\n\n")
        config += f"  receivers: [{{name: hook, webhook_configs: [{{url: '{self.sink().url}'}}]}}]\n"
        kpid = self.kpid(config)
        kpid.push({"metric": "open_tickets", "value": 60})
        return kpid

    def test_every_query_has_data(self):
        kpid = self.demo()
        begin = time.time()
        wait_until("the shop's alert", lambda: kpid.query('ALERTS{alertstate="firing",alertname="checkout_error_ratio"}'), 90)
        wait_until("a message having been told", lambda: kpid.value("sum(kpid_notifications_total)") > 0)
        wait_until("its latency", lambda: kpid.value("sum(rate(kpid_notification_latency_seconds_count[1m]))") > 0)
        empty = {}
        for _, dashboard in dashboards():
            asked = Asked(begin, time.time(), {})
            seen = {}
            for values in self.choices(kpid, dashboard, asked):
                asked = Asked(begin, time.time(), values)
                for panel in panels(dashboard):
                    for target in panel.get("targets", []):
                        key = (dashboard["uid"], panel["title"], target["refId"])
                        seen[key] = self.has_data(self.ask(kpid, target, asked)) or seen.get(key, False)
                for annotation in dashboard["annotations"]["list"]:
                    key = (dashboard["uid"], "annotation", annotation["name"])
                    points = self.post(kpid, "/api/v1/query_range", query=asked.expand(annotation["target"]["expr"]),
                                       start=int(asked.start), end=int(asked.end) + 15, step=annotation["target"]["interval"].rstrip("s"))
                    seen[key] = self.has_data(points) or seen.get(key, False)
            empty.update({key: True for key, has_data in seen.items() if not has_data})
        unexpected = [key for key in empty if key not in EMPTY and (*key[:2], None) not in EMPTY]
        self.assertEqual(unexpected, [])
        # The list of what may be empty names nothing that has data.
        self.assertTrue(all(EMPTY.values()))
        self.assertEqual([key for key in EMPTY if not any(e[:2] == key[:2] and key[2] in (None, e[2]) for e in empty)], [])

    def test_the_list_of_alerts_has_rules_and_states(self):
        kpid = self.demo()
        wait_until("an alert in the rules", lambda: [
            rule for group in kpid.api("/api/v1/rules")["groups"] for rule in group["rules"]
            if rule["type"] == "alerting" and rule["state"] == "firing" and rule["alerts"]])


class Structure(unittest.TestCase):
    def test_panels_have_places_ids_and_words(self):
        uids = set()
        for path, dashboard in dashboards():
            self.assertEqual(os.path.basename(path), dashboard["uid"] + ".json")
            self.assertNotIn(dashboard["uid"], uids)
            uids.add(dashboard["uid"])
            self.assertNotIn("id", dashboard)
            self.assertEqual(dashboard["schemaVersion"], 42)
            self.assertEqual(dashboard["tags"], ["kpid"])
            self.assertTrue(dashboard["title"] and dashboard["description"])
            ids = [p["id"] for p in panels(dashboard)]
            self.assertEqual(len(ids), len(set(ids)))
            titles = [p["title"] for p in panels(dashboard) if p["type"] != "row"]
            self.assertEqual(len(titles), len(set(titles)), path)
            taken = {}
            for panel in panels(dashboard):
                self.assertIn(panel["type"], PANELS)
                if panel["type"] != "row":
                    self.assertTrue(panel["description"], panel["title"])
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24)
                for cell in itertools.product(range(place["x"], place["x"] + place["w"]),
                                              range(place["y"], place["y"] + place["h"])):
                    self.assertNotIn(cell, taken, (panel["title"], taken.get(cell)))
                    taken[cell] = panel["title"]

    def test_everything_is_asked_of_the_chosen_data_source(self):
        wanted = {"type": "prometheus", "uid": "${datasource}"}
        for _, dashboard in dashboards():
            self.assertEqual([v["name"] for v in variables(dashboard, "datasource")], ["datasource"])
            names = {v["name"] for v in dashboard["templating"]["list"]}
            for variable in variables(dashboard, "query"):
                self.assertEqual(variable["datasource"], wanted)
                self.assertEqual(variable["definition"], variable["query"]["query"])
            for annotation in dashboard["annotations"]["list"]:
                self.assertEqual(annotation["datasource"], wanted)
            for panel in panels(dashboard):
                refs = [t["refId"] for t in panel.get("targets", [])]
                self.assertEqual(len(refs), len(set(refs)))
                for target in panel.get("targets", []):
                    self.assertEqual(panel["datasource"], wanted)
                    self.assertEqual(target["datasource"], wanted)
                    self.assertNotEqual(target["instant"], target["range"])
                    for name in re.findall(r"\$\{?(\w+)", target["expr"]):
                        self.assertTrue(name in names or name.startswith("__"), name)
                # Overrides by query name one that is there.
                for override in panel.get("fieldConfig", {}).get("overrides", []):
                    if override["matcher"]["id"] == "byFrameRefID":
                        self.assertIn(override["matcher"]["options"], refs)

    def test_metrics_are_documented_and_units_fit_them(self):
        with open(os.path.join(SOURCE, "docs", "metrics.md"), encoding="utf-8") as file:
            documented = set(METRIC.findall(file.read()))
        for _, dashboard in dashboards():
            asked = [(p, t["expr"]) for p in panels(dashboard) for t in p.get("targets", [])]
            asked += [(None, a["target"]["expr"]) for a in dashboard["annotations"]["list"]]
            asked += [(None, v["definition"]) for v in variables(dashboard, "query")]
            for panel, expr in asked:
                metrics = set(METRIC.findall(expr))
                self.assertTrue(metrics, expr)
                for metric in metrics:
                    self.assertIn(metric.removesuffix("_bucket"), documented)
                if panel is None or panel["type"] == "table" or len(metrics) > 1:
                    continue
                metric = metrics.pop()
                if re.search(r"_seconds(_bucket)?$", metric) and "count" not in expr:
                    self.assertEqual(panel["fieldConfig"]["defaults"]["unit"], "s", (panel["title"], expr))
                elif metric.endswith("_bytes"):
                    self.assertEqual(panel["fieldConfig"]["defaults"]["unit"], "bytes", (panel["title"], expr))

    def test_links_lead_to_dashboards_and_statuses_have_colours(self):
        texts = {d["uid"]: json.dumps(d) for _, d in dashboards()}
        for uid, text in texts.items():
            for linked in re.findall(r"/d/([\w-]+)", text):
                self.assertIn(linked, texts)
        for status in ("on_target", "off_target", "warning", "critical", "no_data", "stale", "unsure", "untargeted"):
            self.assertIn(f'status=\\"{status}\\"', texts["kpid-overview"])
            self.assertIn(status, texts["kpid-kpi"])

    def test_provisioning_names_what_the_dashboards_expect(self):
        def lines(*path):
            with open(os.path.join(GRAFANA, "provisioning", *path), encoding="utf-8") as file:
                return [line.split("#")[0].rstrip() for line in file if line.split("#")[0].strip()]
        source = lines("datasources", "kpid.yaml")
        for wanted in ("apiVersion: 1", "    uid: kpid", "    type: prometheus", "    url: http://127.0.0.1:9731",
                       "      httpMethod: POST", f"      timeInterval: {Asked.SCRAPE}s"):
            self.assertIn(wanted, source)
        self.assertIn("      path: /usr/share/kpid/grafana/dashboards", lines("dashboards", "kpid.yaml"))
