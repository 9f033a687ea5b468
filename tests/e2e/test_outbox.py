"""Receivers that answer 500, 429, nothing or garbage; signatures; the notifications API."""

import base64
import hashlib
import hmac
import json
import time

from harness import Case, pushed_kpi, wait_until

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Outbox(Case):
    def test_retries_until_the_receiver_is_mended(self):
        answers = iter([500, None, (429, {"Retry-After": "1"}, b"slow down"), (200, {}, b"\xff\xfe garbage")])
        sink = self.sink(lambda request: next(answers, 200))
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push({"metric": "errors", "value": 9})
        wait_until("the delivery", sink.taken)
        ids = {r["headers"]["webhook-id"] for r in sink.requests}
        self.assertEqual(len(ids), 1)
        self.assertEqual(len(sink.requests), 4)
        throttled = [r for r in sink.requests if r.get("status") == 429][0]
        self.assertGreaterEqual(sink.requests[3]["time"] - throttled["time"], 0.99)
        message = wait_until("the settled message", lambda: kpid.api(
            "/api/v1/notifications", receiver="hook", state="delivered"))[0]
        # The hang-up on a kept connection may be tried again at once, within one attempt.
        codes = [a["code"] for a in message["attempts"] if a["code"] is not None]
        self.assertEqual(codes, [500, 429, 200])

    def test_signs_what_it_sends(self):
        sink = self.sink()
        config = pushed_kpi(sink).replace(f'{{url: "{sink.url}"}}', f'{{url: "{sink.url}", secret: "{SECRET}"}}')
        kpid = self.kpid(config)
        kpid.push({"metric": "errors", "value": 9})
        request = wait_until("the webhook", sink.taken)[0]
        headers = request["headers"]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request["body"]
        want = base64.b64encode(hmac.new(bytes(range(32)), signed, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], f"v1,{want}")
        self.assertLess(abs(time.time() - int(headers["webhook-timestamp"])), 60)
        self.assertNotIn("MDEyMw", kpid.process.log())

    def test_gone_receivers_are_given_up_and_can_be_tried_again(self):
        answer = {"status": 410}
        sink = self.sink(lambda request: answer["status"])
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push({"metric": "errors", "value": 9})
        failed = wait_until("the failed message", lambda: kpid.api(
            "/api/v1/notifications", state="failed"))[0]
        self.assertEqual(kpid.metric(r'kpid_notifications_failed_total\{.*reason="gone"'), 1)
        answer["status"] = 200
        self.assertEqual(kpid.request("POST", f"/api/v1/notifications/{failed['id']}/retry", "").status, 200)
        wait_until("the delivery", sink.taken)
        self.assertEqual(kpid.request("POST", "/api/v1/notifications/nope/drop", "").status, 404)

    def test_body_is_alertmanagers_with_the_kpi_beside(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push({"metric": "errors", "labels": {"shop": "de"}, "value": 9})
        body = wait_until("the webhook", sink.taken)[0]["json"]
        self.assertEqual(body["version"], "4")
        self.assertEqual(body["receiver"], "hook")
        self.assertEqual(body["status"], "firing")
        self.assertEqual(body["groupKey"], '{}:{alertname="errors"}')
        self.assertEqual(body["groupLabels"], {"alertname": "errors"})
        self.assertEqual(body["truncatedAlerts"], 0)
        alert = body["alerts"][0]
        self.assertEqual(alert["endsAt"], "0001-01-01T00:00:00Z")
        self.assertEqual(alert["labels"]["shop"], "de")
        self.assertEqual({k: alert["kpi"][k] for k in ("id", "title", "owner", "value", "target", "unit", "status")},
                         {"id": "errors", "title": "Errors", "owner": "ops", "value": 9,
                          "target": {"at_most": 1}, "unit": "count", "status": "critical"})
        self.assertEqual(json.loads(kpid.request("GET", "/api/v1/alerts").text)["data"]["alerts"][0]["state"], "firing")
