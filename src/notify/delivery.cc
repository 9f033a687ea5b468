// The notifier's tasks: wake-ups, attempts, retries.
#include "notify/notifier.h"
#include "notify/secret_file.h"
#include "notify/signature.h"

#include <utility>

namespace kpid::notify {
namespace {

constexpr std::size_t kResponseBytesMax = 64 * 1024;

// The request of one attempt. Reads files where the configuration names them: worker threads then.
Result<net::HttpClientRequest> make_request(const Message& message,
                                            const config::WebhookConfig& webhook, Timestamp now) {
    net::HttpClientRequest request{.method = "POST",
                                   .url = webhook.url,
                                   .body = message.body,
                                   .options = webhook.http,
                                   .timeout = webhook.timeout,
                                   .response_bytes_max = kResponseBytesMax};
    // A redirect would send the alert to an address that nobody configured.
    request.options.follow_redirects = false;
    if (!webhook.url_file.empty()) {
        KPID_TRY(request.url, read_secret_file(webhook.url_file));
    }
    std::string secret = webhook.secret;
    if (!webhook.secret_file.empty()) {
        KPID_TRY(secret, read_secret_file(webhook.secret_file));
    }
    request.headers.set(net::header::kContentType, net::media_type::kJson);
    request.headers.set("webhook-id", message.id);
    request.headers.set("webhook-timestamp", std::to_string(now.ms() / 1000));
    if (!secret.empty()) {
        KPID_TRY(const std::string signature, sign_webhook(secret, message.id, now, message.body));
        request.headers.set("webhook-signature", signature);
    }
    return request;
}

}  // namespace

void Notifier::pump(const std::string& receiver) {
    std::deque<std::string>& ready = ready_[receiver];
    std::size_t& running = running_[receiver];
    while (!ready.empty() && running < kConcurrency) {
        const std::string id = std::move(ready.front());
        ready.pop_front();
        const auto found = outbox_.find(id);
        const config::WebhookConfig* webhook =
            found == outbox_.end() ? nullptr : webhook_of(found->second);
        if (webhook == nullptr) {
            continue;  // Settled meanwhile.
        }
        if (!tasks_.spawn("deliver " + receiver, attempt(found->second, *webhook))) {
            return;  // Stopping: the message is in the outbox.
        }
        ++running;
    }
}

net::Task<> Notifier::attempt(Message message, config::WebhookConfig webhook) {
    const Timestamp now = timers_.clock().wall_now();
    const bool reads_files = !webhook.url_file.empty() || !webhook.secret_file.empty();
    Result<net::HttpClientRequest> request = unavailable("not made");
    if (reads_files) {
        request = co_await net::offload(
            workers_, [message, webhook, now] { return make_request(message, webhook, now); });
    } else {
        request = make_request(message, webhook, now);
    }
    metrics_.attempts.Add({{"receiver", message.receiver}}).Increment();
    Result<net::HttpClientResponse> answer = unavailable("not sent");
    if (request) {
        answer = co_await client_.send(std::move(*request));
    } else {
        answer = request.error();
    }
    if (!answer && answer.error().code == Code::kCancelled) {
        co_return;  // Stopping: the message stays in the outbox.
    }
    Outcome outcome = judge(answer, timers_.clock().wall_now());
    if (outcome.verdict == Verdict::kDelivered && message.cause_accepted_at != MonoTime{}) {
        const std::chrono::duration<double> latency =
            timers_.clock().mono_now() - message.cause_accepted_at;
        metrics_.latency.Observe(latency.count());
    }
    const std::string id = message.id;
    const std::string receiver = message.receiver;
    // A full worker queue must not lose an outcome: it is tried until there is room.
    for (;;) {
        const Result<void> taken = co_await net::offload(
            workers_, [this, id, receiver, outcome] { on_attempted(id, receiver, outcome); });
        if (taken || taken.error().code != Code::kResourceExhausted) {
            co_return;
        }
        const Result<void> slept =
            co_await timers_.sleep_until(timers_.after(std::chrono::milliseconds(10)));
        if (!slept) {
            co_return;
        }
    }
}

void Notifier::on_attempted(const std::string& id, const std::string& receiver,
                            const Outcome& outcome) {
    const Timestamp now = timers_.clock().wall_now();
    const MutexLock lock(mutex_);
    --running_[receiver];
    const auto found = outbox_.find(id);
    if (found == outbox_.end()) {
        pump(receiver);  // Dropped by hand while the request ran.
        return;
    }
    Message& message = found->second;
    ++message.attempt_count;
    message.attempts.push_back({now, outcome.code, outcome.error});
    if (message.attempts.size() > Message::kAttemptsKept) {
        message.attempts.erase(message.attempts.begin());
    }
    const config::WebhookConfig* webhook = webhook_of(message);
    const bool too_old = webhook != nullptr && now - message.created >= webhook->give_up_after;
    if (outcome.verdict == Verdict::kDelivered) {
        settle(message, MessageState::kDelivered, "", now);
    } else if (outcome.verdict == Verdict::kGiveUp) {
        settle(message, MessageState::kFailed, kFailedGone, now);
    } else if (too_old) {
        settle(message, MessageState::kFailed, kFailedGaveUp, now);
    } else {
        const Duration wait = next_wait(message.attempt_count, outcome, random_);
        log_.warn("a message could not be delivered, it is tried again",
                  {{"receiver", receiver},
                   {"id", id},
                   {"attempt", std::to_string(message.attempt_count)},
                   {"in", format_duration(wait)},
                   {"error", outcome.error}});
        save(message);
        tasks_.spawn("retry " + receiver, retry_later(id, timers_.after(wait)));
    }
    take_due(now);
    const Result<void> flushed = flush({});
    if (!flushed) {
        log_.error("the outbox could not be written", {{"error", flushed.error().message}});
    }
    pump(receiver);
    arm(now);
}

net::Task<> Notifier::retry_later(std::string id, MonoTime when) {
    const Result<void> slept = co_await timers_.sleep_until(when);
    if (!slept) {
        co_return;
    }
    for (;;) {
        const Result<void> taken =
            co_await net::offload(workers_, [this, id] { on_retry_due(id); });
        if (taken) {
            co_return;
        }
        const Result<void> waited =
            co_await timers_.sleep_until(timers_.after(std::chrono::milliseconds(100)));
        if (!waited) {
            co_return;
        }
    }
}

void Notifier::on_retry_due(const std::string& id) {
    const MutexLock lock(mutex_);
    const auto found = outbox_.find(id);
    if (found == outbox_.end()) {
        return;
    }
    const std::string receiver = found->second.receiver;
    ready_[receiver].push_back(id);
    pump(receiver);
}

net::Task<> Notifier::wake(Timestamp armed_for, MonoTime deadline) {
    const Result<void> slept = co_await timers_.sleep_until(deadline);
    if (!slept) {
        co_return;
    }
    for (;;) {
        const Result<void> taken =
            co_await net::offload(workers_, [this, armed_for] { on_wake(armed_for); });
        if (taken) {
            co_return;
        }
        const Result<void> waited =
            co_await timers_.sleep_until(timers_.after(std::chrono::milliseconds(10)));
        if (!waited) {
            co_return;
        }
    }
}

void Notifier::on_wake(Timestamp armed_for) {
    const Timestamp now = timers_.clock().wall_now();
    const MutexLock lock(mutex_);
    armed_.erase(armed_for);
    take_due(now);
    const Result<void> flushed = flush({});
    if (!flushed) {
        log_.error("the outbox could not be written", {{"error", flushed.error().message}});
    }
    arm(now);
}

}  // namespace kpid::notify
