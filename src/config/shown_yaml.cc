// Writes a tree as block YAML.
#include "config/shown_yaml.h"

#include "kpid/promql/printer.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace kpid::config {
namespace {

constexpr std::string_view kSecret = "<secret>";
// A key with one of these in it has a secret, unless it names a file.
constexpr std::array<std::string_view, 6> kSecretWords = {"password", "passwd",     "secret",
                                                          "token",    "credential", "api_key"};
// Whose values are secrets, whatever their keys.
constexpr std::array<std::string_view, 3> kSecretMaps = {"headers", "http_headers",
                                                         "endpoint_params"};
constexpr std::string_view kWebhooks = "webhook_configs";

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
    return std::find(words.begin(), words.end(), text) != words.end();
}

bool names_secret(std::string_view key) {
    return !key.ends_with("_file") &&
           std::any_of(kSecretWords.begin(), kSecretWords.end(), [key](std::string_view word) {
               return key.find(word) != std::string_view::npos;
           });
}

// A file's or a variable's name tells nothing.
bool is_reference(std::string_view text) {
    return text.starts_with("${") && text.ends_with('}') &&
           text.find(":-") == std::string_view::npos && text.find('}') == text.size() - 1;
}

// `scheme://user:word@host/path?query` without user and query.
std::string without_secret_parts(std::string_view text) {
    const std::size_t scheme = text.find("://");
    if (scheme == std::string_view::npos) {
        return std::string(text);
    }
    const std::size_t host = scheme + 3;
    const std::size_t path = std::min(text.find_first_of("/?#", host), text.size());
    const std::size_t user_end = text.substr(0, path).rfind('@');
    std::string shown(text.substr(0, host));
    const bool has_user = user_end != std::string_view::npos && user_end >= host;
    if (has_user) {
        shown.append(kSecret).append("@");
    }
    const std::size_t query = std::min(text.find('?', path), text.size());
    const std::size_t from = has_user ? user_end + 1 : host;
    shown += text.substr(from, query - from);
    if (query < text.size()) {
        shown.append("?").append(kSecret);
    }
    return shown;
}

// What the keys above a value say of it.
struct Surroundings {
    bool in_secret_map = false;
    bool in_webhook = false;
};

class Writer {
public:
    // The value of a key or an item, behind what stands on the line already.
    void write(const YamlNode& node, std::string_view key, std::size_t level,
               const Surroundings& around);
    [[nodiscard]] std::string take() { return std::move(out_); }

private:
    void write_map(const YamlNode& node, std::size_t level, const Surroundings& around);
    void write_list(const YamlNode& node, std::string_view key, std::size_t level,
                    const Surroundings& around);
    void write_scalar(const YamlNode& node, std::string_view key, const Surroundings& around);
    void begin_line(std::size_t level) {
        out_ += out_.empty() ? "" : "\n";
        out_.append(2 * level, ' ');
    }

    std::string out_;
    bool after_dash_ = false;
};

void Writer::write(const YamlNode& node, std::string_view key, std::size_t level,
                   const Surroundings& around) {
    switch (node.kind) {
        case YamlKind::kNull:
            out_ += " null";
            break;
        case YamlKind::kScalar:
            write_scalar(node, key, around);
            break;
        case YamlKind::kSequence:
            write_list(node, key, level, around);
            break;
        case YamlKind::kMap:
            write_map(node, level, around);
            break;
    }
}

void Writer::write_map(const YamlNode& node, std::size_t level, const Surroundings& around) {
    if (node.entries.empty()) {
        out_ += " {}";
        return;
    }
    for (const YamlEntry& entry : node.entries) {
        if (after_dash_) {
            out_ += ' ';
            after_dash_ = false;
        } else {
            begin_line(level);
        }
        const bool is_plain = std::all_of(entry.key.begin(), entry.key.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-';
        });
        if (is_plain && !entry.key.empty()) {
            out_ += entry.key;
        } else {
            out_ += promql::quote_string(entry.key);
        }
        out_ += ':';
        const Surroundings inside{
            .in_secret_map = around.in_secret_map || is_one_of(entry.key, kSecretMaps),
            .in_webhook = around.in_webhook || entry.key == kWebhooks};
        write(*entry.value, entry.key, level + 1, inside);
    }
}

void Writer::write_list(const YamlNode& node, std::string_view key, std::size_t level,
                        const Surroundings& around) {
    if (node.items.empty()) {
        out_ += " []";
        return;
    }
    for (const YamlNodePtr& item : node.items) {
        if (after_dash_) {  // a list in a list
            out_ += " -";
            after_dash_ = false;
        } else {
            begin_line(level);
            out_ += '-';
        }
        after_dash_ = item->kind == YamlKind::kMap || item->kind == YamlKind::kSequence;
        write(*item, key, level + 1, around);
        after_dash_ = false;
    }
}

void Writer::write_scalar(const YamlNode& node, std::string_view key, const Surroundings& around) {
    out_ += ' ';
    const bool is_secret =
        names_secret(key) || around.in_secret_map || (around.in_webhook && key == "url");
    if (is_secret && !is_reference(node.text)) {
        out_ += kSecret;
        return;
    }
    const bool may_be_url = key == "url" || key.ends_with("_url");
    const std::string text = may_be_url ? without_secret_parts(node.text) : node.text;
    if (node.quoted || text.find('\n') != std::string::npos) {
        out_ += promql::quote_string(text);
    } else {
        out_ += text;
    }
}

}  // namespace

std::string shown_yaml(const YamlNode& root) {
    Writer writer;
    writer.write(root, "", 0, {});
    return writer.take() + "\n";
}

}  // namespace kpid::config
