#include "storage/memory_series.h"

#include "storage/sample_rules.h"

#include <algorithm>
#include <array>

namespace kpid::storage {

MemorySeries::Traits traits_of(std::string_view metric_name) {
    constexpr std::array<std::string_view, 5> kLongKept{"kpid_kpi_", "kpid_key_result_",
                                                        "kpid_objective_", "kpid_goal_", "ALERTS"};
    MemorySeries::Traits traits;
    traits.is_reserved = is_reserved_name(metric_name);
    traits.is_long_kept =
        traits.is_reserved &&
        std::any_of(kLongKept.begin(), kLongKept.end(), [metric_name](std::string_view prefix) {
            return metric_name.starts_with(prefix);
        });
    return traits;
}

}  // namespace kpid::storage
