// Names and fingerprints of alerts.
#include "kpid/alerting/alert.h"

#include <fmt/format.h>

namespace kpid::alerting {

std::string_view to_string(EndReason reason) {
    switch (reason) {
        case EndReason::kNone:
            return "";
        case EndReason::kResolved:
            return "resolved";
        case EndReason::kSuperseded:
            return "superseded";
        case EndReason::kRemoved:
            return "removed";
        case EndReason::kExpired:
            return "expired";
    }
    return "";
}

std::string fingerprint(const model::Labels& labels) {
    // FNV-1a with 64 bits, as prometheus/common computes a LabelSet's fingerprint.
    std::uint64_t hash = 14695981039346656037U;
    const auto add = [&hash](unsigned char byte) { hash = (hash ^ byte) * 1099511628211U; };
    for (const model::Label& label : labels) {
        for (const char c : label.name) {
            add(static_cast<unsigned char>(c));
        }
        add(0xff);
        for (const char c : label.value) {
            add(static_cast<unsigned char>(c));
        }
        add(0xff);
    }
    return fmt::format("{:016x}", hash);
}

std::string Alert::fingerprint() const {
    return alerting::fingerprint(identity);
}

}  // namespace kpid::alerting
