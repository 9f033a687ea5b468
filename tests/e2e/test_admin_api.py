"""The admin API, held against Debian's Prometheus where both have it."""

import http.client
import json
import os
import shutil
import time
import urllib.parse

from harness import Case, free_port, wait_until

CONFIG = "owners: {ops: {title: Operations}}\n"
ADMIN = "/api/v1/admin/tsdb/"


class AdminApi(Case):
    def admin(self, kpid, what, method="POST", **params):
        return kpid.request(method, f"{ADMIN}{what}?" + urllib.parse.urlencode(params, doseq=True), "")

    def fill(self, kpid):
        now = int(time.time()) - 600
        items = [{"metric": name, "labels": {"shop": shop}, "value": step, "timestamp": now + 15 * step}
                 for step in range(20) for name in ("orders", "visits") for shop in ("a", "b")]
        self.assertEqual(kpid.push(items).status, 200)
        return now

    def count(self, kpid, selector):
        result = kpid.query(f"sum(count_over_time({selector}[1h]))")
        return int(result[0]["value"][1]) if result else 0

    def test_is_forbidden_without_the_flag(self):
        kpid = self.kpid(CONFIG)
        for what in ("delete_series", "clean_tombstones", "snapshot"):
            answer = self.admin(kpid, what, **{"match[]": "orders"})
            self.assertEqual(answer.status, 403)
            self.assertEqual(json.loads(answer.text), {"status": "error", "errorType": "unavailable",
                                                       "error": "admin APIs disabled"})

    def test_deletes_what_is_selected_also_after_kill(self):
        kpid = self.kpid(CONFIG, ["--web.enable-admin-api"])
        now = self.fill(kpid)
        answer = self.admin(kpid, "delete_series", **{"match[]": ['orders{shop="a"}', "visits"],
                                                      "start": now, "end": now + 15 * 9})
        self.assertEqual((answer.status, answer.text), (204, ""))

        def check():
            self.assertEqual(self.count(kpid, 'orders{shop="a"}'), 10)
            self.assertEqual(self.count(kpid, 'orders{shop="b"}'), 20)
            self.assertEqual(self.count(kpid, "visits"), 20)
        check()
        kpid.kill()
        kpid.restart()
        check()
        self.assertEqual(self.admin(kpid, "clean_tombstones", "PUT").status, 204)
        check()
        self.assertEqual(self.admin(kpid, "delete_series", "PUT", **{"match[]": '{shop=~".+"}'}).status, 204)
        self.assertEqual(self.count(kpid, '{shop=~".+"}'), 0)
        self.assertEqual(kpid.api("/api/v1/series", **{"match[]": "orders"}), [])

    def test_a_kpid_starts_from_a_snapshot(self):
        kpid = self.kpid(CONFIG, ["--web.enable-admin-api"])
        self.fill(kpid)
        answer = self.admin(kpid, "snapshot")
        self.assertEqual(answer.status, 200)
        name = json.loads(answer.text)["data"]["name"]
        # What comes later is not in it, and what is deleted later still is.
        self.assertEqual(kpid.push({"metric": "later", "value": 1}).status, 200)
        self.assertEqual(self.admin(kpid, "delete_series", **{"match[]": "orders"}).status, 204)
        folder = self.subfolder("copy")
        shutil.copytree(os.path.join(kpid.folder, "store", "snapshots", name), os.path.join(folder, "store"))
        copy = self.kpid(CONFIG, name="copy")
        self.assertEqual(self.count(copy, "orders"), 40)
        self.assertEqual(self.count(copy, "visits"), 40)
        self.assertEqual(copy.query("later"), [])
        self.assertEqual(self.count(kpid, "visits"), 40)

    def test_errors_are_prometheus_own(self):
        port = free_port()
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("{}\n")
        self.peer("prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                  "--web.enable-admin-api", f"--storage.tsdb.path={self.subfolder('tsdb')}")
        kpid = self.kpid(CONFIG, ["--web.enable-admin-api"])
        prometheus = _Server(port)
        wait_until("Prometheus being ready", lambda: prometheus.request("GET", "/-/ready").status == 200)
        for path in ("delete_series", "delete_series?match[]={", "delete_series?match[]=up&start=x",
                     "delete_series?match[]=up&end=yesterday", "delete_series?match[]=up",
                     "delete_series?match[]=up&start=2&end=1", "clean_tombstones", "snapshot?skip_head=x"):
            for method in ("POST", "PUT"):
                want = prometheus.request(method, ADMIN + path, "")
                got = kpid.request(method, ADMIN + path, "")
                self.assertEqual(got.status, want.status, path)
                if "match[]={" in path:  # The parser's words are its own.
                    self.assertIn('invalid parameter \\"match[]\\"', got.text)
                elif want.text:
                    self.assertEqual(json.loads(got.text), json.loads(want.text), path)
        for path in ("delete_series", "clean_tombstones", "snapshot"):
            self.assertEqual(kpid.request("GET", ADMIN + path).status, 405)
        want = set(json.loads(prometheus.request("GET", "/api/v1/status/tsdb").text)["data"])
        self.assertEqual(set(kpid.api("/api/v1/status/tsdb")), want)

    def test_status_tells_where_the_series_are(self):
        kpid = self.kpid(CONFIG)
        now = self.fill(kpid)
        data = kpid.api("/api/v1/status/tsdb", limit=1000)
        names = {each["name"]: each["value"] for each in data["seriesCountByMetricName"]}
        self.assertEqual((names["orders"], names["visits"]), (2, 2))
        pairs = {each["name"]: each["value"] for each in data["seriesCountByLabelValuePair"]}
        self.assertEqual((pairs["shop=a"], pairs["__name__=orders"]), (2, 2))
        values = {each["name"]: each["value"] for each in data["labelValueCountByLabelName"]}
        self.assertEqual(values["shop"], 2)
        self.assertGreaterEqual(data["headStats"]["numSeries"], 4)
        self.assertLessEqual(data["headStats"]["minTime"], now * 1000)
        self.assertEqual(len(kpid.api("/api/v1/status/tsdb", limit=1)["seriesCountByMetricName"]), 1)


class _Server:
    def __init__(self, port):
        self.port = port

    def request(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            response.text = response.read().decode()
            return response
        finally:
            connection.close()
