// Header lists, parameters, the bytes of a response's head, addresses.

#include "net/http_message.h"

#include "net/address.h"
#include "net/http_wire.h"

#include <gtest/gtest.h>

#include <vector>

namespace kpid::net {
namespace {

TEST(HttpHeaders, ComparesNamesWithoutCase) {
    HttpHeaders headers{{"Content-Type", "a"}, {"content-type", "b"}, {"X", "y"}};
    EXPECT_EQ(headers.get("CONTENT-TYPE"), "a");
    headers.set("content-TYPE", "c");
    EXPECT_EQ(headers.get("Content-Type"), "c");
    EXPECT_EQ(headers.size(), 2U);
    headers.remove("x");
    EXPECT_FALSE(headers.has("X"));
    EXPECT_EQ(headers.get_or("X", "z"), "z");
}

TEST(HttpHeaders, FindsTokensOfLists) {
    struct Case {
        std::string_view value;
        bool want;
    };
    for (const Case& c : std::vector<Case>{{"gzip", true},
                                           {"deflate, GZIP;q=0.5", true},
                                           {"gzip;q=0", false},
                                           {"gzip; q=0.000", false},
                                           {"xgzip", false},
                                           {"", false},
                                           {"deflate,,br , gzip ", true}}) {
        SCOPED_TRACE(c.value);
        HttpHeaders headers;
        headers.add("Accept-Encoding", c.value);
        EXPECT_EQ(headers.has_token("accept-encoding", "gzip"), c.want);
    }
}

TEST(HttpRequest, TakesParametersOfTheFormBeforeThoseOfTheQuery) {
    HttpRequest request;
    request.method = "POST";
    request.params.add("query", "from_url");
    request.headers.add("Content-Type", "Application/x-www-form-urlencoded; charset=UTF-8");
    request.body = "query=from+body";
    const HttpParams params = request_params(request).value();
    EXPECT_EQ(params.get_all("query"), (std::vector<std::string_view>{"from body", "from_url"}));

    request.body = "query=%";
    EXPECT_EQ(request_params(request).error().code, Code::kInvalidArgument);
    request.method = "GET";
    EXPECT_EQ(request_params(request).value().get("query"), "from_url");
    request.method = "POST";
    request.headers.set("Content-Type", "application/json");
    EXPECT_EQ(request_params(request).value().size(), 1U);
}

TEST(HttpResponse, IsWrittenWithTheServersFraming) {
    HttpResponse response = text_response(200, "hi");
    EXPECT_EQ(response.body, "hi\n");
    response.headers.add("X-Evil", "a\r\nSet-Cookie: b");
    response.headers.add("Content-Length", "999");
    const Timestamp now(784'111'777'000);
    EXPECT_EQ(serialize_head(response, {.content_length = 3}, now),
              "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "X-Evil: a  Set-Cookie: b\r\nContent-Length: 3\r\n"
              "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
    HttpResponse empty;
    empty.status = 204;
    EXPECT_EQ(serialize_head(empty, {.is_http_1_0 = true, .keep_alive = true}, now),
              "HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n"
              "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n");
}

TEST(HttpResponse, IsCompressedOnlyWhenThatHelps) {
    HttpResponse response = make_response(200, "application/json", std::string(2000, 'a'));
    EXPECT_TRUE(is_compressible(response, 1024));
    EXPECT_FALSE(is_compressible(response, 2000));
    response.headers.set("Content-Type", "image/png");
    EXPECT_FALSE(is_compressible(response, 1024));
    response.headers.set("Content-Type", "image/svg+xml");
    EXPECT_TRUE(is_compressible(response, 1024));
    response.headers.set("Content-Encoding", "br");
    EXPECT_FALSE(is_compressible(response, 1024));
}

TEST(Address, ReadsHostAndPort) {
    struct Case {
        std::string_view text;
        std::string_view host;
        std::uint16_t port;
    };
    for (const Case& c : std::vector<Case>{{"127.0.0.1:9731", "127.0.0.1", 9731},
                                           {":9731", "", 9731},
                                           {"[::1]:0", "::1", 0},
                                           {"host.example:65535", "host.example", 65535}}) {
        SCOPED_TRACE(c.text);
        const Result<Address> address = parse_address(c.text);
        ASSERT_TRUE(address.has_value());
        EXPECT_EQ(address->host, c.host);
        EXPECT_EQ(address->port, c.port);
        EXPECT_EQ(to_string(*address), c.text);
    }
}

TEST(Address, RefusesWhatIsNone) {
    for (const std::string_view text :
         {"", "9731", "host", "host:", "host:65536", "host:-1", "host:8a", "::1:80", "[::1]",
          "[]:80", "[host]:80", "a b:80", "[::1:80"}) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_address(text).error().code, Code::kInvalidArgument);
    }
}

}  // namespace
}  // namespace kpid::net
