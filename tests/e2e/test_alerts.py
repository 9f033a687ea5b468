"""Alerts through definitions that change, restarts and two receivers; the command lines of both programs."""

import os
import subprocess
import time

from harness import KPICTL, KPID, Case, pushed_kpi, wait_until

LEVELS = """
    warning: {above: 5}
    critical: {above: 10}"""


def two_levels(sink, **more):
    return pushed_kpi(sink, **more).replace("    critical: {above: 5}\n    warning: none\n", LEVELS[1:] + "\n")


class Alerts(Case):
    def told(self, sink):
        return [(a["status"], a["labels"]["severity"], a["kpi"]["ended"]) for a in sink.alerts()]

    def test_worse_and_better_level_supersede_each_other_in_one_message(self):
        sink = self.sink()
        kpid = self.kpid(two_levels(sink))
        for value in (6, 11, 6, 0):
            before = len(sink.taken())
            kpid.push({"metric": "errors", "value": value})
            wait_until(f"the message about {value}", lambda: len(sink.taken()) > before)
        self.assertEqual(self.told(sink), [
            ("firing", "warning", None),
            ("firing", "critical", None), ("resolved", "warning", "superseded"),
            ("firing", "warning", None), ("resolved", "critical", "superseded"),
            ("resolved", "warning", "resolved")])
        self.assertEqual(len(sink.taken()), 4)

    def test_messages_say_where_kpid_is_found(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        kpid.stop()
        kpid.restart()  # at the port it had; the first one was port 0
        kpid.push({"metric": "errors", "value": 9})
        body = wait_until("the firing webhook", sink.taken)[0]["json"]
        self.assertEqual(body["externalURL"], f"http://127.0.0.1:{kpid.port}")
        self.assertEqual(body["alerts"][0]["generatorURL"], f"http://127.0.0.1:{kpid.port}/?kpi=errors")
        self.assertEqual(kpid.reload().status, 200)
        kpid.push({"metric": "errors", "value": 0})
        ended = wait_until("the end", lambda: sink.taken()[1:])[0]["json"]
        self.assertEqual(ended["externalURL"], body["externalURL"])

    def test_superseded_end_waits_for_the_other_receiver_also_over_a_crash(self):
        healthy = []
        sink = self.sink()
        pager = self.sink(lambda request: 200 if healthy else 500)
        config = two_levels(sink).replace(
            "group_interval: 0s}", "group_interval: 0s, routes: [{matchers: [severity=critical], receiver: pager}]}")
        config += f"    - name: pager\n      webhook_configs: [{{url: \"{pager.url}\"}}]\n"
        kpid = self.kpid(config)
        kpid.push({"metric": "errors", "value": 6})
        wait_until("the warning", sink.taken)
        kpid.push({"metric": "errors", "value": 11})
        wait_until("an attempt at the pager", lambda: pager.requests)
        kpid.kill()
        kpid.restart()
        wait_until("another attempt", lambda: len(pager.requests) > 1)
        self.assertEqual(len(sink.taken()), 1)
        healthy.append(True)
        ended = wait_until("the end of the warning", lambda: sink.alerts("resolved"))
        self.assertEqual(ended[0]["kpi"]["superseded_by"], pager.alerts("firing")[0]["fingerprint"])

    def test_owner_and_labels_change_while_it_fires(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push({"metric": "errors", "value": 9})
        fired = wait_until("the firing webhook", lambda: sink.alerts("firing"))[0]
        with open(kpid.config_path, encoding="utf-8") as text:
            config = text.read()
        kpid.write_config(config.replace("owner: ops", "owner: dev, labels: {team: b}".replace(", ", "\n    ")).replace(
            "owners: {", "owners: {dev: {title: Developers, receiver: hook}, "))
        self.assertEqual(kpid.reload().status, 200)
        kpid.push({"metric": "errors", "value": 0})
        ended = wait_until("the resolved webhook", lambda: sink.alerts("resolved"))[0]
        self.assertEqual([ended[k] for k in ("fingerprint", "startsAt")], [fired[k] for k in ("fingerprint", "startsAt")])
        self.assertEqual((ended["labels"]["owner"], ended["labels"]["team"]), ("dev", "b"))

    def test_another_value_begins_anew_also_when_it_changed_while_kpid_was_down(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink))
        kpid.push({"metric": "errors", "value": 9})
        wait_until("the firing webhook", lambda: sink.alerts("firing"))
        with open(kpid.config_path, encoding="utf-8") as text:
            config = text.read()
        kpid.write_config(config.replace("value: {expr: errors}", "value: {expr: errors * 2}"))
        self.assertEqual(kpid.reload().status, 200)
        wait_until("the same alert of the other value", lambda: len(sink.alerts("firing")) == 2)
        kpid.kill()
        kpid.write_config(config.replace("value: {expr: errors}", "value: {expr: errors * 0}"))
        kpid.restart()
        wait_until("its end", lambda: len(sink.alerts("resolved")) == 2)
        self.assertEqual([t[2] for t in self.told(sink)], [None, "removed", None, "removed"])

    def test_annotations_query(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(
            sink, kpi_extra="annotations: {summary: '{{ query \"count(errors)\" | first | value }} of {{ $value }}'}"))
        kpid.push({"metric": "errors", "value": 9})
        fired = wait_until("the firing webhook", lambda: sink.alerts("firing"))[0]
        self.assertEqual(fired["annotations"]["summary"], "1 of 9")

    def test_pending_time_counts_over_a_crash(self):
        sink = self.sink()
        kpid = self.kpid(pushed_kpi(sink).replace("above: 5", "above: 5, for: 8s"))
        began = time.monotonic()
        kpid.push({"metric": "errors", "value": 9})
        time.sleep(4)
        kpid.kill()
        kpid.restart()
        wait_until("the firing webhook", lambda: sink.alerts("firing"))
        self.assertGreaterEqual(time.monotonic() - began, 8)
        active = kpid.api("/api/v1/alerts")["alerts"][0]["activeAt"]
        self.assertLess(active, sink.alerts("firing")[0]["startsAt"])


class CommandLines(Case):
    def run_it(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=self.folder)
        return done.returncode, done.stdout + done.stderr

    def test_unknown_features_are_refused(self):
        for program in ([KPID, "--check-config"], [KPICTL, "check", "kpid.yaml"]):
            code, text = self.run_it(*program, "--enable-feature=promql-duration-expr,time-travel")
            self.assertEqual(code, 2, text)
            self.assertIn("time-travel", text)

    def test_exit_codes(self):
        with open(os.path.join(self.folder, "bad.yaml"), "w", encoding="utf-8") as out:
            out.write("kpis: {a: {titel: x}}\n")
        for expected, command in ((2, [KPICTL, "check", "none.yaml"]), (1, [KPICTL, "check", "bad.yaml"]),
                                  (2, [KPID, "--check-config", "--config.file=none.yaml"]),
                                  (1, [KPID, "--check-config", "--config.file=bad.yaml"]),
                                  (2, [KPICTL, "kpi", "list", "--output=xml"]), (0, [KPICTL, "--help"]),
                                  (2, [KPICTL, "kpi", "list", "--server=localhost:1"]),
                                  (2, [KPICTL, "kpi", "list", "--server=http://127.0.0.1:1"])):
            code, text = self.run_it(*command)
            self.assertEqual(code, expected, f"{command}: {text}")

    def test_two_kpids_do_not_share_a_store(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        code, text = self.run_it(KPID, f"--config.file={kpid.config_path}", "--web.listen-address=127.0.0.1:0",
                                 f"--storage.path={os.path.join(kpid.folder, 'store')}")
        self.assertEqual(code, 2, text)
        self.assertIn("in use by another process", text)
        code, text = self.run_it(KPID, f"--config.file={kpid.config_path}", "--storage.path=other",
                                 f"--web.listen-address=127.0.0.1:{kpid.port}")
        self.assertEqual(code, 2, text)
        self.assertIn("--web.listen-address", text)
