"""kpictl query and promql as people and scripts use it: tables, CSV, plots, relative times, notes, exit codes."""

import csv
import fcntl
import io
import json
import os
import pty
import struct
import subprocess
import termios
import time

from harness import KPICTL, Case, free_port

CONFIG = "owners: {ops: {title: Operations}}\n"


class Query(Case):
    def setUp(self):
        super().setUp()
        self.server = self.kpid(CONFIG)
        self.now = int(time.time())
        items = [{"metric": "load", "labels": {"host": host}, "value": (i * step) % 17 + 0.5, "timestamp": self.now - 60 * i}
                 for host, step in (("a", 1), ("b,\"c\"", 3)) for i in range(60, -1, -1)]
        self.assertEqual(self.server.push(items).status, 200)

    def run_query(self, *args, expect=0, env=None):
        done = subprocess.run([KPICTL, "query", f"--server=http://127.0.0.1:{self.server.port}", *args],
                              capture_output=True, timeout=60, env=dict(os.environ, **(env or {})))
        self.assertEqual(done.returncode, expect, done)
        return done.stdout.decode(), done.stderr.decode()

    def test_tables_and_json(self):
        text, _ = self.run_query('load{host="a"}')
        self.assertEqual(text.split()[:4], ["SERIES", "TIME", "VALUE", 'load{host="a"}'])
        document, _ = self.run_query("sum(load)", "--output=json")
        data = json.loads(document)
        self.assertEqual((data["resultType"], data["result"][0]["value"][1]), ("vector", "1"))
        # The option of all commands does the same.
        done = subprocess.run([KPICTL, "--output=json", f"--server=http://127.0.0.1:{self.server.port}", "query", "1"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["resultType"], "scalar")

    def test_csv_is_read_back(self):
        text, _ = self.run_query("load", "--start=-10m", "--end", "now", "--step=60s", "--output=csv")
        self.assertTrue(text.startswith("time,value,__name__,host\r\n"))
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual({row["host"] for row in rows}, {"a", "b,\"c\""})
        self.assertGreaterEqual(len(rows), 20)
        answer = self.server.api("/api/v1/query", query="load", time=rows[0]["time"])["result"]
        self.assertIn(rows[0]["value"], [r["value"][1] for r in answer])

    def test_relative_times_are_those_of_now(self):
        text, _ = self.run_query('load{host="a"}', "--time", "-30m", "--output=json")
        value = json.loads(text)["result"][0]
        self.assertAlmostEqual(value["value"][0], time.time() - 1800, delta=30)
        self.run_query("load", "--start=-6parsecs", expect=2)
        self.run_query("load", "--start=yesterday", expect=1)

    def test_plots_have_no_colour_in_a_pipe_and_letters_for_several_lines(self):
        text, _ = self.run_query("load", "--start=-1h", "--output=plot", "--width=60", "--height=12")
        lines = text.splitlines()
        self.assertEqual(len(lines), 14)
        self.assertNotIn("\x1b", text)
        self.assertTrue(all(len(line) <= 60 for line in lines), text)
        self.assertIn('a load{host="a"}', text)
        self.assertIn('b load{host="b,\\"c\\""}', text)
        one, _ = self.run_query('load{host="a"}', "--start=-1h", "--output=plot", env={"COLUMNS": "50", "LINES": "15"})
        self.assertTrue(any("⠀" <= c <= "⣿" for c in one))
        self.assertLessEqual(max(len(line) for line in one.splitlines()), 50)
        bars, _ = self.run_query("load", "--output=plot")
        self.assertIn("█", bars)
        self.assertEqual(self.run_query("nothing", "--output=plot", "--start=-1h")[0], "no points\n")

    def in_terminal(self, **env):
        """What a plot looks like in a terminal of 70 columns and 20 lines."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 70, 0, 0))
        process = subprocess.Popen([KPICTL, "query", "load", "--start=-1h", "--output=plot", f"--server=http://127.0.0.1:{self.server.port}"],
                                   stdout=theirs, stderr=theirs, env=dict(os.environ, TERM="xterm", **env))
        os.close(theirs)
        text = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            text += piece
        os.close(ours)
        self.assertEqual(process.wait(60), 0)
        return text.decode()

    def test_a_terminal_has_colours_and_a_size(self):
        coloured = self.in_terminal(NO_COLOR="")
        self.assertIn("\x1b[36m", coloured)
        self.assertEqual(len(coloured.splitlines()), 17)
        self.assertNotIn("\x1b[", self.in_terminal(NO_COLOR="1"))

    def test_notes_go_to_standard_error_and_refusals_are_told(self):
        out, notes = self.run_query("rate(load[5m])", "--output=csv")
        self.assertTrue(out.startswith("time,value"))
        self.assertIn("info: PromQL info: metric might not be a counter", notes)
        _, error = self.run_query("sum((", expect=1)
        self.assertIn("parse error", error)
        self.run_query("up", "--end=now", expect=2)
        done = subprocess.run([KPICTL, "query", "up", f"--server=http://127.0.0.1:{free_port()}"], capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 2)


class Promql(Case):
    EXPRESSIONS = (
        "1", "-up", '"text"', "up == bool 1", "sum by (job) (rate(http_requests_total{code=~'5..'}[5m] offset 1h))",
        "max_over_time(rate(x[1m])[1h:5m] @ end()) or vector(0)",
        "sum without (instance) (rate(node_network_receive_bytes_total{device!~'lo|veth.*'}[5m])) / on (job) group_left (team) "
        "sum by (job, team) (rate(node_network_transmit_bytes_total[5m])) > bool 0.05")

    def run_promql(self, *args, given=None, expect=0):
        done = subprocess.run([KPICTL, "promql", *args], input=given, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, expect, done)
        return done.stdout, done.stderr

    def test_says_what_a_server_says_without_one(self):
        server = self.kpid(CONFIG)
        for expression in self.EXPRESSIONS:
            formatted, _ = self.run_promql("format", "--", expression)
            self.assertEqual(formatted, server.api("/api/v1/format_query", query=expression) + "\n")
            # What was formatted formats to itself.
            self.assertEqual(self.run_promql("format", "-", given=formatted)[0], formatted)
            tree, _ = self.run_promql("parse", "--", expression)
            self.assertEqual(json.loads(tree), server.api("/api/v1/parse_query", query=expression))

    def test_points_at_what_is_wrong(self):
        out, error = self.run_promql("format", "-", given="sum(\n  up up)\n", expect=1)
        self.assertEqual(out, "")
        self.assertEqual(error.splitlines()[1:], ["    up up)", "       ^"])
        self.assertRegex(error, r"^2:6: parse error: ")
        self.run_promql("parse", "rate(up)", expect=1)
        self.run_promql("format", expect=2)
        self.run_promql(expect=2)
