// Queues and posts per Alertmanager.
#include "notify/alertmanager_sender.h"

#include "kpid/alerting/alertmanager_body.h"
#include "notify/alert_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace kpid::notify {

// One Alertmanager. Guarded by the sender's mutex but for what is constant.
struct AlertmanagerSender::Peer {
    std::string url;
    config::AlertmanagerConfig config;
    AlertQueue queue;
    bool posting = false;
    bool retired = false;
};

namespace {

constexpr std::size_t kResponseBytesMax = std::size_t{64} << 10U;
constexpr Duration kWorkersFullWait = std::chrono::milliseconds(10);

struct PeerAddress {
    std::string url;
    config::AlertmanagerConfig config;
};

std::vector<PeerAddress> peer_addresses(const config::Config& config) {
    std::vector<PeerAddress> addresses;
    for (const config::AlertmanagerConfig& alertmanager : config.alerting.alertmanagers) {
        for (const config::StaticTargets& targets : alertmanager.static_configs) {
            for (const std::string& target : targets.targets) {
                model::LabelsBuilder labels(targets.labels);
                labels.set("__address__", target).set("__scheme__", alertmanager.scheme);
                labels.set("__alerts_path__", alertmanager.path_prefix + "/api/v2/alerts");
                const auto relabelled =
                    model::relabel(labels.build(), alertmanager.relabel_configs);
                if (relabelled && relabelled->has("__address__")) {
                    addresses.push_back({fmt::format("{}://{}{}", relabelled->get("__scheme__"),
                                                     relabelled->get("__address__"),
                                                     relabelled->get("__alerts_path__")),
                                         alertmanager});
                }
            }
        }
    }
    return addresses;
}

}  // namespace

std::vector<std::string> alertmanager_urls(const config::Config& config) {
    std::vector<std::string> urls;
    for (PeerAddress& address : peer_addresses(config)) {
        urls.push_back(std::move(address.url));
    }
    return urls;
}

AlertmanagerSender::AlertmanagerSender(net::Strand strand, net::HttpClient& client,
                                       net::Timers& timers, net::WorkerPool& workers,
                                       Metrics& metrics, Logger log)
    : client_(client),
      timers_(timers),
      workers_(workers),
      metrics_(metrics),
      log_(std::move(log)),
      tasks_(std::move(strand), log_) {
}

void AlertmanagerSender::start() {
    tasks_.spawn("alertmanager resend", resend_loop());
}

void AlertmanagerSender::stop() {
    tasks_.stop();
}

net::Task<bool> AlertmanagerSender::join(MonoTime deadline) {
    const bool joined = co_await tasks_.join(timers_, deadline);
    co_return joined;
}

void AlertmanagerSender::reconfigure(const config::Config& config) {
    const std::vector<PeerAddress> addresses = peer_addresses(config);
    const MutexLock lock(mutex_);
    external_labels_ = config.global.external_labels;
    firing_until_ = 4 * std::max(config.global.evaluation_interval, kResendDelay);
    std::set<std::string> wanted;
    for (const PeerAddress& address : addresses) {
        wanted.insert(address.url);
        auto& peer = peers_[address.url];
        const bool fresh = peer == nullptr;
        if (fresh || !(peer->config == address.config)) {
            auto replacement = std::make_shared<Peer>();
            replacement->url = address.url;
            replacement->config = address.config;
            if (!fresh) {
                peer->retired = true;
            }
            peer = std::move(replacement);
            metrics_.alertmanager_sent.Add({{"alertmanager", address.url}});
            metrics_.alertmanager_errors.Add({{"alertmanager", address.url}});
            metrics_.alertmanager_dropped.Add({{"alertmanager", address.url}});
        }
    }
    for (auto it = peers_.begin(); it != peers_.end();) {
        if (wanted.contains(it->first)) {
            ++it;
        } else {
            it->second->retired = true;
            it = peers_.erase(it);
        }
    }
    // A new peer knows nothing: everything is posted again.
    ++submissions_;
    for (const auto& [fingerprint, known] : known_) {
        enqueue(fingerprint, known.alert, submissions_);
    }
}

void AlertmanagerSender::submit(Timestamp now, std::span<const alerting::Alert> alerts) {
    const MutexLock lock(mutex_);
    ++submissions_;
    for (const alerting::Alert& alert : alerts) {
        const std::string fingerprint = alert.fingerprint();
        known_[fingerprint] = {alert, now};
        enqueue(fingerprint, alert, submissions_);
    }
}

std::vector<alerting::Alert> AlertmanagerSender::firing() const {
    std::vector<alerting::Alert> alerts;
    const MutexLock lock(mutex_);
    for (const auto& [fingerprint, known] : known_) {
        if (known.alert.firing()) {
            alerts.push_back(known.alert);
        }
    }
    return alerts;
}

void AlertmanagerSender::enqueue(const std::string& fingerprint, const alerting::Alert& alert,
                                 std::uint64_t submission) {
    for (auto& [url, peer] : peers_) {
        const std::size_t dropped = peer->queue.push(fingerprint, alert, submission);
        if (dropped > 0) {
            metrics_.alertmanager_dropped.Add({{"alertmanager", url}})
                .Increment(static_cast<double>(dropped));
        }
        if (!peer->posting) {
            peer->posting = tasks_.spawn("alertmanager post", post_loop(peer));
        }
    }
}

net::Task<> AlertmanagerSender::resend_loop() {
    for (;;) {
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(kResendCheck));
        if (!slept) {
            co_return;
        }
        // When the workers are too busy, the next round makes up for this one.
        const Result<void> done = co_await net::offload(workers_, [this] { resend(); });
        static_cast<void>(done);
    }
}

void AlertmanagerSender::resend() {
    const Timestamp now = timers_.clock().wall_now();
    const MutexLock lock(mutex_);
    ++submissions_;
    for (auto it = known_.begin(); it != known_.end();) {
        Known& known = it->second;
        if (!known.alert.firing() && now - known.alert.ends_at > kEndedRetention) {
            it = known_.erase(it);
            continue;
        }
        if (now - known.last_queued >= kResendDelay) {
            known.last_queued = now;
            enqueue(it->first, known.alert, submissions_);
        }
        ++it;
    }
}

std::optional<AlertmanagerSender::Post> AlertmanagerSender::next_post(Peer& peer) {
    std::vector<alerting::Alert> batch;
    {
        const MutexLock lock(mutex_);
        if (!peer.retired) {
            batch = peer.queue.take();
        }
        if (batch.empty()) {
            peer.posting = false;
            return std::nullopt;
        }
    }
    return make_post(peer, std::move(batch));
}

AlertmanagerSender::Post AlertmanagerSender::make_post(const Peer& peer,
                                                       std::vector<alerting::Alert> alerts) const {
    model::Labels external_labels;
    Duration firing_until{0};
    {
        const MutexLock lock(mutex_);
        external_labels = external_labels_;
        firing_until = firing_until_;
    }
    std::vector<alerting::Alert> sent;
    for (alerting::Alert& alert : alerts) {
        // Prometheus relabels with the external labels in place.
        model::LabelsBuilder labels(alert.labels);
        for (const model::Label& label : external_labels) {
            if (labels.get(label.name).empty()) {
                labels.set(label.name, label.value);
            }
        }
        const auto relabelled = model::relabel(labels.build(), peer.config.alert_relabel_configs);
        if (relabelled) {
            alert.labels = *relabelled;
            sent.push_back(std::move(alert));
        }
    }
    Post post{.alerts = sent.size(),
              .request = {.method = "POST",
                          .url = peer.url,
                          .options = peer.config.http,
                          .timeout = peer.config.timeout,
                          .response_bytes_max = kResponseBytesMax}};
    post.request.headers.set(net::header::kContentType, net::media_type::kJson);
    post.request.body = alerting::alertmanager_body(
        sent, {.firing_until = timers_.clock().wall_now() + firing_until});
    return post;
}

net::Task<> AlertmanagerSender::post_loop(std::shared_ptr<Peer> peer) {
    for (;;) {
        // GCC 12 destroys a closure twice that is a temporary of the co_await expression.
        const auto make_next = [this, peer] { return next_post(*peer); };
        net::Task<Result<std::optional<Post>>> making = net::offload(workers_, make_next);
        Result<std::optional<Post>> post = co_await std::move(making);
        if (!post) {
            const Result<void> slept =
                co_await timers_.sleep_until(timers_.after(kWorkersFullWait));
            if (!slept) {
                co_return;
            }
            continue;
        }
        if (!post->has_value()) {
            co_return;
        }
        const std::size_t alerts = (*post)->alerts;
        if (alerts == 0) {
            continue;
        }
        net::Task<Result<net::HttpClientResponse>> sending =
            client_.send(std::move((*post)->request));
        const Result<net::HttpClientResponse> answer = co_await std::move(sending);
        note_answer(*peer, alerts, answer);
    }
}

void AlertmanagerSender::note_answer(const Peer& peer, std::size_t alerts,
                                     const Result<net::HttpClientResponse>& answer) {
    if (answer && answer->status >= 200 && answer->status < 300) {
        metrics_.alertmanager_sent.Add({{"alertmanager", peer.url}})
            .Increment(static_cast<double>(alerts));
        return;
    }
    if (!answer && answer.error().code == Code::kCancelled) {
        return;  // Stopping.
    }
    metrics_.alertmanager_errors.Add({{"alertmanager", peer.url}}).Increment();
    const std::string error =
        answer ? fmt::format("it answered {}: {}", answer->status, answer->body.substr(0, 200))
               : answer.error().message;
    log_.warn("an Alertmanager did not take alerts",
              {{"alertmanager", peer.url}, {"alerts", std::to_string(alerts)}, {"error", error}});
}

}  // namespace kpid::notify
