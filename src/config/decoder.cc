// Typed reading of nodes, each misfit recorded at its place.

#include "config/decoder.h"

#include "config/file_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace kpid::config {
namespace {

/// Records that `name` must be something else.
void wrong_kind(Context& context, const YamlNode& node, std::string_view name,
                std::string_view wanted) {
    if (node.kind == YamlKind::kNull) {
        context.error(node, "no-value", fmt::format("\"{}\" has no value", name));
        return;
    }
    context.error(node, "wrong-type",
                  fmt::format("\"{}\" must be {}, not {}", name, wanted, describe(node)));
}

/// Text, read by one of the parsers of values.h.
template <class T>
std::optional<T> read_with(Context& context, const YamlNode& node, std::string_view name,
                           std::string_view wanted, Result<T> (*parse)(std::string_view)) {
    if (node.kind != YamlKind::kScalar) {
        wrong_kind(context, node, name, wanted);
        return std::nullopt;
    }
    const auto text = context.expanded(node);
    if (!text) {
        return std::nullopt;
    }
    auto value = parse(*text);
    if (!value) {
        context.error(node, "wrong-type", fmt::format("\"{}\": {}", name, value.error().message));
        return std::nullopt;
    }
    return *value;
}

/// YAML's own words and, as Prometheus reads them, those of YAML 1.1.
Result<bool> parse_bool(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::array<std::string_view, 3> kTrue{"true", "yes", "on"};
    constexpr std::array<std::string_view, 3> kFalse{"false", "no", "off"};
    if (std::find(kTrue.begin(), kTrue.end(), lower) != kTrue.end()) {
        return true;
    }
    if (std::find(kFalse.begin(), kFalse.end(), lower) != kFalse.end()) {
        return false;
    }
    return invalid_argument(fmt::format("\"{}\" is not true or false", text));
}

Result<Duration> parse_span_in_words(std::string_view text) {
    auto span = parse_span(text);
    if (!span) {
        return invalid_argument(fmt::format("\"{}\" is not a duration such as 30s or 5m", text));
    }
    return span;
}

}  // namespace

std::string_view describe(const YamlNode& node) {
    switch (node.kind) {
        case YamlKind::kNull:
            return "nothing";
        case YamlKind::kScalar:
            return "text";
        case YamlKind::kSequence:
            return "a list";
        case YamlKind::kMap:
            return "a map";
    }
    return "nothing";
}

void Context::error(Position position, std::string id, std::string message, std::string hint) {
    errors_.add({.file = document_.file,
                 .line = position.line,
                 .column = position.column,
                 .id = std::move(id),
                 .message = std::move(message),
                 .hint = std::move(hint)});
}

void Context::warning(Position position, std::string id, std::string message, std::string hint) {
    errors_.add({.file = document_.file,
                 .line = position.line,
                 .column = position.column,
                 .severity = Severity::kWarning,
                 .id = std::move(id),
                 .message = std::move(message),
                 .hint = std::move(hint)});
}

void Context::use_file(FileUse use, std::string_view key, const std::string& path,
                       Position position) {
    used_files_.push_back({.use = use,
                           .key = std::string(key),
                           .path = path,
                           .named = document_.file,
                           .position = position});
}

void Context::not_supported_yet(Position position, std::string_view name) {
    error(position, "not-supported-yet", fmt::format("\"{}\" is not supported yet", name));
}

std::optional<std::string> Context::expanded(const YamlNode& scalar) {
    if (environment_ == nullptr || scalar.text.find('$') == std::string::npos) {
        return scalar.text;
    }
    auto text = expand_environment(scalar.text, *environment_);
    if (!text) {
        error(scalar, "environment", text.error().message,
              "set it, or give a default: ${NAME:-default}");
        return std::nullopt;
    }
    return *std::move(text);
}

Position Context::position_in(const YamlNode& scalar, std::string_view handed_out,
                              std::size_t offset) const {
    // Beyond the limit findings are only counted, so that no time goes into places for them.
    const bool is_shown = errors_.error_count() < ErrorList::kFindingsMax;
    return is_shown && handed_out == scalar.text ? position_in_scalar(document_, scalar, offset)
                                                 : scalar.position;
}

std::string Context::resolve(std::string_view path) const {
    return resolve_beside(document_.file, path);
}

std::optional<std::string> read_text(Context& context, const YamlNode& node,
                                     std::string_view name) {
    if (node.kind != YamlKind::kScalar) {
        wrong_kind(context, node, name, "text");
        return std::nullopt;
    }
    return context.expanded(node);
}

std::optional<std::string> read_raw_text(Context& context, const YamlNode& node,
                                         std::string_view name) {
    if (node.kind != YamlKind::kScalar) {
        wrong_kind(context, node, name, "text");
        return std::nullopt;
    }
    return node.text;
}

std::optional<bool> read_bool(Context& context, const YamlNode& node, std::string_view name) {
    return read_with<bool>(context, node, name, "true or false", &parse_bool);
}

std::optional<double> read_quantity(Context& context, const YamlNode& node, std::string_view name) {
    return read_with<double>(context, node, name, "a number", &parse_quantity);
}

std::optional<std::uint64_t> read_count(Context& context, const YamlNode& node,
                                        std::string_view name) {
    return read_with<std::uint64_t>(context, node, name, "a whole number", &parse_count);
}

std::optional<std::uint64_t> read_bytes(Context& context, const YamlNode& node,
                                        std::string_view name) {
    return read_with<std::uint64_t>(context, node, name, "a size", &parse_bytes);
}

std::optional<Duration> read_span(Context& context, const YamlNode& node, std::string_view name) {
    return read_with<Duration>(context, node, name, "a duration", &parse_span_in_words);
}

std::optional<std::vector<std::string>> read_texts(Context& context, const YamlNode& node,
                                                   std::string_view name) {
    if (node.kind != YamlKind::kSequence) {
        wrong_kind(context, node, name, "a list");
        return std::nullopt;
    }
    std::vector<std::string> texts;
    for (const YamlNodePtr& item : node.items) {
        auto text = read_text(context, *item, name);
        if (text) {
            texts.push_back(*std::move(text));
        }
    }
    return texts;
}

Fields::Fields(Context& context, const YamlNode& node, std::string what, Nulls nulls)
    : context_(context),
      node_(node),
      what_(std::move(what)),
      nulls_(nulls),
      is_map_(node.kind == YamlKind::kMap) {
    const bool counts_as_empty = node.kind == YamlKind::kNull && nulls == Nulls::kAbsent;
    if (!is_map_ && !counts_as_empty) {
        context_.error(node_, "wrong-type",
                       fmt::format("{} must be a map, not {}", what_, describe(node_)));
    }
}

const YamlEntry* Fields::find_entry(std::string_view key) {
    known_.emplace_back(key);
    const auto found = std::find_if(node_.entries.begin(), node_.entries.end(),
                                    [&](const YamlEntry& entry) { return entry.key == key; });
    return found == node_.entries.end() ? nullptr : &*found;
}

bool Fields::has_value(const YamlEntry& entry) {
    if (entry.value->kind != YamlKind::kNull) {
        return true;
    }
    if (nulls_ == Nulls::kRefused) {
        context_.error(entry.position, "no-value", fmt::format("\"{}\" has no value", entry.key));
    }
    return false;
}

const YamlNode* Fields::take(std::string_view key) {
    const YamlEntry* entry = find_entry(key);
    return entry != nullptr && has_value(*entry) ? entry->value.get() : nullptr;
}

const YamlNode* Fields::require(std::string_view key) {
    const YamlEntry* entry = find_entry(key);
    if (entry == nullptr) {
        if (is_map_) {
            context_.error(node_, "missing-key", fmt::format("{} needs \"{}\"", what_, key));
        }
        return nullptr;
    }
    return has_value(*entry) ? entry->value.get() : nullptr;
}

void Fields::later(std::initializer_list<std::string_view> keys) {
    for (const std::string_view key : keys) {
        if (const YamlEntry* entry = find_entry(key)) {
            context_.not_supported_yet(entry->position, key);
        }
    }
}

void Fields::later_ending(std::string_view ending) {
    for (const YamlEntry& entry : node_.entries) {
        const bool known = std::find(known_.begin(), known_.end(), entry.key) != known_.end();
        if (!known && entry.key.ends_with(ending)) {
            context_.not_supported_yet(entry.position, entry.key);
            known_.push_back(entry.key);
        }
    }
}

void Fields::finish() {
    for (const YamlEntry& entry : node_.entries) {
        if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) {
            continue;
        }
        // Beyond the limit findings are only counted, so that no time goes into hints for them.
        const bool is_shown = context_.error_count() < ErrorList::kFindingsMax;
        const std::string close = is_shown ? nearest(entry.key, known_) : std::string();
        context_.error(entry.position, "unknown-key",
                       fmt::format("unknown key \"{}\" in {}", entry.key, what_),
                       close.empty() ? std::string() : fmt::format("did you mean \"{}\"?", close));
    }
}

bool Fields::text(std::string_view key, std::string& out) {
    const YamlNode* value = take(key);
    auto read = value == nullptr ? std::nullopt : read_text(context_, *value, key);
    if (!read) {
        return false;
    }
    out = *std::move(read);
    return true;
}

bool Fields::raw_text(std::string_view key, std::string& out) {
    const YamlNode* value = take(key);
    auto read = value == nullptr ? std::nullopt : read_raw_text(context_, *value, key);
    if (!read) {
        return false;
    }
    out = *std::move(read);
    return true;
}

bool Fields::word(std::string_view key, std::string& out) {
    std::string read;
    if (!text(key, read)) {
        return false;
    }
    if (read.empty()) {
        context_.error(key_position(key), "no-value", fmt::format("\"{}\" is empty", key));
        return false;
    }
    out = std::move(read);
    return true;
}

bool Fields::path(std::string_view key, std::string& out) {
    if (!word(key, out)) {
        return false;
    }
    out = context_.resolve(out);
    return true;
}

bool Fields::used_file(std::string_view key, FileUse use, std::string& out) {
    if (!path(key, out)) {
        return false;
    }
    context_.use_file(use, key, out, node_.find(key)->position);
    return true;
}

bool Fields::boolean(std::string_view key, bool& out) {
    const YamlNode* value = take(key);
    const auto read = value == nullptr ? std::nullopt : read_bool(context_, *value, key);
    out = read.value_or(out);
    return read.has_value();
}

bool Fields::count(std::string_view key, std::uint64_t& out) {
    const YamlNode* value = take(key);
    const auto read = value == nullptr ? std::nullopt : read_count(context_, *value, key);
    out = read.value_or(out);
    return read.has_value();
}

bool Fields::bytes(std::string_view key, std::uint64_t& out) {
    const YamlNode* value = take(key);
    const auto read = value == nullptr ? std::nullopt : read_bytes(context_, *value, key);
    out = read.value_or(out);
    return read.has_value();
}

bool Fields::span(std::string_view key, Duration& out) {
    const YamlNode* value = take(key);
    const auto read = value == nullptr ? std::nullopt : read_span(context_, *value, key);
    out = read.value_or(out);
    return read.has_value();
}

bool Fields::span(std::string_view key, std::optional<Duration>& out) {
    Duration read{0};
    if (!span(key, read)) {
        return false;
    }
    out = read;
    return true;
}

bool Fields::positive_span(std::string_view key, Duration& out) {
    Duration read{0};
    if (!span(key, read)) {
        return false;
    }
    if (read <= Duration::zero()) {
        context_.error(key_position(key), "out-of-range",
                       fmt::format("\"{}\" must be above 0", key));
        return false;
    }
    out = read;
    return true;
}

bool Fields::texts(std::string_view key, std::vector<std::string>& out) {
    const YamlNode* value = take(key);
    auto read = value == nullptr ? std::nullopt : read_texts(context_, *value, key);
    if (!read) {
        return false;
    }
    out = *std::move(read);
    return true;
}

bool Fields::choice(std::string_view key, std::span<const std::string_view> words,
                    std::string& out) {
    std::string read;
    if (!text(key, read)) {
        return false;
    }
    if (std::find(words.begin(), words.end(), read) != words.end()) {
        out = std::move(read);
        return true;
    }
    const std::vector<std::string> candidates(words.begin(), words.end());
    const std::string close = nearest(read, candidates);
    context_.error(
        take(key)->position, "wrong-value",
        fmt::format("\"{}\" must be one of {}, not \"{}\"", key, fmt::join(candidates, ", "), read),
        close.empty() ? std::string() : fmt::format("did you mean \"{}\"?", close));
    return false;
}

bool Fields::url(std::string_view key, std::string& out) {
    std::string read;
    if (!word(key, read)) {
        return false;
    }
    if (const auto fits = check_url(read); !fits) {
        context_.error(take(key)->position, "url",
                       fmt::format("\"{}\": {}", key, fits.error().message));
        return false;
    }
    out = std::move(read);
    return true;
}

Position Fields::key_position(std::string_view key) const {
    const auto found = std::find_if(node_.entries.begin(), node_.entries.end(),
                                    [&](const YamlEntry& entry) { return entry.key == key; });
    return found == node_.entries.end() ? node_.position : found->position;
}

void for_each_item(Context& context, const YamlNode& node, std::string_view name,
                   const std::function<void(const YamlNode&)>& body) {
    if (node.kind != YamlKind::kSequence) {
        wrong_kind(context, node, name, "a list");
        return;
    }
    for (const YamlNodePtr& item : node.items) {
        body(*item);
    }
}

void for_each_id(Context& context, const YamlNode& node, std::string_view name,
                 const std::function<void(const YamlEntry&)>& body) {
    if (node.kind != YamlKind::kMap) {
        wrong_kind(context, node, name, "a map from id to definition");
        return;
    }
    for (const YamlEntry& entry : node.entries) {
        if (!is_id(entry.key)) {
            context.error(entry.position, "id",
                          fmt::format("\"{}\" is not an id: small letters, digits and _, a letter "
                                      "first",
                                      entry.key));
            continue;
        }
        body(entry);
    }
}

std::map<std::string, std::string> read_text_map(Context& context, const YamlNode& node,
                                                 std::string_view name, bool raw, Nulls nulls) {
    std::map<std::string, std::string> texts;
    if (node.kind != YamlKind::kMap) {
        wrong_kind(context, node, name, "a map");
        return texts;
    }
    for (const YamlEntry& entry : node.entries) {
        if (entry.value->kind == YamlKind::kNull && nulls == Nulls::kAbsent) {
            texts.emplace(entry.key, "");
            continue;
        }
        auto text = raw ? read_raw_text(context, *entry.value, entry.key)
                        : read_text(context, *entry.value, entry.key);
        if (text) {
            texts.emplace(entry.key, *std::move(text));
        }
    }
    return texts;
}

}  // namespace kpid::config
