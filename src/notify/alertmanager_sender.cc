// Queues and posts per Alertmanager.
#include "notify/alertmanager_sender.h"

#include "kpid/alerting/alertmanager_body.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

namespace kpid::notify {

// One Alertmanager. Guarded by the sender's mutex but for what is constant.
struct AlertmanagerSender::Peer {
    std::string url;
    config::AlertmanagerConfig config;
    // In order of arrival; a newer state of an alert that waits takes its place.
    std::deque<std::pair<std::string, alerting::Alert>> queue;
    bool posting = false;
    bool retired = false;
};

namespace {

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

AlertmanagerSender::AlertmanagerSender(net::Strand strand, net::HttpClient& client,
                                       net::Timers& timers, Metrics& metrics, Logger log)
    : client_(client),
      timers_(timers),
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
    for (auto& [fingerprint, known] : known_) {
        enqueue(fingerprint, known.alert);
    }
}

void AlertmanagerSender::submit(Timestamp now, std::span<const alerting::Alert> alerts) {
    const MutexLock lock(mutex_);
    for (const alerting::Alert& alert : alerts) {
        const std::string fingerprint = alert.fingerprint();
        known_[fingerprint] = {alert, now};
        enqueue(fingerprint, alert);
    }
}

void AlertmanagerSender::enqueue(const std::string& fingerprint, const alerting::Alert& alert) {
    for (auto& [url, peer] : peers_) {
        const auto waiting =
            std::find_if(peer->queue.begin(), peer->queue.end(),
                         [&](const auto& entry) { return entry.first == fingerprint; });
        if (waiting != peer->queue.end()) {
            waiting->second = alert;
        } else {
            peer->queue.emplace_back(fingerprint, alert);
        }
        if (peer->queue.size() > kQueueMax) {
            peer->queue.pop_front();
            metrics_.alertmanager_dropped.Add({{"alertmanager", url}}).Increment();
        }
        if (!peer->posting) {
            peer->posting = true;
            if (!tasks_.spawn("alertmanager post", post_loop(peer))) {
                peer->posting = false;
            }
        }
    }
}

net::Task<> AlertmanagerSender::resend_loop() {
    for (;;) {
        const Result<void> slept = co_await timers_.sleep_until(timers_.after(kResendDelay / 4));
        if (!slept) {
            co_return;
        }
        resend();
    }
}

void AlertmanagerSender::resend() {
    const Timestamp now = timers_.clock().wall_now();
    const MutexLock lock(mutex_);
    for (auto it = known_.begin(); it != known_.end();) {
        Known& known = it->second;
        if (!known.alert.firing() && now - known.alert.ends_at > kEndedRetention) {
            it = known_.erase(it);
            continue;
        }
        if (now - known.last_queued >= kResendDelay) {
            known.last_queued = now;
            enqueue(it->first, known.alert);
        }
        ++it;
    }
}

std::vector<alerting::Alert> AlertmanagerSender::take_batch(Peer& peer) {
    const MutexLock lock(mutex_);
    std::vector<alerting::Alert> batch;
    while (!peer.retired && !peer.queue.empty() && batch.size() < kBatchMax) {
        batch.push_back(std::move(peer.queue.front().second));
        peer.queue.pop_front();
    }
    if (batch.empty()) {
        peer.posting = false;
    }
    return batch;
}

net::HttpClientRequest AlertmanagerSender::make_request(
    const Peer& peer, std::span<const alerting::Alert> alerts) const {
    model::Labels external_labels;
    Duration firing_until{0};
    {
        const MutexLock lock(mutex_);
        external_labels = external_labels_;
        firing_until = firing_until_;
    }
    std::vector<alerting::Alert> sent;
    for (alerting::Alert alert : alerts) {
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
    net::HttpClientRequest request{.method = "POST",
                                   .url = peer.url,
                                   .options = peer.config.http,
                                   .timeout = peer.config.timeout,
                                   .response_bytes_max = 64 * 1024};
    request.headers.set(net::header::kContentType, net::media_type::kJson);
    request.body = alerting::alertmanager_body(
        sent, {.firing_until = timers_.clock().wall_now() + firing_until});
    return request;
}

net::Task<> AlertmanagerSender::post_loop(std::shared_ptr<Peer> peer) {
    for (;;) {
        const std::vector<alerting::Alert> batch = take_batch(*peer);
        if (batch.empty()) {
            co_return;
        }
        net::HttpClientRequest request = make_request(*peer, batch);
        const Result<net::HttpClientResponse> answer = co_await client_.send(std::move(request));
        if (answer && answer->status >= 200 && answer->status < 300) {
            metrics_.alertmanager_sent.Add({{"alertmanager", peer->url}})
                .Increment(static_cast<double>(batch.size()));
            continue;
        }
        metrics_.alertmanager_errors.Add({{"alertmanager", peer->url}}).Increment();
        log_.warn("an Alertmanager did not take alerts",
                  {{"alertmanager", peer->url},
                   {"alerts", std::to_string(batch.size())},
                   {"error", answer ? fmt::format("it answered {}: {}", answer->status,
                                                  answer->body.substr(0, 200))
                                    : answer.error().message}});
    }
}

}  // namespace kpid::notify
