"""The unit file's sandbox and the service manager's protocol."""

import json
import os
import re
import signal
import socket
import subprocess

from harness import KPID, SOURCE, Case, pushed_kpi, wait_until


class Systemd(Case):
    def test_unit_is_rated_well(self):
        unit = os.path.join(self.folder, "kpid.service")
        with open(os.path.join(SOURCE, "systemd", "kpid.service"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("ProcSubset=all", text)
        self.assertIn("ProtectHome=read-only", text)
        with open(unit, "w", encoding="utf-8") as out:
            # The rating looks for the program.
            out.write(text.replace("/usr/bin/kpid", "/bin/true"))
        done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", unit],
                              capture_output=True, text=True, timeout=60)
        rating = float(re.search(r"Overall exposure level for kpid\.service: ([0-9.]+)", done.stdout).group(1))
        self.assertLessEqual(rating, 1.5)

    def test_says_ready_reloading_watchdog_and_stopping(self):
        path = os.path.join(self.folder, "notify")
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(path)
        manager.settimeout(60)
        kpid = self.kpid(pushed_kpi(self.sink()), env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000000"})
        said = []

        def hear(what):
            while not any(what in text for text in said):
                said.append(manager.recv(4096).decode())
        hear("READY=1")
        hear("STATUS=1 KPIs")
        hear("WATCHDOG=1")
        kpid.process.process.send_signal(signal.SIGHUP)
        hear("RELOADING=1")
        self.assertEqual(kpid.stop(), 0)
        hear("STOPPING=1")

    def test_ends_with_zero_on_both_signals(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            kpid = self.kpid(pushed_kpi(self.sink()), name=f"kpid{how}")
            self.assertEqual(kpid.process.stop(how), 0)

    def test_logs_json_when_asked(self):
        done = subprocess.run([KPID, "--config.file=" + os.path.join(SOURCE, "config", "kpid.yaml"),
                               "--storage.path=/proc/nowhere", "--log.format=json"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 2)
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        self.assertIn("--storage.path", lines[-1]["error"])


class Reload(Case):
    def test_bad_configuration_keeps_the_running_one(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        with open(kpid.config_path, encoding="utf-8") as file:
            good = file.read()
        kpid.write_config(good.replace("target:", "targett:").replace("unit: count", "unit: parsecs"))
        answer = kpid.reload()
        self.assertEqual(answer.status, 500)
        self.assertRegex(answer.text, r"kpid\.yaml:\d+:\d+: error: .*targett")
        self.assertIn("parsecs", answer.text)
        self.assertEqual(kpid.metric(r"^kpid_config_last_reload_successful"), 0)
        self.assertEqual(kpid.kpi("errors")["id"], "errors")
        kpid.write_config(good.replace("title: Errors", "title: Mistakes"))
        self.assertEqual(kpid.reload().status, 200)
        wait_until("the new title", lambda: kpid.kpi("errors")["title"] == "Mistakes")
        self.assertEqual(kpid.metric(r"^kpid_config_last_reload_successful"), 1)
        kpid.write_config(good)
        kpid.process.process.send_signal(signal.SIGHUP)
        wait_until("the old title", lambda: kpid.kpi("errors")["title"] == "Errors")

    def test_removed_kpi_ends_its_alert_as_removed(self):
        sink = self.sink()
        config = pushed_kpi(sink)
        kpid = self.kpid(config)
        kpid.push({"metric": "errors", "value": 9})
        wait_until("the firing webhook", lambda: sink.alerts("firing"))
        kpid.write_config(config.replace("  errors:\n    title", "  mistakes:\n    title"))
        self.assertEqual(kpid.reload().status, 200)
        ended = wait_until("the end", lambda: sink.alerts("resolved"))
        self.assertEqual(ended[0]["kpi"]["ended"], "removed")
