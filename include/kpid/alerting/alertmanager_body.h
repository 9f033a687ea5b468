#pragma once
// The body of POST /api/v2/alerts: alerts as a Prometheus hands them to an Alertmanager.

#include "kpid/alerting/alert.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"

#include <span>
#include <string>

namespace kpid::alerting {

struct AlertmanagerContext {
    model::Labels external_labels;  ///< Added to alerts that do not have them.
    /// endsAt of what fires: until then Alertmanager keeps it without hearing of it again.
    Timestamp firing_until;
};

/// The JSON array. Labels never include `__name__` or empty values. Names that are not classic are
/// escaped with underscores: an Alertmanager before 0.27 refuses the whole post for one of them.
[[nodiscard]] std::string alertmanager_body(std::span<const Alert> alerts,
                                            const AlertmanagerContext& context);

}  // namespace kpid::alerting
