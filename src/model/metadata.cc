#include "kpid/model/metadata.h"

namespace kpid::model {

std::string_view to_string(MetricType type) {
    switch (type) {
        case MetricType::kUnknown:
            return "unknown";
        case MetricType::kCounter:
            return "counter";
        case MetricType::kGauge:
            return "gauge";
        case MetricType::kHistogram:
            return "histogram";
        case MetricType::kGaugeHistogram:
            return "gaugehistogram";
        case MetricType::kSummary:
            return "summary";
        case MetricType::kInfo:
            return "info";
        case MetricType::kStateset:
            return "stateset";
    }
    return "unknown";
}

}  // namespace kpid::model
