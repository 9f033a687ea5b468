// The notifier's tasks: wake-ups, attempts, retries.
#include "net/cancellation.h"
#include "notify/notifier.h"
#include "notify/secret_file.h"
#include "notify/signature.h"

#include <memory>
#include <utility>

namespace kpid::notify {
namespace {

namespace asio = net::asio;

// Closures with captures get names here: GCC 12 destroys one twice that is a temporary of a
// co_await expression.

// Generous: a receiver that took the message and answers with a whole page did take it.
constexpr std::size_t kResponseBytesMax = std::size_t{4} << 20U;
constexpr Duration kWorkersFullWait = std::chrono::milliseconds(10);

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

void Notifier::make_ready(Pending& pending) {
    pending.step = Step::kReady;
    pending.turn = next_turn_++;
    ready_[pending.message.receiver].push_back({pending.message.id, pending.turn});
}

void Notifier::pump(const std::string& receiver) {
    std::deque<Ticket>& ready = ready_[receiver];
    std::size_t& running = running_[receiver];
    while (!ready.empty() && running < kConcurrency) {
        const Ticket ticket = std::move(ready.front());
        ready.pop_front();
        const auto found = outbox_.find(ticket.id);
        if (found == outbox_.end() || found->second.turn != ticket.turn) {
            continue;  // Settled meanwhile.
        }
        Pending& pending = found->second;
        const config::WebhookConfig* webhook = webhook_of(pending.message);
        if (webhook == nullptr) {
            continue;  // An orphan: dropped by the reload that makes it one.
        }
        const std::uint64_t turn = next_turn_++;
        if (!tasks_.spawn("deliver " + receiver, attempt(pending.message, *webhook, turn))) {
            return;  // Stopping: the message is in the outbox.
        }
        pending.step = Step::kRunning;
        pending.turn = turn;
        ++running;
    }
}

net::Task<Result<net::HttpClientResponse>> Notifier::send_once(Message message,
                                                               config::WebhookConfig webhook) {
    const Timestamp now = timers_.clock().wall_now();
    const bool reads_files = !webhook.url_file.empty() || !webhook.secret_file.empty();
    Result<net::HttpClientRequest> request = unavailable("not made");
    const auto make = [message, webhook, now] { return make_request(message, webhook, now); };
    if (reads_files) {
        net::Task<Result<net::HttpClientRequest>> making = net::offload(workers_, make);
        request = co_await std::move(making);
    } else {
        request = make();
    }
    if (!request) {
        co_return request.error();
    }
    const asio::cancellation_state stopping = co_await asio::this_coro::cancellation_state;
    if (stopping.cancelled() != asio::cancellation_type::none) {
        co_return Error{Code::kCancelled, "stopping"};
    }
    metrics_.attempts.Add({{"receiver", message.receiver}}).Increment();
    net::Task<Result<net::HttpClientResponse>> sending = client_.send(std::move(*request));
    Result<net::HttpClientResponse> answer = co_await std::move(sending);
    co_return answer;
}

net::Task<> Notifier::attempt(Message message, config::WebhookConfig webhook, std::uint64_t turn) {
    // After a stop too, what came back is written: it must not be sent again after the next start.
    co_await asio::this_coro::throw_if_cancelled(false);
    const auto attempted = std::make_shared<Attempted>();
    attempted->ticket = {message.id, turn};
    attempted->receiver = message.receiver;
    attempted->started = timers_.clock().wall_now();
    const MonoTime cause = message.cause_accepted_at;
    net::Task<Result<net::HttpClientResponse>> sending =
        send_once(std::move(message), std::move(webhook));
    const Result<net::HttpClientResponse> answer = co_await std::move(sending);
    const asio::cancellation_state stopping = co_await asio::this_coro::cancellation_state;
    if (!answer && stopping.cancelled() != asio::cancellation_type::none) {
        co_return;  // The message stays in the outbox.
    }
    attempted->outcome = judge(answer, timers_.clock().wall_now());
    if (attempted->outcome.verdict == Verdict::kDelivered && cause != MonoTime{}) {
        const std::chrono::duration<double> latency = timers_.clock().mono_now() - cause;
        metrics_.latency.Observe(latency.count());
    }
    // A full worker queue must not lose an outcome: it is tried until there is room.
    const auto take = [this, attempted] { on_attempted(*attempted); };
    for (;;) {
        net::Task<Result<void>> taking = net::offload(workers_, take);
        const Result<void> taken = co_await std::move(taking);
        if (taken || taken.error().code != Code::kResourceExhausted) {
            co_return;
        }
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(kWorkersFullWait));
        static_cast<void>(slept);
    }
}

void Notifier::on_attempted(const Attempted& attempted) {
    const MutexLock lock(mutex_);
    const Timestamp now = timers_.clock().wall_now();
    --running_[attempted.receiver];
    const auto found = outbox_.find(attempted.ticket.id);
    if (found == outbox_.end() || found->second.turn != attempted.ticket.turn) {
        pump(attempted.receiver);  // Dropped by hand while the request ran.
        return;
    }
    Message& message = found->second.message;
    const Outcome& outcome = attempted.outcome;
    ++message.attempt_count;
    message.tried_since = message.tried_since.value_or(attempted.started);
    message.attempts.push_back({attempted.started, outcome.code, outcome.error});
    if (message.attempts.size() > Message::kAttemptsKept) {
        message.attempts.erase(message.attempts.begin());
    }
    const config::WebhookConfig* webhook = webhook_of(message);
    const bool too_old = webhook == nullptr || now - *message.tried_since >= webhook->give_up_after;
    if (outcome.verdict == Verdict::kDelivered) {
        settle(message, MessageState::kDelivered, "", now);
    } else if (outcome.verdict == Verdict::kGiveUp) {
        settle(message, MessageState::kFailed, kFailedGone, now);
    } else if (too_old) {
        settle(message, MessageState::kFailed, kFailedGaveUp, now);
    } else {
        retry_message(found->second, attempted);
    }
    commit_or_log(now);
    pump(attempted.receiver);
}

void Notifier::retry_message(Pending& pending, const Attempted& attempted) {
    const Message& message = pending.message;
    const Duration wait = next_wait(message.attempt_count, attempted.outcome, random_);
    log_.warn("a message could not be delivered, it is tried again",
              {{"receiver", message.receiver},
               {"id", message.id},
               {"attempt", std::to_string(message.attempt_count)},
               {"in", format_duration(wait)},
               {"error", attempted.outcome.error}});
    save(message);
    pending.step = Step::kWaiting;
    pending.turn = next_turn_++;
    const bool spawned = tasks_.spawn("retry " + message.receiver,
                                      retry_later({message.id, pending.turn}, timers_.after(wait)));
    static_cast<void>(spawned);  // When not: stopping, and the message is in the outbox.
}

net::Task<> Notifier::retry_later(Ticket ticket, MonoTime when) {
    const Result<void> slept = co_await timers_.sleep_until(when);
    if (!slept) {
        co_return;
    }
    const auto take = [this, ticket] { on_retry_due(ticket); };
    for (;;) {
        net::Task<Result<void>> taking = net::offload(workers_, take);
        const Result<void> taken = co_await std::move(taking);
        if (taken) {
            co_return;
        }
        const Result<void> waited = co_await timers_.sleep_until(timers_.after(kWorkersFullWait));
        if (!waited) {
            co_return;
        }
    }
}

void Notifier::on_retry_due(const Ticket& ticket) {
    const MutexLock lock(mutex_);
    const auto found = outbox_.find(ticket.id);
    if (found == outbox_.end() || found->second.turn != ticket.turn) {
        return;
    }
    make_ready(found->second);
    pump(found->second.message.receiver);
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
        const Result<void> waited = co_await timers_.sleep_until(timers_.after(kWorkersFullWait));
        if (!waited) {
            co_return;
        }
    }
}

void Notifier::on_wake(Timestamp armed_for) {
    const MutexLock lock(mutex_);
    armed_.erase(armed_for);
    commit_or_log(timers_.clock().wall_now());
}

}  // namespace kpid::notify
