"""kill -9 at random moments under remote write: of what was acknowledged nothing is missing, doubled or out of order."""

import http.client
import math
import random
import struct
import threading
import time

from harness import FULL, Case
from test_remote_write import field, snappy, varint

SEED = 20270311
KILLS = 100 if FULL else 10
CLIENTS = 3
SERIES = 40  # of each client
SAMPLES = 25  # of each series in a request

CONFIG = "storage:\n  out_of_order_window: 1h\n"


class Client:
    """Sends the numbers 0, 1, 2, … as values of each of its series, one a millisecond, and again what was not acknowledged."""

    def __init__(self, name, port, base):
        self.name = name
        self.port = port
        self.base = base
        self.acknowledged = 0
        self.refused = None
        self.labels = [b"".join(field(1, field(1, label) + field(2, value.encode())) for label, value in (
            (b"__name__", "crash"), (b"client", name), (b"series", str(number)))) for number in range(SERIES)]

    def body(self, begin):
        samples = b"".join(
            field(2, b"\x09" + struct.pack("<d", number) + b"\x10" + varint(self.base + number))
            for number in range(begin, begin + SAMPLES))
        return snappy(b"".join(field(1, labels + samples) for labels in self.labels))

    def run(self):
        """Until kpid is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        try:
            while self.refused is None:
                connection.request("POST", "/api/v1/write", self.body(self.acknowledged), headers)
                response = connection.getresponse()
                text = response.read()
                if response.status // 100 == 2:
                    self.acknowledged += SAMPLES
                elif response.status not in (429, 503):
                    self.refused = (response.status, text)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()


class CrashRemoteWrite(Case):
    def ask(self, kpid, function):
        return {(one["metric"]["client"], one["metric"]["series"]): float(one["value"][1])
                for one in kpid.query(f"{function}(crash[2h])")}

    def check(self, kpid, clients, trace):
        """Each series has 0 up to what was acknowledged, or up to the request that was under way, which is whole."""
        counts = self.ask(kpid, "count_over_time")
        for client in clients:
            found = {counts.get((client.name, str(number)), 0) for number in range(SERIES)}
            self.assertEqual(len(found), 1, f"{trace}: part of a request of client {client.name}: {found}")
            self.assertIn(found.pop() - client.acknowledged, (0, SAMPLES), f"{trace}: client {client.name}")
        several = {key: count for key, count in counts.items() if count > 0}
        for function, want in (("last_over_time", -1), ("changes", -1)):
            got = self.ask(kpid, function)
            wrong = {key: (got[key], count) for key, count in several.items() if got[key] != count + want}
            self.assertEqual(wrong, {}, f"{trace}: {function}")
        self.assertEqual(set(self.ask(kpid, "min_over_time").values()) - {0.0}, set(), trace)
        self.assertEqual(set(self.ask(kpid, "resets").values()) - {0.0}, set(), trace)

    def test_loses_nothing_that_was_acknowledged(self):
        rng = random.Random(SEED)
        kpid = self.kpid(CONFIG)
        base = math.floor(time.time() - 3000) * 1000
        clients = [Client(str(number), kpid.port, base) for number in range(CLIENTS)]
        for kill in range(KILLS):
            threads = [threading.Thread(target=client.run) for client in clients]
            for thread in threads:
                thread.start()
            time.sleep(rng.uniform(0.02, 0.6))
            kpid.kill()
            for thread in threads:
                thread.join()
            kpid.restart()
            trace = f"seed {SEED}, kill {kill}"
            self.assertEqual([client.refused for client in clients], [None] * CLIENTS, trace)
            self.check(kpid, clients, trace)
        self.assertGreater(min(client.acknowledged for client in clients), KILLS * SAMPLES)
        # Some of them sample by sample.
        for client in clients:
            series = str(rng.randrange(SERIES))
            [one] = kpid.query(f'crash{{client="{client.name}",series="{series}"}}[2h]')
            for number, (instant, value) in enumerate(one["values"]):
                self.assertEqual((round(instant * 1000), float(value)), (base + number, number))
        self.assertEqual(kpid.metric("kpid_storage_quarantined_total"), 0)
        print(f"{KILLS} kills, {sum(client.acknowledged for client in clients) * SERIES} samples acknowledged")
