#pragma once
// A whole JSON text, checked and read once into a flat list of nodes. Reading is simdjson's.

#include "kpid/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

struct JsonLimits {
    static constexpr std::size_t kDepthMax = 64;
    static constexpr std::size_t kNodesMax = 2'000'000;
    std::size_t depth_max = kDepthMax;  ///< Arrays and objects in each other; at most kDepthMax.
    std::size_t nodes_max = kNodesMax;  ///< Values in all.
};

/// RFC 6901, split into its parts with `~0` and `~1` resolved.
class JsonPointer {
public:
    /// Bytes of a pointer's text.
    static constexpr std::size_t kBytesMax = 4096;
    /// "" is the whole document; else it begins with `/`.
    [[nodiscard]] static Result<JsonPointer> parse(std::string_view text);
    [[nodiscard]] const std::vector<std::string>& parts() const { return parts_; }
    bool operator==(const JsonPointer&) const = default;

private:
    std::vector<std::string> parts_;
};

class JsonBuilder;
class JsonDocument;

/// A value of a document, and a place to walk on from. A plain value; valid as long as its
/// document.
class JsonValue {
public:
    enum class Kind : std::uint8_t { kNull, kFalse, kTrue, kNumber, kString, kArray, kObject };

    [[nodiscard]] Kind kind() const;
    /// kNumber: the double nearest to the text, an infinity for what lies beyond a double's range.
    /// kString: the bytes, escapes resolved, valid UTF-8.
    [[nodiscard]] double number() const;
    [[nodiscard]] std::string_view string() const;

    /// Entries of an array or object; 0 for others.
    [[nodiscard]] std::size_t size() const;
    /// Calls visit(name, value) for each entry in order, duplicates too; the name of an array's is
    /// empty.
    template <class Visitor>
    void for_each(Visitor&& visit) const;
    /// The object's last member of this name.
    [[nodiscard]] std::optional<JsonValue> member(std::string_view name) const;
    /// What the pointer names from here.
    [[nodiscard]] std::optional<JsonValue> at(const JsonPointer& pointer) const;

private:
    friend class JsonDocument;
    friend class JsonBuilder;
    struct Node;
    explicit JsonValue(const Node* node) : node_(node) {}
    [[nodiscard]] const Node* first_child() const;
    [[nodiscard]] static const Node* next_sibling(const Node* node);
    [[nodiscard]] static std::string_view name_of(const Node* node);

    const Node* node_;
};

/// Owns the nodes and the text behind them. Movable; immutable, so that any thread may read.
class JsonDocument {
public:
    /// The whole text must be one JSON value (RFC 8259): no byte order mark, no lone surrogates,
    /// not just a number beyond a double's range. kInvalidArgument: "invalid JSON at byte 17: …".
    [[nodiscard]] static Result<JsonDocument> parse(std::string_view text,
                                                    const JsonLimits& limits = {});
    JsonDocument(JsonDocument&&) noexcept;
    JsonDocument& operator=(JsonDocument&&) noexcept;
    ~JsonDocument();

    [[nodiscard]] JsonValue root() const;

private:
    friend class JsonBuilder;
    struct Rep;
    explicit JsonDocument(std::unique_ptr<Rep> rep);
    std::unique_ptr<Rep> rep_;
};

template <class Visitor>
void JsonValue::for_each(Visitor&& visit) const {
    const std::size_t count = size();
    const Node* child = count == 0 ? nullptr : first_child();
    for (std::size_t i = 0; i < count; ++i) {
        visit(name_of(child), JsonValue(child));
        child = next_sibling(child);
    }
}

}  // namespace kpid::wire
