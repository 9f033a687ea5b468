// Names and order of statuses.
#include "kpid/kpi/status.h"

namespace kpid::kpi {

std::string_view to_string(Status status) {
    switch (status) {
        case Status::kOnTarget:
            return "on_target";
        case Status::kOffTarget:
            return "off_target";
        case Status::kWarning:
            return "warning";
        case Status::kCritical:
            return "critical";
        case Status::kNoData:
            return "no_data";
        case Status::kStale:
            return "stale";
        case Status::kUnsure:
            return "unsure";
        case Status::kUntargeted:
            return "untargeted";
    }
    return "";
}

std::optional<Status> parse_status(std::string_view text) {
    for (const Status status : kStatuses) {
        if (text == to_string(status)) {
            return status;
        }
    }
    return std::nullopt;
}

int badness(Status status) {
    switch (status) {
        case Status::kCritical:
            return 7;
        case Status::kWarning:
            return 6;
        case Status::kNoData:
            return 5;
        case Status::kStale:
            return 4;
        case Status::kUnsure:
            return 3;
        case Status::kOffTarget:
            return 2;
        case Status::kUntargeted:
            return 1;
        case Status::kOnTarget:
            return 0;
    }
    return 0;
}

Status worse(Status a, Status b) {
    return badness(b) > badness(a) ? b : a;
}

}  // namespace kpid::kpi
