// The server against good, bad, slow and greedy clients.

#include "net/http_server.h"

#include "net/gzip.h"
#include "net/raw_client.h"
#include "net/server_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace kpid::net {
namespace {

using kpid::testing::RawClient;
using kpid::testing::ServerFixture;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string post(std::string_view path, std::string_view body, std::string_view more = "") {
    return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(more) +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

TEST(HttpServer, KeepsTheConnectionForTheNextRequest) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    for (int i = 0; i < 50; ++i) {
        ASSERT_TRUE(client.send(post("/echo", "body " + std::to_string(i))));
        const std::string response = client.read_response();
        EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(response, HasSubstr("POST /echo\nbody " + std::to_string(i)));
    }
    EXPECT_EQ(fixture.server->stats().connections_total, 1U);
    EXPECT_EQ(fixture.server->stats().requests_total, 50U);
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    std::string requests;
    for (int i = 0; i < 20; ++i) {
        requests += post("/echo/" + std::to_string(i), std::string(1000, 'b'));
    }
    ASSERT_TRUE(client.send(requests));
    for (int i = 0; i < 20; ++i) {
        EXPECT_THAT(client.read_response(), HasSubstr("POST /echo/" + std::to_string(i) + "\n"));
    }
}

TEST(HttpServer, ClosesAfterHttp10UnlessAskedNotTo) {
    ServerFixture fixture;
    RawClient closing(fixture.server->port());
    ASSERT_TRUE(closing.send("GET /a HTTP/1.0\r\n\r\n"));
    EXPECT_THAT(closing.read_all(), StartsWith("HTTP/1.0 200 OK\r\n"));
    RawClient keeping(fixture.server->port());
    ASSERT_TRUE(keeping.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    EXPECT_THAT(keeping.read_response(), HasSubstr("Connection: keep-alive\r\n"));
    ASSERT_TRUE(keeping.send("GET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(keeping.read_all(), HasSubstr("Connection: close\r\n"));
}

TEST(HttpServer, SendsNoBodyForHead) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(
        client.send("HEAD /big?n=5000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n"
                    "Connection: close\r\n\r\n"));
    const std::string response = client.read_all();
    EXPECT_THAT(response, HasSubstr("Content-Length: 5000\r\n"));
    EXPECT_TRUE(response.ends_with("\r\n\r\n"));
}

TEST(HttpServer, SendsAStreamedBodyInChunksAndKeepsTheConnection) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send("GET /stream?n=2 HTTP/1.1\r\nHost: a\r\n\r\n"));
    ASSERT_TRUE(client.send("GET /stream?n=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    const std::string response = client.read_all();
    EXPECT_THAT(response, HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(response, Not(HasSubstr("Content-Length")));
    EXPECT_THAT(response,
                HasSubstr("\r\n\r\n2\r\n0\n\r\n2\r\n1\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(response.ends_with("\r\n\r\n2\r\n0\n\r\n0\r\n\r\n")) << response;
}

TEST(HttpServer, PacksAStreamedBodyOnItsWay) {
    for (const std::string encoding : {"gzip", "deflate"}) {
        ServerFixture fixture;
        RawClient client(fixture.server->port());
        ASSERT_TRUE(
            client.send("GET /stream?n=5 HTTP/1.0\r\nAccept-Encoding: " + encoding + "\r\n\r\n"));
        const std::string response = client.read_all();
        EXPECT_THAT(response, HasSubstr("Content-Encoding: " + encoding + "\r\n"));
        EXPECT_THAT(response, HasSubstr("Vary: Accept-Encoding\r\n"));
        const std::size_t body = response.find("\r\n\r\n") + 4;
        EXPECT_EQ(gunzip(std::string_view(response).substr(body), 100).value(), "0\n1\n2\n3\n4\n");
    }
}

TEST(HttpServer, SendsAStreamedBodyToTheEndForHttp10) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send("GET /stream?n=2 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    const std::string response = client.read_all();
    EXPECT_THAT(response, Not(HasSubstr("chunked")));
    EXPECT_TRUE(response.ends_with("\r\n\r\n0\n1\n")) << response;
}

TEST(HttpServer, LeavesOutTheLastChunkOfAStreamThatBreaks) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send("GET /stream?n=1&broken=1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_TRUE(client.read_all().ends_with("\r\n\r\n2\r\n0\n\r\n"));
    RawClient head(fixture.server->port());
    ASSERT_TRUE(head.send("HEAD /stream?n=3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    EXPECT_TRUE(head.read_all().ends_with("\r\n\r\n"));
}

TEST(HttpServer, ReadsChunkedBodies) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(
        client.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "5\r\nhello\r\n"));
    ASSERT_TRUE(client.send("7;ext=1\r\n, world\r\n0\r\nTrailer: x\r\n\r\n"));
    EXPECT_THAT(client.read_response(), HasSubstr("POST /c\nhello, world"));
}

TEST(HttpServer, InvitesABodyThatWaitsForIt) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send(
        "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    EXPECT_EQ(client.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(client.send("hi"));
    EXPECT_THAT(client.read_response(), HasSubstr("POST /e\nhi"));
}

TEST(HttpServer, RefusesALargeBodyBeforeItIsSent) {
    ServerFixture fixture({.body_bytes_max = 1000});
    RawClient client(fixture.server->port());
    ASSERT_TRUE(
        client.send("POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                    "Content-Length: 1073741824\r\n\r\n"));
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413 "));
    EXPECT_EQ(fixture.handler.handled, 0);
    EXPECT_EQ(fixture.server->stats().requests_refused_total, 1U);
}

TEST(HttpServer, ToldAClientThatSendsItsLargeBodyAnyway) {
    ServerFixture fixture({.body_bytes_max = 1000, .linger_timeout = Duration(60'000)});
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send("POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 33554432\r\n\r\n"));
    const std::string megabyte(1U << 20U, 'x');
    for (int i = 0; i < 32; ++i) {
        ASSERT_TRUE(client.send(megabyte));
    }
    client.finish_sending();
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, BoundsChunkedBodies) {
    ServerFixture fixture({.body_bytes_max = 1000});
    RawClient client(fixture.server->port());
    ASSERT_TRUE(
        client.send("POST /e HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3e9\r\n" +
                    std::string(1001, 'x') + "\r\n0\r\n\r\n"));
    client.finish_sending();
    EXPECT_THAT(client.read_all(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, LetsItsHandlerWordRefusals) {
    ServerFixture fixture({.body_bytes_max = 1000});
    RawClient large(fixture.server->port());
    ASSERT_TRUE(large.send("POST /e?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n"));
    large.finish_sending();
    EXPECT_THAT(large.read_all(), HasSubstr("no /e?a=b: the request body is too large"));
    RawClient damaged(fixture.server->port());
    ASSERT_TRUE(damaged.send(post("/g", "not gzip", "Content-Encoding: gzip\r\n")));
    damaged.finish_sending();
    EXPECT_THAT(damaged.read_all(), HasSubstr("no /g: "));
    RawClient broken(fixture.server->port());
    ASSERT_TRUE(broken.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(broken.read_response(), HasSubstr("no /throw: internal error"));
    RawClient garbage(fixture.server->port());
    ASSERT_TRUE(garbage.send("\1\2\3\r\n\r\n"));
    EXPECT_THAT(garbage.read_all(), HasSubstr("no : malformed request"));
}

TEST(HttpServer, BoundsAllBodiesTogether) {
    ServerFixture fixture({.bodies_bytes_max = 1000});
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send(post("/e", std::string(1001, 'x'))));
    client.finish_sending();
    const std::string response = client.read_all();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(response, HasSubstr("Retry-After: 1\r\n"));
    RawClient next(fixture.server->port());
    ASSERT_TRUE(next.send(post("/e", std::string(900, 'x'))));
    EXPECT_THAT(next.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServer, UnpacksGzipBodies) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send(post("/g", gzip("packed text").value(), "Content-Encoding: gzip\r\n")));
    const std::string response = client.read_response();
    EXPECT_THAT(response, HasSubstr("POST /g\npacked text"));
    EXPECT_THAT(response, Not(HasSubstr("X-Got-Content-Encoding")));
    std::string noise;  // shrinks badly, so that the workers unpack it
    for (unsigned i = 0; i < 200'000; ++i) {
        noise += static_cast<char>('a' + (i * 2654435761U >> 24U) % 23U);
    }
    ASSERT_TRUE(client.send(post("/g", gzip(noise).value(), "Content-Encoding: gzip\r\n")));
    EXPECT_TRUE(client.read_response().ends_with(noise));
    ASSERT_TRUE(client.send(post("/g", "snap", "Content-Encoding: snappy\r\n")));
    EXPECT_THAT(client.read_response(), HasSubstr("X-Got-Content-Encoding: snappy"));
    ASSERT_TRUE(client.send(post("/packed", "not gzip", "Content-Encoding: gzip\r\n")));
    const std::string packed = client.read_response();
    EXPECT_THAT(packed, HasSubstr("X-Got-Content-Encoding: gzip"));
    EXPECT_THAT(packed, HasSubstr("POST /packed\nnot gzip"));
}

TEST(HttpServer, RefusesBombsAndDamagedGzip) {
    ServerFixture fixture({.body_bytes_max = 100'000});
    RawClient bomb(fixture.server->port());
    ASSERT_TRUE(bomb.send(
        post("/g", gzip(std::string(10'000'000, '\0')).value(), "Content-Encoding: gzip\r\n")));
    bomb.finish_sending();
    EXPECT_THAT(bomb.read_all(), StartsWith("HTTP/1.1 413 "));
    RawClient damaged(fixture.server->port());
    ASSERT_TRUE(damaged.send(post("/g", "not gzip", "Content-Encoding: gzip\r\n")));
    damaged.finish_sending();
    EXPECT_THAT(damaged.read_all(), StartsWith("HTTP/1.1 400 "));
    EXPECT_EQ(fixture.handler.handled, 0);
}

TEST(HttpServer, PacksLargeResponsesForWhomAccepts) {
    ServerFixture fixture;
    for (const std::size_t size : {std::size_t{5000}, std::size_t{5'000'000}}) {
        RawClient client(fixture.server->port());
        ASSERT_TRUE(client.send("GET /big?n=" + std::to_string(size) +
                                " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"));
        const std::string response = client.read_response();
        EXPECT_THAT(response, HasSubstr("Content-Encoding: gzip\r\n"));
        EXPECT_THAT(response, HasSubstr("Vary: Accept-Encoding\r\n"));
        const std::string packed = response.substr(response.find("\r\n\r\n") + 4);
        EXPECT_EQ(gunzip(packed, 10'000'000).value(), std::string(size, 'x'));
        ASSERT_TRUE(
            client.send("GET /big?n=1024 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"));
        EXPECT_THAT(client.read_response(), Not(HasSubstr("Content-Encoding")));
        ASSERT_TRUE(client.send("GET /big?n=1025 HTTP/1.1\r\nHost: a\r\n\r\n"));
        const std::string plain = client.read_response();
        EXPECT_THAT(plain, Not(HasSubstr("Content-Encoding")));
        EXPECT_THAT(plain, HasSubstr("Vary: Accept-Encoding\r\n"));
    }
}

TEST(HttpServer, RefusesMalformedRequests) {
    ServerFixture fixture({.header_bytes_max = 4096});
    struct Case {
        std::string name;
        std::string bytes;
        std::string status;
    };
    for (
        const Case& c : std::vector<Case>{
            {"garbage", "\x16\x03\x01 garbage\r\n\r\n", "400"},
            {"http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400"},
            {"no host", "GET / HTTP/1.1\r\n\r\n", "400"},
            {"two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
            {"escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
            {"query escape", "GET /?a=%4 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
            {"relative", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
            {"length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400"},
            {"two lengths",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
             "400"},
            {"smuggling",
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
             "0\r\n\r\n",
             "400"},
            {"chunk", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
             "400"},
            {"expect", "GET / HTTP/1.1\r\nHost: a\r\nExpect: cake\r\n\r\n", "417"},
            {"header", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(5000, 'x') + "\r\n\r\n",
             "431"},
            {"target", "GET /" + std::string(100'000, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", "431"},
        }) {
        SCOPED_TRACE(c.name);
        RawClient client(fixture.server->port());
        ASSERT_TRUE(client.send(c.bytes));
        client.finish_sending();
        const std::string response = client.read_all();
        EXPECT_THAT(response, StartsWith("HTTP/1.1 " + c.status + " "));
        EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
    }
    EXPECT_EQ(fixture.handler.handled, 0);
}

TEST(HttpServer, LeavesClientsThatGoAwayInTheMiddle) {
    ServerFixture fixture;
    for (const std::string_view part : {"", "GET", "GET / HTTP/1.1\r\n",
                                        "POST / HTTP/1.1\r\nHost: a\r\n"
                                        "Content-Length: 10\r\n\r\nabc"}) {
        RawClient client(fixture.server->port());
        ASSERT_TRUE(client.send(part));
        client.finish_sending();
        EXPECT_EQ(client.read_all(), "");
    }
}

TEST(HttpServer, TellsAHandlerThatItsClientHasLeft) {
    ServerFixture fixture;
    {
        RawClient client(fixture.server->port());
        ASSERT_TRUE(client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
        while (fixture.handler.handled == 0) {
            std::this_thread::yield();
        }
    }
    while (!fixture.handler.left) {
        std::this_thread::yield();
    }
    // One that sends more has not left.
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    ASSERT_TRUE(client.send("GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    fixture.handler.opened = true;
    EXPECT_THAT(client.read_all(), AllOf(HasSubstr("waited"), HasSubstr("GET /next")));
}

TEST(HttpServer, CutsSlowClients) {
    const Duration soon(20);
    ServerFixture fixture({.idle_timeout = soon, .header_timeout = soon, .body_timeout = soon});
    for (const std::string_view part : {"", "GET / HT",
                                        "POST / HTTP/1.1\r\nHost: a\r\n"
                                        "Content-Length: 10\r\n\r\nabc"}) {
        RawClient client(fixture.server->port());
        ASSERT_TRUE(client.send(part));
        EXPECT_EQ(client.read_all(), "");  // ends only when the server closes
    }
    RawClient dripping(fixture.server->port());
    ASSERT_TRUE(dripping.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n"));
    while (dripping.send("x")) {
    }
    EXPECT_EQ(fixture.handler.handled, 0);
}

TEST(HttpServer, TurnsAwayConnectionsAboveTheLimit) {
    ServerFixture fixture({.connections_max = 1});
    RawClient first(fixture.server->port());
    ASSERT_TRUE(first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(first.read_response(), StartsWith("HTTP/1.1 200 "));
    RawClient second(fixture.server->port());
    second.finish_sending();
    const std::string response = second.read_all();
    EXPECT_THAT(response, StartsWith("HTTP/1.1 503 "));
    EXPECT_THAT(response, HasSubstr("Retry-After: 1\r\n"));
    EXPECT_EQ(fixture.server->stats().connections_refused_total, 1U);
    ASSERT_TRUE(first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(first.read_response(), StartsWith("HTTP/1.1 200 "));
}

TEST(HttpServer, AnswersAHandlersExceptionWith500AndGoesOn) {
    ServerFixture fixture;
    RawClient client(fixture.server->port());
    ASSERT_TRUE(client.send("GET /throw HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 500 "));
    ASSERT_TRUE(client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(client.read_response(), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(fixture.server->stats().handler_failures_total, 1U);
}

TEST(HttpServer, SaysWhichAddressIsTakenAndWhatToChange) {
    ServerFixture fixture;
    const std::string taken = fixture.server->local_addresses().at(0);
    HttpServer second({fixture.runtime().io_context(), fixture.workers(), fixture.timers(),
                       fixture.handler, Logger()},
                      {.listen = {taken}});
    const Result<void> started = second.start();
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().message, "cannot listen on " + taken +
                                           ": Address already in use (change it with "
                                           "--web.listen-address)");
}

TEST(HttpServer, FinishesRequestsInFlightWhenItStops) {
    ServerFixture fixture;
    RawClient idle(fixture.server->port());
    ASSERT_TRUE(idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    EXPECT_THAT(idle.read_response(), StartsWith("HTTP/1.1 200 "));
    RawClient busy(fixture.server->port());
    ASSERT_TRUE(busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (fixture.handler.handled < 2) {
        std::this_thread::yield();
    }
    std::future<bool> stopped =
        fixture.start(fixture.server->stop(fixture.timers().after(Duration(600'000))));
    fixture.stopped = true;
    EXPECT_EQ(idle.read_all(), "");  // closed at once
    fixture.handler.opened = true;
    EXPECT_THAT(busy.read_all(), HasSubstr("waited"));
    EXPECT_TRUE(stopped.get());
    EXPECT_EQ(fixture.server->stats().connections_open, 0U);
}

TEST(HttpServer, CutsRequestsThatOutlastTheStop) {
    ServerFixture fixture;
    RawClient busy(fixture.server->port());
    ASSERT_TRUE(busy.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (fixture.handler.handled < 1) {
        std::this_thread::yield();
    }
    EXPECT_FALSE(fixture.stop(Duration(1)));
    EXPECT_EQ(fixture.server->stats().connections_open, 0U);
}

}  // namespace
}  // namespace kpid::net
