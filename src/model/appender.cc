#include "kpid/model/appender.h"

namespace kpid::model {

std::string_view to_string(RejectReason reason) {
    switch (reason) {
        case RejectReason::kOutOfOrder:
            return "out_of_order";
        case RejectReason::kDuplicateTimestamp:
            return "duplicate_timestamp";
        case RejectReason::kTooOld:
            return "too_old";
        case RejectReason::kTooFarInFuture:
            return "too_far_in_future";
        case RejectReason::kInvalidLabels:
            return "invalid_labels";
        case RejectReason::kReserved:
            return "reserved";
        case RejectReason::kLimit:
            return "limit";
    }
    return "invalid_labels";
}

}  // namespace kpid::model
