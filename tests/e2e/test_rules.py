"""Prometheus rule files beside KPIs."""

import os

from harness import Case, pushed_kpi, wait_until

RULES = """
groups:
  - name: shop
    interval: 1s
    rules:
      - record: shop:errors:sum
        expr: sum by (shop) (errors)
        labels: {origin: rules}
      - alert: ShopErrors
        expr: shop:errors:sum > 5
        for: 1s
        labels: {severity: page, team: '{{ $labels.shop | toUpper }}'}
        annotations: {summary: '{{ $labels.shop }} has {{ $value | humanize }} errors'}
"""


class Rules(Case):
    def test_alerting_and_recording_rules_work_as_in_prometheus(self):
        sink = self.sink()
        folder = self.subfolder("kpid")
        rules = os.path.join(folder, "rules.yaml")
        with open(rules, "w", encoding="utf-8") as out:
            out.write(RULES)
        kpid = self.kpid(pushed_kpi(sink, extra="rule_files: [rules.yaml]").replace(
            "  route: {receiver: owner", "  route: {receiver: hook"))
        kpid.push({"metric": "errors", "labels": {"shop": "de"}, "value": 9})
        wait_until("the recorded series", lambda: kpid.value('shop:errors:sum{shop="de",origin="rules"}') == 9)
        fired = wait_until("the rule's alert", lambda: [
            a for a in sink.alerts("firing") if a["labels"]["alertname"] == "ShopErrors"])[0]
        self.assertEqual(fired["labels"], {"alertname": "ShopErrors", "shop": "de", "origin": "rules",
                                           "severity": "page", "team": "DE"})
        self.assertEqual(fired["annotations"], {"summary": "de has 9 errors"})
        self.assertNotIn("kpi", fired)
        self.assertEqual(kpid.value('ALERTS{alertname="ShopErrors",alertstate="firing"}'), 1)
        self.assertGreater(kpid.value('ALERTS_FOR_STATE{alertname="ShopErrors"}'), 1e9)
        groups = {g["name"]: g for g in kpid.api("/api/v1/rules")["groups"]}
        states = {r["name"]: r for r in groups["shop"]["rules"]}
        self.assertEqual(states["ShopErrors"]["state"], "firing")
        self.assertEqual(states["ShopErrors"]["health"], "ok")
        self.assertEqual(states["shop:errors:sum"]["query"], "sum by (shop) (errors)")
        self.assertEqual(states["shop:errors:sum"]["type"], "recording")
        self.assertIn("kpis", groups)
        kpid.push({"metric": "errors", "labels": {"shop": "de"}, "value": 1})
        ended = wait_until("the end", lambda: [
            a for a in sink.alerts("resolved") if a["labels"]["alertname"] == "ShopErrors"])[0]
        self.assertEqual(ended["fingerprint"], fired["fingerprint"])
        wait_until("ALERTS going", lambda: kpid.query('ALERTS{alertname="ShopErrors"}') == [])
        self.kpictl("check", rules)
        with open(rules, "w", encoding="utf-8") as out:
            out.write(RULES.replace("sum by (shop) (errors)", "sum by (shop (errors)"))
        self.assertIn("rules.yaml:", self.kpictl("check", rules, expect=1))
        self.assertEqual(kpid.reload().status, 500)
        self.assertEqual(kpid.value('shop:errors:sum{shop="de"}'), 1)
