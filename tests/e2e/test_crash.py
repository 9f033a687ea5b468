"""kill -9 at random moments: nothing acknowledged is missing, alerts keep their identity."""

import http.client
import json
import random
import threading
import time

from harness import Case, pushed_kpi, wait_until

SEED = 20260701


class Crash(Case):
    def test_kill_nine_ten_times_loses_no_acknowledged_sample_and_no_alert(self):
        rng = random.Random(SEED)
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        acknowledged = {}
        sequence = 0
        lock = threading.Lock()
        base = time.time() - 200

        def stream(stop):
            nonlocal sequence
            connection = http.client.HTTPConnection("127.0.0.1", kpid.port, timeout=10)
            while not stop.is_set():
                with lock:
                    sequence += 1
                    number = sequence
                body = json.dumps({"metric": "stream", "labels": {"n": str(number % 7)}, "value": number,
                                   "timestamp": round(base + number * 0.002, 3)})
                try:
                    connection.request("POST", "/api/v1/push", body)
                    response = connection.getresponse()
                    response.read()
                    if response.status == 200:
                        acknowledged[number] = str(number % 7)
                except (OSError, http.client.HTTPException):
                    return

        kpid.push({"metric": "errors", "value": 9})
        fired = wait_until("the firing webhook", lambda: sink.alerts("firing"))[0]
        for round_number in range(10):
            stop = threading.Event()
            writers = [threading.Thread(target=stream, args=(stop,)) for _ in range(3)]
            for writer in writers:
                writer.start()
            time.sleep(rng.uniform(0.05, 0.5))
            kpid.kill()
            stop.set()
            for writer in writers:
                writer.join()
            kpid.restart()
            firing = [a for a in kpid.api("/api/v1/alerts")["alerts"] if a["state"] == "firing"]
            wait_until(f"the alert still firing, seed {SEED} round {round_number}", lambda: [
                a for a in kpid.api("/api/v1/alerts")["alerts"]
                if a["state"] == "firing" and a["labels"]["alertname"] == "errors"])
            self.assertLessEqual(len(firing), 1)
        stored = {}
        for n in range(7):
            for series in kpid.query(f'stream{{n="{n}"}}[10m]'):
                for _, value in series["values"]:
                    stored[int(float(value))] = str(n)
        missing = {number for number, n in acknowledged.items() if stored.get(number) != n}
        self.assertGreater(len(acknowledged), 50)
        self.assertEqual(missing, set(), f"seed {SEED}")
        # Told once, with one identity, and its end once.
        kpid.push({"metric": "errors", "value": 0})
        ended = wait_until("the end", lambda: sink.alerts("resolved"))
        self.assertEqual({a["fingerprint"] for a in sink.alerts()}, {fired["fingerprint"]})
        self.assertEqual(ended[0]["startsAt"], fired["startsAt"])
        ids = {r["headers"].get("webhook-id") for r in sink.taken()
               if r["json"]["alerts"][0]["status"] == "firing"}
        self.assertEqual(len(ids), 1, "the firing was announced under one id")

    def test_unsent_messages_go_out_after_a_restart_with_the_same_id(self):
        refusing = {"status": 503}
        sink = self.sink(lambda request: refusing["status"])
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push({"metric": "errors", "value": 9})
        first = wait_until("an attempt", lambda: list(sink.requests))[0]
        kpid.kill()
        refusing["status"] = 200
        kpid.restart()
        taken = wait_until("the delivery", sink.taken)[0]
        self.assertEqual(taken["headers"]["webhook-id"], first["headers"]["webhook-id"])
        self.assertEqual(taken["body"], first["body"])
