#pragma once
// A remote write receiver behind an HTTP client: what it took, in which order.

#include "kpid/model/metadata.h"
#include "kpid/wire/remote_write.h"
#include "net/http_client.h"
#include "net/timers.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kpid::testing {

/// Decodes each request and keeps its samples, as whole or not at all. Answers what answer_next()
/// lined up, then refuses connections while it is down. Of one strand.
class FakeRemote final : public net::HttpClient {
public:
    using Answer = Result<net::HttpClientResponse>;
    /// Times and bits of values of a series, in the order in which they came.
    using Points = std::vector<std::pair<std::int64_t, std::uint64_t>>;

    explicit FakeRemote(net::Timers& timers) : timers_(timers) {}

    [[nodiscard]] net::Task<Answer> send(net::HttpClientRequest request) override {
        ++running_;
        running_most_ = std::max(running_most_, running_);
        requests_.push_back(request);
        if (latency_ > Duration(0)) {
            const Result<void> slept = co_await timers_.sleep_until(timers_.after(latency_));
            if (!slept) {
                --running_;
                co_return slept.error();
            }
        }
        --running_;
        co_return answer(request);
    }

    /// Answered without looking at the request; nothing of it is kept.
    void answer_next(Answer answer) { next_.push_back(std::move(answer)); }
    void set_down(bool down) { down_ = down; }
    void set_latency(Duration latency) { latency_ = latency; }
    /// Like Prometheus: a request with a sample that is older than its series' newest, or another
    /// value at that instant, is refused whole.
    void set_strict(bool strict) { strict_ = strict; }
    /// The next requests are kept, but their answers do not arrive.
    void lose_answers(std::size_t count) { lost_answers_ = count; }

    [[nodiscard]] const std::vector<net::HttpClientRequest>& requests() const { return requests_; }
    [[nodiscard]] const std::map<std::string, Points>& series() const { return series_; }
    [[nodiscard]] std::size_t sample_count() const {
        std::size_t count = 0;
        for (const auto& [name, points] : series_) {
            count += points.size();
        }
        return count;
    }
    [[nodiscard]] const std::vector<std::string>& families() const { return families_; }
    [[nodiscard]] std::size_t running_most() const { return running_most_; }
    void forget_requests() { requests_.clear(); }

private:
    Answer answer(const net::HttpClientRequest& request) {
        if (!next_.empty()) {
            Answer answer = std::move(next_.front());
            next_.pop_front();
            return answer;
        }
        if (down_) {
            return unavailable("connection refused");
        }
        wire::RemoteWriteDecoder decoder;
        const auto decoded = decoder.decode(request.body, wire::RemoteWriteVersion::kV1);
        if (!decoded) {
            return net::HttpClientResponse{.status = 400, .body = decoded.error().message};
        }
        for (const wire::RemoteWriteMetadata& metadata : decoded->metadata) {
            families_.emplace_back(metadata.family);
        }
        std::map<std::string, Points> taken;
        for (const model::SeriesSample& sample : wire::series_samples(*decoded).samples) {
            const std::string name = sample.labels.to_string();
            Points& fresh = taken[name];
            const Points& points = fresh.empty() ? series_[name] : fresh;
            const std::pair point(sample.time.ms(), std::bit_cast<std::uint64_t>(sample.value));
            if (strict_ && !points.empty() && points.back() == point) {
                continue;
            }
            if (strict_ && !points.empty() && point.first <= points.back().first) {
                return net::HttpClientResponse{.status = 400, .body = "out of order sample\nmore"};
            }
            fresh.push_back(point);
        }
        for (const auto& [name, fresh] : taken) {
            Points& points = series_[name];
            points.insert(points.end(), fresh.begin(), fresh.end());
        }
        if (lost_answers_ > 0) {
            --lost_answers_;
            return unavailable("connection reset");
        }
        return net::HttpClientResponse{.status = 204};
    }

    net::Timers& timers_;
    std::vector<net::HttpClientRequest> requests_;
    std::deque<Answer> next_;
    std::map<std::string, Points> series_;
    std::vector<std::string> families_;
    bool down_ = false;
    bool strict_ = false;
    Duration latency_{0};
    std::size_t lost_answers_ = 0;
    std::size_t running_ = 0;
    std::size_t running_most_ = 0;
};

}  // namespace kpid::testing
