#include "kpid/wire/json_document.h"

#include "kpid/base/json_writer.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <limits>
#include <type_traits>

namespace kpid::wire {

// A value and, behind it in the list, its children: `span` counts all of them and itself.
struct JsonValue::Node {
    Kind kind = Kind::kNull;
    std::uint32_t span = 1;
    std::uint32_t size = 0;  // children
    std::string_view name;   // within an object
    double number = 0;
    std::string_view string;
};

struct JsonDocument::Rep {
    simdjson::padded_string text;
    simdjson::ondemand::parser parser;  // owns the unescaped strings
    std::vector<JsonValue::Node> nodes;
};

// Walks simdjson's cursor once over everything, so that everything is checked.
class JsonBuilder {
public:
    JsonBuilder(JsonDocument::Rep& rep, const JsonLimits& limits)
        : rep_(rep),
          depth_max_(std::min(limits.depth_max, JsonLimits::kDepthMax)),
          nodes_max_(limits.nodes_max),
          may_have_surrogates_(std::string_view(rep.text).find("\\u") != std::string_view::npos) {}

    Result<void> build() {
        simdjson::ondemand::document document;
        if (const auto error = rep_.parser.iterate(rep_.text).get(document)) {
            note(error);
            return problem();
        }
        if (!walk(document, {}, 0)) {
            return problem();
        }
        if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
            const std::size_t end = end_of_value();
            position_ = end < rep_.text.size() ? end : position_;
            fail("more follows the value");
            return problem();
        }
        return {};
    }

private:
    using Kind = JsonValue::Kind;

    template <class Source>
    bool walk(Source& source, std::string_view name, std::size_t depth) {
        std::string_view token;
        if (simdjson::simdjson_result<std::string_view>(source.raw_json_token()).get(token) ==
            simdjson::SUCCESS) {
            position_ = static_cast<std::size_t>(token.data() - rep_.text.data());
        }
        if (rep_.nodes.size() >= nodes_max_) {
            return fail(fmt::format("more than {} values", nodes_max_));
        }
        if (depth > depth_max_) {
            return fail(fmt::format("nested deeper than {}", depth_max_));
        }
        simdjson::ondemand::json_type type{};
        if (const auto error = source.type().get(type)) {
            return note(error);
        }
        const std::size_t index = rep_.nodes.size();
        rep_.nodes.push_back({.name = name});
        bool read = false;
        switch (type) {
            case simdjson::ondemand::json_type::array:
                read = walk_array(source, index, depth);
                break;
            case simdjson::ondemand::json_type::object:
                read = walk_object(source, index, depth);
                break;
            case simdjson::ondemand::json_type::number:
                read = read_number(source, rep_.nodes[index]);
                break;
            case simdjson::ondemand::json_type::string:
                read = read_string(source, rep_.nodes[index]);
                break;
            case simdjson::ondemand::json_type::boolean:
            case simdjson::ondemand::json_type::null:
                read = read_word(source, type, rep_.nodes[index]);
                break;
        }
        rep_.nodes[index].span = static_cast<std::uint32_t>(rep_.nodes.size() - index);
        return read;
    }

    template <class Source>
    bool walk_array(Source& source, std::size_t index, std::size_t depth) {
        simdjson::ondemand::array array;
        if (const auto error = source.get_array().get(array)) {
            return note(error);
        }
        std::uint32_t count = 0;
        for (auto element : array) {
            simdjson::ondemand::value value;
            if (const auto error = element.get(value)) {
                return note(error);
            }
            if (!walk(value, {}, depth + 1)) {
                return false;
            }
            ++count;
        }
        rep_.nodes[index].kind = Kind::kArray;
        rep_.nodes[index].size = count;
        return true;
    }

    template <class Source>
    bool walk_object(Source& source, std::size_t index, std::size_t depth) {
        simdjson::ondemand::object object;
        if (const auto error = source.get_object().get(object)) {
            return note(error);
        }
        std::uint32_t count = 0;
        for (auto element : object) {
            simdjson::ondemand::field field;
            if (const auto error = std::move(element).get(field)) {
                return note(error);
            }
            std::string_view name;
            if (const auto error = field.unescaped_key().get(name)) {
                return note(error);
            }
            if (!check_string(name) || !walk(field.value(), name, depth + 1)) {
                return false;
            }
            ++count;
        }
        rep_.nodes[index].kind = Kind::kObject;
        rep_.nodes[index].size = count;
        return true;
    }

    template <class Source>
    bool read_number(Source& source, JsonValue::Node& node) {
        node.kind = Kind::kNumber;
        const auto error = source.get_double().get(node.number);
        if (error == simdjson::SUCCESS && std::isfinite(node.number)) {
            return true;
        }
        if constexpr (std::is_same_v<Source, simdjson::ondemand::value>) {
            // simdjson reads no number that overflows, and steps over a value that was not read.
            std::string_view token;
            if (simdjson::simdjson_result<std::string_view>(source.raw_json_token()).get(token) ==
                    simdjson::SUCCESS &&
                is_number(token)) {
                node.number = std::copysign(std::numeric_limits<double>::infinity(),
                                            token.starts_with('-') ? -1.0 : 1.0);
                return true;
            }
        }
        return note(error == simdjson::SUCCESS ? simdjson::NUMBER_OUT_OF_RANGE : error);
    }

    // Takes the digits off the front; false when there is none.
    static bool skip_digits(std::string_view& text) {
        const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
        text.remove_prefix(end);
        return end > 0;
    }

    // By the grammar of JSON; blanks may follow.
    static bool is_number(std::string_view text) {
        if (text.starts_with('-')) {
            text.remove_prefix(1);
        }
        if (text.starts_with('0')) {
            text.remove_prefix(1);
        } else if (!skip_digits(text)) {
            return false;
        }
        if (text.starts_with('.')) {
            text.remove_prefix(1);
            if (!skip_digits(text)) {
                return false;
            }
        }
        if (text.starts_with('e') || text.starts_with('E')) {
            text.remove_prefix(1);
            if (text.starts_with('+') || text.starts_with('-')) {
                text.remove_prefix(1);
            }
            if (!skip_digits(text)) {
                return false;
            }
        }
        return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    }

    template <class Source>
    bool read_string(Source& source, JsonValue::Node& node) {
        if (const auto error = source.get_string().get(node.string)) {
            return note(error);
        }
        node.kind = Kind::kString;
        return check_string(node.string);
    }

    template <class Source>
    bool read_word(Source& source, simdjson::ondemand::json_type type, JsonValue::Node& node) {
        bool value = false;
        if (type == simdjson::ondemand::json_type::boolean) {
            if (const auto error = source.get_bool().get(value)) {
                return note(error);
            }
            node.kind = value ? Kind::kTrue : Kind::kFalse;
            return true;
        }
        if (const auto error = simdjson::simdjson_result<bool>(source.is_null()).get(value)) {
            return note(error);
        }
        node.kind = Kind::kNull;
        return value || fail("expected null");
    }

    bool check_string(std::string_view text) {
        return !may_have_surrogates_ || is_valid_utf8(text) || fail("lone surrogate in a string");
    }

    bool fail(std::string message) {
        message_ = std::move(message);
        return false;
    }

    bool note(simdjson::error_code error) {
        switch (error) {
            case simdjson::UTF8_ERROR:
                position_ = first_invalid_utf8();
                return fail("invalid UTF-8");
            case simdjson::EMPTY:
                return fail("no JSON value");
            case simdjson::UNCLOSED_STRING:
                position_ = rep_.text.size();
                return fail("a string does not end");
            case simdjson::UNESCAPED_CHARS:
                return fail("a control character in a string");
            case simdjson::STRING_ERROR:
                return fail("bad escape in a string");
            case simdjson::NUMBER_ERROR:
            case simdjson::NUMBER_OUT_OF_RANGE:
                return fail("bad number, or one out of range");
            case simdjson::MEMALLOC:
            case simdjson::CAPACITY:
                return fail("text too large");
            case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
                position_ = end_of_value();
                return fail(position_ == rep_.text.size() ? "an array or object does not end"
                                                          : "more follows the value");
            default:
                return fail("unexpected character");
        }
    }

    /// Behind the bracket that closes the first one; the text's length when there is none.
    [[nodiscard]] std::size_t end_of_value() const {
        const std::string_view text(rep_.text);
        std::size_t open = 0;
        bool in_string = false;
        for (std::size_t at = 0; at < text.size(); ++at) {
            const char c = text[at];
            if (in_string && c == '\\') {
                ++at;
            } else if (c == '"') {
                in_string = !in_string;
            } else if (!in_string && (c == '{' || c == '[')) {
                ++open;
            } else if (!in_string && (c == '}' || c == ']') && open > 0) {
                --open;
                if (open == 0) {
                    return at + 1;
                }
            }
        }
        return text.size();
    }

    [[nodiscard]] std::size_t first_invalid_utf8() const {
        const std::string_view text(rep_.text);
        std::size_t at = 0;
        while (at < text.size()) {
            const std::size_t length = utf8_sequence_length(text.substr(at));
            if (length == 0) {
                break;
            }
            at += length;
        }
        return at;
    }

    [[nodiscard]] Error problem() const {
        return invalid_argument(fmt::format("invalid JSON near byte {}: {}", position_, message_));
    }

    JsonDocument::Rep& rep_;
    const std::size_t depth_max_;
    const std::size_t nodes_max_;
    const bool may_have_surrogates_;
    std::size_t position_ = 0;
    std::string message_;
};

namespace {

Result<std::string> pointer_part(std::string_view raw) {
    std::string part;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '~') {
            part += raw[i];
            continue;
        }
        ++i;
        if (i == raw.size() || (raw[i] != '0' && raw[i] != '1')) {
            return invalid_argument("'~' in a JSON Pointer must be followed by 0 or 1");
        }
        part += raw[i] == '0' ? '~' : '/';
    }
    return part;
}

// The index that a pointer's part names, or nothing: digits without a leading zero.
std::optional<std::size_t> array_index(std::string_view part) {
    constexpr std::size_t kDigitsMax = 9;
    if (part.empty() || part.size() > kDigitsMax || (part.size() > 1 && part.front() == '0')) {
        return std::nullopt;
    }
    std::size_t index = 0;
    for (const char c : part) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    return index;
}

}  // namespace

Result<JsonPointer> JsonPointer::parse(std::string_view text) {
    JsonPointer pointer;
    if (text.size() > kBytesMax) {
        return invalid_argument(fmt::format("JSON Pointer of more than {} bytes", kBytesMax));
    }
    if (text.empty()) {
        return pointer;
    }
    if (text.front() != '/') {
        return invalid_argument(fmt::format("JSON Pointer \"{}\" does not begin with '/'", text));
    }
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::size_t end = text.find('/');
        KPID_TRY(std::string part, pointer_part(text.substr(0, end)));
        pointer.parts_.push_back(std::move(part));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end);
        if (end == std::string_view::npos) {
            break;
        }
    }
    return pointer;
}

JsonValue::Kind JsonValue::kind() const {
    return node_->kind;
}
double JsonValue::number() const {
    return node_->number;
}
std::string_view JsonValue::string() const {
    return node_->string;
}
std::size_t JsonValue::size() const {
    return node_->size;
}
const JsonValue::Node* JsonValue::first_child() const {
    return node_ + 1;
}
const JsonValue::Node* JsonValue::next_sibling(const Node* node) {
    return node + node->span;
}
std::string_view JsonValue::name_of(const Node* node) {
    return node->name;
}

std::optional<JsonValue> JsonValue::member(std::string_view name) const {
    std::optional<JsonValue> found;
    if (kind() == Kind::kObject) {
        for_each([&](std::string_view entry, JsonValue value) {
            if (entry == name) {
                found = value;
            }
        });
    }
    return found;
}

std::optional<JsonValue> JsonValue::at(const JsonPointer& pointer) const {
    JsonValue value = *this;
    for (const std::string& part : pointer.parts()) {
        if (value.kind() == Kind::kObject) {
            const std::optional<JsonValue> member = value.member(part);
            if (!member) {
                return std::nullopt;
            }
            value = *member;
            continue;
        }
        const std::optional<std::size_t> index = array_index(part);
        if (value.kind() != Kind::kArray || !index || *index >= value.size()) {
            return std::nullopt;
        }
        const Node* child = value.first_child();
        for (std::size_t i = 0; i < *index; ++i) {
            child = next_sibling(child);
        }
        value = JsonValue(child);
    }
    return value;
}

JsonDocument::JsonDocument(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {
}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonDocument> JsonDocument::parse(std::string_view text, const JsonLimits& limits) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
    }
    if (text.size() >= std::numeric_limits<std::uint32_t>::max()) {
        return invalid_argument("invalid JSON near byte 0: text too large");
    }
    auto rep = std::make_unique<Rep>();
    rep->text = simdjson::padded_string(text);
    JsonBuilder builder(*rep, limits);
    KPID_CHECK_OK(builder.build());
    return JsonDocument(std::move(rep));
}

JsonValue JsonDocument::root() const {
    return JsonValue(rep_->nodes.data());
}

}  // namespace kpid::wire
