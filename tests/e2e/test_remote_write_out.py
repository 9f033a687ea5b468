"""Remote write, the sending side: what kpid stores arrives at real receivers, over outages and kills."""

import http.client
import json
import os
import time
import urllib.parse

from harness import Case, free_port, wait_until

SECONDS = 1000


class Receiver:
    """A peer that takes remote write and answers queries, stopped and started on one port and folder."""

    def __init__(self, case, name):
        self.case = case
        self.name = name
        self.port = free_port()
        self.starts = 0
        self.process = None
        self.data = case.subfolder(f"{name}-data")
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/api/v1/write"

    def start(self):
        self.starts += 1
        folder = f"{self.name}-{self.starts}"
        if self.name == "prometheus":
            config = os.path.join(self.case.subfolder(f"{folder}-config"), "prometheus.yml")
            with open(config, "w", encoding="utf-8") as out:
                out.write("{}\n")
            arguments = [f"--config.file={config}", f"--storage.tsdb.path={self.data}",
                         f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver"]
        else:
            arguments = [f"-storageDataPath={self.data}", f"-httpListenAddr=127.0.0.1:{self.port}",
                         "-search.latencyOffset=0s", "-retentionPeriod=1"]
        self.process = self.case.peer(self.name, *arguments, name=folder)
        wait_until(f"{self.name} being ready", self.is_ready)

    def is_ready(self):
        path = "/-/ready" if self.name == "prometheus" else "/health"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def stop(self):
        self.process.stop()

    def samples(self, selector):
        """By the label `i`: time in milliseconds to value, as stored."""
        if self.name == "prometheus":
            found = self.case.get_json(f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode(
                {"query": f"{selector}[1h]"}))["data"]["result"]
            return {one["metric"]["i"]: {round(t * 1000): float(v) for t, v in one["values"]} for one in found}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/api/v1/export?" + urllib.parse.urlencode({"match[]": selector}))
            lines = connection.getresponse().read().decode().splitlines()
        finally:
            connection.close()
        series = {}
        for line in lines:
            one = json.loads(line)
            series.setdefault(one["metric"]["i"], {}).update(zip(one["timestamps"], map(float, one["values"])))
        return series


class RemoteWriteOut(Case):
    def setUp(self):
        super().setUp()
        self.pushed = {}
        self.next = int(time.time() * SECONDS) - 600 * SECONDS

    def config(self, receivers, extra=""):
        remotes = "".join(f"""
  - url: "{receiver.url}"
    name: {receiver.name}
    send: all
    queue_config: {{batch_send_deadline: 100ms, max_backoff: 500ms, max_samples_per_send: 50}}
    {extra}""" for receiver in receivers)
        return f"global: {{external_labels: {{site: here}}}}\nremote_write:{remotes}\n"

    def push(self, kpid, rounds, series=20):
        """One sample of each series a round, half a second apart; each push is acknowledged."""
        for _ in range(rounds):
            self.next += 500
            items = []
            for i in range(series):
                # Quarters: VictoriaMetrics keeps decimals, and no more digits than it needs.
                value = self.next % 7919 / 4 + i
                items.append({"metric": "sent", "labels": {"i": str(i)}, "value": value,
                              "timestamp": self.next / 1000})
                self.pushed.setdefault(str(i), {})[self.next] = value
            answer = kpid.push(items)
            self.assertEqual(answer.status, 200, answer.text)

    def arrives_at(self, receivers):
        for receiver in receivers:
            wait_until(f"everything at {receiver.name}",
                       lambda at=receiver: at.samples('sent{site="here"}') == self.pushed)

    def both(self):
        return [Receiver(self, "prometheus"), Receiver(self, "victoria-metrics")]

    def test_what_is_pushed_arrives(self):
        receivers = self.both()
        kpid = self.kpid(self.config(receivers))
        self.push(kpid, 40)
        self.arrives_at(receivers)
        for receiver in receivers:
            self.assertEqual(kpid.metric(r'kpid_remote_write_samples_failed_total\{.*"' + receiver.name), 0)
            self.assertGreaterEqual(kpid.metric(r'kpid_remote_write_samples_total\{.*"' + receiver.name), 800)

    def test_nothing_is_lost_when_the_remotes_stop_and_kpid_is_killed(self):
        receivers = self.both()
        kpid = self.kpid(self.config(receivers))
        self.push(kpid, 10)
        self.arrives_at(receivers)
        for receiver in receivers:
            receiver.stop()
        self.push(kpid, 20)
        kpid.kill()
        kpid.restart()
        self.push(kpid, 20)
        kpid.kill()
        for receiver in receivers:
            receiver.start()
        kpid.restart()
        self.push(kpid, 10)
        self.arrives_at(receivers)

    def test_a_kill_while_it_sends_loses_nothing(self):
        receivers = self.both()
        kpid = self.kpid(self.config(receivers))
        for _ in range(4):
            self.push(kpid, 10)
            wait_until("some of it to be sent", lambda: kpid.metric("^kpid_remote_write_samples_total"))
            kpid.kill()
            kpid.restart()
        self.push(kpid, 5)
        self.arrives_at(receivers)

    def test_a_reload_goes_on_where_it_was(self):
        receivers = self.both()
        kpid = self.kpid(self.config(receivers))
        self.push(kpid, 5)
        receivers[0].stop()
        self.push(kpid, 10)
        kpid.write_config(self.config(receivers, "remote_timeout: 7s"))
        self.assertEqual(kpid.reload().status, 200)
        self.push(kpid, 5)
        receivers[0].start()
        self.arrives_at(receivers)
        kpid.stop()

