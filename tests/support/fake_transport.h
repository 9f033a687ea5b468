#pragma once
// An HTTP client whose peers are a script: what each URL answers, and when.

#include "kpid/base/mutex.h"
#include "net/completion.h"
#include "net/http_client.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::testing {

/// A response in a word.
[[nodiscard]] inline net::HttpClientResponse http_answer(unsigned status, std::string body = {},
                                                         net::HttpHeaders headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

/// Records every request and answers by URL: first what answer_next() lined up, then what
/// answer_always() said, else 200 with an empty body. A URL on hold answers when answer_held() is
/// called. Thread-safe.
///
///     FakeTransport transport;
///     transport.answer_next("http://a/", http_answer(500));
///     transport.answer_next("http://a/", unavailable("connection refused"));
///     transport.hold("http://b/");
class FakeTransport final : public net::HttpClient {
public:
    using Answer = Result<net::HttpClientResponse>;

    [[nodiscard]] net::Task<Answer> send(net::HttpClientRequest request) override {
        const net::Strand strand = co_await net::asio::this_coro::executor;
        const auto held = std::make_shared<Held>(strand);
        const std::optional<Answer> ready = arrive(std::move(request), held);
        if (ready) {
            co_return *ready;
        }
        const bool answered = co_await held->arrived->wait();
        co_return leave(held, answered);
    }

    /// What the URL answers from now on.
    void answer_always(const std::string& url, Answer answer) {
        const MutexLock lock(mutex_);
        peers_[url].always = std::move(answer);
    }
    /// What the URL answers from now on, made from the request; before answer_always().
    void answer_by(const std::string& url,
                   std::function<Answer(const net::HttpClientRequest&)> make) {
        const MutexLock lock(mutex_);
        peers_[url].make = std::move(make);
    }
    /// What the URL answers once, after what is lined up already.
    void answer_next(const std::string& url, Answer answer) {
        const MutexLock lock(mutex_);
        peers_[url].next.push_back(std::move(answer));
    }
    /// The URL's requests wait from now on, each for answer_held() or the end of its task.
    void hold(const std::string& url) {
        const MutexLock lock(mutex_);
        peers_[url].holds = true;
    }
    /// New requests are answered again; those that wait go on waiting.
    void stop_holding(const std::string& url) {
        const MutexLock lock(mutex_);
        peers_[url].holds = false;
    }
    /// Answers the request that has waited longest; false when none waits.
    bool answer_held(const std::string& url, Answer answer) {
        const MutexLock lock(mutex_);
        std::deque<std::shared_ptr<Held>>& waiting = peers_[url].waiting;
        if (waiting.empty()) {
            return false;
        }
        waiting.front()->answer = std::move(answer);
        waiting.front()->arrived->signal();
        waiting.pop_front();
        return true;
    }

    /// Every request so far, in order.
    [[nodiscard]] std::vector<net::HttpClientRequest> requests() const {
        const MutexLock lock(mutex_);
        return requests_;
    }
    /// Those to one URL.
    [[nodiscard]] std::vector<net::HttpClientRequest> requests(std::string_view url) const {
        std::vector<net::HttpClientRequest> matching;
        const MutexLock lock(mutex_);
        std::copy_if(requests_.begin(), requests_.end(), std::back_inserter(matching),
                     [&](const net::HttpClientRequest& request) { return request.url == url; });
        return matching;
    }
    [[nodiscard]] std::size_t count() const {
        const MutexLock lock(mutex_);
        return requests_.size();
    }
    /// How many requests of the URL wait for answer_held().
    [[nodiscard]] std::size_t waiting(const std::string& url) const {
        const MutexLock lock(mutex_);
        const auto peer = peers_.find(url);
        return peer == peers_.end() ? 0 : peer->second.waiting.size();
    }
    /// Forgets the requests that were recorded; the script stays.
    void forget_requests() {
        const MutexLock lock(mutex_);
        requests_.clear();
    }

private:
    struct Held {
        explicit Held(const net::Strand& strand)
            : arrived(std::make_shared<net::Completion>(strand)) {}
        const std::shared_ptr<net::Completion> arrived;
        std::optional<Answer> answer;  // guarded by mutex_
    };
    struct Peer {
        std::deque<Answer> next;
        std::function<Answer(const net::HttpClientRequest&)> make;
        std::optional<Answer> always;
        bool holds = false;
        std::deque<std::shared_ptr<Held>> waiting;
    };

    std::optional<Answer> arrive(net::HttpClientRequest request,
                                 const std::shared_ptr<Held>& held) {
        const MutexLock lock(mutex_);
        Peer& peer = peers_[request.url];
        requests_.push_back(std::move(request));
        if (peer.holds) {
            peer.waiting.push_back(held);
            return std::nullopt;
        }
        if (!peer.next.empty()) {
            Answer answer = std::move(peer.next.front());
            peer.next.pop_front();
            return answer;
        }
        if (peer.make) {
            return peer.make(requests_.back());
        }
        return peer.always.value_or(http_answer(200));
    }

    Answer leave(const std::shared_ptr<Held>& held, bool answered) {
        const MutexLock lock(mutex_);
        if (answered && held->answer) {
            return *held->answer;
        }
        for (auto& [url, peer] : peers_) {
            std::erase(peer.waiting, held);
        }
        return Error{Code::kCancelled, "cancelled"};
    }

    mutable Mutex mutex_;
    std::map<std::string, Peer> peers_ KPID_GUARDED_BY(mutex_);
    std::vector<net::HttpClientRequest> requests_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::testing
