#pragma once
// A client that sends what it is told, byte by byte, and blocks.

#include "net/task.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::testing {

class RawClient {
public:
    explicit RawClient(std::uint16_t port) : socket_(io_) {
        socket_.connect({net::asio::ip::address_v4::loopback(), port});
    }

    /// False when the server has closed the connection.
    bool send(std::string_view bytes) {
        boost::system::error_code failure;
        net::asio::write(socket_, net::asio::buffer(bytes.data(), bytes.size()), failure);
        return !failure;
    }
    void finish_sending() {
        boost::system::error_code ignored;
        socket_.shutdown(net::asio::ip::tcp::socket::shutdown_send, ignored);
    }
    /// Everything until the server closes.
    std::string read_all() {
        boost::system::error_code ended;
        net::asio::read(socket_, net::asio::dynamic_buffer(buffer_), ended);
        return std::move(buffer_);
    }
    /// One head, up to its empty line.
    std::string read_head() {
        boost::system::error_code ended;
        const std::size_t size = net::asio::read_until(socket_, net::asio::dynamic_buffer(buffer_),
                                                       std::string_view("\r\n\r\n"), ended);
        return take(ended ? buffer_.size() : size);
    }
    /// One response with its Content-Length body.
    std::string read_response() {
        std::string head = read_head();
        const std::string_view name = "\r\nContent-Length: ";
        const std::size_t at = head.find(name);
        std::size_t size = 0;
        if (at != std::string::npos) {
            const char* digits = head.data() + at + name.size();
            std::from_chars(digits, head.data() + head.size(), size);
        }
        if (buffer_.size() < size) {
            boost::system::error_code ended;
            net::asio::read(socket_, net::asio::dynamic_buffer(buffer_),
                            net::asio::transfer_exactly(size - buffer_.size()), ended);
        }
        return head + take(size);
    }

private:
    std::string take(std::size_t size) {
        std::string text = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return text;
    }

    net::asio::io_context io_;
    net::asio::ip::tcp::socket socket_;
    std::string buffer_;
};

}  // namespace kpid::testing
