"""The same random samples in kpid and in Debian's Prometheus, and random expressions asked of both.

What Prometheus does in another way since 2.42 is not compared. Most of it the generator of expressions leaves out
(ExpressionOptions::as_prometheus_2); the rest is told apart here:
- Windows and the lookback are open on the left since 3.0: no end of any falls on a sample here.
- Which of several duplicate series a message names is left to chance there (error_of).
- Comparisons with several matches fail, also those that the comparison would have filtered (FAILS_SINCE).
- The deviation of a single NaN or infinity is NaN; it was 0 (DEVIATES, which also loses digits).
"""

import http.client
import math
import os
import random
import re
import struct
import subprocess
import time
import urllib.parse

from harness import BUILD, FULL, Case, free_port, wait_until
from test_remote_write import PROTOBUF, series, snappy

EXPRESSIONS = 2000 if FULL else 200
SEED = int(os.environ.get("KPID_TEST_SEED", "1"))
INTERVAL = 15
SAMPLES = 600  # Two and a half hours.
# Samples stand 251 ms behind a second, queries 137 ms, so that no window ends on a sample.
SAMPLE_FRACTION = 0.251
QUERY_FRACTION = 0.137
CONFIG = """
global: {evaluation_interval: 1m, scrape_interval: 1m}
alerting:
  route: {receiver: inbox}
"""
STALE = struct.unpack("<d", struct.pack("<Q", 0x7ff0000000000002))[0]
FAILS_SINCE = r"multiple matches for labels"
DEVIATES = r"std(dev|var)\b"


def random_series(dice):
    """Labels and values by place, as expression_generator.h names them; nothing where a sample is missing."""
    for host, room in (("a", "x"), ("b", "x"), ("c", "y")):
        both = {"host": host, "room": room}
        yield {"__name__": "temperature"} | both, [dice.randrange(200) / 2 - 20 for _ in range(SAMPLES)]
        total, totals = 10000 + dice.randrange(1000), []
        for _ in range(SAMPLES):
            total = 5000 + dice.randrange(100) if dice.randrange(200) == 0 else total + dice.randrange(50)
            totals.append(total)
        yield {"__name__": "requests_total"} | both, totals
        yield {"__name__": "sparse", "host": host}, [
            dice.choice([None, STALE]) if dice.randrange(20) == 0 else dice.randrange(5) for _ in range(SAMPLES)]
        below = [0] * SAMPLES
        for bound in ("0.1", "0.5", "1", "+Inf"):
            count, counts = 10000, []
            for place in range(SAMPLES):
                count += dice.randrange(10)
                below[place] += count
                counts.append(below[place])
            yield {"__name__": "latency_bucket", "host": host, "le": bound}, counts
    for room in "xy":
        yield {"__name__": "weight", "room": room}, [1 + dice.randrange(10) for _ in range(SAMPLES)]
    yield {"__name__": "limit"}, [dice.randrange(60) for _ in range(SAMPLES)]


def same(ours, theirs, expression):
    deviates = bool(re.search(DEVIATES, expression))
    if math.isnan(ours):
        return math.isnan(theirs) or deviates
    # What is left of the difference of nearly equal numbers has lost most of its digits.
    return ours == theirs or math.isclose(ours, theirs, rel_tol=1e-6 if deviates else 1e-9, abs_tol=1e-12)


def error_of(answer):
    """Kind and text of an error, without the series that it picks to show."""
    return answer["errorType"], re.sub(r"match group {.*?} on|\[{.*}\]", "…", answer["error"])


def points(answer):
    """Labels and time to value."""
    found = {}
    if answer["resultType"] == "scalar":
        return {("scalar", 0): float(answer["result"][1])}
    for one in answer["result"]:
        labels = tuple(sorted(one["metric"].items()))
        for when, value in one["values"] if "values" in one else [one["value"]]:
            found[labels, when] = float(value)
    return found


class Differential(Case):
    def setUp(self):
        super().setUp()
        config = os.path.join(self.subfolder("prometheus"), "prometheus.yml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("global: {evaluation_interval: 1m}\n")
        port = free_port()
        self.peer("prometheus", f"--config.file={config}", "--storage.tsdb.path=data",
                  "--web.enable-remote-write-receiver", f"--web.listen-address=127.0.0.1:{port}")
        wait_until("Prometheus being ready", lambda: self.is_ready(port))
        self.asked = {"kpid": self.kpid(CONFIG).port, "prometheus": port}
        # The end of the data, a multiple of an hour.
        self.end = int(time.time()) // 3600 * 3600
        self.write()

    def is_ready(self, port):
        try:
            return self.ask(port, "/api/v1/query", query="1")["status"] == "success"
        except OSError:
            return False

    def ask(self, port, path, **params):
        return self.get_json(f"http://127.0.0.1:{port}{path}?" + urllib.parse.urlencode(params))

    def write(self):
        dice = random.Random(SEED)
        begin = self.end - SAMPLES * INTERVAL
        rows = [(labels, dice.randrange(5), values) for labels, values in random_series(dice)]
        for first in range(0, SAMPLES, 20):  # In the order of time, which Prometheus insists on.
            message = b""
            for labels, shift, values in rows:
                samples = [(begin + place * INTERVAL + shift + SAMPLE_FRACTION, values[place])
                           for place in range(first, first + 20) if values[place] is not None]
                if samples:
                    message += series(dict(sorted(labels.items())), *samples)
            for name, path in (("kpid", "/api/v1/write"), ("prometheus", "/api/v1/write")):
                answer = self.post(self.asked[name], path, snappy(message))
                self.assertIn(answer.status, (200, 204), (name, answer.body))

    def post(self, port, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", path, body, {
                "Content-Type": PROTOBUF, "Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"})
            response = connection.getresponse()
            response.body = response.read()
            return response
        finally:
            connection.close()

    def difference(self, path, **params):
        """Empty when both say the same or refuse with the same words; else what is not the same, in one line."""
        answers = {name: self.ask(port, path, **params) for name, port in self.asked.items()}
        ours, theirs = answers["kpid"], answers["prometheus"]
        if ours["status"] != theirs["status"]:
            if ours["status"] == "error" and re.search(FAILS_SINCE, ours["error"]):
                return ""
            return f"kpid {ours.get('error')}, prometheus {theirs.get('error')}"
        if ours["status"] == "error":
            return "" if error_of(ours) == error_of(theirs) else f"kpid {error_of(ours)}, prometheus {error_of(theirs)}"
        here, there = points(ours["data"]), points(theirs["data"])
        self.answered += bool(there)
        for key in sorted(here.keys() | there.keys()):
            if key not in here or key not in there or not same(here[key], there[key], params["query"]):
                return f"{key}: kpid {here.get(key)}, prometheus {there.get(key)}"
        return ""

    def test_random_expressions_give_the_same(self):
        self.answered = 0
        program = os.path.join(BUILD, "tests", "promql_random")
        expressions = subprocess.run([program, str(SEED), str(EXPRESSIONS)], check=True, capture_output=True,
                                     text=True).stdout.splitlines()
        dice = random.Random(SEED)
        wrong = []
        for expression in expressions:
            instant = self.end - dice.randrange(60, 240) * 10 + QUERY_FRACTION
            step = dice.choice([10, 30, 60, 70, 300])
            for path, params in (("/api/v1/query", {"time": instant}),
                                 ("/api/v1/query_range", {"start": instant - 6 * step, "end": instant, "step": step})):
                found = self.difference(path, query=expression, **params)
                if found:
                    wrong.append(f"{expression}\n    {path} {params}: {found}")
        self.assertEqual(wrong, [], f"seed {SEED}:\n" + "\n".join(wrong))
        # Most find something: else this would prove little.
        self.assertGreater(self.answered, EXPRESSIONS)
