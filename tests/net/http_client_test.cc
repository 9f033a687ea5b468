// The client against our server and against servers that misbehave.

#include "net/http_client.h"

#include "net/server_fixture.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace kpid::net {
namespace {

using kpid::testing::NetFixture;
using kpid::testing::ServerFixture;
using ::testing::HasSubstr;

// A server of one connection that writes what it is told until the peer is gone.
class RawServer {
public:
    explicit RawServer(std::string answer, bool for_ever = false)
        : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
          port_(acceptor_.local_endpoint().port()),
          thread_([this, answer = std::move(answer), for_ever] { serve(answer, for_ever); }) {}
    ~RawServer() {
        boost::system::error_code ignored;
        asio::ip::tcp::socket wake(io_);
        wake.connect({asio::ip::address_v4::loopback(), port_}, ignored);
        thread_.join();
    }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(port_) + "/";
    }

private:
    void serve(const std::string& answer, bool for_ever) {
        boost::system::error_code failure;
        asio::ip::tcp::socket peer = acceptor_.accept(failure);
        std::array<char, 4096> scratch;
        peer.read_some(asio::buffer(scratch), failure);
        do {
            asio::write(peer, asio::buffer(answer), failure);
        } while (for_ever && !failure);
        if (answer.empty()) {  // say nothing until the peer gives up
            peer.read_some(asio::buffer(scratch), failure);
        }
    }

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    const std::uint16_t port_;
    std::thread thread_;
};

TEST(HttpClient, SendsAndReceives) {
    ServerFixture fixture;
    HttpClientRequest request;
    request.method = "POST";
    request.url = fixture.url("/hook?a=b");
    request.headers.add("Content-Type", "application/json");
    request.headers.add("webhook-id", "1");
    request.headers.add("X-Empty", "");
    request.body = "{}";
    const auto response = fixture.wait(fixture.client->send(request));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->status, 200U);
    EXPECT_EQ(response->body, "POST /hook\n{}");
    EXPECT_EQ(response->headers.get("x-got-webhook-id"), "1");
    EXPECT_EQ(response->headers.get("X-Got-User-Agent"), "kpid");
    EXPECT_TRUE(response->headers.has("X-Got-X-Empty"));
    EXPECT_FALSE(response->headers.has("X-Got-Expect"));
    EXPECT_FALSE(response->headers.has("X-Got-Accept-Encoding"));
}

TEST(HttpClient, SendsEveryMethod) {
    ServerFixture fixture;
    for (const std::string method : {"GET", "HEAD", "PUT", "DELETE", "PATCH", "POST", "OPTIONS"}) {
        SCOPED_TRACE(method);
        HttpClientRequest request;
        request.method = method;
        request.url = fixture.url("/m");
        const auto response = fixture.wait(fixture.client->send(request));
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_EQ(response->body, method == "HEAD" ? "" : method + " /m\n");
    }
}

TEST(HttpClient, UsesKeptConnectionsAgain) {
    ServerFixture fixture;
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(fixture.get("/a")->status, 200U);
    }
    EXPECT_EQ(fixture.client->stats().connections_total, 1U);
    EXPECT_EQ(fixture.server->stats().connections_total, 1U);
    EXPECT_EQ(fixture.client->stats().requests_total, 50U);
}

TEST(HttpClient, SendsManyAtOnce) {
    ServerFixture fixture;
    std::vector<std::future<Result<HttpClientResponse>>> answers;
    for (int i = 0; i < 200; ++i) {
        HttpClientRequest request;
        request.url = fixture.url("/n/" + std::to_string(i));
        answers.push_back(fixture.start(fixture.client->send(request)));
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto response = answers[i].get();
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_EQ(response->body, "GET /n/" + std::to_string(i) + "\n");
    }
}

TEST(HttpClient, DecodesWhatItAskedFor) {
    ServerFixture fixture;
    HttpClientRequest request;
    request.url = fixture.url("/big?n=500000");
    request.headers.add("Accept-Encoding", "gzip");
    const auto response = fixture.wait(fixture.client->send(request));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, std::string(500'000, 'x'));
    EXPECT_EQ(response->headers.get("Content-Encoding"), "gzip");
    // The limit is on what comes out of the decoder.
    request.response_bytes_max = 499'999;
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kResourceExhausted);
    request.response_bytes_max = 500'000;
    EXPECT_TRUE(fixture.wait(fixture.client->send(request)).has_value());
}

TEST(HttpClient, HandsOnABodyPieceByPiece) {
    ServerFixture fixture;
    std::string got;
    HttpClientRequest request;
    request.url = fixture.url("/stream?n=20000");
    request.response_bytes_max = 100;
    request.on_body = [&got](std::string_view piece) -> Result<void> {
        got += piece;
        return {};
    };
    const auto response = fixture.wait(fixture.client->send(request));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "");
    EXPECT_TRUE(got.starts_with("0\n1\n2\n") && got.ends_with("\n19999\n"));
    // What broke is an error, though all that came was handed on.
    request.url = fixture.url("/stream?n=3&broken=1");
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kUnavailable);
    // A refusal's body is collected, as ever.
    got.clear();
    request.url = fixture.url("/status?s=404");
    EXPECT_EQ(fixture.wait(fixture.client->send(request))->status, 404U);
    EXPECT_EQ(got, "");
    request.url = fixture.url("/stream?n=3");
    request.on_body = [](std::string_view) -> Result<void> { return unavailable("full"); };
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error(), unavailable("full"));
}

TEST(HttpClient, CutsAnEndlessBody) {
    ServerFixture fixture;
    const RawServer server("HTTP/1.1 200 OK\r\n\r\n" + std::string(10'000, 'x'), true);
    HttpClientRequest request;
    request.url = server.url();
    request.response_bytes_max = 1'000'000;
    const auto response = fixture.wait(fixture.client->send(request));
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error(), resource_exhausted("the response is larger than 1000000 bytes"));
}

TEST(HttpClient, CutsEndlessHeaders) {
    ServerFixture fixture;
    const RawServer server("HTTP/1.1 200 OK\r\nX: " + std::string(50'000, 'x') + "\r\n", true);
    HttpClientRequest request;
    request.url = server.url();
    EXPECT_FALSE(fixture.wait(fixture.client->send(request)).has_value());
}

TEST(HttpClient, GivesUpAtItsTimeout) {
    ServerFixture fixture;
    const RawServer server("");
    HttpClientRequest request;
    request.url = server.url();
    request.timeout = Duration(30);
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kDeadlineExceeded);
}

TEST(HttpClient, SaysWhenNobodyAnswers) {
    ServerFixture fixture;
    std::string gone = fixture.url("/");
    fixture.stop(Duration(1'000));
    HttpClientRequest request;
    request.url = gone;
    const auto response = fixture.wait(fixture.client->send(request));
    EXPECT_EQ(response.error().code, Code::kUnavailable);
    const RawServer garbage("not http at all\r\n\r\n");
    request.url = garbage.url();
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kUnavailable);
    EXPECT_EQ(fixture.client->stats().failures_total, 2U);
}

TEST(HttpClient, RefusesRequestsThatAreWrong) {
    ServerFixture fixture;
    for (const std::string url :
         {"", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://a/", "http://", "127.0.0.1/",
          "http://127.0.0.1:99999/", "http://a\r\nb/"}) {
        SCOPED_TRACE(url);
        HttpClientRequest request;
        request.url = url;
        EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kInvalidArgument);
    }
    HttpClientRequest request;
    request.url = fixture.url("/");
    request.headers.add("X", "a\r\nY: b");
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kInvalidArgument);
    request.headers = {};
    request.timeout = Duration(0);
    EXPECT_EQ(fixture.wait(fixture.client->send(request)).error().code, Code::kInvalidArgument);
}

TEST(HttpClient, FollowsRedirectsToHttpOnly) {
    ServerFixture fixture;
    const auto followed = fixture.get("/redirect?to=/there");
    ASSERT_TRUE(followed.has_value());
    EXPECT_EQ(followed->body, "GET /there\n");
    EXPECT_FALSE(followed->headers.has("Location"));
    EXPECT_FALSE(fixture.get("/redirect?to=file:///etc/passwd").has_value());
    EXPECT_EQ(fixture.get("/redirect").error().code, Code::kUnavailable);  // for ever
    HttpClientRequest request;
    request.url = fixture.url("/redirect?to=/there");
    request.options.follow_redirects = false;
    EXPECT_EQ(fixture.wait(fixture.client->send(request))->status, 302U);
}

TEST(HttpClient, ReadsSecretsAtEachUse) {
    ServerFixture fixture;
    const std::string file = ::testing::TempDir() + "kpid_http_client_secret";
    HttpClientRequest request;
    request.url = fixture.url("/");
    request.options.authorization = HttpClientOptions::Authorization{.credentials_file = file};
    for (const std::string secret : {"first", "second"}) {
        std::ofstream(file) << secret << "\n";
        const auto response = fixture.wait(fixture.client->send(request));
        ASSERT_TRUE(response.has_value()) << response.error().message;
        EXPECT_EQ(response->headers.get("X-Got-Authorization"), "Bearer " + secret);
    }
    std::remove(file.c_str());
    const Error error = fixture.wait(fixture.client->send(request)).error();
    EXPECT_EQ(error.code, Code::kInvalidArgument);
    EXPECT_THAT(error.message, HasSubstr("credentials_file"));
}

TEST(HttpClient, AuthenticatesAndAddsConfiguredHeaders) {
    ServerFixture fixture;
    HttpClientRequest request;
    request.url = fixture.url("/");
    request.headers.add("X-Own", "request");
    request.options.basic_auth.emplace();
    request.options.basic_auth->username = "user";
    request.options.basic_auth->password = "pass:word";
    request.options.headers = {{"X-Tenant", "a"}, {"x-own", "options"}};
    const auto response = fixture.wait(fixture.client->send(request));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->headers.get("X-Got-Authorization"), "Basic dXNlcjpwYXNzOndvcmQ=");
    EXPECT_EQ(response->headers.get("X-Got-X-Tenant"), "a");
    EXPECT_EQ(response->headers.get("X-Got-X-Own"), "request");
}

TEST(HttpClient, SendsThroughAProxy) {
    ServerFixture proxy;
    HttpClientRequest request;
    request.url = "http://nowhere.invalid/path";
    request.options.proxy_url = proxy.url("");
    const auto response = proxy.wait(proxy.client->send(request));
    ASSERT_TRUE(response.has_value()) << response.error().message;
    EXPECT_EQ(response->body, "GET /path\n");
    EXPECT_EQ(response->headers.get("X-Got-Host"), "nowhere.invalid");
}

TEST(HttpClient, BoundsTheRequestsAtOnce) {
    ServerFixture fixture;
    CurlClient client(fixture.runtime().io_context(), {.requests_max = 1});
    HttpClientRequest request;
    request.url = fixture.url("/wait");
    auto first = fixture.start(client.send(request));
    while (fixture.handler.handled == 0) {
        std::this_thread::yield();
    }
    EXPECT_EQ(fixture.wait(client.send(request)).error().code, Code::kResourceExhausted);
    fixture.handler.opened = true;
    EXPECT_TRUE(first.get().has_value());
}

Task<> send_and_forget(HttpClient* client, HttpClientRequest request) {
    const Result<HttpClientResponse> response = co_await client->send(std::move(request));
    EXPECT_EQ(response.error().code, Code::kCancelled);
}

TEST(HttpClient, LetsGoOfARequestWhoseTaskIsCancelled) {
    ServerFixture fixture;
    HttpClientRequest request;
    request.url = fixture.url("/wait");
    TaskGroup group(fixture.runtime().make_strand(), Logger());
    for (int i = 0; i < 20; ++i) {
        group.spawn_on(fixture.runtime().make_strand(), "send",
                       send_and_forget(&*fixture.client, request));
    }
    while (fixture.handler.handled < 10) {
        std::this_thread::yield();
    }
    group.stop();
    EXPECT_TRUE(fixture.wait(group.join(fixture.timers(), MonoTime::max())));
    fixture.handler.opened = true;
    EXPECT_EQ(fixture.get("/after")->status, 200U);
}

}  // namespace
}  // namespace kpid::net
