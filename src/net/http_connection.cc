// The life of a connection: wait, read, handle, answer, again.

#include "net/http_connection.h"

#include "net/address.h"
#include "net/body_stream.h"
#include "net/connection_shares.h"
#include "net/gzip.h"
#include "net/http_wire.h"
#include "net/packed_stream.h"
#include "net/peer_watch.h"
#include "net/token.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace kpid::net {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

using Stream = beast::basic_stream<asio::ip::tcp, Strand>;
using Parser = bhttp::request_parser<bhttp::string_body>;

constexpr std::size_t kReadBytes = 64U << 10U;
// Bodies larger than this are packed and unpacked by the workers.
constexpr std::size_t kInlineGzipBytesMax = 32U << 10U;
// How much a refused client may still send; what a peer writes before it reads its answer.
constexpr std::size_t kLingerBytesMax = 4ULL << 30U;
constexpr unsigned kHttp10 = 10;

// A request that is answered by the server itself. Status 0: nothing can be answered any more.
struct Refusal {
    unsigned status = 0;
    std::string text;
};

// What a failed read means.
Refusal refusal_for(const error_code& failure) {
    if (failure == bhttp::error::body_limit) {
        return {413, "the request body is too large"};
    }
    if (failure == bhttp::error::header_limit || failure == bhttp::error::buffer_overflow) {
        return {431, "the request line and headers are too large"};
    }
    const bool is_gone = failure == bhttp::error::end_of_stream ||
                         failure == bhttp::error::partial_message ||
                         failure.category() != error_code(bhttp::error::bad_method).category();
    return is_gone ? Refusal{} : Refusal{400, "malformed request: " + failure.message()};
}

class Connection {
public:
    Connection(HttpServerContext* context, TcpSocket socket, std::shared_ptr<IdleHook> hook)
        : context_(context),
          options_(context->options),
          open_(context),
          hook_(std::move(hook)),
          stream_(std::move(socket)),
          buffer_(options_.header_bytes_max + kReadBytes) {}
    ~Connection() { hook_->close = nullptr; }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Task<> serve();

private:
    Task<bool> wait_for_request();
    Task<bool> serve_one();
    Task<Refusal> read_request(Parser* parser, BodyShare* share);
    Task<Refusal> read_body(Parser* parser, BodyShare* share);
    Task<bool> send_continue();
    Task<Refusal> unpack_body(HttpRequest* request, BodyShare* share);
    Task<HttpResponse> call_handler(HttpRequest request);
    Task<> pack_body(HttpResponse* response, Packing packing);
    Task<bool> write(HttpResponse response, bool is_head, bool is_http_1_0, bool keep_alive);
    Task<bool> write_stream(HttpResponse response, bool is_head, bool is_http_1_0, bool keep_alive);
    Task<bool> write_piece(std::string head, std::string piece, std::string_view tail);
    Task<> refuse(Refusal refusal, std::string target);
    Task<> linger();

    [[nodiscard]] Refusal check_head(const Parser& parser) const;
    [[nodiscard]] Refusal fill_request(Parser& parser, HttpRequest& request) const;

    HttpServerContext* const context_;
    const HttpServerOptions& options_;
    const OpenCount open_;
    const std::shared_ptr<IdleHook> hook_;
    // Owned by the connection's strand.
    Stream stream_;
    beast::flat_buffer buffer_;
    std::string peer_;
};

Task<> Connection::serve() {
    error_code failure;
    stream_.socket().set_option(asio::ip::tcp::no_delay(true), failure);
    const asio::ip::tcp::endpoint peer = stream_.socket().remote_endpoint(failure);
    if (failure) {
        co_return;  // gone already
    }
    peer_ = to_string(Address{peer.address().to_string(), peer.port()});
    for (;;) {
        const bool has_request = co_await wait_for_request();
        if (!has_request) {
            break;
        }
        const bool keep = co_await serve_one();
        if (!keep) {
            break;
        }
    }
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, failure);
}

// True when the first byte of a request is there.
Task<bool> Connection::wait_for_request() {
    if (buffer_.size() > 0) {
        co_return !context_->stopping;
    }
    if (context_->stopping) {
        co_return false;
    }
    buffer_.shrink_to_fit();
    hook_->close = [this] { stream_.cancel(); };
    stream_.expires_after(options_.idle_timeout);
    const asio::mutable_buffer room = buffer_.prepare(4096);
    const auto [failure, size] = co_await stream_.async_read_some(room, kToken);
    hook_->close = nullptr;
    if (failure) {
        co_return false;
    }
    buffer_.commit(size);
    co_return true;
}

// True when the connection is kept.
Task<bool> Connection::serve_one() {
    BodyShare share(context_);
    HttpRequest request;
    bool is_http_1_0 = false;
    bool keep_alive = false;
    {
        Parser parser;
        Refusal refusal = co_await read_request(&parser, &share);
        if (refusal.status == 0 && parser.is_done()) {
            refusal = fill_request(parser, request);
        } else if (refusal.status == 0) {
            ++context_->counters.requests_refused;
            co_return false;
        }
        if (refusal.status != 0) {
            std::string target(parser.get().target());
            co_await refuse(std::move(refusal), std::move(target));
            co_return false;
        }
        is_http_1_0 = parser.get().version() == kHttp10;
        keep_alive = parser.keep_alive();
    }
    Refusal refusal = co_await unpack_body(&request, &share);
    if (refusal.status != 0) {
        co_await refuse(std::move(refusal), std::move(request.target));
        co_return false;
    }
    ++context_->counters.requests;
    context_->counters.request_body_bytes += request.body.size();
    const bool is_head = request.method == "HEAD";
    const std::optional<Packing> packing = accepted_packing(request.headers);
    HttpResponse response = co_await call_handler(std::move(request));
    context_->counters.response_body_bytes += response.body.size();
    const bool keep = keep_alive && !context_->stopping;
    if (is_compressible(response, options_.gzip_bytes_min)) {
        response.headers.add(header::kVary, header::kAcceptEncoding);
        if (packing && !is_head) {
            co_await pack_body(&response, *packing);
        }
    }
    bool written = false;
    if (response.stream != nullptr) {
        written = co_await write_stream(std::move(response), is_head, is_http_1_0, keep);
    } else {
        written = co_await write(std::move(response), is_head, is_http_1_0, keep);
    }
    co_return written&& keep;
}

// Reads head and body into the parser. Status 0 and the parser not done: the peer is gone.
Task<Refusal> Connection::read_request(Parser* parser, BodyShare* share) {
    parser->header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
    parser->body_limit(options_.body_bytes_max);
    stream_.expires_after(options_.header_timeout);
    const auto [failure, size] =
        co_await bhttp::async_read_header(stream_, buffer_, *parser, kToken);
    static_cast<void>(size);
    if (failure) {
        co_return refusal_for(failure);
    }
    Refusal refusal = check_head(*parser);
    if (refusal.status != 0 || parser->is_done()) {
        co_return refusal;
    }
    const bool wants_continue =
        parser->get().version() > kHttp10 && parser->get().count(bhttp::field::expect) > 0;
    if (wants_continue && buffer_.size() == 0) {
        const bool sent = co_await send_continue();
        if (!sent) {
            co_return Refusal{};
        }
    }
    refusal = co_await read_body(parser, share);
    co_return refusal;
}

Refusal Connection::check_head(const Parser& parser) const {
    const auto& message = parser.get();
    if (message.version() > kHttp10 && message.count(bhttp::field::host) != 1) {
        return {400, "one Host header is required"};
    }
    const beast::string_view expect = message[bhttp::field::expect];
    if (!expect.empty() && !beast::iequals(expect, "100-continue")) {
        return {417, "the expectation is not known"};
    }
    const auto length = parser.content_length();
    if (length && *length + context_->body_bytes > options_.bodies_bytes_max) {
        return {503, "too many request bodies at once"};
    }
    return {};
}

Task<bool> Connection::send_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(options_.write_timeout);
    const asio::const_buffer bytes(kContinue.data(), kContinue.size());
    const auto [failure, size] = co_await asio::async_write(stream_, bytes, kToken);
    static_cast<void>(size);
    co_return !failure;
}

Task<Refusal> Connection::read_body(Parser* parser, BodyShare* share) {
    parser->eager(true);
    // One deadline for the whole body: a peer that drips bytes does not move it.
    stream_.expires_after(options_.body_timeout);
    while (!parser->is_done()) {
        const auto [failure, size] =
            co_await bhttp::async_read_some(stream_, buffer_, *parser, kToken);
        static_cast<void>(size);
        if (failure) {
            co_return refusal_for(failure);
        }
        if (!share->grow_to(parser->get().body().size())) {
            co_return Refusal{503, "too many request bodies at once"};
        }
    }
    co_return Refusal{};
}

Refusal Connection::fill_request(Parser& parser, HttpRequest& request) const {
    auto& message = parser.get();
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    Result<RequestTarget> target = parse_target(request.target);
    if (!target) {
        return {400, target.error().message};
    }
    request.path_raw = std::move(target->path_raw);
    request.path = std::move(target->path);
    request.params = std::move(target->params);
    for (const auto& field : message) {
        const beast::string_view name = field.name_string();
        const beast::string_view value = field.value();
        request.headers.add(std::string_view(name.data(), name.size()),
                            std::string_view(value.data(), value.size()));
    }
    request.body = std::move(message.body());
    request.peer = peer_;
    return {};
}

// Undoes gzip and deflate. Other encodings are the handler's matter.
Task<Refusal> Connection::unpack_body(HttpRequest* request, BodyShare* share) {
    const std::string_view encoding = request->headers.get_or(header::kContentEncoding, "identity");
    const bool is_packed = equals_ignoring_case(encoding, "gzip") ||
                           equals_ignoring_case(encoding, "x-gzip") ||
                           equals_ignoring_case(encoding, "deflate");
    if (!is_packed || request->body.empty() ||
        context_->parts.handler.wants_packed_body(*request)) {
        co_return Refusal{};
    }
    Result<std::string> plain = std::string();
    if (request->body.size() <= kInlineGzipBytesMax / 8) {
        plain = gunzip(request->body, options_.body_bytes_max);
    } else {
        auto work = [request, bytes_max = options_.body_bytes_max] {
            return gunzip(request->body, bytes_max);
        };
        plain = co_await offload(context_->parts.workers, work);
    }
    if (!plain && plain.error().code == Code::kInvalidArgument) {
        co_return Refusal{400, plain.error().message};
    }
    if (!plain) {
        const bool too_large = plain.error().message.starts_with("the decompressed");
        co_return Refusal{too_large ? 413U : 503U, plain.error().message};
    }
    if (!share->grow_to(plain->size())) {
        co_return Refusal{503, "too many request bodies at once"};
    }
    request->body = *std::move(plain);
    request->headers.remove(header::kContentEncoding);
    co_return Refusal{};
}

Task<HttpResponse> Connection::call_handler(HttpRequest request) {
    std::string failure;
    const std::string target = request.target;
    const PeerWatch watch(stream_.socket());
    request.arrived = context_->parts.timers.clock().mono_now();
    request.gone = watch.gone();
    try {
        HttpResponse response = co_await context_->parts.handler.handle(std::move(request));
        co_return response;
    } catch (const boost::system::system_error& error) {
        if (error.code() == asio::error::operation_aborted) {
            throw;  // the server's stop: this task ends
        }
        failure = error.what();
    } catch (const std::exception& error) {
        failure = error.what();
    }
    ++context_->counters.handler_failures;
    context_->parts.log.error("request handler failed", {{"error", failure}});
    co_return context_->parts.handler.refusal(target, 500, "internal error");
}

Task<> Connection::pack_body(HttpResponse* response, Packing packing) {
    if (response->stream != nullptr) {
        response->stream = pack_stream(response->stream, packing, context_->parts.workers);
        response->headers.set(header::kContentEncoding, packing_name(packing));
        co_return;
    }
    Result<std::string> packed = std::string();
    if (response->body.size() <= kInlineGzipBytesMax) {
        packed = pack(response->body, packing);
    } else {
        auto work = [response, packing] { return pack(response->body, packing); };
        packed = co_await offload(context_->parts.workers, work);
    }
    if (packed) {  // else the workers are busy: it goes out as it is
        response->body = *std::move(packed);
        response->headers.set(header::kContentEncoding, packing_name(packing));
    }
}

// Where whole responses leave.
Task<bool> Connection::write(HttpResponse response, bool is_head, bool is_http_1_0,
                             bool keep_alive) {
    const ResponseFraming framing{is_http_1_0, keep_alive, response.body.size()};
    const std::string head =
        serialize_head(response, framing, context_->parts.timers.clock().wall_now());
    const bool has_body = !is_head && status_has_body(response.status);
    const std::array<asio::const_buffer, 2> bytes = {
        asio::buffer(head),
        has_body ? asio::const_buffer(asio::buffer(response.body)) : asio::const_buffer()};
    stream_.expires_after(options_.write_timeout);
    const auto [failure, size] = co_await asio::async_write(stream_, bytes, kToken);
    static_cast<void>(size);
    co_return !failure;
}

// A streamed body: in chunks, for HTTP/1.0 up to the connection's end. True when it is whole and
// the connection can be kept; where it is not whole its last chunk is missing.
Task<bool> Connection::write_stream(HttpResponse response, bool is_head, bool is_http_1_0,
                                    bool keep_alive) {
    const ResponseFraming framing{
        .is_http_1_0 = is_http_1_0, .keep_alive = keep_alive && !is_http_1_0, .is_streamed = true};
    std::string head = serialize_head(response, framing, context_->parts.timers.clock().wall_now());
    bool sent = co_await write_piece(std::move(head), {}, {});
    const std::string_view chunk_end = is_http_1_0 ? "" : "\r\n";
    while (sent && !is_head) {
        Result<std::string> piece = co_await response.stream->next();
        if (!piece) {
            context_->parts.log.warn("a response was cut", {{"error", piece.error().message}});
            co_return false;
        }
        context_->counters.response_body_bytes += piece->size();
        const bool is_last = piece->empty();
        std::string size = is_http_1_0 ? "" : fmt::format("{:x}\r\n", piece->size());
        sent = co_await write_piece(std::move(size), *std::move(piece), chunk_end);
        if (is_last) {
            break;
        }
    }
    co_return sent && !is_http_1_0;
}

// Each piece has the whole write timeout: a client that reads at all may take its time.
Task<bool> Connection::write_piece(std::string head, std::string piece, std::string_view tail) {
    const std::array<asio::const_buffer, 3> bytes = {asio::buffer(head), asio::buffer(piece),
                                                     asio::const_buffer(tail.data(), tail.size())};
    stream_.expires_after(options_.write_timeout);
    const auto [failure, size] = co_await asio::async_write(stream_, bytes, kToken);
    static_cast<void>(size);
    co_return !failure;
}

// Answers, then closes once the peer has had the chance to read the answer.
Task<> Connection::refuse(Refusal refusal, std::string target) {
    ++context_->counters.requests_refused;
    const unsigned status = refusal.status;
    HttpResponse response =
        context_->parts.handler.refusal(target, status, std::move(refusal.text));
    if (status == 503) {
        response.headers.set(header::kRetryAfter, "1");
    }
    const bool written = co_await write(std::move(response), false, false, false);
    if (written) {
        co_await linger();
    }
}

// Reads and forgets what still comes: closing with unread bytes would reset the connection and with
// it the answer that is under way.
Task<> Connection::linger() {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    buffer_.clear();
    stream_.expires_after(options_.linger_timeout);
    std::size_t total = 0;
    while (total < kLingerBytesMax && !context_->stopping) {
        const asio::mutable_buffer room = buffer_.prepare(kReadBytes);
        const auto [failure, size] = co_await stream_.async_read_some(room, kToken);
        if (failure) {
            break;
        }
        total += size;
    }
}

}  // namespace

Task<> serve_connection(HttpServerContext* owner, TcpSocket socket,
                        std::shared_ptr<IdleHook> hook) {
    Connection connection(owner, std::move(socket), std::move(hook));
    co_await connection.serve();
}

Task<> refuse_connection(HttpServerContext* owner, TcpSocket socket) {
    static constexpr std::size_t kBytesMax = 64U << 10U;
    static constexpr std::chrono::seconds kTimeout{1};
    HttpResponse response = text_response(503, "too many connections");
    response.headers.add(header::kRetryAfter, "1");
    const std::string head =
        serialize_head(response, {.keep_alive = false, .content_length = response.body.size()},
                       owner->parts.timers.clock().wall_now());
    const std::string text = head + response.body;
    Stream stream(std::move(socket));
    stream.expires_after(kTimeout);
    const auto [failure, sent] = co_await asio::async_write(stream, asio::buffer(text), kToken);
    static_cast<void>(sent);
    if (failure) {
        co_return;
    }
    error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> scratch;
    for (std::size_t total = 0; total < kBytesMax;) {
        const auto [ended, size] = co_await stream.async_read_some(asio::buffer(scratch), kToken);
        if (ended) {
            break;
        }
        total += size;
    }
}

}  // namespace kpid::net
