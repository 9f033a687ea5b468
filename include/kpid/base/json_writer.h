#pragma once
// Writes JSON text. The one writer of the project; reading is simdjson's.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kpid {

/// Appends JSON to a string. Commas are the writer's; nesting is the caller's promise (asserted).
///
///     JsonWriter w;
///     w.begin_object().key("status").string("ok").key("data").begin_array().number(1).end_array();
///     w.end_object();
///     std::string text = std::move(w).take();
///
/// Strings: `"`, `\`, control characters and, as Go does, `<>&`, U+2028 and U+2029 are escaped;
/// invalid UTF-8 becomes U+FFFD. Numbers: shortest round-trip; not-finite is null. Not thread-safe.
class JsonWriter {
public:
    JsonWriter& begin_object();
    JsonWriter& end_object();
    JsonWriter& begin_array();
    JsonWriter& end_array();
    JsonWriter& key(std::string_view name);
    JsonWriter& string(std::string_view text);
    JsonWriter& number(double value);
    template <std::integral T>
    JsonWriter& number(T value) {
        if constexpr (std::signed_integral<T>) {
            return integer(static_cast<std::int64_t>(value));
        } else {
            return unsigned_integer(static_cast<std::uint64_t>(value));
        }
    }
    JsonWriter& boolean(bool value);
    JsonWriter& null();
    /// Text that is JSON already.
    JsonWriter& raw(std::string_view json);
    /// string(), or null when the text is empty.
    JsonWriter& string_or_null(std::string_view text);

    [[nodiscard]] const std::string& text() const { return out_; }
    [[nodiscard]] std::string take() && { return std::move(out_); }

private:
    JsonWriter& integer(std::int64_t value);
    JsonWriter& unsigned_integer(std::uint64_t value);
    void before_value();

    std::string out_;
    std::vector<bool> has_items_;  // one entry per open object or array
    bool after_key_ = false;
};

/// Appends `text` as a JSON string, escaped as JsonWriter does.
void append_json_string(std::string& out, std::string_view text);

/// The length of the UTF-8 sequence at the start of `text` (1 to 4), or 0 when it is invalid.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text);
/// True when all of `text` is valid UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_valid_utf8(std::string_view text);

}  // namespace kpid
