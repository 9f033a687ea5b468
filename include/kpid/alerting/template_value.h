#pragma once
// The dynamic values that templates compute with.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kpid::alerting {

/// A value of a template: nothing, bool, integer, float, text, list, map, instant, span of time. A
/// plain value; lists and maps are shared and immutable, so copies are cheap.
class TemplateValue {
public:
    using List = std::vector<TemplateValue>;
    struct Map {
        std::map<std::string, TemplateValue, std::less<>> entries;
        /// What an absent key gives: in maps of text "", else nothing (printed as `<no value>`).
        bool of_text = false;
        /// An absent key is an error, as a field that its type does not have.
        bool closed = false;
    };
    /// An instant in nanoseconds since the epoch; has Format, Add, Unix, UnixMilli, … in templates.
    struct Instant {
        std::int64_t nanoseconds = 0;
    };
    /// A span in nanoseconds; has String, Seconds, Minutes, Hours in templates.
    struct Span {
        std::int64_t nanoseconds = 0;
    };
    using Variant =
        std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string,
                     std::shared_ptr<const List>, std::shared_ptr<const Map>, Instant, Span>;

    TemplateValue() = default;
    TemplateValue(bool value) : value_(value) {}
    TemplateValue(double value) : value_(value) {}
    TemplateValue(int value) : value_(std::int64_t{value}) {}
    TemplateValue(std::int64_t value) : value_(value) {}
    TemplateValue(std::uint64_t value) : value_(value) {}
    TemplateValue(const char* text) : value_(std::string(text)) {}
    TemplateValue(std::string text) : value_(std::move(text)) {}
    TemplateValue(std::string_view text) : value_(std::string(text)) {}
    TemplateValue(Instant instant) : value_(instant) {}
    TemplateValue(Span span) : value_(span) {}
    [[nodiscard]] static TemplateValue list(List items);
    [[nodiscard]] static TemplateValue map(Map map);
    /// A map with these entries.
    [[nodiscard]] static TemplateValue map(
        std::map<std::string, TemplateValue, std::less<>> entries);
    /// A map of text: an absent label is "".
    [[nodiscard]] static TemplateValue labels(const model::Labels& labels);
    /// {Labels, Value}: one series of a query's answer.
    [[nodiscard]] static TemplateValue sample(const model::Labels& labels, double value);

    [[nodiscard]] const Variant& get() const { return value_; }
    template <class T>
    [[nodiscard]] const T* get_if() const {
        return std::get_if<T>(&value_);
    }
    [[nodiscard]] bool is_nothing() const { return std::holds_alternative<std::monostate>(value_); }
    /// Null when it is not one.
    [[nodiscard]] const List* as_list() const;
    [[nodiscard]] const Map* as_map() const;

    /// What `if` asks: false, 0, "", nothing and empty lists and maps are false.
    [[nodiscard]] bool truth() const;
    /// As Go prints it with %v; nothing is `<no value>`.
    [[nodiscard]] std::string to_string() const;
    /// Go's name of the type, for error messages: "float64", "string", "map[string]string".
    [[nodiscard]] std::string_view type_name() const;

private:
    Variant value_;
};

}  // namespace kpid::alerting
