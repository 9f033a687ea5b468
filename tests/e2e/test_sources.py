"""Sources and listeners against real answers: this machine beside node exporter, JSON, StatsD, pages that go bad."""

import http.server
import socket
import threading

from harness import Case, free_port, pushed_kpi, wait_until


class Pages:
    """A web server whose pages the test writes: path -> (status, content type, body) or a function of the handler."""

    def __init__(self):
        pages = self
        self.pages = {}
        self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                pages.seen.append((self.path, dict(self.headers.items())))
                page = pages.pages.get(self.path.split("?")[0])
                if callable(page):
                    page(self)
                    return
                status, content_type, body = page or (404, "text/plain", "no such page")
                data = body.encode()
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def endless(handler):
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain; version=0.0.4")
    handler.end_headers()
    handler.close_connection = True
    try:
        for i in range(10**7):
            handler.wfile.write(f"endless_{i} 1\n".encode() * 50)
    except OSError:
        pass


class Sources(Case):
    def pages(self):
        pages = Pages()
        self.addCleanup(pages.stop)
        return pages

    def test_bad_targets_are_down_with_a_reason_and_harm_no_other(self):
        pages = self.pages()
        text = "text/plain; version=0.0.4"
        pages.pages["/good"] = (200, text, "# TYPE good gauge\ngood{a=\"1\"} 1\ngood{a=\"2\"} 2\n")
        pages.pages["/html"] = (200, "text/html", "<html>hello</html>")
        pages.pages["/broken"] = (200, text, "fine 1\nbroken{ 1\n")
        pages.pages["/endless"] = endless
        unreachable = free_port()
        configs = "".join(f"  - {{job_name: {name}, metrics_path: /{name}, static_configs: "
                          f"[{{targets: ['127.0.0.1:{pages.port}']}}], body_size_limit: 10MB}}\n"
                          for name in ("good", "html", "broken", "endless", "missing"))
        configs += f"  - {{job_name: unreachable, static_configs: [{{targets: ['127.0.0.1:{unreachable}']}}]}}\n"
        kpid = self.kpid(pushed_kpi(self.sink(), extra="scrape_configs:\n" + configs))
        wait_until("the good target", lambda: kpid.value("sum(good)") == 3)
        for name in ("html", "broken", "endless", "missing", "unreachable"):
            wait_until(f"{name} being down", lambda: kpid.value(f'up{{job="{name}"}}') == 0)
        errors = {t["scrapePool"]: t["lastError"] for t in kpid.api("/api/v1/targets")["activeTargets"]}
        self.assertEqual(errors["good"], "")
        self.assertEqual(kpid.api("/api/v1/targets", state="ACTIVE")["activeTargets"][0]["scrapePool"], "broken")
        self.assertEqual(kpid.api("/api/v1/targets", state="x"),
                         {"activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {}})
        self.assertIn("text/html", errors["html"])
        self.assertIn("line 2", errors["broken"])
        self.assertIn("404", errors["missing"])
        self.assertTrue(errors["endless"])
        self.assertTrue(errors["unreachable"])
        self.assertIsNone(kpid.value("fine"))
        accept = [h["Accept"] for path, h in pages.seen if path == "/good"][0]
        self.assertTrue(accept.startswith("application/openmetrics-text"))
        # A series that goes, goes at once.
        pages.pages["/good"] = (200, text, "# TYPE good gauge\ngood{a=\"1\"} 1\n")
        wait_until("the stale series going", lambda: kpid.value("sum(good)") == 1)
        pages.pages["/good"] = (500, text, "")
        wait_until("all going with the target", lambda: kpid.query("good") == [])

    def test_http_json_reads_rows(self):
        pages = self.pages()
        pages.pages["/queues"] = (200, "application/json",
                                  '{"queues": [{"name": "a", "depth": 3}, {"name": "b", "depth": 4.5}]}')
        kpid = self.kpid(pushed_kpi(self.sink(), extra=f"""
sources:
  queue:
    http_json:
      url: http://127.0.0.1:{pages.port}/queues
      items: /queues
      metrics:
        queue_depth: {{value: /depth, labels: {{queue: /name}}}}
"""))
        wait_until("both rows", lambda: kpid.value("sum(queue_depth)") == 7.5)
        self.assertEqual(kpid.value('queue_depth{queue="b",job="queue"}'), 4.5)
        pages.pages["/queues"] = (200, "text/html", "<html>")
        wait_until("the source being down", lambda: kpid.value('up{job="queue"}') == 0)
        source = kpid.api("/api/v1/sources")[0]
        self.assertEqual((source["id"], source["kind"], source["health"]), ("queue", "http_json", "down"))
        self.assertIn("text/html", source["last_error"])

    def test_host_has_the_names_and_values_of_node_exporter(self):
        port = free_port()
        self.peer("prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}")
        kpid = self.kpid(pushed_kpi(self.sink(), extra=f"""
sources:
  machine: {{host: {{}}}}
  node: {{prometheus: {{targets: ["127.0.0.1:{port}"]}}}}
"""))
        wait_until("node exporter", lambda: kpid.value('up{job="node"}') == 1)
        wait_until("the host", lambda: kpid.value('up{job="machine"}') == 1)
        for same in ("node_memory_MemTotal_bytes", "node_boot_time_seconds",
                     'sum(node_filesystem_size_bytes{mountpoint="/"})', 'count(node_cpu_seconds_total)'):
            selector = same.replace("{", '{job="JOB",', 1) if "{" in same else same
            if "{" not in same:
                selector = same.replace("_bytes", '_bytes{job="JOB"}').replace("_seconds", '_seconds{job="JOB"}', 1)
                selector = selector.replace('_seconds{job="JOB"}_total', '_seconds_total{job="JOB"}')
            ours = wait_until(selector, lambda: kpid.value(selector.replace("JOB", "machine")))
            theirs = wait_until(selector, lambda: kpid.value(selector.replace("JOB", "node")))
            self.assertAlmostEqual(ours / theirs, 1, places=5, msg=selector)

    def test_statsd_over_udp(self):
        port = free_port()
        kpid = self.kpid(pushed_kpi(self.sink(), extra=f"""
listeners: {{statsd: {{udp: "127.0.0.1:{port}", flush_interval: 1s}}}}
"""))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sender.close)
        for packet in (b"checkout.done:1|c\ncheckout.done:2|c|@0.5\nbad line\nroom.temp:21.5|g|#floor:1,wing:b\n",
                       b"load:320|ms\nload:480|ms"):
            sender.sendto(packet, ("127.0.0.1", port))
        wait_until("the counter", lambda: kpid.value("checkout_done") == 5)
        self.assertEqual(wait_until("the gauge", lambda: kpid.value('room_temp{floor="1",wing="b"}')), 21.5)
        self.assertEqual(wait_until("the timer's count", lambda: kpid.value("load_count")), 2)
        self.assertAlmostEqual(kpid.value("load_sum"), 0.8)
