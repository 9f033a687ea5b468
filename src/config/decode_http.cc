// Prometheus' HTTP client keys, relabel rules and static targets: shapes that several sections
// share.

#include "config/draft.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::config {
namespace {

/// Plain value and file twin of a secret: at most one of them.
void decode_twins(Fields& fields, std::string_view key, std::string& plain, std::string& file) {
    const std::string file_key = fmt::format("{}_file", key);
    fields.text(key, plain);
    if (fields.used_file(file_key, FileUse::kText, file) && !plain.empty()) {
        fields.context().error(
            fields.key_position(file_key), "twins",
            fmt::format("at most one of {} and {} must be configured", key, file_key));
    }
}

void decode_basic_auth(Context& context, const YamlNode& node, HttpClientOptions& out) {
    Fields fields(context, node, "basic_auth", Nulls::kAbsent);
    HttpClientOptions::BasicAuth auth;
    decode_twins(fields, "username", auth.username, auth.username_file);
    decode_twins(fields, "password", auth.password, auth.password_file);
    fields.later({"username_ref", "password_ref"});
    fields.finish();
    out.basic_auth = std::move(auth);
}

void decode_authorization(Context& context, const YamlNode& node, HttpClientOptions& out) {
    Fields fields(context, node, "authorization", Nulls::kAbsent);
    HttpClientOptions::Authorization authorization;
    fields.word("type", authorization.type);
    decode_twins(fields, "credentials", authorization.credentials, authorization.credentials_file);
    fields.later({"credentials_ref"});
    fields.finish();
    if (authorization.type == "Basic" || authorization.type == "basic") {
        context.error(fields.key_position("type"), "wrong-value",
                      "authorization type cannot be set to \"basic\"", "use basic_auth");
    }
    out.authorization = std::move(authorization);
}

void decode_tls(Context& context, const YamlNode& node, HttpClientOptions::Tls& out) {
    Fields fields(context, node, "tls_config", Nulls::kAbsent);
    fields.used_file("ca_file", FileUse::kTls, out.ca_file);
    fields.used_file("cert_file", FileUse::kTls, out.cert_file);
    fields.used_file("key_file", FileUse::kTls, out.key_file);
    fields.text("server_name", out.server_name);
    fields.boolean("insecure_skip_verify", out.insecure_skip_verify);
    fields.later(
        {"ca", "cert", "key", "ca_ref", "cert_ref", "key_ref", "min_version", "max_version"});
    fields.finish();
    if (out.cert_file.empty() != out.key_file.empty()) {
        context.error(node, "missing-key", "cert_file and key_file go together in tls_config");
    }
}

void decode_headers(Context& context, const YamlNode& node, HttpClientOptions& out) {
    if (node.kind != YamlKind::kMap) {
        context.error(node, "wrong-type",
                      fmt::format("\"http_headers\" must be a map, not {}", describe(node)));
        return;
    }
    for (const YamlEntry& entry : node.entries) {
        Fields fields(context, *entry.value, fmt::format("http_headers \"{}\"", entry.key),
                      Nulls::kAbsent);
        for (const std::string_view key : {"values", "secrets"}) {
            std::vector<std::string> values;
            fields.texts(key, values);
            for (std::string& value : values) {
                if (value.find_first_of("\r\n") != std::string::npos) {
                    context.error(entry.position, "wrong-value",
                                  fmt::format("header \"{}\" holds a line break", entry.key));
                    continue;
                }
                out.headers.emplace_back(entry.key, std::move(value));
            }
        }
        fields.later({"files"});
        fields.finish();
    }
}

/// The old spelling of `authorization: {type: Bearer, …}`.
void decode_bearer_token(Fields& fields, HttpClientOptions& out) {
    HttpClientOptions::Authorization bearer;
    decode_twins(fields, "bearer_token", bearer.credentials, bearer.credentials_file);
    if (!bearer.credentials.empty() || !bearer.credentials_file.empty()) {
        out.authorization = std::move(bearer);
    }
}

model::RelabelConfig* add_relabel_config(Context& context, const YamlNode& node,
                                         std::vector<model::RelabelConfig>& out) {
    Fields fields(context, node, "relabel config", Nulls::kAbsent);
    model::RelabelRule rule;
    const std::size_t errors_before = context.error_count();
    fields.texts("source_labels", rule.source_labels);
    fields.text("separator", rule.separator);
    fields.text("target_label", rule.target_label);
    fields.text("regex", rule.regex);
    fields.count("modulus", rule.modulus);
    fields.raw_text("replacement", rule.replacement);
    std::string action;
    if (fields.text("action", action)) {
        const auto parsed = model::parse_relabel_action(action);
        if (!parsed) {
            context.error(fields.key_position("action"), "relabel", parsed.error().message);
        } else {
            rule.action = *parsed;
        }
    }
    fields.finish();
    if (context.error_count() != errors_before) {
        return nullptr;
    }
    auto made = model::RelabelConfig::make(std::move(rule));
    if (!made) {
        const bool about_regex = made.error().message.find("regexp") != std::string::npos;
        const YamlNode* regex = fields.take("regex");
        context.error(about_regex && regex != nullptr ? regex->position : node.position, "relabel",
                      made.error().message);
        return nullptr;
    }
    out.push_back(*std::move(made));
    return &out.back();
}

}  // namespace

void decode_http_options(Fields& fields, HttpClientOptions& out) {
    Context& context = fields.context();
    if (const YamlNode* node = fields.take("basic_auth")) {
        decode_basic_auth(context, *node, out);
    }
    if (const YamlNode* node = fields.take("authorization")) {
        decode_authorization(context, *node, out);
    }
    decode_bearer_token(fields, out);
    if (const YamlNode* node = fields.take("tls_config")) {
        decode_tls(context, *node, out.tls);
    }
    if (const YamlNode* node = fields.take("http_headers")) {
        decode_headers(context, *node, out);
    }
    fields.text("proxy_url", out.proxy_url);
    fields.boolean("follow_redirects", out.follow_redirects);
    fields.boolean("enable_http2", out.enable_http2);
    fields.later({"oauth2", "no_proxy", "proxy_from_environment", "proxy_connect_header"});
    if (out.basic_auth && out.authorization) {
        context.error(fields.node(), "twins",
                      "at most one of basic_auth, oauth2 & authorization must be configured");
    }
}

void decode_http_config(Fields& fields, HttpClientOptions& out) {
    const YamlNode* node = fields.take("http_config");
    if (node == nullptr) {
        return;
    }
    Fields options(fields.context(), *node, "http_config", Nulls::kAbsent);
    decode_http_options(options, out);
    options.finish();
}

std::vector<model::RelabelConfig> decode_relabel_configs(Fields& fields, std::string_view key) {
    std::vector<model::RelabelConfig> configs;
    if (const YamlNode* node = fields.take(key)) {
        for_each_item(fields.context(), *node, key, [&](const YamlNode& item) {
            add_relabel_config(fields.context(), item, configs);
        });
    }
    return configs;
}

model::Labels decode_labels(Fields& fields, std::string_view key) {
    Context& context = fields.context();
    const YamlNode* node = fields.take(key);
    if (node == nullptr) {
        return {};
    }
    std::vector<model::Label> labels;
    for (auto& [name, value] : read_text_map(context, *node, key, false, Nulls::kAbsent)) {
        if (name.empty()) {
            context.error(*node, "label", "a label's name is empty");
        } else {
            labels.push_back({name, value});
        }
    }
    return model::Labels::from(std::move(labels));
}

std::vector<std::string> decode_targets(Fields& fields, const YamlNode& list) {
    // What relabelling makes of a target is judged when it is scraped or sent to.
    const YamlNode* relabelling = fields.node().find("relabel_configs");
    const bool is_final = relabelling == nullptr || relabelling->items.empty();
    Context& context = fields.context();
    std::vector<std::string> targets;
    for_each_item(context, list, "targets", [&](const YamlNode& item) {
        auto text = read_text(context, item, "targets");
        if (!text) {
            return;
        }
        if (is_final && (text->empty() || text->find('/') != std::string::npos)) {
            context.error(item, "target", fmt::format("\"{}\" is not a valid hostname", *text),
                          "a target is host:port; scheme and metrics_path have keys of their own");
            return;
        }
        targets.push_back(*std::move(text));
    });
    return targets;
}

std::vector<StaticTargets> decode_static_configs(Fields& fields) {
    std::vector<StaticTargets> groups;
    const YamlNode* node = fields.take("static_configs");
    if (node == nullptr) {
        return groups;
    }
    Context& context = fields.context();
    for_each_item(context, *node, "static_configs", [&](const YamlNode& item) {
        Fields group(context, item, "static_configs", Nulls::kAbsent);
        StaticTargets targets;
        if (const YamlNode* list = group.take("targets")) {
            targets.targets = decode_targets(fields, *list);
        }
        targets.labels = decode_labels(group, "labels");
        group.finish();
        groups.push_back(std::move(targets));
    });
    return groups;
}

}  // namespace kpid::config
