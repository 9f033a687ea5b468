#pragma once
// The statuses of a KPI and their order.

#include <array>
#include <optional>
#include <string_view>

namespace kpid::kpi {

enum class Status {
    kOnTarget,
    kOffTarget,  ///< Misses only the target; does not alert.
    kWarning,
    kCritical,
    kNoData,      ///< Never a value, or none for `no_data.after`.
    kStale,       ///< Had a value and has none now.
    kUnsure,      ///< Too little behind the number.
    kUntargeted,  ///< Nothing to judge by.
};

inline constexpr std::array<Status, 8> kStatuses{
    Status::kOnTarget, Status::kOffTarget, Status::kWarning, Status::kCritical,
    Status::kNoData,   Status::kStale,     Status::kUnsure,  Status::kUntargeted};

/// "on_target", "off_target", "warning", "critical", "no_data", "stale", "unsure", "untargeted".
[[nodiscard]] std::string_view to_string(Status status);
[[nodiscard]] std::optional<Status> parse_status(std::string_view text);

/// How bad, for "the worst of the instances": critical 7, warning 6, no_data 5, stale 4, unsure 3,
/// off_target 2, untargeted 1, on_target 0. What cannot be judged ranks before what is known to be
/// merely off target, so that a silent instance is not hidden; untargeted before on_target, so that
/// on_target is said only when it is true of all.
[[nodiscard]] int badness(Status status);
/// The worse of both.
[[nodiscard]] Status worse(Status a, Status b);

}  // namespace kpid::kpi
