#pragma once
// Who is told: routes, receivers and Alertmanagers.

#include "config/sources.h"
#include "kpid/alerting/route.h"
#include "kpid/base/http_client_options.h"
#include "kpid/base/time.h"
#include "kpid/model/relabel.h"

#include <cstdint>
#include <string>
#include <vector>

namespace kpid::config {

/// One webhook of a receiver. Of url and url_file exactly one is set, of secret and secret_file at
/// most one. Paths are resolved; the files are read at each use.
struct WebhookConfig {
    std::string url;
    std::string url_file;
    std::string
        secret;  ///< As written: base64 of 24 to 64 bytes, with or without `whsec_`; never shown.
    std::string secret_file;
    bool send_resolved = true;
    Duration timeout = std::chrono::seconds(10);  ///< Of one attempt.
    Duration give_up_after =
        std::chrono::hours(24 * 3);  ///< Retries end this long after the first attempt.
    std::uint64_t max_alerts = 0;    ///< In one body; 0 is no bound.
    HttpClientOptions http;
    bool operator==(const WebhookConfig&) const = default;
};

struct ReceiverConfig {
    std::string name;
    std::vector<WebhookConfig> webhooks;  ///< Empty: alerts of this receiver go nowhere.
    std::string file;
    int line = 0;
};

/// An entry of `alertmanagers`, Prometheus' shape.
struct AlertmanagerConfig {
    std::vector<StaticTargets> static_configs;
    std::string scheme = "http";
    std::string path_prefix;  ///< Empty or with a leading and no trailing slash.
    Duration timeout = std::chrono::seconds(10);
    std::vector<model::RelabelConfig> relabel_configs;
    std::vector<model::RelabelConfig> alert_relabel_configs;
    HttpClientOptions http;
    bool operator==(const AlertmanagerConfig&) const = default;
};

struct AlertingConfig {
    Duration resolve_timeout = std::chrono::minutes(5);
    alerting::Route route;  ///< As written, with the defaults of `route` where it says nothing.
    alerting::RouteTree routes;  ///< The same, built, knowing every owner's receiver.
    /// In order of the file; the built-in `inbox` is among them exactly when a file defines it.
    std::vector<ReceiverConfig> receivers;
    std::vector<AlertmanagerConfig> alertmanagers;
    bool also_own = false;

    /// False when Alertmanagers take over from kpid's own receivers.
    [[nodiscard]] bool own_receivers_speak() const { return alertmanagers.empty() || also_own; }
};

}  // namespace kpid::config
