#pragma once
// What the API says of a KPI, as people read it.

#include "kpid/model/unit.h"
#include "kpid/wire/json_document.h"

#include <string>
#include <string_view>

namespace kpid::ctl {

/// The unit of this name in the API: "percent", "EUR", "per month"; a count for an unknown one.
[[nodiscard]] model::Unit unit_named(std::string_view name);
/// The member `value` of a KPI or an instance: "0.68 %"; "-" when there is none.
[[nodiscard]] std::string value_text(const wire::JsonValue& holder, const model::Unit& unit);
/// The member `target`: "at most 1 %"; "-" when there is none.
[[nodiscard]] std::string target_text(const wire::JsonValue& holder, const model::Unit& unit);

}  // namespace kpid::ctl
