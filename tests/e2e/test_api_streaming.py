"""Large answers: streamed in pieces, packed on the way, ended when nobody reads; and who may read them."""

import gzip
import json
import socket
import time
import unittest
import urllib.parse
import zlib

from harness import Case, wait_until

CONFIG = """
global: {evaluation_interval: 1h, scrape_interval: 1s, scrape_timeout: 1s}
limits: {concurrent_queries: 1, query_timeout: 5m}
"""
SERIES = 100
POINTS = 10_001
# Of kpid's pieces: 64 KiB and what one step more may add.
PIECE_MAX = 2 * 64 * 1024
SLOW = 'sum_over_time(quantile_over_time(0.5, (vector(1) * vector(1))[1h:1s])[20d:1s])'


class Streaming(Case):
    def setUp(self):
        super().setUp()
        self.server = self.kpid(CONFIG)
        pushed = self.server.push([{"metric": "large", "labels": {"n": f"{n:03}"}, "value": n + 1 / 3}
                                   for n in range(SERIES)])
        self.assertEqual(pushed.status, 200)
        self.now = int(time.time()) + 1
        self.path = "/api/v1/query_range?" + urllib.parse.urlencode(
            {"query": "large", "start": self.now, "end": self.now + POINTS - 1, "step": 1, "lookback_delta": "4h"})

    def connect(self, path, *headers):
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        self.addCleanup(connection.close)
        lines = [f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]
        connection.sendall("\r\n".join(lines).encode())
        return connection

    def read_chunks(self, reader):
        """Headers and chunks of one answer."""
        head = {}
        status = reader.readline().decode().split()[1]
        while (line := reader.readline().decode().strip()):
            name, value = line.split(": ", 1)
            head[name.lower()] = value if name.lower() not in head else head[name.lower()] + ", " + value
        self.assertEqual((status, head.get("transfer-encoding")), ("200", "chunked"))
        chunks = []
        while (size := int(reader.readline(), 16)):
            chunks.append(reader.read(size))
            self.assertEqual(reader.readline(), b"\r\n")
        self.assertEqual(reader.readline(), b"\r\n")
        return head, chunks

    def connections(self):
        return self.server.metric("^kpid_http_connections_open")

    def test_an_answer_of_30_megabytes_leaves_in_pieces_and_is_whole(self):
        connection = self.connect(self.path)
        reader = connection.makefile("rb")
        _, chunks = self.read_chunks(reader)
        text = b"".join(chunks)
        self.assertGreater(len(text), 30_000_000)
        self.assertLessEqual(max(len(chunk) for chunk in chunks), PIECE_MAX)
        result = json.loads(text)["data"]["result"]
        self.assertEqual([s["metric"]["n"] for s in result], [f"{n:03}" for n in range(SERIES)])
        self.assertEqual({len(s["values"]) for s in result}, {POINTS})
        self.assertEqual(result[7]["values"][-1], [self.now + POINTS - 1, "7.333333333333333"])
        # The connection goes on: the same, packed.
        for name, unpack in (("gzip", gzip.decompress), ("deflate", zlib.decompress)):
            connection.sendall(f"GET {self.path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {name}\r\n\r\n".encode())
            head, chunks = self.read_chunks(reader)
            self.assertEqual(head["content-encoding"], name)
            self.assertIn("Accept-Encoding", head["vary"])
            self.assertLessEqual(max(len(chunk) for chunk in chunks), PIECE_MAX)
            self.assertLess(sum(len(chunk) for chunk in chunks), len(text) / 4)
            self.assertEqual(unpack(b"".join(chunks)), text)

    def test_a_client_that_leaves_in_the_middle_ends_its_answer(self):
        before = self.connections()
        for _ in range(4):
            connection = self.connect(self.path)
            self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 200 OK"))
            connection.close()
        wait_until("the connections being closed", lambda: self.connections() <= before)
        self.assertEqual(self.server.query("count(large)")[0]["value"][1], str(SERIES))

    def test_a_client_that_does_not_read_keeps_nobody_waiting(self):
        waiting = [self.connect(self.path) for _ in range(4)]
        for connection in waiting:
            self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 200 OK"))
        # The one query that may run at once is over: what is left is text that nobody takes.
        self.assertEqual(self.server.query("count(large)")[0]["value"][1], str(SERIES))
        self.assertEqual(self.server.push([]).status, 200)

    def test_series_and_federate_are_streamed_too(self):
        lines = [f'many{{n="{n}",text="{"x" * 200}"}} {n}' for n in range(5000)]
        self.assertEqual(self.server.request("POST", "/api/v1/import/prometheus", "\n".join(lines + [""])).status, 204)
        for path, count in (("/api/v1/series?match[]=many", lambda t: len(json.loads(t)["data"])),
                            ("/federate?match[]=many", lambda t: t.count(b"\nmany{"))):
            _, chunks = self.read_chunks(self.connect(path).makefile("rb"))
            self.assertEqual(count(b"".join(chunks)), 5000, path)
            self.assertLessEqual(max(len(chunk) for chunk in chunks), PIECE_MAX)

    def test_queries_that_wait_are_bounded_and_end_with_their_clients(self):
        def send(query):
            return self.connect("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        running = send(SLOW)
        wait_until("the slow query running", lambda: self.server.metric('^kpid_http_requests_total.*"/api/v1/query"'))
        queued = [send(SLOW) for _ in range(128)]
        wait_until("a full queue",
                   lambda: self.server.metric('^kpid_worker_queue_length.*"queries"') == len(queued))
        refused = self.server.request("GET", "/api/v1/query?query=1")
        self.assertEqual((refused.status, refused.getheader("Retry-After")), (503, "1"))
        self.assertEqual(json.loads(refused.text),
                         {"status": "error", "errorType": "unavailable", "error": "too many requests are waiting"})
        # Those whose clients have gone make room for others, also while the one that runs goes on.
        for connection in queued:
            connection.close()
        waiting = wait_until("a place in the queue", lambda: self.enqueue("1"))
        self.assertLess(self.server.metric('^kpid_worker_queue_length.*"queries"'), len(queued))
        # None of them is run: each alone would take minutes.
        running.close()
        status = waiting.makefile("rb").readline()
        self.assertIn(b" 200 ", status)
        self.assertEqual(self.server.request("GET", "/api/v1/query?query=1", timeout=20).status, 200)

    def enqueue(self, query):
        """A connection whose query waits; nothing when it was refused."""
        connection = self.connect("/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        connection.settimeout(0.5)
        try:
            self.assertIn(b" 503 ", connection.recv(1000))
            return None
        except TimeoutError:
            connection.settimeout(60)
            return connection

    def test_pages_of_other_origins_may_read_what_only_reads(self):
        origin = {"Origin": "http://page.example"}
        asked = self.server.request("OPTIONS", "/api/v1/query", headers=origin)
        self.assertEqual((asked.status, asked.body), (204, b""))
        for answer in (asked, self.server.request("GET", "/api/v1/labels", headers=origin),
                       self.server.request("GET", "/api/v1/query?query=(", headers=origin)):
            self.assertEqual(answer.getheader("Access-Control-Allow-Origin"), "*")
            self.assertEqual(answer.getheader("Access-Control-Allow-Methods"), "GET, POST, OPTIONS")
            self.assertEqual(answer.getheader("Access-Control-Allow-Headers"),
                             "Accept, Authorization, Content-Type, Origin")
            self.assertEqual(answer.getheader("Access-Control-Expose-Headers"), "Date")
            self.assertIn("Origin", answer.getheader("Vary"))
        for method, path in (("OPTIONS", "/api/v1/push"), ("POST", "/api/v1/push"), ("GET", "/federate")):
            answer = self.server.request(method, path, "[]" if method == "POST" else None, origin)
            self.assertIsNone(answer.getheader("Access-Control-Allow-Origin"), path)
        self.assertEqual(self.server.request("OPTIONS", "/api/v1/nothing").status, 204)
        picky = self.kpid(CONFIG, args=["--web.cors.origin=https?://(a|b)[.]example"], name="picky")
        for page, allowed in (("http://a.example", "http://a.example"), ("http://c.example", None)):
            answer = picky.request("GET", "/api/v1/labels", headers={"Origin": page})
            self.assertEqual(answer.getheader("Access-Control-Allow-Origin"), allowed)


if __name__ == "__main__":
    unittest.main()
