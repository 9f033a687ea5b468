"""Bad input of every kind: a clear answer, a counter, and the daemon goes on."""

import json
import os
import socket
import subprocess
import time

from harness import KPID, Case, Process, pushed_kpi, wait_until


class BadPushes(Case):
    def setUp(self):
        super().setUp()
        self.target = self.kpid(pushed_kpi(self.sink()))

    def post(self, body, path="/api/v1/push"):
        return self.target.request("POST", path, body, {"Content-Type": "application/json"})

    def test_every_bad_document_gets_a_clear_400(self):
        deep = "[" * 100_000
        cases = {
            "not JSON": b"{", "a deep one": deep.encode(), "bad UTF-8": b'{"metric": "\xff", "value": 1}',
            "1e400": b'{"metric": "a", "value": 1e400}', "a bare NaN": b'{"metric": "a", "value": NaN}',
            "a duplicate key": b'{"metric": "a", "value": 1, "value": 2}',
            "a lone surrogate": b'{"metric": "a\\ud800", "value": 1}', "null": b'{"metric": "a", "value": null}',
            "no metric": b'{"value": 1}', "an unknown key": b'{"metric": "a", "value": 1, "unit": "s"}',
            "a string": b'{"metric": "a", "value": "12"}', "nothing": b"",
            "a bad time": b'{"metric": "a", "value": 1, "timestamp": "yesterday"}',
            "the far future": b'{"metric": "a", "value": 1, "timestamp": "2999-01-01T00:00:00Z"}',
            "__name__ as a label": b'{"metric": "a", "labels": {"__name__": "b"}, "value": 1}',
        }
        for name, body in cases.items():
            with self.subTest(name):
                answer = self.post(body)
                self.assertEqual(answer.status, 400, answer.text)
                document = json.loads(answer.text)
                self.assertEqual(document["status"], "error")
                self.assertTrue(document["error"])
        self.assertIsNone(self.target.value("a"))
        self.assertEqual(self.post("[]").status, 200)

    def test_good_part_of_a_batch_is_kept(self):
        answer = self.post(json.dumps([{"metric": "a", "value": 1}, {"metric": "a", "value": "x"},
                                       {"metric": "a", "labels": {"x": "NaN"}, "value": "NaN"},
                                       {"metric": "a", "labels": {"x": "inf"}, "value": "+Inf"}]))
        data = json.loads(answer.text)["data"]
        self.assertEqual((answer.status, data["accepted"]), (200, 3))
        self.assertEqual([r["index"] for r in data["rejected"]], [1])
        self.assertEqual(self.target.value('a{x="inf"}'), float("inf"))
        self.assertGreaterEqual(self.target.metric(r"^kpid_ingest_rejected_total\{"), 1)

    def test_labels_with_every_utf8_trick_come_back_as_they_went_in(self):
        for value in ("e\u0301", "\u202egnp.exe", "\U0001f600", "a\u0000b", "\ufeff", "\u2028", "ÅÅ", " ", "\\n\n\"", "<&>'"):
            with self.subTest(repr(value)):
                answer = self.post(json.dumps([{"metric": "tricky", "labels": {"t": value}, "value": 1}]))
                self.assertEqual(answer.status, 200, answer.text)
                self.assertIn(value, self.target.api("/api/v1/label/t/values"))
        self.assertEqual(self.post(json.dumps(
            {"metric": "tricky", "labels": {"t": "x" * 5000}, "value": 1})).status, 400)

    def test_a_gigabyte_is_refused_early(self):
        with socket.create_connection(("127.0.0.1", self.target.port), timeout=60) as connection:
            connection.sendall(b"POST /api/v1/push HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n")
            sent = 0
            answer = b""
            connection.settimeout(0.2)
            chunk = b"x" * 65536
            while sent < 1 << 30 and not answer:
                try:
                    sent += connection.send(chunk)
                    answer = connection.recv(4096) if sent % (1 << 20) == 0 else b""
                except TimeoutError:
                    continue
                except OSError:
                    break
            try:
                answer = answer or connection.recv(4096)
            except OSError:
                pass
        self.assertIn(b" 413 ", answer)
        self.assertLess(sent, 256 << 20)
        self.assertEqual(self.post(json.dumps({"metric": "after", "value": 1})).status, 200)
        with open(f"/proc/{self.target.process.process.pid}/status", encoding="utf-8") as file:
            resident = [int(line.split()[1]) for line in file if line.startswith("VmRSS")][0]
        self.assertLess(resident, 512 * 1024, "kilobytes")

    def test_garbage_on_the_wire_is_answered_and_survived(self):
        for garbage in (b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST /api/v1/push HTTP/1.1\r\nContent-Length: -1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", self.target.port), timeout=60) as connection:
                connection.sendall(garbage)
                self.assertIn(b"400", connection.recv(4096))
        self.assertEqual(self.target.request("GET", "/nope").status, 404)
        self.assertEqual(self.target.request("DELETE", "/api/v1/push").status, 405)
        answer = self.target.request("GET", "/api/v1/query?query=rate(")
        self.assertEqual(answer.status, 400)
        self.assertEqual(json.loads(answer.text)["errorType"], "bad_data")


class BadConfigurations(Case):
    def check(self, text):
        path = os.path.join(self.folder, "kpid.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        done = subprocess.run([KPID, f"--config.file={path}", "--check-config"], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    def test_findings_name_file_line_and_column(self):
        good = pushed_kpi(self.sink())
        self.assertEqual(self.check(good), (0, ""))
        cases = {
            "an unknown key": (good.replace("title: Errors", "titel: Errors"), "titel"),
            "a duplicate key": (good.replace("unit: count", "unit: count\n    unit: count"), "duplicate"),
            "a wrong type": (good.replace("evaluation_interval: 1s", "evaluation_interval: [1]"), "evaluation_interval"),
            "bad PromQL": (good.replace("{expr: errors}", "{expr: 'rate(errors'}"), "parse error"),
            "100,000 levels": ("a: " + "[" * 100_000, "nest"),
            "not built yet": (good + "\ncalendars: {corp: {tz: Europe/Berlin}}\n", "not supported yet"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                code, output = self.check(text)
                self.assertEqual(code, 1, output)
                self.assertRegex(output, r"(?m)^.*kpid\.yaml:\d+:\d+: error: ")
                self.assertIn(words, output)


class Reloads(Case):
    def test_an_address_that_is_taken_changes_nothing_and_is_shown(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            own = probe.getsockname()[1]
        config = pushed_kpi(self.sink(), f'listeners: {{statsd: {{udp: "127.0.0.1:{own}", flush_interval: 1s}}}}')
        kpid = self.kpid(config)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            taken.bind(("127.0.0.1", 0))
            other = taken.getsockname()[1]
            kpid.write_config(config.replace(str(own), str(other)).replace("  errors:\n", "  mistakes:\n"))
            answer = kpid.reload()
            self.assertEqual(answer.status, 500)
            self.assertIn(f"127.0.0.1:{other}", answer.text)
            self.assertIn("listeners.statsd.udp", answer.text)
            self.assertEqual([kpi["id"] for kpi in kpid.api("/api/v1/kpis")], ["errors"])
            kpid.process.line_with(r"level=error .*was not loaded.*listeners\.statsd\.udp")
            page = kpid.request("GET", "/").text
            self.assertRegex(page, r"was not loaded at \d{4}-\d\d-\d\dT[\d:]+Z")
            self.assertIn("listeners.statsd.udp", page)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"gulls:7|g", ("127.0.0.1", own))
            wait_until("StatsD at the old address", lambda: kpid.value("gulls") == 7)
        self.assertEqual(kpid.reload().status, 200)
        self.assertEqual([kpi["id"] for kpi in kpid.api("/api/v1/kpis")], ["mistakes"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"gulls:8|g", ("127.0.0.1", other))
        wait_until("StatsD at the new address", lambda: kpid.value("gulls") == 8)
        self.assertNotIn("was not loaded", kpid.request("GET", "/").text)

    def test_findings_are_on_the_page_until_a_reload_goes_well(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        with open(kpid.config_path, encoding="utf-8") as file:
            good = file.read()
        kpid.write_config(good.replace("unit: count", "unit: <parsecs>"))
        self.assertEqual(kpid.reload().status, 500)
        page = kpid.request("GET", "/").text
        self.assertIn("&lt;parsecs&gt;", page)
        self.assertRegex(page, r"kpid\.yaml:\d+:\d+: error: ")
        kpid.write_config(good)
        self.assertEqual(kpid.reload().status, 200)
        self.assertNotIn("parsecs", kpid.request("GET", "/").text)

    def test_missing_secrets_are_said_before_they_are_needed(self):
        config = pushed_kpi(self.sink()).replace("webhook_configs: [{", "webhook_configs: [{secret_file: none, ")
        kpid = self.kpid(config)
        kpid.process.line_with(r"level=warn .*secret_file.*no such file")
        self.assertIn("secret_file", self.kpictl("check", kpid.config_path))
        self.assertIn("secret_file", self.kpictl("check", "--strict", kpid.config_path, expect=1))


class FullDisk(Case):
    def small_disk(self):
        """A file system that is full soon, in a mount namespace of its own, which any user may make together with
        a user namespace. Gives back its folder, where that namespace's root is found, and what runs a command in it."""
        disk = self.subfolder("disk")
        privileged = subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0
        holder = Process("the holder of the disk", [
            "unshare", *([] if privileged else ["--map-root-user"]), "--mount", "sh", "-c",
            'mount -t tmpfs -o size=24m tmpfs "$0" && echo mounted && exec sleep 3600', disk], self.folder)
        self.addCleanup(holder.stop)
        holder.line_with("^mounted$")
        pid = str(holder.process.pid)
        user = [] if privileged else ["--user", "--preserve-credentials"]
        return disk, f"/proc/{pid}/root", ["nsenter", f"--target={pid}", *user, "--mount"]

    def test_pushes_are_refused_then_taken_when_there_is_room(self):
        disk, root, inside = self.small_disk()
        ballast = root + os.path.join(disk, "ballast")
        kpid = self.kpid(pushed_kpi(self.sink()), args=[f"--storage.path={disk}/store"], inside=inside)
        self.assertEqual(kpid.push({"metric": "a", "value": 1}).status, 200)
        descriptor = os.open(ballast, os.O_CREAT | os.O_WRONLY)
        try:
            while os.write(descriptor, b"x" * 4096):
                pass
        except OSError:
            pass
        finally:
            os.close(descriptor)
        # The log keeps some room of its own: new series fill it.
        rounds = iter(range(10_000))

        def refused():
            number = next(rounds)
            answer = kpid.push([{"metric": "fill", "value": i, "labels": {"n": f"{number}-{i}", "pad": "y" * 200}}
                                for i in range(2000)])
            return answer if answer.status != 200 else None
        answer = wait_until("a refusal", refused)
        self.assertEqual(answer.status, 503, answer.text)
        self.assertIn("Retry-After", answer.headers)
        self.assertEqual(kpid.request("GET", "/-/ready").status, 503)
        self.assertEqual(kpid.value("a"), 1)
        os.remove(ballast)
        wait_until("pushes being taken again", lambda: kpid.push({"metric": "b", "value": 2}).status == 200)
        wait_until("kpid being ready again", lambda: kpid.request("GET", "/-/ready").status == 200)
        kpid.kill()
        kpid.restart()
        self.assertEqual((kpid.value("a"), kpid.value("b")), (1, 2))


class Senders(Case):
    def test_a_push_storm_is_bounded(self):
        kpid = self.kpid(pushed_kpi(self.sink()))
        started = time.monotonic()
        while time.monotonic() - started < 3:
            answer = kpid.push([{"metric": "storm", "labels": {"i": str(i)}, "value": 1} for i in range(500)])
            self.assertIn(answer.status, (200, 429, 503))
        self.assertEqual(kpid.request("GET", "/-/healthy").status, 200)
