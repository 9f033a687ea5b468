// Printing and truth of template values.

#include "kpid/alerting/template_value.h"

#include "alerting/go_time.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

namespace kpid::alerting {
namespace {

template <class... Visitors>
struct Overloaded : Visitors... {
    using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

// Nothing inside of a list or a map.
std::string inner_text(const TemplateValue& value) {
    return value.is_nothing() ? "<nil>" : value.to_string();
}

}  // namespace

TemplateValue TemplateValue::list(List items) {
    TemplateValue value;
    value.value_ = std::make_shared<const List>(std::move(items));
    return value;
}

TemplateValue TemplateValue::map(Map map) {
    TemplateValue value;
    value.value_ = std::make_shared<const Map>(std::move(map));
    return value;
}

TemplateValue TemplateValue::map(std::map<std::string, TemplateValue, std::less<>> entries) {
    return map(Map{.entries = std::move(entries)});
}

TemplateValue TemplateValue::labels(const model::Labels& labels) {
    Map map{.of_text = true};
    for (const model::Label& label : labels) {
        map.entries.emplace(label.name, label.value);
    }
    return TemplateValue::map(std::move(map));
}

TemplateValue TemplateValue::sample(const model::Labels& labels, double value) {
    Map map{.closed = true};
    map.entries.emplace("Labels", TemplateValue::labels(labels));
    map.entries.emplace("Value", value);
    return TemplateValue::map(std::move(map));
}

const TemplateValue::List* TemplateValue::as_list() const {
    const auto* list = get_if<std::shared_ptr<const List>>();
    return list == nullptr ? nullptr : list->get();
}

const TemplateValue::Map* TemplateValue::as_map() const {
    const auto* map = get_if<std::shared_ptr<const Map>>();
    return map == nullptr ? nullptr : map->get();
}

bool TemplateValue::truth() const {
    return std::visit(
        Overloaded{[](std::monostate) { return false; }, [](bool value) { return value; },
                   [](std::int64_t value) { return value != 0; },
                   [](std::uint64_t value) { return value != 0; },
                   // Not a number is not zero.
                   [](double value) { return !(value == 0); },
                   [](const std::string& text) { return !text.empty(); },
                   [](const std::shared_ptr<const List>& list) { return !list->empty(); },
                   [](const std::shared_ptr<const Map>& map) {
                       return map->closed || !map->entries.empty();
                   },
                   [](Instant) { return true; }, [](Span span) { return span.nanoseconds != 0; }},
        value_);
}

std::string TemplateValue::to_string() const {
    return std::visit(
        Overloaded{[](std::monostate) { return std::string("<no value>"); },
                   [](bool value) { return std::string(value ? "true" : "false"); },
                   [](std::int64_t value) { return fmt::format("{}", value); },
                   [](std::uint64_t value) { return fmt::format("{}", value); },
                   [](double value) { return format_float_text(value); },
                   [](const std::string& text) { return text; },
                   [](const std::shared_ptr<const List>& list) {
                       std::string text = "[";
                       for (const TemplateValue& item : *list) {
                           text += (text.size() > 1 ? " " : "") + inner_text(item);
                       }
                       return text + ']';
                   },
                   [](const std::shared_ptr<const Map>& map) {
                       std::string text = map->closed ? "{" : "map[";
                       const std::size_t start = text.size();
                       for (const auto& [key, item] : map->entries) {
                           text += text.size() > start ? " " : "";
                           text += (map->closed ? "" : key + ":") + inner_text(item);
                       }
                       return text + (map->closed ? '}' : ']');
                   },
                   [](Instant instant) { return format_instant(instant.nanoseconds); },
                   [](Span span) { return format_span(span.nanoseconds); }},
        value_);
}

std::string_view TemplateValue::type_name() const {
    return std::visit(Overloaded{[](std::monostate) -> std::string_view { return "nil"; },
                                 [](bool) -> std::string_view { return "bool"; },
                                 [](std::int64_t) -> std::string_view { return "int"; },
                                 [](std::uint64_t) -> std::string_view { return "uint"; },
                                 [](double) -> std::string_view { return "float64"; },
                                 [](const std::string&) -> std::string_view { return "string"; },
                                 [](const std::shared_ptr<const List>&) -> std::string_view {
                                     return "[]interface {}";
                                 },
                                 [](const std::shared_ptr<const Map>& map) -> std::string_view {
                                     return map->closed    ? "sample"
                                            : map->of_text ? "map[string]string"
                                                           : "map[string]interface {}";
                                 },
                                 [](Instant) -> std::string_view { return "time.Time"; },
                                 [](Span) -> std::string_view { return "time.Duration"; }},
                      value_);
}

}  // namespace kpid::alerting
