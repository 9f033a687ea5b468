"""Pushes: JSON and text, their answers, and what they cause."""

import json
import time

from harness import Case, pushed_kpi, wait_until


class Push(Case):
    def test_push_slips_and_recovers_through_the_webhook(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        self.assertEqual(json.loads(kpid.push({"metric": "errors", "value": 9}).text)["data"],
                         {"accepted": 1, "rejected": []})
        fired = wait_until("the firing webhook", lambda: sink.alerts("firing"))
        self.assertEqual(fired[0]["labels"], {"alertname": "errors", "kpi": "errors", "condition": "threshold",
                                              "severity": "critical", "owner": "ops"})
        self.assertEqual(fired[0]["kpi"]["value"], 9)
        kpid.push({"metric": "errors", "value": 0})
        ended = wait_until("the resolved webhook", lambda: sink.alerts("resolved"))
        self.assertEqual(ended[0]["fingerprint"], fired[0]["fingerprint"])
        self.assertEqual(len(sink.taken()), 2)
        headers = sink.taken()[0]["headers"]
        self.assertIn("webhook-id", {name.lower() for name in headers})

    def test_sixty_instances_that_slip_in_one_push_make_one_message(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push([{"metric": "errors", "labels": {"shop": f"s{i}"}, "value": 10 + i} for i in range(60)])
        wait_until("the webhook", sink.taken)
        self.assertEqual(len(sink.alerts("firing")), 60)
        self.assertEqual(len(sink.taken()), 1)

    def test_idempotency_key_adds_nothing_twice(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        first = kpid.push({"metric": "orders", "value": 1, "timestamp": time.time()}, key="a")
        again = kpid.push({"metric": "orders", "value": 2, "timestamp": time.time()}, key="a")
        self.assertEqual(first.text, again.text)
        self.assertEqual(kpid.value("orders"), 1)

    def test_text_import_stores_all_or_nothing(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        good = kpid.request("POST", "/api/v1/import/prometheus", "# TYPE jobs gauge\njobs{x=\"1\"} 3\njobs{x=\"2\"} 4\n")
        self.assertEqual((good.status, good.text), (204, ""))
        self.assertEqual(kpid.value("sum(jobs)"), 7)
        bad = kpid.request("POST", "/api/v1/import/prometheus", "other 1\nbroken{ 1\n")
        self.assertEqual(bad.status, 400)
        self.assertIn("line 2", bad.text)
        self.assertIsNone(kpid.value("other"))

    def test_reserved_names_are_dropped_counted_and_no_error(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        answer = kpid.push([{"metric": "kpid_fake", "value": 1}, {"metric": "real", "value": 1}])
        self.assertEqual((answer.status, json.loads(answer.text)["data"]["rejected"]), (200, []))
        self.assertIsNone(kpid.value("kpid_fake"))
        self.assertEqual(kpid.value("real"), 1)
        self.assertEqual(kpid.metric(r'kpid_ingest_rejected_total\{.*reason="reserved"'), 1)
