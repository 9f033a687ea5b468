// Words of definitions, and the defaults that one field takes from others.
#include "kpid/kpi/definition.h"

#include <array>

namespace kpid::kpi {

std::string_view to_string(Better better) {
    switch (better) {
        case Better::kHigher:
            return "higher";
        case Better::kLower:
            return "lower";
        case Better::kBand:
            return "band";
    }
    return "";
}

std::optional<Better> parse_better(std::string_view text) {
    for (const Better better : {Better::kHigher, Better::kLower, Better::kBand}) {
        if (text == to_string(better)) {
            return better;
        }
    }
    return std::nullopt;
}

std::optional<Operator> bare_operator(Better better, LevelKind kind) {
    const bool good_side = kind == LevelKind::kTarget || kind == LevelKind::kRecover;
    switch (better) {
        case Better::kHigher:
            return good_side ? Operator::kAtLeast : Operator::kBelow;
        case Better::kLower:
            return good_side ? Operator::kAtMost : Operator::kAbove;
        case Better::kBand:
            return std::nullopt;
    }
    return std::nullopt;
}

std::string_view to_string(NoDataStatus status) {
    switch (status) {
        case NoDataStatus::kNoData:
            return "no_data";
        case NoDataStatus::kKeep:
            return "keep";
        case NoDataStatus::kOk:
            return "ok";
        case NoDataStatus::kWarning:
            return "warning";
        case NoDataStatus::kCritical:
            return "critical";
    }
    return "";
}

std::optional<NoDataStatus> parse_no_data_status(std::string_view text) {
    for (const NoDataStatus status : {NoDataStatus::kNoData, NoDataStatus::kKeep, NoDataStatus::kOk,
                                      NoDataStatus::kWarning, NoDataStatus::kCritical}) {
        if (text == to_string(status)) {
            return status;
        }
    }
    return std::nullopt;
}

std::optional<std::string> NoData::alert_severity() const {
    if (alert) {
        return *alert == "none" ? std::nullopt : alert;
    }
    switch (status) {
        case NoDataStatus::kKeep:
        case NoDataStatus::kOk:
            return std::nullopt;
        case NoDataStatus::kCritical:
            return "critical";
        case NoDataStatus::kNoData:
        case NoDataStatus::kWarning:
            break;
    }
    return "warning";
}

Duration NoData::after_or_default(Duration valid_for) const {
    return after.value_or(3 * valid_for);
}

}  // namespace kpid::kpi
