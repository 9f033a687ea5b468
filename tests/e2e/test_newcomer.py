"""config/kpid.yaml as ./dev run starts it: something real at once, something happening within two minutes."""

import os
import re
import time

from harness import SOURCE, Case, wait_until


class Newcomer(Case):
    def test_shows_live_kpis_and_a_firing_with_its_end_in_the_inbox(self):
        with open(os.path.join(SOURCE, "config", "kpid.yaml"), encoding="utf-8") as file:
            text = file.read()
        # Only the fixed port gives way: another kpid may run on this machine.
        text, count = re.subn(r'udp: "127\.0\.0\.1:8125"', 'udp: "127.0.0.1:0"', text)
        self.assertEqual(count, 1)
        kpid = self.kpid(text)
        live = wait_until("live values", lambda: {
            k["id"]: k["status"] for k in kpid.api("/api/v1/kpis") if k["value"] is not None} or None)
        self.assertTrue(live)
        wait_until("five KPIs with values", lambda: len(
            [k for k in kpid.api("/api/v1/kpis") if k["value"] is not None]) >= 5)
        page = kpid.request("GET", "/")
        self.assertEqual(page.status, 200)
        self.assertIn("Failed checkouts", page.text)

        def statuses():
            return {alert["status"] for message in kpid.api("/api/v1/notifications", receiver="inbox")
                    for alert in message["alerts"]}
        wait_until("a firing and its end in the inbox", lambda: statuses() == {"firing", "resolved"}, 180)
        ids = [message["id"] for message in kpid.api("/api/v1/notifications")]
        self.assertEqual(ids, sorted(ids))
        inbox = kpid.request("GET", "/inbox").text
        self.assertIn("checkout_error_ratio", inbox)
        listed = self.kpictl("notifications", "list", server=kpid)
        self.assertIn("inbox", listed)
        self.assertIn("checkout_error_ratio", listed)
        self.assertIn("checkout_error_ratio", self.kpictl("kpi", "list", server=kpid))
        self.assertIn("Failed checkouts", self.kpictl("kpi", "show", "checkout_error_ratio", server=kpid))
        self.assertIn("up{", self.kpictl("query", "up", server=kpid))
        self.assertIn("up{", self.kpictl("query", "up", f"--start={time.time() - 60:.0f}", server=kpid))
        self.kpictl("query", "rate(", server=kpid, expect=1)
        self.kpictl("check", os.path.join(SOURCE, "config", "kpid.yaml"))
