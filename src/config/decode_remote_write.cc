// Where samples are passed on to.

#include "config/draft.h"
#include "kpid/base/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace kpid::config {
namespace {

/// Headers that the sender, the client or proxies set, in lower case.
constexpr std::array<std::string_view, 12> kReservedHeaders{"host",
                                                            "content-encoding",
                                                            "content-length",
                                                            "content-type",
                                                            "user-agent",
                                                            "connection",
                                                            "keep-alive",
                                                            "proxy-authenticate",
                                                            "proxy-authorization",
                                                            "www-authenticate",
                                                            "accept-encoding",
                                                            "x-prometheus-remote-write-version"};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

void decode_headers(Fields& fields, HttpClientOptions& out) {
    const YamlNode* node = fields.take("headers");
    if (node == nullptr) {
        return;
    }
    Context& context = fields.context();
    for (auto& [name, value] : read_text_map(context, *node, "headers", false, Nulls::kAbsent)) {
        const Position position = node->find(name)->position;
        const std::string small = lower(name);
        if (small == "authorization") {
            context.error(position, "wrong-value",
                          "authorization header must be changed via the basic_auth or "
                          "authorization parameter");
        } else if (std::find(kReservedHeaders.begin(), kReservedHeaders.end(), small) !=
                   kReservedHeaders.end()) {
            context.error(position, "wrong-value",
                          fmt::format("{} is a reserved header. It must not be changed", name));
        } else if (value.find_first_of("\r\n") != std::string::npos) {
            context.error(position, "wrong-value",
                          fmt::format("header \"{}\" holds a line break", name));
        } else {
            out.headers.emplace_back(name, std::move(value));
        }
    }
}

/// A count from 1 to `most`.
void bounded_count(Fields& fields, std::string_view key, std::uint64_t most, std::uint64_t& out) {
    std::uint64_t read = 0;
    if (!fields.count(key, read)) {
        return;
    }
    if (read == 0 || read > most) {
        fields.context().error(fields.key_position(key), "out-of-range",
                               fmt::format("\"{}\" must be from 1 to {}", key, most));
        return;
    }
    out = read;
}

void decode_queue(Context& context, const YamlNode& node, RemoteWriteQueueConfig& out) {
    Fields fields(context, node, "queue_config", Nulls::kAbsent);
    bounded_count(fields, "capacity", RemoteWriteQueueConfig::kCapacityMax, out.capacity);
    bounded_count(fields, "max_shards", RemoteWriteQueueConfig::kShardsMax, out.max_shards);
    bounded_count(fields, "min_shards", RemoteWriteQueueConfig::kShardsMax, out.min_shards);
    bounded_count(fields, "max_samples_per_send", RemoteWriteQueueConfig::kSamplesPerSendMax,
                  out.max_samples_per_send);
    fields.positive_span("batch_send_deadline", out.batch_send_deadline);
    fields.positive_span("min_backoff", out.min_backoff);
    fields.positive_span("max_backoff", out.max_backoff);
    fields.boolean("retry_on_http_429", out.retry_on_http_429);
    fields.span("sample_age_limit", out.sample_age_limit);
    fields.finish();
    if (out.min_shards > out.max_shards) {
        const bool lower_given = node.find("min_shards") != nullptr;
        context.error(fields.key_position(lower_given ? "min_shards" : "max_shards"),
                      "out-of-range",
                      fmt::format("min_shards ({}) is above max_shards ({})", out.min_shards,
                                  out.max_shards));
    }
    if (out.min_backoff > out.max_backoff) {
        const bool lower_given = node.find("min_backoff") != nullptr;
        context.error(
            fields.key_position(lower_given ? "min_backoff" : "max_backoff"), "out-of-range",
            fmt::format("min_backoff ({}) is above max_backoff ({})",
                        format_duration(out.min_backoff), format_duration(out.max_backoff)));
    }
}

void decode_metadata(Context& context, const YamlNode& node, RemoteWriteConfig& out) {
    Fields fields(context, node, "metadata_config", Nulls::kAbsent);
    fields.boolean("send", out.metadata_send);
    fields.positive_span("send_interval", out.metadata_send_interval);
    bounded_count(fields, "max_samples_per_send", RemoteWriteQueueConfig::kSamplesPerSendMax,
                  out.metadata_max_samples_per_send);
    fields.finish();
}

/// A switch whose default, off, is all there is.
void only_off(Fields& fields, std::string_view key) {
    bool on = false;
    if (fields.boolean(key, on) && on) {
        fields.context().not_supported_yet(fields.key_position(key), key);
    }
}

void decode_message(Fields& fields) {
    std::string message = "prometheus.WriteRequest";
    fields.choice("protobuf_message", {"prometheus.WriteRequest", "io.prometheus.write.v2.Request"},
                  message);
    if (message != "prometheus.WriteRequest") {
        fields.context().not_supported_yet(fields.key_position("protobuf_message"), message);
    }
}

RemoteWriteConfig decode_one(Context& context, const YamlNode& node) {
    Fields fields(context, node, "remote_write", Nulls::kAbsent);
    RemoteWriteConfig out;
    out.http.enable_http2 = false;  // Prometheus' default here.
    fields.require("url");
    fields.url("url", out.url);
    fields.word("name", out.name);
    fields.positive_span("remote_timeout", out.timeout);
    out.write_relabel_configs = decode_relabel_configs(fields, "write_relabel_configs");
    std::string send = "recorded";
    fields.choice("send", {"recorded", "ingested", "all"}, send);
    out.send = send == "all"        ? RemoteWriteSend::kAll
               : send == "ingested" ? RemoteWriteSend::kIngested
                                    : RemoteWriteSend::kRecorded;
    if (const YamlNode* queue = fields.take("queue_config")) {
        decode_queue(context, *queue, out.queue);
    }
    if (const YamlNode* metadata = fields.take("metadata_config")) {
        decode_metadata(context, *metadata, out);
    }
    decode_http_options(fields, out.http);
    decode_headers(fields, out.http);
    decode_message(fields);
    only_off(fields, "send_exemplars");
    only_off(fields, "send_native_histograms");
    only_off(fields, "round_robin_dns");
    fields.later({"sigv4", "azuread", "google_iam"});
    fields.finish();
    return out;
}

}  // namespace

std::string RemoteWriteConfig::shown_name() const {
    constexpr std::uint64_t kSixDigits = 0xffffff;
    return name.empty() ? fmt::format("{:06x}", hash_bytes(url) & kSixDigits) : name;
}

std::string RemoteWriteConfig::shown_url() const {
    const std::size_t host = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
    const std::string_view rest = std::string_view(url).substr(host);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    const std::size_t at = authority.rfind('@');
    const std::size_t user = at == std::string_view::npos ? 0 : at + 1;
    return url.substr(0, host) + std::string(rest.substr(user, rest.find_first_of("?#") - user));
}

void decode_remote_write(Draft& draft, Context& context, const YamlNode& node) {
    std::map<std::string, Position> known;
    for_each_item(context, node, "remote_write", [&](const YamlNode& item) {
        if (item.kind == YamlKind::kNull) {
            context.error(item, "no-value", "empty or null remote write config section");
            return;
        }
        RemoteWriteConfig remote = decode_one(context, item);
        if (remote.url.empty()) {
            return;
        }
        const Position place = item.find(remote.name.empty() ? "url" : "name")->position;
        const auto [first, added] = known.emplace(remote.identity(), place);
        if (!added) {
            context.error(place, "duplicate-id",
                          fmt::format("remote_write \"{}\" is defined twice, first at {}:{}:{}",
                                      remote.name.empty() ? remote.shown_url() : remote.name,
                                      context.file(), first->second.line, first->second.column),
                          remote.name.empty() ? "give each a name" : "");
            return;
        }
        draft.config.remote_writes.push_back(std::move(remote));
    });
}

}  // namespace kpid::config
