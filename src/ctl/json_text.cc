// Writes parsed JSON again.
#include "ctl/json_text.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"

namespace kpid::ctl {
namespace {

// The document's depth is bounded by its parser.
void write(JsonWriter& json, const wire::JsonValue& value) {
    using Kind = wire::JsonValue::Kind;
    switch (value.kind()) {
        case Kind::kNull:
            json.null();
            break;
        case Kind::kFalse:
            json.boolean(false);
            break;
        case Kind::kTrue:
            json.boolean(true);
            break;
        case Kind::kNumber:
            json.number(value.number());
            break;
        case Kind::kString:
            json.string(value.string());
            break;
        case Kind::kArray:
            json.begin_array();
            value.for_each(
                [&](std::string_view, const wire::JsonValue& item) { write(json, item); });
            json.end_array();
            break;
        case Kind::kObject:
            json.begin_object();
            value.for_each([&](std::string_view name, const wire::JsonValue& item) {
                json.key(name);
                write(json, item);
            });
            json.end_object();
            break;
    }
}

}  // namespace

std::string json_text(const wire::JsonValue& value) {
    JsonWriter json;
    write(json, value);
    return std::move(json).take();
}

std::string member_text(const wire::JsonValue& object, std::string_view name) {
    const auto value = object.member(name);
    if (!value || value->kind() == wire::JsonValue::Kind::kNull) {
        return "-";
    }
    if (value->kind() == wire::JsonValue::Kind::kString) {
        return std::string(value->string());
    }
    if (value->kind() == wire::JsonValue::Kind::kNumber) {
        return format_float_general(value->number());
    }
    return json_text(*value);
}

}  // namespace kpid::ctl
