#pragma once
// Reads typed values from YAML nodes; what does not fit is recorded, and reading goes on.

#include "config/findings.h"
#include "config/load.h"
#include "config/used_files.h"
#include "config/values.h"
#include "config/yaml_reader.h"
#include "kpid/base/time.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::config {

/// The file that is being decoded. Borrows all it is given.
class Context {
public:
    /// `environment` null: `$` has no meaning in this file.
    Context(const YamlDocument& document, ErrorList& errors, std::vector<UsedFile>& used_files,
            const std::function<std::optional<std::string>(const std::string&)>* environment)
        : document_(document),
          errors_(errors),
          used_files_(used_files),
          environment_(environment) {}

    void error(Position position, std::string id, std::string message, std::string hint = {});
    void error(const YamlNode& node, std::string id, std::string message, std::string hint = {}) {
        error(node.position, std::move(id), std::move(message), std::move(hint));
    }
    void warning(Position position, std::string id, std::string message, std::string hint = {});
    /// Notes a file that is judged when all is read.
    void use_file(FileUse use, std::string_view key, const std::string& path, Position position);
    /// `"<name>" is not supported yet`.
    void not_supported_yet(Position position, std::string_view name);

    /// The scalar's text with the environment read; nothing, and an error, when a variable is not
    /// set.
    [[nodiscard]] std::optional<std::string> expanded(const YamlNode& scalar);
    /// The place of byte `offset` of the scalar's text as it was handed out; the scalar's own when
    /// the environment changed it.
    [[nodiscard]] Position position_in(const YamlNode& scalar, std::string_view handed_out,
                                       std::size_t offset) const;

    [[nodiscard]] const std::string& file() const { return document_.file; }
    [[nodiscard]] std::size_t error_count() const { return errors_.error_count(); }
    /// A path of this file: as it is when absolute, else beside it.
    [[nodiscard]] std::string resolve(std::string_view path) const;

private:
    const YamlDocument& document_;
    ErrorList& errors_;
    std::vector<UsedFile>& used_files_;
    const std::function<std::optional<std::string>(const std::string&)>* environment_;
};

/// "text", "a list", "a map", "nothing": for messages.
[[nodiscard]] std::string_view describe(const YamlNode& node);

/// Each reads one node, or records an error that calls it `name` and gives back nothing.
[[nodiscard]] std::optional<std::string> read_text(Context& context, const YamlNode& node,
                                                   std::string_view name);
/// Without the environment: templates and replacements.
[[nodiscard]] std::optional<std::string> read_raw_text(Context& context, const YamlNode& node,
                                                       std::string_view name);
[[nodiscard]] std::optional<bool> read_bool(Context& context, const YamlNode& node,
                                            std::string_view name);
[[nodiscard]] std::optional<double> read_quantity(Context& context, const YamlNode& node,
                                                  std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> read_count(Context& context, const YamlNode& node,
                                                      std::string_view name);
[[nodiscard]] std::optional<std::uint64_t> read_bytes(Context& context, const YamlNode& node,
                                                      std::string_view name);
/// From 0.
[[nodiscard]] std::optional<Duration> read_span(Context& context, const YamlNode& node,
                                                std::string_view name);
[[nodiscard]] std::optional<std::vector<std::string>> read_texts(Context& context,
                                                                 const YamlNode& node,
                                                                 std::string_view name);

/// What null stands for: in Prometheus' own sections it is as good as absent.
enum class Nulls { kRefused, kAbsent };

/// The keys of one map. Ask for every key that may stand there, then call finish(), which refuses
/// the rest.
///
///     Fields fields(context, node, "source \"shop\"");
///     fields.span("interval", source.interval);
///     fields.later({"valid_for"});
///     fields.finish();
class Fields {
public:
    /// Records an error and acts as an empty map when the node is none. `what` names the map in
    /// messages.
    Fields(Context& context, const YamlNode& node, std::string what, Nulls nulls = Nulls::kRefused);

    /// The value, or nullptr when the key is absent; from here on the key is known.
    const YamlNode* take(std::string_view key);
    /// The same; records an error when it is absent.
    const YamlNode* require(std::string_view key);
    /// Makes a key known that is read elsewhere.
    void allow(std::string_view key) { known_.emplace_back(key); }
    /// Keys of the language that are not built yet: each that stands there is an error of its own.
    void later(std::initializer_list<std::string_view> keys);
    /// Every key with this ending is not built yet.
    void later_ending(std::string_view ending);
    /// Each key that was not asked for is an error with the nearest known one.
    void finish();

    // Each sets `out` when the key stands there and fits; true then.
    bool text(std::string_view key, std::string& out);
    bool raw_text(std::string_view key, std::string& out);
    /// Text that may not be empty.
    bool word(std::string_view key, std::string& out);
    /// A path, resolved beside the file.
    bool path(std::string_view key, std::string& out);
    /// The path of a file that is read when it is used.
    bool used_file(std::string_view key, FileUse use, std::string& out);
    bool boolean(std::string_view key, bool& out);
    bool count(std::string_view key, std::uint64_t& out);
    bool bytes(std::string_view key, std::uint64_t& out);
    bool span(std::string_view key, Duration& out);
    bool span(std::string_view key, std::optional<Duration>& out);
    /// A span above 0.
    bool positive_span(std::string_view key, Duration& out);
    bool texts(std::string_view key, std::vector<std::string>& out);
    /// One of these words.
    bool choice(std::string_view key, std::span<const std::string_view> words, std::string& out);
    bool choice(std::string_view key, std::initializer_list<std::string_view> words,
                std::string& out) {
        return choice(key, std::span(words.begin(), words.size()), out);
    }
    bool url(std::string_view key, std::string& out);

    [[nodiscard]] Context& context() { return context_; }
    [[nodiscard]] const YamlNode& node() const { return node_; }
    [[nodiscard]] const std::string& what() const { return what_; }
    /// Where a key stands; the map's own place when it does not.
    [[nodiscard]] Position key_position(std::string_view key) const;

private:
    const YamlEntry* find_entry(std::string_view key);
    /// False for a null that is refused (recorded) or absent.
    bool has_value(const YamlEntry& entry);

    Context& context_;
    const YamlNode& node_;
    std::string what_;
    Nulls nulls_;
    bool is_map_;
    std::vector<std::string> known_;
    std::vector<std::string> later_endings_;
};

/// Calls `body` with each item of a list; records an error when the node is none.
void for_each_item(Context& context, const YamlNode& node, std::string_view name,
                   const std::function<void(const YamlNode&)>& body);
/// Calls `body` with each entry of a map from ids; records an error when the node is none, and for
/// keys that are no ids (these are left out).
void for_each_id(Context& context, const YamlNode& node, std::string_view name,
                 const std::function<void(const YamlEntry&)>& body);

/// A map of text to text with the keys as they are. `raw`: without the environment.
[[nodiscard]] std::map<std::string, std::string> read_text_map(Context& context,
                                                               const YamlNode& node,
                                                               std::string_view name, bool raw,
                                                               Nulls nulls = Nulls::kRefused);

}  // namespace kpid::config
