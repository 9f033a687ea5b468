#pragma once
// YAML text as a tree of our own, with the place of everything in it.

#include "config/findings.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::config {

enum class YamlKind { kNull, kScalar, kSequence, kMap };

struct YamlNode;
/// Shared, because an alias is the same node again. Never changed after reading.
using YamlNodePtr = std::shared_ptr<const YamlNode>;

/// One key of a map.
struct YamlEntry {
    std::string key;
    Position position;  ///< Of the key.
    YamlNodePtr value;
};

/// A value. Scalars stay text: what `on` or `1:30` means is decided by who reads it.
struct YamlNode {
    YamlKind kind = YamlKind::kNull;
    Position position;
    std::string text;     ///< kScalar: with quotes and folding undone.
    bool quoted = false;  ///< kScalar: written with quotes, as a block, or tagged `!!str`.
    std::vector<YamlNodePtr> items;  ///< kSequence.
    std::vector<YamlEntry> entries;  ///< kMap: in order, keys unique, `<<` expanded.
    std::size_t weight =
        1;           ///< How many nodes stand below and in this one, aliases counted as copies.
    int height = 1;  ///< 1 for a scalar, else 1 + the largest of the children's.

    /// The value of a key, or nullptr.
    [[nodiscard]] const YamlNode* find(std::string_view key) const;
};

struct YamlLimits {
    int depth_max = 100;
    std::size_t nodes_max = 200'000;  ///< Aliases count as copies of what they name.
};

/// A file and its tree.
struct YamlDocument {
    std::string file;
    std::string text;
    YamlNodePtr root;  ///< Never null; kNull for a file without content.
};

/// Reads one document. What is wrong goes to `errors`: syntax, a second document, duplicate keys,
/// keys that are no text, bytes that are no UTF-8 or control characters, limits. Nothing is
/// returned when there is no tree to go on with; after duplicate keys there is (the first one
/// counts). Never throws.
[[nodiscard]] std::shared_ptr<const YamlDocument> read_yaml(std::string file, std::string text,
                                                            ErrorList& errors,
                                                            const YamlLimits& limits = {});

/// The place of byte `offset` of a scalar's value in the file, seen through quotes, escapes and
/// block indentation; the scalar's own place when it cannot be told.
[[nodiscard]] Position position_in_scalar(const YamlDocument& document, const YamlNode& scalar,
                                          std::size_t offset);

}  // namespace kpid::config
