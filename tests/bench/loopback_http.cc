#include "bench/loopback_http.h"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace kpid::bench {
namespace {

constexpr std::size_t kMessageBytesMax = std::size_t{256} << 20U;
constexpr std::chrono::milliseconds kLookInterval{20};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

// bind, connect and getsockname take any family's address through this one pointer type.
sockaddr* as_any(sockaddr_in& address) {
    return reinterpret_cast<sockaddr*>(&address);
}

Socket bind_anywhere(std::uint16_t& port) {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(socket.get(), as_any(address), size) != 0 ||
        ::getsockname(socket.get(), as_any(address), &size) != 0) {
        return Socket();
    }
    port = ntohs(address.sin_port);
    return socket;
}

void send_at_once(int descriptor) {
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool send_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

bool receive_more(int descriptor, std::string& received) {
    std::array<char, 16 * 1024> block{};
    const ssize_t count = ::recv(descriptor, block.data(), block.size(), 0);
    if (count <= 0 || received.size() > kMessageBytesMax) {
        return false;
    }
    received.append(block.data(), static_cast<std::size_t>(count));
    return true;
}

std::string in_lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

// The value of a Content-Length header in a head of lower case; 0 when there is none.
std::size_t content_length(const std::string& head) {
    constexpr std::string_view kName = "\r\ncontent-length:";
    const std::size_t found = head.find(kName);
    if (found == std::string::npos) {
        return 0;
    }
    const std::size_t begin = head.find_first_not_of(' ', found + kName.size());
    std::size_t length = 0;
    std::from_chars(head.data() + begin, head.data() + head.size(), length);
    return std::min(length, kMessageBytesMax);
}

struct Message {
    std::string head;
    std::string body;
};

// Reads on until `received` holds `size` bytes.
bool receive_until(int descriptor, std::string& received, std::size_t size) {
    while (received.size() < size) {
        if (!receive_more(descriptor, received)) {
            return false;
        }
    }
    return true;
}

// Where `end` begins in `received`, from `begin` on; reads on until it is there.
std::optional<std::size_t> receive_until(int descriptor, std::string& received, std::size_t begin,
                                         std::string_view end) {
    for (;;) {
        const std::size_t found = received.find(end, begin);
        if (found != std::string::npos) {
            return found;
        }
        if (!receive_more(descriptor, received)) {
            return std::nullopt;
        }
    }
}

// A body in chunks (RFC 9112, section 7.1) that begins at `begin` of what was received, without
// trailers; takes it and all before it away.
std::optional<std::string> receive_chunks(int descriptor, std::string& received,
                                          std::size_t begin) {
    constexpr std::string_view kLineEnd = "\r\n";
    constexpr int kHexadecimal = 16;
    std::string body;
    for (;;) {
        const auto line_end = receive_until(descriptor, received, begin, kLineEnd);
        if (!line_end) {
            return std::nullopt;
        }
        std::size_t size = 0;
        const auto parsed = std::from_chars(received.data() + begin, received.data() + *line_end,
                                            size, kHexadecimal);
        const std::size_t data_begin = *line_end + kLineEnd.size();
        const std::size_t data_end = data_begin + size;
        if (parsed.ec != std::errc() || size + body.size() > kMessageBytesMax ||
            !receive_until(descriptor, received, data_end + kLineEnd.size())) {
            return std::nullopt;
        }
        body.append(received, data_begin, size);
        received.erase(0, data_end + kLineEnd.size());
        begin = 0;
        if (size == 0) {
            return body;
        }
    }
}

// Reads one message; what follows it stays in `received`. Nothing when the connection ends or waits
// too long. A message with neither a length nor chunks has no body.
std::optional<Message> receive_message(int descriptor, std::string& received) {
    constexpr std::string_view kHeadEnd = "\r\n\r\n";
    const auto head_end = receive_until(descriptor, received, 0, kHeadEnd);
    if (!head_end) {
        return std::nullopt;
    }
    Message message;
    message.head = received.substr(0, *head_end);
    const std::string head = in_lower_case(message.head);
    const std::size_t body_begin = *head_end + kHeadEnd.size();
    if (head.find("\r\ntransfer-encoding: chunked") != std::string::npos) {
        std::optional<std::string> body = receive_chunks(descriptor, received, body_begin);
        if (!body) {
            return std::nullopt;
        }
        message.body = std::move(*body);
        return message;
    }
    const std::size_t length = content_length(head);
    if (!receive_until(descriptor, received, body_begin + length)) {
        return std::nullopt;
    }
    message.body = received.substr(body_begin, length);
    received.erase(0, body_begin + length);
    return message;
}

}  // namespace

Socket::~Socket() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

std::uint16_t free_port() {
    std::uint16_t port = 0;
    const Socket socket = bind_anywhere(port);
    return port;
}

Result<HttpConnection> HttpConnection::open(std::uint16_t port, std::chrono::seconds answer_max) {
    Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = loopback(port);
    if (::connect(socket.get(), as_any(address), sizeof address) != 0) {
        return unavailable(fmt::format("cannot connect to 127.0.0.1:{}", port));
    }
    send_at_once(socket.get());
    const timeval at_most{.tv_sec = answer_max.count(), .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &at_most, sizeof at_most);
    return HttpConnection(std::move(socket));
}

Result<HttpConnection::Response> HttpConnection::request(std::string_view method,
                                                         std::string_view path,
                                                         std::string_view headers,
                                                         std::string_view body) {
    const std::string bytes =
        fmt::format("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}Content-Length: {}\r\n\r\n{}", method,
                    path, headers, body.size(), body);
    if (!send_all(socket_.get(), bytes)) {
        return unavailable("the connection was closed");
    }
    std::optional<Message> message = receive_message(socket_.get(), received_);
    if (!message) {
        return unavailable("no whole answer came");
    }
    Response response;
    constexpr std::size_t kStatusBegin = std::string_view("HTTP/1.1 ").size();
    if (message->head.size() > kStatusBegin) {
        std::from_chars(message->head.data() + kStatusBegin,
                        message->head.data() + message->head.size(), response.status);
    }
    response.body = std::move(message->body);
    return response;
}

std::string form_encode(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0) {
            encoded += c;
        } else {
            encoded += fmt::format("%{:02X}", byte);
        }
    }
    return encoded;
}

Result<std::string> post_form(HttpConnection& connection, std::string_view path,
                              std::string_view form) {
    KPID_TRY(auto response,
             connection.request("POST", path, "Content-Type: application/x-www-form-urlencoded\r\n",
                                form));
    if (response.status / 100 != 2) {
        return unavailable(fmt::format("{} answered {}: {}", path, response.status, response.body));
    }
    return std::move(response.body);
}

Result<void> wait_until_ready(std::uint16_t port, std::string_view path,
                              std::chrono::seconds at_most) {
    const SteadyClock::time_point deadline = SteadyClock::now() + at_most;
    while (SteadyClock::now() < deadline) {
        Result<HttpConnection> connection = HttpConnection::open(port);
        if (connection) {
            const auto response = connection->request("GET", path, "", "");
            if (response && response->status == 200) {
                return {};
            }
        }
        std::this_thread::sleep_for(kLookInterval);
    }
    return unavailable(fmt::format("127.0.0.1:{} was not ready in time", port));
}

WebhookSink::WebhookSink() : listener_(bind_anywhere(port_)) {
    ::listen(listener_.get(), SOMAXCONN);
    acceptor_ = std::thread([this] { accept_all(); });
}

WebhookSink::~WebhookSink() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopping_ = true;
        ::shutdown(listener_.get(), SHUT_RDWR);
        for (const auto& connection : connections_) {
            ::shutdown(connection->get(), SHUT_RDWR);
        }
    }
    acceptor_.join();
    // Nobody adds to servers_ any more.
    for (std::thread& server : servers_) {
        server.join();
    }
}

void WebhookSink::accept_all() {
    for (;;) {
        const int descriptor = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
        if (descriptor < 0) {
            return;
        }
        auto connection = std::make_unique<Socket>(descriptor);
        const std::lock_guard<std::mutex> lock(mutex_);
        if (stopping_) {
            return;
        }
        send_at_once(descriptor);
        ++connection_count_;
        connections_.push_back(std::move(connection));
        servers_.emplace_back([this, descriptor] { serve(descriptor); });
    }
}

void WebhookSink::serve(int descriptor) {
    std::string received;
    for (;;) {
        std::optional<Message> message = receive_message(descriptor, received);
        if (!message) {
            ::shutdown(descriptor, SHUT_RDWR);
            return;
        }
        keep({SteadyClock::now(), std::move(message->body)});
        if (!send_all(descriptor, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")) {
            return;
        }
    }
}

void WebhookSink::keep(Webhook webhook) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (webhooks_.size() < kWebhooksMax) {
        webhooks_.push_back(std::move(webhook));
    }
    arrived_.notify_one();
}

std::optional<WebhookSink::Webhook> WebhookSink::take(SteadyClock::time_point deadline) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!arrived_.wait_until(lock, deadline, [this] { return !webhooks_.empty(); })) {
        return std::nullopt;
    }
    Webhook webhook = std::move(webhooks_.front());
    webhooks_.pop_front();
    return webhook;
}

}  // namespace kpid::bench
