// The adapter of yaml-cpp: events in, our own tree out.

#include "config/yaml_reader.h"

#include "config/yaml_text.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

namespace kpid::config {
namespace {

/// Ends the parse from inside an event; caught in read_yaml.
struct Stop : std::exception {
    Position position;
    std::string id;
    std::string message;
};

[[noreturn]] void stop(Position position, std::string id, std::string message) {
    Stop error;
    error.position = position;
    error.id = std::move(id);
    error.message = std::move(message);
    throw error;
}

Position to_position(const YAML::Mark& mark) {
    return mark.is_null() ? Position{} : Position{mark.line + 1, mark.column + 1};
}

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";
constexpr std::string_view kMergeKey = "<<";

/// A map or sequence whose end has not come yet.
struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    std::optional<YamlEntry> key;  // a map's key that waits for its value
    bool key_is_merge = false;
    std::unordered_map<std::string, Position> keys;
    std::vector<std::pair<Position, YamlNodePtr>> merges;
};

/// Builds the tree from yaml-cpp's events with a stack of its own.
class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(const std::string& file, ErrorList& errors, const YamlLimits& limits)
        : file_(file), errors_(errors), limits_(limits) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        auto node = std::make_shared<YamlNode>();
        node->position = to_position(mark);
        add(std::move(node), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const Position position = to_position(mark);
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            stop(position, "yaml", "an alias inside the value that its anchor names");
        }
        place(found->second, position);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        auto node = std::make_shared<YamlNode>();
        node->kind = YamlKind::kScalar;
        node->position = to_position(mark);
        node->text = value;
        node->quoted = tag == "!" || tag == fmt::format("{}str", kTagPrefix);
        check_tag(tag, node->position);
        add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(YamlKind::kSequence, mark, tag, anchor);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(YamlKind::kMap, mark, tag, anchor);
    }
    void OnMapEnd() override {
        expand_merges(open_.back());
        close();
    }

    [[nodiscard]] YamlNodePtr root() const { return root_; }

private:
    void check_tag(const std::string& tag, Position position) {
        if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with(kTagPrefix)) {
            return;
        }
        stop(position, "yaml", fmt::format("unknown tag \"{}\"", tag));
    }

    [[noreturn]] void stop_too_deep(Position position) const {
        stop(position, "too-deep", fmt::format("nested deeper than {} levels", limits_.depth_max));
    }

    void open(YamlKind kind, const YAML::Mark& mark, const std::string& tag,
              YAML::anchor_t anchor) {
        const Position position = to_position(mark);
        if (static_cast<int>(open_.size()) >= limits_.depth_max) {
            stop_too_deep(position);
        }
        check_tag(tag, position);
        Open opened;
        opened.node = std::make_shared<YamlNode>();
        opened.node->kind = kind;
        opened.node->position = position;
        opened.anchor = anchor;
        open_.push_back(std::move(opened));
    }

    void close() {
        Open closed = std::move(open_.back());
        open_.pop_back();
        add(std::move(closed.node), closed.anchor);
    }

    void add(std::shared_ptr<YamlNode> node, YAML::anchor_t anchor) {
        if (anchor != 0) {
            anchors_[anchor] = node;
        }
        const Position position = node->position;
        place(std::move(node), position);
    }

    /// Puts a finished node where it belongs: the root, an item, a key, or a key's value.
    void place(YamlNodePtr node, Position position) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node->kind == YamlKind::kSequence) {
            grow(parent, *node, position);
            parent.node->items.push_back(std::move(node));
        } else if (!parent.key) {
            begin_entry(parent, *node, position);
        } else {
            finish_entry(parent, std::move(node), position);
        }
    }

    /// Counts a child, and refuses one that makes the tree too large or, by an alias, too deep.
    void grow(Open& parent, const YamlNode& child, Position position) {
        parent.node->weight += child.weight;
        parent.node->height = std::max(parent.node->height, child.height + 1);
        if (static_cast<int>(open_.size()) + child.height - 1 > limits_.depth_max) {
            stop_too_deep(position);
        }
        if (parent.node->weight > limits_.nodes_max) {
            stop(position, "too-large",
                 fmt::format("more than {} values, aliases counted as copies", limits_.nodes_max));
        }
    }

    void begin_entry(Open& parent, const YamlNode& key, Position position) {
        if (key.kind == YamlKind::kMap || key.kind == YamlKind::kSequence) {
            stop(position, "yaml", "a key must be text, not a list or a map");
        }
        parent.key_is_merge = key.text == kMergeKey && !key.quoted;
        parent.key = YamlEntry{key.text, position, nullptr};
    }

    void finish_entry(Open& parent, YamlNodePtr value, Position position) {
        YamlEntry entry = std::move(*parent.key);
        parent.key.reset();
        if (parent.key_is_merge) {
            parent.merges.emplace_back(entry.position, std::move(value));
            return;
        }
        const auto [known, added] = parent.keys.emplace(entry.key, entry.position);
        if (!added) {
            errors_.add(
                {.file = file_,
                 .line = entry.position.line,
                 .column = entry.position.column,
                 .id = "duplicate-key",
                 .message = fmt::format("duplicate key \"{}\", first given at {}:{}", entry.key,
                                        known->second.line, known->second.column)});
            return;
        }
        grow(parent, *value, position);
        entry.value = std::move(value);
        parent.node->entries.push_back(std::move(entry));
    }

    /// `<<`: the map's own keys win, then those of earlier maps.
    void expand_merges(Open& map) {
        for (const auto& [position, value] : map.merges) {
            if (value->kind == YamlKind::kMap) {
                merge(map, *value, position);
                continue;
            }
            const bool all_maps =
                value->kind == YamlKind::kSequence &&
                std::all_of(value->items.begin(), value->items.end(),
                            [](const YamlNodePtr& item) { return item->kind == YamlKind::kMap; });
            if (!all_maps) {
                stop(position, "yaml", "\"<<\" takes a map or a list of maps");
            }
            for (const YamlNodePtr& item : value->items) {
                merge(map, *item, position);
            }
        }
    }

    void merge(Open& map, const YamlNode& from, Position position) {
        for (const YamlEntry& entry : from.entries) {
            if (map.keys.emplace(entry.key, entry.position).second) {
                grow(map, *entry.value, position);
                map.node->entries.push_back(entry);
            }
        }
    }

    const std::string& file_;
    ErrorList& errors_;
    const YamlLimits& limits_;
    std::vector<Open> open_;
    std::unordered_map<YAML::anchor_t, YamlNodePtr> anchors_;
    YamlNodePtr root_;
};

/// yaml-cpp's words in the house's form.
std::string syntax_message(const YAML::Exception& error, std::string_view text, Position position) {
    std::string message = error.msg;
    while (!message.empty() && (message.back() == '.' || message.back() == '\n')) {
        message.pop_back();
    }
    const std::string_view line = line_at(text, position.line);
    const std::size_t indent = line.find_first_not_of(" \t");
    if (line.substr(0, indent).find('\t') != std::string_view::npos) {
        message += "; the line is indented with a tab, use spaces";
    }
    return fmt::format("not valid YAML: {}", message);
}

/// Parses the one document; false after an error that leaves no tree.
bool parse(const std::string& file, const std::string& text, ErrorList& errors,
           const YamlLimits& limits, YamlNodePtr& root) {
    const auto fail = [&](Position position, std::string id, std::string message) {
        errors.add({.file = file,
                    .line = position.line,
                    .column = position.column,
                    .id = std::move(id),
                    .message = std::move(message)});
        return false;
    };
    try {
        std::istringstream stream(text);
        YAML::Parser parser(stream);
        TreeBuilder builder(file, errors, limits);
        if (!parser.HandleNextDocument(builder)) {
            return true;
        }
        root = builder.root();
        if (parser) {
            TreeBuilder second(file, errors, limits);
            if (parser.HandleNextDocument(second) && second.root() != nullptr &&
                second.root()->kind != YamlKind::kNull) {
                return fail(second.root()->position, "yaml",
                            "a second document: a file holds one document");
            }
        }
        return true;
    } catch (const Stop& error) {
        return fail(error.position, error.id, error.message);
    } catch (const YAML::Exception& error) {
        const Position position = to_position(error.mark);
        return fail(position, "yaml", syntax_message(error, text, position));
    } catch (const std::exception& error) {
        return fail({}, "yaml", fmt::format("not valid YAML: {}", error.what()));
    }
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const YamlEntry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : found->value.get();
}

std::shared_ptr<const YamlDocument> read_yaml(std::string file, std::string text, ErrorList& errors,
                                              const YamlLimits& limits) {
    if (text.starts_with("\xef\xbb\xbf")) {
        text.erase(0, 3);
    }
    if (const auto bad = find_text_problem(text)) {
        errors.add({.file = file,
                    .line = bad->position.line,
                    .column = bad->position.column,
                    .id = bad->id,
                    .message = bad->message});
        return nullptr;
    }
    auto document = std::make_shared<YamlDocument>();
    document->file = std::move(file);
    document->text = std::move(text);
    if (!parse(document->file, document->text, errors, limits, document->root)) {
        return nullptr;
    }
    if (document->root == nullptr) {
        auto empty = std::make_shared<YamlNode>();
        empty->position = Position{1, 1};
        document->root = std::move(empty);
    }
    return document;
}

}  // namespace kpid::config
