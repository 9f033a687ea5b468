"""Runs kpid, its peers and webhook receivers on loopback, each in a temporary folder, stopped by process id."""

import http.client
import http.server
import importlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

SOURCE = os.environ.get("KPID_SOURCE_DIR", os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.environ.get("KPID_BUILD_DIR", os.path.join(SOURCE, "build", "release"))
PEERS = os.path.join(SOURCE, "build", "peers", "usr", "bin")
KPID = os.path.join(BUILD, "kpid")
KPICTL = os.path.join(BUILD, "kpictl")

# What `./dev test --full` asks for: tests that can be longer are.
FULL = os.environ.get("KPID_FULL", "") == "1"

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Generous: a test fails when something never happens, not when it happens late.
PATIENCE = 60.0


def conformance(*names):
    """A file of the recorded data in KPID_CONFORMANCE_DIR; None, said loudly, where it is not there."""
    folder = os.environ.get("KPID_CONFORMANCE_DIR", os.path.join(SOURCE, "..", "shared", "conformance"))
    path = os.path.join(folder, *names)
    if os.path.exists(path):
        return path
    print(f"\n*** {path} is missing: what it describes was NOT checked (set KPID_CONFORMANCE_DIR) ***\n",
          file=sys.stderr, flush=True)
    return None


def debian_module(name):
    """A Python module of packaging/packages.test, also where another Python than Debian's runs the tests."""
    try:
        return importlib.import_module(name)
    except ImportError:
        sys.path.append("/usr/lib/python3/dist-packages")
        return importlib.import_module(name)


def wait_until(what, condition, patience=PATIENCE):
    """Gives back condition()'s first true value."""
    end = time.monotonic() + patience
    last = None
    while time.monotonic() < end:
        try:
            value = condition()
            if value:
                return value
            last = value
        # ValueError: an answer that is not JSON, as from a server that only begins.
        except (OSError, http.client.HTTPException, KeyError, IndexError, ValueError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {patience} s; last seen: {last!r}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A program in a folder of its own; its output is kept."""

    def __init__(self, name, command, folder, env=None):
        self.name = name
        self.folder = folder
        self.lines = []
        self.process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=dict(os.environ, **(env or {})), text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def line_with(self, pattern):
        def find():
            for line in list(self.lines):
                match = re.search(pattern, line)
                if match:
                    return match
            if self.process.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n" + self.log())
            return None
        return wait_until(f"{self.name} printing {pattern}", find)

    def log(self):
        return "\n".join(self.lines[-60:])

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end after signal {how}:\n" + self.log()) from None
        finally:
            self.reader.join(5)
            self.process.stdout.close()
        return self.process.returncode


class Kpid:
    """A running kpid. The configuration is written to <folder>/kpid.yaml; it listens on a free port.

    `inside` is a command that runs the command after it, for example in other namespaces.
    """

    def __init__(self, config, folder, args=(), env=None, inside=()):
        self.folder = folder
        self.inside = list(inside)
        self.args = list(args)
        self.env = env
        self.config_path = os.path.join(folder, "kpid.yaml")
        if config is not None:
            self.write_config(config)
        self.port = 0
        self.process = None
        self.start()

    def write_config(self, text):
        with open(self.config_path, "w", encoding="utf-8") as out:
            out.write(text)

    def start(self):
        command = [*self.inside, KPID, f"--config.file={self.config_path}",
                   f"--storage.path={os.path.join(self.folder, 'store')}",
                   f"--web.listen-address=127.0.0.1:{self.port}", *self.args]
        self.process = Process("kpid", command, self.folder, self.env)
        self.port = int(self.process.line_with(r"msg=listening address=127\.0\.0\.1:(\d+)").group(1))
        wait_until("kpid being ready", lambda: self.request("GET", "/-/ready").status == 200)

    def stop(self):
        return self.process.stop()

    def kill(self):
        self.process.stop(signal.SIGKILL)

    def restart(self):
        self.start()

    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            response.body = response.read()
            response.text = response.body.decode("utf-8", "replace")
            return response
        finally:
            connection.close()

    def api(self, path, **params):
        if params:
            path += "?" + urllib.parse.urlencode(params, doseq=True)
        response = self.request("GET", path)
        document = json.loads(response.text)
        if response.status != 200:
            raise AssertionError(f"{path}: {response.status} {response.text}")
        return document["data"]

    def push(self, items, key=None, timeout=60):
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        return self.request("POST", "/api/v1/push", json.dumps(items), headers, timeout)

    def reload(self):
        return self.request("POST", "/-/reload", "")

    def kpi(self, name):
        return self.api(f"/api/v1/kpis/{name}")

    def query(self, expression, **params):
        return self.api("/api/v1/query", query=expression, **params)["result"]

    def value(self, expression):
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def metric(self, pattern):
        """The sum of the lines of /metrics that match."""
        lines = self.request("GET", "/metrics").text.splitlines()
        found = [line for line in lines if not line.startswith("#") and re.search(pattern, line)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in found) if found else None


class Sink:
    """A webhook receiver. `answer` decides what a request gets: a status, (status, headers, body), or an exception."""

    def __init__(self, answer=None):
        sink = self
        self.requests = []
        self.answer = answer or (lambda request: 200)
        self.lock = threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = {"path": self.path, "headers": dict(self.headers.items()), "body": body,
                           "time": time.monotonic()}
                try:
                    request["json"] = json.loads(body)
                except ValueError:
                    request["json"] = None
                outcome = sink.answer(request)
                with sink.lock:
                    sink.requests.append(request)
                if outcome is None:  # hang up without a word
                    self.close_connection = True
                    return
                status, headers, text = outcome if isinstance(outcome, tuple) else (outcome, {}, b"")
                request["status"] = status
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def taken(self):
        """Requests that were answered with 2xx, in order."""
        with self.lock:
            return [r for r in self.requests if 200 <= r.get("status", 0) < 300]

    def alerts(self, status=None):
        """The alerts of all taken messages, in order; of one that came twice (kpid was killed before it
        knew of the answer) once, as a receiver does by its webhook-id."""
        found = []
        seen = set()
        for request in self.taken():
            message = request["headers"].get("webhook-id")
            if message is not None and message in seen:
                continue
            seen.add(message)
            for alert in request["json"]["alerts"]:
                if status in (None, alert["status"]):
                    found.append(alert)
        return found

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Case(unittest.TestCase):
    """Cleans up what a test started."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="kpid-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, True)

    def subfolder(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(path, exist_ok=True)
        return path

    def kpid(self, config, args=(), env=None, name="kpid", inside=()):
        kpid = Kpid(config, self.subfolder(name), args, env, inside)
        self.addCleanup(self._stop_kpid, kpid)
        return kpid

    def _stop_kpid(self, kpid):
        if kpid.process.process.poll() is None:
            kpid.stop()
        if any(sys_error in line for line in kpid.process.lines
               for sys_error in ("AddressSanitizer", "assertion failed")):
            self.fail(kpid.process.log())

    def sink(self, answer=None):
        sink = Sink(answer)
        self.addCleanup(sink.stop)
        return sink

    def peer(self, program, *args, name=None):
        """Starts a program of build/peers in a folder of its own."""
        path = os.path.join(PEERS, program)
        self.assertTrue(os.path.exists(path), f"{path} is missing: run packaging/fetch_peers")
        folder = self.subfolder(name or program)
        process = Process(program, [path, *args], folder)
        self.addCleanup(process.stop)
        return process

    def get_json(self, url):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)
        try:
            connection.request("GET", parts.path + ("?" + parts.query if parts.query else ""))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def kpictl(self, *args, server=None, expect=0):
        command = [KPICTL, *args]
        if server is not None:
            command.append(f"--server=http://127.0.0.1:{server.port}")
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, expect, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout


def pushed_kpi(sink, extra="", kpi_extra=""):
    """A configuration with one KPI on the pushed metric `errors`, judged at each sample and told at once."""
    return f"""
global: {{evaluation_interval: 1s, scrape_interval: 1s, scrape_timeout: 1s}}
owners: {{ops: {{title: Operations, receiver: hook}}}}
kpis:
  errors:
    title: Errors
    owner: ops
    unit: count
    better: lower
    value: {{expr: errors}}
    target: {{at_most: 1}}
    critical: {{above: 5}}
    warning: none
    evaluate: on_sample
    {kpi_extra}
alerting:
  route: {{receiver: owner, group_by: [alertname], group_wait: 0s, group_interval: 0s}}
  receivers:
    - name: hook
      webhook_configs: [{{url: "{sink.url}"}}]
{extra}
"""
