"""Back-fill and backup: kpictl export and import, and what promtool makes and takes."""

import gzip
import json
import os
import subprocess
import time

from harness import KPICTL, PEERS, Case, free_port, wait_until

CONFIG = """
owners: {ops: {title: Operations}}
"""
EXPORTED = '{__name__!="",__name__!~"kpid_.*|ALERTS.*"}'


def run(*command, expect=0, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == expect, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Backfill(Case):
    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.path(name)

    def ctl(self, kpid, *args, expect=0, **more):
        return run(KPICTL, *args, f"--server=http://127.0.0.1:{kpid.port}", expect=expect, **more)

    def export(self, kpid, name):
        self.ctl(kpid, "export", "--match", EXPORTED, self.path(name))
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def history(self, hours=6, series=5):
        """An OpenMetrics text whose newest sample is an hour old, each 15 seconds."""
        start = int(time.time()) - hours * 3600 - 3600
        lines = []
        for family in ("aaa_total", "room_temperature_celsius"):
            lines.append(f"# TYPE {family} unknown")
            for i in range(series):
                for step in range(hours * 240):
                    lines.append(f'{family}{{room="{i}",why="q\\"\\\\n"}} {step * (i + 1) / 4} {start + 15 * step}')
        return start, "\n".join(lines) + "\n# EOF\n"

    def promtool(self, *args, expect=0):
        return run(os.path.join(PEERS, "promtool"), *args, expect=expect)

    def samples_of_dump(self, folder):
        os.makedirs(os.path.join(folder, "wal"), exist_ok=True)  # promtool wants one where there are blocks alone.
        dump = self.promtool("tsdb", "dump", folder).stdout
        return dump, [line for line in dump.splitlines() if line]

    def test_export_comes_back_the_same_through_import(self):
        first = self.kpid(CONFIG, name="first")
        _, text = self.history()
        source = self.write("history.txt", text)
        said = self.ctl(first, "import", source).stdout
        self.assertIn("14400 samples imported, 0 refused", said)
        exported = self.export(first, "first.txt")
        self.assertEqual(exported.count("\n# TYPE ") + exported.startswith("# TYPE"), 2)
        self.assertTrue(exported.endswith("\n# EOF\n"))
        second = self.kpid(CONFIG, name="second")
        self.ctl(second, "import", self.path("first.txt"))
        self.assertEqual(self.export(second, "second.txt"), exported)
        # Again: nothing is added, nothing is refused; packed and by standard input.
        with open(self.path("first.txt"), "rb") as file:
            packed = gzip.compress(file.read())
        again = subprocess.run([KPICTL, "import", "-", f"--server=http://127.0.0.1:{second.port}"], input=packed,
                               capture_output=True, timeout=120)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.export(second, "third.txt"), exported)
        # It survives kill -9.
        second.kill()
        second.restart()
        self.assertEqual(self.export(second, "fourth.txt"), exported)

    def test_what_kpid_recorded_comes_back_only_where_that_is_allowed(self):
        first = self.kpid(CONFIG + 'global: {scrape_interval: 1s}\n', name="first")
        wait_until("a few samples", lambda: first.query("count_over_time(kpid_build_info[1m]) >= 3"))
        self.ctl(first, "export", "--match", '{__name__="kpid_build_info"}', self.path("own.txt"))
        with open(self.path("own.txt"), encoding="utf-8") as file:
            samples = [line for line in file if line.startswith("kpid_build_info")]
        second = self.kpid(CONFIG, name="second")
        said = self.ctl(second, "import", self.path("own.txt")).stdout
        self.assertIn(f"0 samples imported, 0 refused, {len(samples)} left out", said)
        refused = self.ctl(second, "import", "--with-recorded", self.path("own.txt"), expect=1)
        self.assertIn("admin APIs disabled", refused.stderr)
        third = self.kpid(CONFIG, ["--web.enable-admin-api"], name="third")
        said = self.ctl(third, "import", "--with-recorded", self.path("own.txt")).stdout
        self.assertIn(f"{len(samples)} samples imported, 0 refused\n", said)

    def test_export_packs_and_keeps_to_its_range(self):
        kpid = self.kpid(CONFIG)
        start, text = self.history(hours=1, series=1)
        self.ctl(kpid, "import", self.write("history.txt", text))
        packed = self.path("part.txt.gz")
        said = self.ctl(kpid, "export", "--match", "aaa_total", "--start", str(start + 15), "--end", str(start + 45),
                        packed).stderr
        self.assertIn("3 samples exported", said)
        with gzip.open(packed, "rt", encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual([line.rsplit(" ", 1)[1] for line in lines[1:-1]],
                         [str(start + offset) for offset in (15, 30, 45)])
        self.assertFalse(os.path.exists(packed + ".part"))
        bad = self.ctl(kpid, "export", "--match", "{", self.path("bad.txt"), expect=1).stderr
        self.assertIn('invalid parameter "match[]"', bad)
        self.assertFalse(os.path.exists(self.path("bad.txt")))

    def test_promtool_reads_the_export_and_kpid_reads_promtools_dump(self):
        first = self.kpid(CONFIG, name="first")
        _, text = self.history()
        self.ctl(first, "import", self.write("history.txt", text))
        exported = self.export(first, "first.txt")
        blocks = self.path("blocks")
        self.promtool("tsdb", "create-blocks-from", "openmetrics", self.path("first.txt"), blocks)
        dump, lines = self.samples_of_dump(blocks)
        self.assertEqual(len(lines), 14400)
        second = self.kpid(CONFIG, name="second")
        said = self.ctl(second, "import", self.write("dump.txt", dump), "--output=json").stdout
        self.assertEqual(json.loads(said)[0]["accepted"], 14400)
        self.assertEqual(self.export(second, "second.txt"), exported)

    def test_a_dump_of_a_running_prometheus_answers_the_same(self):
        port = free_port()
        config = self.write("prometheus.yml", f"""
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: self, static_configs: [{{targets: ["127.0.0.1:{port}"]}}]}}]
""")
        prometheus = self.peer("prometheus", f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}",
                               f"--storage.tsdb.path={self.path('tsdb')}")
        url = f"http://127.0.0.1:{port}/api/v1/query?query="
        wait_until("five scrapes", lambda: float(self.get_json(url + "count_over_time(up[1m])")
                                                 ["data"]["result"][0]["value"][1]) >= 5)
        wanted = self.get_json(url + "sum(prometheus_tsdb_head_series)")["data"]["result"][0]["value"]
        prometheus.stop()
        dump, lines = self.samples_of_dump(self.path("tsdb"))
        self.assertGreater(len(lines), 1000)
        kpid = self.kpid(CONFIG)
        said = self.ctl(kpid, "import", self.write("dump.txt", dump)).stdout
        self.assertIn(f"{len(lines)} samples imported, 0 refused", said)
        got = kpid.query("sum(prometheus_tsdb_head_series)", time=wanted[0])
        self.assertEqual(got[0]["value"][1], wanted[1])

    def test_refusals_are_told_with_their_lines(self):
        kpid = self.kpid(CONFIG)
        now = int(time.time()) - 600
        lines = [f"a {i} {now - 50000 + i}" for i in range(25000)]
        lines[24000] = f"a 7 {now - 50000}"  # Another value at the first one's time.
        lines[24500] = f"a 7 {now - 10 * 365 * 86400}"  # Older than the retention.
        path = self.write("refused.txt", "\n".join(lines) + f"\nkpid_x 1 {now}\n# EOF\n")
        done = self.ctl(kpid, "import", path, expect=1)
        self.assertIn("24998 samples imported, 2 refused, 1 left out since their names are kpid's own", done.stdout)
        self.assertRegex(done.stderr, r"refused\.txt:24001: .*another value|refused\.txt:24001: ")
        self.assertIn("refused.txt:24501: ", done.stderr)
        # What cannot be read ends the import at its line; what stood in earlier batches is kept.
        lines[24100] = "a b c"
        path = self.write("broken.txt", "\n".join(lines) + "\n# EOF\n")
        done = self.ctl(kpid, "import", path, expect=1)
        self.assertIn("line 24101: ", done.stderr)
        path = self.write("cut.txt", f"b 1 {now}\n")
        self.assertIn("it may be cut", self.ctl(kpid, "import", path, expect=1).stderr)
        self.assertEqual(self.ctl(kpid, "import", self.path("none.txt"), expect=2).stdout.count("0 samples"), 1)

    def test_late_samples_are_refused_elsewhere_and_taken_here(self):
        kpid = self.kpid(CONFIG)
        now = int(time.time())
        self.assertEqual(kpid.push({"metric": "late", "value": 1, "timestamp": now}).status, 200)
        late = {"metric": "late", "value": 2, "timestamp": now - 20 * 86400}
        self.assertEqual(kpid.push(late).status, 400)
        path = self.write("late.txt", f"late 2 {now - 20 * 86400}\n# EOF\n")
        self.assertIn("1 samples imported, 0 refused", self.ctl(kpid, "import", path).stdout)
        self.assertEqual(kpid.query("late", time=now - 20 * 86400)[0]["value"][1], "2")

    def test_a_large_export_is_streamed(self):
        kpid = self.kpid(CONFIG)
        now = int(time.time()) - 3600
        batch = ["# TYPE big unknown"]
        for i in range(2000):
            batch += [f'big{{i="{i}",pad="{"x" * 100}"}} {step} {now + step}' for step in range(100)]
        self.ctl(kpid, "import", self.write("big.txt", "\n".join(batch) + "\n# EOF\n"))
        with open(f"/proc/{kpid.process.process.pid}/status", encoding="utf-8") as file:
            before = int(next(line for line in file if line.startswith("VmRSS")).split()[1])
        text = self.export(kpid, "big.out")
        with open(f"/proc/{kpid.process.process.pid}/status", encoding="utf-8") as file:
            after = int(next(line for line in file if line.startswith("VmRSS")).split()[1])
        self.assertGreater(len(text), 25_000_000)
        self.assertLess((after - before) * 1024, len(text))
        with open(self.path("big.txt"), encoding="utf-8") as file:
            self.assertEqual(sorted(text.splitlines()), sorted(file.read().splitlines()))
