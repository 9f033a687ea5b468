"""What samples mean, end to end: figures that are corrected, events of one instant, values that hold for long."""

import json
import time

from harness import Case, pushed_kpi, wait_until
from test_sources import Pages

DAY = 86400


def rows(figures):
    return (200, "application/json", json.dumps({"rows": [{"day": day, "net": net} for day, net in figures]}))


class Kinds(Case):
    def setUp(self):
        super().setUp()
        self.pages = Pages()
        self.addCleanup(self.pages.stop)
        self.today = int(time.time()) // DAY * DAY

    def shop(self, more=""):
        return pushed_kpi(self.sink(), kpi_extra="""
  sold:
    title: Sold
    owner: ops
    unit: EUR
    better: higher
    value: {expr: 'sum(sum_over_time(sold[3d]))'}
    target: {at_least: 100}
""", extra=f"""
storage: {{out_of_order_window: 10d}}
sources:
  shop:
    http_json:
      url: http://127.0.0.1:{self.pages.port}/shop
      items: /rows
      metrics:
        sold: {{value: /net, time: /day}}
{more}""")

    def sold(self, kpid, **params):
        result = kpid.query("sum(sum_over_time(sold[3d]))", **params)
        return float(result[0]["value"][1]) if result else None

    def test_a_corrected_figure_replaces_and_the_earlier_one_is_remembered(self):
        self.pages.pages["/shop"] = rows([(self.today - DAY, 50), (self.today, 30)])
        kpid = self.kpid(self.shop())
        wait_until("the first figures", lambda: self.sold(kpid) == 80)
        before = time.time()
        wait_until("the KPI", lambda: kpid.kpi("sold")["value"] == 80)
        self.pages.pages["/shop"] = rows([(self.today - DAY, 60), (self.today, 45)])
        wait_until("the corrected figures", lambda: self.sold(kpid) == 105)
        wait_until("the KPI", lambda: kpid.kpi("sold")["status"] == "on_target")
        again = time.time()
        self.assertEqual(kpid.value('up{job="shop"}'), 1)

        def check():
            self.assertEqual(self.sold(kpid), 105)
            self.assertEqual(self.sold(kpid, known_at=before), 80)
            self.assertEqual(self.sold(kpid, known_at=again), 105)
            self.assertEqual(self.sold(kpid, known_at=before - 3600), None)
            matrix = kpid.api("/api/v1/query_range", query="sum(sum_over_time(sold[3d]))", start=again, end=again + 1,
                              step=1, known_at=before)["result"]
            self.assertEqual([value for _, value in matrix[0]["values"]], ["80", "80"])
            then = kpid.api("/api/v1/kpis/sold", known_at=before)
            self.assertEqual((then["value"], then["target"]), (80, {"at_least": 100}))
            listed = {kpi["id"]: kpi for kpi in kpid.api("/api/v1/kpis", known_at=before)}
            self.assertEqual(listed["sold"]["value"], 80)
            then = kpid.api("/api/v1/kpis/sold", time=again)
            self.assertEqual((then["value"], then["status"]), (105, "on_target"))
            history = kpid.api("/api/v1/kpis/sold/history", start=again - 1, end=again, step=1, known_at=before)
            self.assertEqual([point["value"] for point in history["instances"][0]["points"]], [80, 80])

        # What kpid recorded of the KPI itself is there within a scrape interval.
        wait_until("the recorded status",
                   lambda: kpid.api("/api/v1/kpis/sold", time=again + 2)["status"] == "on_target")
        again = time.time()
        check()
        shown = json.loads(self.kpictl("kpi", "show", "sold", f"--known-at={before}", "--output=json", server=kpid))
        self.assertEqual(shown["value"], 80)
        listed = self.kpictl("kpi", "list", f"--time={again}", f"--known-at={again}", server=kpid)
        self.assertRegex(listed, r"sold +on_target +105 EUR")
        asked = self.kpictl("query", "sum(sum_over_time(sold[3d]))", f"--known-at={before}", server=kpid)
        self.assertRegex(asked, r"80\n")
        kpid.kill()
        kpid.restart()
        check()
        # After the first round of a start only `up` and the duration: what did not change is not stored again.
        rounds = lambda: kpid.metric(r'^kpid_source_scrapes_total\{source="shop"\}')
        samples = lambda: kpid.metric(r'^kpid_ingest_samples_total\{protocol="http_json"\}')
        wait_until("two rounds", lambda: rounds() >= 2)
        first = (rounds(), samples())
        wait_until("three more", lambda: rounds() >= first[0] + 3)
        self.assertLess(samples() - first[1], 3 * (rounds() - first[0]))

    def test_bad_times_are_refused(self):
        kpid = self.kpid(self.shop())
        for path in ("/api/v1/query?query=1&known_at=x", "/api/v1/kpis?time=x", "/api/v1/kpis/sold?known_at=x",
                     "/api/v1/kpis/sold/history?start=2&end=1", "/api/v1/kpis/sold/history?step=0"):
            answer = kpid.request("GET", path)
            self.assertEqual((answer.status, json.loads(answer.text)["errorType"]), (400, "bad_data"), path)
        self.assertEqual(kpid.request("GET", "/api/v1/kpis/none?time=1").status, 404)
        self.assertEqual(kpid.request("GET", "/api/v1/kpis/none/history").status, 404)
        self.assertEqual(kpid.api("/api/v1/kpis/sold", time=1)["value"], None)

    def test_events_of_one_instant_all_count(self):
        kpid = self.kpid(self.shop("metrics: {stars: {kind: event}}"))
        at = int(time.time())
        answer = kpid.push([{"metric": "stars", "value": value, "timestamp": at} for value in (5, 5, 2)])
        self.assertEqual(json.loads(answer.text)["data"], {"accepted": 3, "rejected": []})
        kpid.push([{"metric": "stars", "value": 4, "timestamp": at}])

        def check():
            self.assertEqual(kpid.value("sum_over_time(stars[1h])"), 16)
            self.assertEqual(kpid.value("count_over_time(stars[1h])"), 4)
            self.assertEqual(kpid.value("last_over_time(stars[1h])"), 4)
            self.assertEqual(kpid.query("rate(stars[1h])"), [])

        check()
        # Another metric keeps Prometheus' rule.
        twice = kpid.push([{"metric": "level", "value": value, "timestamp": at} for value in (1, 2)])
        self.assertEqual(json.loads(twice.text)["data"]["accepted"], 1)
        kpid.kill()
        kpid.restart()
        check()

    def test_a_declaration_holds_from_its_reload_on(self):
        kpid = self.kpid(self.shop())
        at = int(time.time()) - 5
        push = lambda value: json.loads(kpid.push([{"metric": "plan", "value": value, "timestamp": at}]).text)["data"]
        self.assertEqual(push(1)["accepted"], 1)
        self.assertEqual(len(push(2)["rejected"]), 1)
        kpid.write_config(self.shop("metrics: {plan: {kind: total, per: day}}").replace("10d", "11d"))
        self.assertEqual(kpid.reload().status, 200)
        self.assertEqual(push(2)["accepted"], 1)
        self.assertEqual(kpid.value("plan"), 2)
        self.assertEqual(kpid.query("plan", time=at + DAY - 1)[0]["value"][1], "2")
        self.assertIn("change with the next start only", kpid.process.log())

    def test_a_rare_source_holds_its_value_for_twice_its_interval(self):
        self.pages.pages["/crm"] = (200, "application/json", '{"n": 7}')
        kpid = self.kpid(pushed_kpi(self.sink(), extra=f"""
sources:
  crm: {{interval: 15m, http_json: {{url: "http://127.0.0.1:{self.pages.port}/crm", metrics: {{customers: {{value: /n}}}}}}}}
  brief: {{valid_for: 1m, http_json: {{url: "http://127.0.0.1:{self.pages.port}/crm", metrics: {{visitors: {{value: /n}}}}}}}}
"""))
        wait_until("the rare source", lambda: kpid.value("customers") == 7)
        wait_until("the other", lambda: kpid.value("visitors") == 7)
        polled = kpid.value("timestamp(customers)")
        self.assertEqual(len(kpid.query("customers", time=polled + 1799)), 1)
        self.assertEqual(len(kpid.query("up{job='crm'}", time=polled + 1799)), 1)
        self.assertEqual(kpid.query("customers", time=polled + 1800), [])
        # What a query asks for is the least it gets.
        self.assertEqual(len(kpid.query("customers", time=polled + 1799, lookback_delta="1m")), 1)
        self.assertEqual(len(kpid.query("customers", time=polled + 3500, lookback_delta="1h")), 1)
        later = time.time() + 100
        self.assertEqual(kpid.query("visitors", time=later), [])
        self.assertEqual(len(kpid.query("visitors", time=later, lookback_delta="5m")), 1)
