// Requests to a remote: batches, retries, metadata.
#include "notify/remote_queue.h"
#include "notify/remote_shard.h"

#include <algorithm>
#include <span>
#include <utility>

namespace kpid::notify {
namespace {

constexpr Duration kWorkersFullWait = std::chrono::milliseconds(10);
constexpr unsigned kBadRequest = 400;

}  // namespace

net::Task<> RemoteQueue::send_loop(std::shared_ptr<Shard> shard) {
    for (;;) {
        co_await fill_batch(shard);
        if (shard->batch.empty()) {
            co_return;
        }
        co_await send_batch(shard);
        settle_batch(*shard);
    }
}

// Leaves the batch empty when the shard is retired.
net::Task<> RemoteQueue::fill_batch(std::shared_ptr<Shard> shard) {
    while (shard->queue.empty()) {
        if (shard->retired) {
            co_return;
        }
        const std::shared_ptr<net::Completion> armed = shard->wake.arm();
        const bool woken = co_await armed->wait();
        static_cast<void>(woken);
    }
    const MonoTime deadline = shard->oldest + config_.queue.batch_send_deadline;
    while (!flushing_ && shard->queue.size() < config_.queue.max_samples_per_send &&
           needs_.timers.clock().mono_now() < deadline) {
        const std::shared_ptr<net::Completion> armed = shard->wake.arm();
        const Result<void> woken = co_await wait_until(needs_.timers, deadline, armed);
        static_cast<void>(woken);
    }
    take_batch(*shard);
}

void RemoteQueue::take_batch(Shard& shard) {
    const std::size_t count = std::min<std::size_t>(
        shard.queue.size(), static_cast<std::size_t>(config_.queue.max_samples_per_send));
    for (std::size_t i = 0; i < count; ++i) {
        shard.batch.push_back(std::move(shard.queue.front().sample));
        shard.pieces.push_back(shard.queue.front().piece);
        shard.queue.pop_front();
    }
    shard.oldest = needs_.timers.clock().mono_now();
}

net::Task<> RemoteQueue::send_batch(std::shared_ptr<Shard> shard) {
    // What is still to be sent, the first at the back: a series stays in order.
    std::vector<Range> rest{{0, shard->batch.size()}};
    while (!rest.empty()) {
        Range range = rest.back();
        Result<wire::RemoteWriteBody> body = co_await encode(shard, range);
        if (!body) {
            const Result<void> slept =
                co_await needs_.timers.sleep_until(needs_.timers.after(kWorkersFullWait));
            static_cast<void>(slept);
            continue;
        }
        rest.pop_back();
        if (const std::size_t end = range.begin + body->count; end < range.end) {
            rest.push_back({end, range.end});
            range.end = end;
        }
        Timestamp newest = Timestamp::min();
        for (std::size_t i = range.begin; i < range.end; ++i) {
            newest = std::max(newest, shard->batch[i].time);
        }
        const WriteOutcome outcome = co_await post(*std::move(body), newest);
        if (outcome.code == kBadRequest && range.end - range.begin > 1 && cuts_ < kCutsMax &&
            may_be_repeated(*shard, range)) {
            ++cuts_;
            const std::size_t middle = range.begin + (range.end - range.begin) / 2;
            rest.push_back({middle, range.end});
            rest.push_back({range.begin, middle});
            continue;
        }
        note_outcome(range.end - range.begin, newest, outcome);
    }
}

net::Task<Result<wire::RemoteWriteBody>> RemoteQueue::encode(std::shared_ptr<Shard> shard,
                                                             Range range) {
    const auto work = [shard, range] {
        const std::span<const model::SeriesSample> samples(shard->batch);
        return wire::encode_remote_write(samples.subspan(range.begin, range.end - range.begin),
                                         kRequestBytesMax);
    };
    Result<wire::RemoteWriteBody> body = co_await net::offload(needs_.workers, work);
    co_return body;
}

net::HttpClientRequest RemoteQueue::make_request(const std::string& body) const {
    net::HttpClientRequest request{.method = "POST",
                                   .url = config_.url,
                                   .options = config_.http,
                                   .timeout = config_.timeout,
                                   .response_bytes_max = kAnswerBytesMax};
    request.headers.set(net::header::kContentEncoding, "snappy");
    request.headers.set(net::header::kContentType, "application/x-protobuf");
    request.headers.set("X-Prometheus-Remote-Write-Version", "0.1.0");
    request.body = body;
    return request;
}

bool RemoteQueue::is_outdated(Timestamp newest) const {
    const Duration limit = config_.queue.sample_age_limit;
    return limit > Duration(0) && newest < needs_.timers.clock().wall_now() - limit;
}

net::Task<Result<net::HttpClientResponse>> RemoteQueue::send(net::HttpClientRequest request) {
    const MonoTime since = needs_.timers.clock().mono_now();
    const auto bytes = static_cast<double>(request.body.size());
    ++running_;
    Result<net::HttpClientResponse> answer = co_await needs_.client.send(std::move(request));
    --running_;
    load_.busy += std::chrono::duration<double>(needs_.timers.clock().mono_now() - since).count();
    series_.sent_bytes.Increment(bytes);
    co_return answer;
}

net::Task<WriteOutcome> RemoteQueue::post(wire::RemoteWriteBody body, Timestamp newest) {
    for (std::uint64_t attempts = 1;; ++attempts) {
        net::HttpClientRequest request = make_request(body.packed);
        const Result<net::HttpClientResponse> answer = co_await send(std::move(request));
        WriteOutcome outcome =
            judge_write(answer, config_.queue.retry_on_http_429, needs_.timers.clock().wall_now());
        failing_ = outcome.verdict == WriteVerdict::kRetry;
        if (!failing_) {
            co_return outcome;
        }
        const Duration wait = write_wait(attempts, config_.queue, outcome, random_);
        if (answer || answer.error().code != Code::kCancelled) {
            load_.failed = true;
            drained_.signal();
            series_.retried.Increment(static_cast<double>(body.count));
            log_.warn("samples were not taken, they are sent again",
                      {{"remote", name_},
                       {"url", url_},
                       {"error", outcome.error},
                       {"again_in", format_duration(wait)}});
        }
        const Result<void> slept = co_await needs_.timers.sleep_until(needs_.timers.after(wait));
        static_cast<void>(slept);
        if (is_outdated(newest)) {
            outcome.verdict = WriteVerdict::kGiveUp;
            outcome.code = 0;
            co_return outcome;
        }
    }
}

bool RemoteQueue::may_be_repeated(const Shard& shard, Range range) const {
    return shard.pieces[range.begin] < first_new_piece_;
}

void RemoteQueue::note_outcome(std::size_t samples, Timestamp newest, const WriteOutcome& outcome) {
    const auto count = static_cast<double>(samples);
    if (outcome.verdict == WriteVerdict::kDelivered) {
        series_.samples.Increment(count);
        if (newest.ms() > highest_sent_ms_) {
            highest_sent_ms_ = newest.ms();
            series_.highest_sent.Set(newest.seconds());
        }
    } else if (outcome.code == 0) {
        series_.too_old.Increment(count);
    } else {
        needs_.metrics.add_failed(name_, url_, outcome.code, count);
        log_.error("samples were given up", {{"remote", name_},
                                             {"url", url_},
                                             {"samples", std::to_string(samples)},
                                             {"error", outcome.error}});
    }
}

void RemoteQueue::settle_batch(Shard& shard) {
    for (const std::uint64_t piece : shard.pieces) {
        progress_.settle(piece);
    }
    shard.batch.clear();
    shard.pieces.clear();
    series_.pending.Set(static_cast<double>(progress_.outstanding()));
    reader_.signal();
    drained_.signal();
}

net::Task<> RemoteQueue::metadata_loop() {
    for (;;) {
        co_await send_metadata();
        const Result<void> slept =
            co_await needs_.timers.sleep_until(needs_.timers.after(config_.metadata_send_interval));
        if (!slept) {
            co_return;
        }
    }
}

// What fails is not repeated: the next round says it all again.
net::Task<> RemoteQueue::send_metadata() {
    const auto list = [this] { return needs_.metadata(); };
    const Result<std::vector<model::MetricMetadata>> families =
        co_await net::offload(needs_.workers, list);
    if (!families) {
        co_return;
    }
    std::span<const model::MetricMetadata> rest(*families);
    while (!rest.empty()) {
        const std::size_t most = std::min<std::size_t>(
            rest.size(), static_cast<std::size_t>(config_.metadata_max_samples_per_send));
        const auto work = [part = rest.first(most)] {
            return wire::encode_remote_write(part, kRequestBytesMax);
        };
        const Result<wire::RemoteWriteBody> body = co_await net::offload(needs_.workers, work);
        if (!body) {
            co_return;
        }
        net::HttpClientRequest request = make_request(body->packed);
        const Result<net::HttpClientResponse> answer = co_await send(std::move(request));
        const WriteOutcome outcome = judge_write(answer, false, Timestamp());
        if (outcome.verdict != WriteVerdict::kDelivered) {
            series_.metadata_failed.Increment(static_cast<double>(rest.size()));
            log_.warn("metadata was not taken",
                      {{"remote", name_}, {"url", url_}, {"error", outcome.error}});
            co_return;
        }
        series_.metadata.Increment(static_cast<double>(body->count));
        rest = rest.subspan(body->count);
    }
}

}  // namespace kpid::notify
