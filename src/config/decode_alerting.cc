// Alerting: routes, receivers, Alertmanagers.

#include "config/draft.h"
#include "kpid/alerting/matcher_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::config {
namespace {

void decode_alerting_global(Context& context, const YamlNode& node, AlertingConfig& out) {
    Fields fields(context, node, "alerting.global", Nulls::kAbsent);
    fields.positive_span("resolve_timeout", out.resolve_timeout);
    fields.later({"http_config",
                  "jira_api_url",
                  "mattermost_webhook_url",
                  "mattermost_webhook_url_file",
                  "opsgenie_api_key",
                  "opsgenie_api_key_file",
                  "opsgenie_api_url",
                  "pagerduty_url",
                  "rocketchat_api_url",
                  "rocketchat_token",
                  "rocketchat_token_file",
                  "rocketchat_token_id",
                  "rocketchat_token_id_file",
                  "slack_api_url",
                  "slack_api_url_file",
                  "slack_app_token",
                  "slack_app_token_file",
                  "slack_app_url",
                  "smtp_auth_identity",
                  "smtp_auth_password",
                  "smtp_auth_password_file",
                  "smtp_auth_secret",
                  "smtp_auth_secret_file",
                  "smtp_auth_username",
                  "smtp_force_implicit_tls",
                  "smtp_from",
                  "smtp_hello",
                  "smtp_require_tls",
                  "smtp_smarthost",
                  "smtp_tls_config",
                  "telegram_api_url",
                  "telegram_bot_token",
                  "telegram_bot_token_file",
                  "victorops_api_key",
                  "victorops_api_key_file",
                  "victorops_api_url",
                  "webex_api_url",
                  "wechat_api_corp_id",
                  "wechat_api_secret",
                  "wechat_api_secret_file",
                  "wechat_api_url"});
    fields.finish();
}

// Routes.

void add_matchers(Context& context, const YamlNode& node, std::vector<model::Matcher>& out) {
    const auto text = read_text(context, node, "matchers");
    if (!text) {
        return;
    }
    auto parsed = alerting::parse_matchers(*text);
    if (!parsed) {
        context.error(node, "matcher", fmt::format("bad matcher: {}", parsed.error().message));
        return;
    }
    out.insert(out.end(), parsed->begin(), parsed->end());
}

/// Alertmanager's older spellings: `match: {a: b}` and `match_re: {a: b.*}`.
void decode_match_map(Fields& fields, std::string_view key, model::MatchType type,
                      std::vector<model::Matcher>& out) {
    const YamlNode* node = fields.take(key);
    if (node == nullptr) {
        return;
    }
    Context& context = fields.context();
    for (const auto& [name, value] : read_text_map(context, *node, key, false, Nulls::kAbsent)) {
        auto made = model::Matcher::make(type, name, value);
        if (made) {
            out.push_back(*std::move(made));
        } else {
            context.error(*node->find(name), "matcher",
                          fmt::format("bad matcher: {}", made.error().message));
        }
    }
}

void decode_immediate(Fields& fields, alerting::Route& route) {
    const YamlNode* node = fields.take("immediate");
    if (node == nullptr) {
        return;
    }
    alerting::Immediate immediate{.escalation = false, .all_clear = false};
    Context& context = fields.context();
    for_each_item(context, *node, "immediate", [&](const YamlNode& item) {
        const auto word = read_text(context, item, "immediate");
        if (!word) {
            return;
        }
        if (*word == "escalation") {
            immediate.escalation = true;
        } else if (*word == "all_clear") {
            immediate.all_clear = true;
        } else {
            context.error(
                item, "wrong-value",
                fmt::format("\"immediate\" takes escalation and all_clear, not \"{}\"", *word));
        }
    });
    route.immediate = immediate;
}

void decode_group_by(Fields& fields, alerting::Route& route) {
    std::vector<std::string> labels;
    if (!fields.texts("group_by", labels)) {
        return;
    }
    std::vector<std::string> sorted = labels;
    std::sort(sorted.begin(), sorted.end());
    const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
    const Position position = fields.key_position("group_by");
    if (twice != sorted.end()) {
        fields.context().error(position, "duplicate-id",
                               fmt::format("duplicated label \"{}\" in group_by", *twice));
    }
    if (labels.size() > 1 && std::find(labels.begin(), labels.end(), "...") != labels.end()) {
        fields.context().error(position, "wrong-value",
                               "cannot have wildcard group_by (`...`) and other labels at the same "
                               "time");
    }
    route.group_by = std::move(labels);
}

alerting::Route decode_route(Draft& draft, Context& context, const YamlNode& node, bool is_root) {
    Fields fields(context, node, "route", Nulls::kAbsent);
    alerting::Route route;
    if (fields.word("receiver", route.receiver)) {
        draft.refer(Reference::Kind::kReceiver, route.receiver, context,
                    fields.take("receiver")->position);
    }
    if (const YamlNode* matchers = fields.take("matchers")) {
        for_each_item(context, *matchers, "matchers",
                      [&](const YamlNode& item) { add_matchers(context, item, route.matchers); });
    }
    decode_match_map(fields, "match", model::MatchType::kEqual, route.matchers);
    decode_match_map(fields, "match_re", model::MatchType::kRegexp, route.matchers);
    fields.boolean("continue", route.continues);
    decode_group_by(fields, route);
    fields.span("group_wait", route.group_wait);
    fields.span("group_interval", route.group_interval);
    fields.span("repeat_interval", route.repeat_interval);
    decode_immediate(fields, route);
    if (const YamlNode* routes = fields.take("routes")) {
        for_each_item(context, *routes, "routes", [&](const YamlNode& item) {
            route.routes.push_back(decode_route(draft, context, item, false));
        });
    }
    fields.later({"mute_time_intervals", "active_time_intervals", "repeat_backoff"});
    fields.finish();
    if (is_root && !route.matchers.empty()) {
        context.error(node, "route", "root route must not have any matchers");
    }
    if (is_root && route.continues) {
        context.error(fields.key_position("continue"), "route",
                      "cannot have continue in root route");
    }
    return route;
}

// Receivers.

WebhookConfig decode_webhook(Context& context, const YamlNode& node) {
    Fields fields(context, node, "webhook_configs", Nulls::kAbsent);
    WebhookConfig webhook;
    const bool has_url = fields.url("url", webhook.url);
    const bool has_url_file = fields.used_file("url_file", FileUse::kUrl, webhook.url_file);
    const bool names_url = node.find("url") != nullptr || node.find("url_file") != nullptr;
    if (has_url && has_url_file) {
        context.error(fields.key_position("url_file"), "twins",
                      "at most one of url & url_file must be configured");
    } else if (!names_url && node.kind == YamlKind::kMap) {
        context.error(node, "missing-key", "one of url or url_file must be configured");
    }
    const bool has_secret = fields.word("secret", webhook.secret);
    if (has_secret) {
        if (const auto fits = check_secret(webhook.secret); !fits) {
            context.error(*fields.take("secret"), "secret", fits.error().message);
        }
    }
    if (fields.used_file("secret_file", FileUse::kSigningSecret, webhook.secret_file) &&
        has_secret) {
        context.error(fields.key_position("secret_file"), "twins",
                      "at most one of secret & secret_file must be configured");
    }
    fields.boolean("send_resolved", webhook.send_resolved);
    fields.positive_span("timeout", webhook.timeout);
    fields.positive_span("give_up_after", webhook.give_up_after);
    fields.count("max_alerts", webhook.max_alerts);
    decode_http_config(fields, webhook.http);
    fields.finish();
    return webhook;
}

ReceiverConfig decode_receiver(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "receiver", Nulls::kAbsent);
    ReceiverConfig receiver;
    receiver.file = context.file();
    receiver.line = node.position.line;
    const YamlNode* name = fields.require("name");
    if (fields.word("name", receiver.name)) {
        if (receiver.name == alerting::kOwnerReceiver) {
            context.error(
                *name, "receiver",
                "a receiver cannot be named \"owner\": the word means the receiver of the "
                "alert's owner");
        }
        draft.define(draft.receivers, "receiver", receiver.name, context, name->position);
    }
    if (const YamlNode* webhooks = fields.take("webhook_configs")) {
        for_each_item(context, *webhooks, "webhook_configs", [&](const YamlNode& item) {
            receiver.webhooks.push_back(decode_webhook(context, item));
        });
    }
    fields.later({"fallback", "fallback_after", "concurrency", "rate", "max_per_hour"});
    fields.later({"discord_configs", "email_configs", "incidentio_configs", "jira_configs",
                  "mattermost_configs", "msteams_configs", "msteamsv2_configs", "opsgenie_configs",
                  "pagerduty_configs", "pushover_configs", "rocketchat_configs", "slack_configs",
                  "sns_configs", "telegram_configs", "victorops_configs", "webex_configs",
                  "wechat_configs"});
    fields.finish();
    return receiver;
}

// Alertmanagers.

AlertmanagerConfig decode_alertmanager(Context& context, const YamlNode& node) {
    Fields fields(context, node, "alertmanagers", Nulls::kAbsent);
    AlertmanagerConfig peer;
    peer.static_configs = decode_static_configs(fields);
    fields.choice("scheme", {"http", "https"}, peer.scheme);
    if (fields.text("path_prefix", peer.path_prefix)) {
        while (peer.path_prefix.ends_with('/')) {
            peer.path_prefix.pop_back();
        }
        if (!peer.path_prefix.empty() && peer.path_prefix.front() != '/') {
            peer.path_prefix.insert(0, "/");
        }
    }
    std::string version;
    if (fields.text("api_version", version) && version != "v2") {
        context.error(*fields.take("api_version"), "wrong-value",
                      fmt::format("\"api_version\" must be v2, not \"{}\"", version));
    }
    fields.positive_span("timeout", peer.timeout);
    peer.relabel_configs = decode_relabel_configs(fields, "relabel_configs");
    peer.alert_relabel_configs = decode_relabel_configs(fields, "alert_relabel_configs");
    decode_http_options(fields, peer.http);
    fields.later({"sigv4"});
    fields.later_ending("_sd_configs");
    fields.finish();
    return peer;
}

}  // namespace

void decode_alerting(Draft& draft, Context& context, const YamlNode& node) {
    Fields fields(context, node, "alerting", Nulls::kAbsent);
    AlertingConfig& alerting = draft.config.alerting;
    if (const YamlNode* global = fields.take("global")) {
        decode_alerting_global(context, *global, alerting);
    }
    if (const YamlNode* receivers = fields.take("receivers")) {
        for_each_item(context, *receivers, "receivers", [&](const YamlNode& item) {
            alerting.receivers.push_back(decode_receiver(draft, context, item));
        });
    }
    if (const YamlNode* route = fields.take("route")) {
        alerting.route = decode_route(draft, context, *route, true);
        // Limits of the tree are its own to judge; owners' receivers come with the finished draft.
        if (const auto tree = alerting::RouteTree::build(alerting.route);
            !tree && draft.errors.error_count() == 0) {
            context.error(*route, "route", tree.error().message);
        }
    }
    if (const YamlNode* peers = fields.take("alertmanagers")) {
        for_each_item(context, *peers, "alertmanagers", [&](const YamlNode& item) {
            alerting.alertmanagers.push_back(decode_alertmanager(context, item));
        });
    }
    fields.boolean("also_own", alerting.also_own);
    fields.later({"config_file", "inhibit_rules", "time_intervals", "mute_time_intervals",
                  "silences", "heartbeat", "canary", "templates", "tracing",
                  "alert_relabel_configs"});
    fields.finish();
}

}  // namespace kpid::config
