#pragma once
// JSON values as text.

#include "kpid/wire/json_document.h"

#include <string>
#include <string_view>

namespace kpid::ctl {

/// The value as JSON.
[[nodiscard]] std::string json_text(const wire::JsonValue& value);
/// A member for people: strings as they are, numbers shortest, null and absent "-", the rest as
/// JSON.
[[nodiscard]] std::string member_text(const wire::JsonValue& object, std::string_view name);

}  // namespace kpid::ctl
