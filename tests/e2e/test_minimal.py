"""The smallest configuration, as it stands in config/examples, with a real node exporter and a webhook."""

import os

from harness import SOURCE, Case, free_port, wait_until


class Minimal(Case):
    def test_raised_threshold_fires_and_lowered_one_resolves(self):
        sink = self.sink()
        port = free_port()
        self.peer("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}",
                  "--collector.disable-defaults", "--collector.filesystem")
        with open(os.path.join(SOURCE, "config", "examples", "minimal", "kpid.yaml"), encoding="utf-8") as file:
            example = file.read()
        text = example.replace("127.0.0.1:9100", f"127.0.0.1:{port}")
        text = text.replace("http://127.0.0.1:5001/hook", sink.url)
        self.assertNotEqual(text, example)
        # As it is but for faster looks.
        text = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n" + text
        kpid = self.kpid(text)

        value = wait_until("a live value", lambda: kpid.kpi("disk_free_ratio")["value"])
        self.assertGreater(value, 0)
        self.assertLess(value, 1)

        raised = (text.replace("target: {at_least: 20%}", "target: {at_least: 100%}")
                  .replace("warning: {below: 20%}", "warning: {below: 100%}")
                  .replace("critical: {below: 10%}", "critical: {below: 99.9%}"))
        kpid.write_config(raised)
        self.assertEqual(kpid.reload().status, 200)
        fired = wait_until("the firing webhook", lambda: [
            a for a in sink.alerts("firing") if a["labels"]["severity"] == "critical"])
        self.assertEqual(fired[0]["labels"]["kpi"], "disk_free_ratio")
        self.assertEqual(fired[0]["labels"]["condition"], "threshold")
        self.assertEqual(fired[0]["kpi"]["target"], {"at_least": 1})

        lowered = (text.replace("target: {at_least: 20%}", "target: {at_least: 0.0002%}")
                   .replace("warning: {below: 20%}", "warning: {below: 0.0002%}")
                   .replace("critical: {below: 10%}", "critical: {below: 0.0001%}"))
        kpid.write_config(lowered)
        self.assertEqual(kpid.reload().status, 200)
        ended = wait_until("the resolved webhook", lambda: [
            a for a in sink.alerts("resolved") if a["fingerprint"] == fired[0]["fingerprint"]])
        self.assertEqual(ended[0]["startsAt"], fired[0]["startsAt"])
        self.assertEqual(ended[0]["kpi"]["ended"], "resolved")
