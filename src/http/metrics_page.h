#pragma once
// /metrics: kpid's registry and its KPIs, through wire's encoder.

#include "evaluate/evaluator.h"
#include "kpid/wire/text_encoder.h"
#include "net/http_message.h"

#include <prometheus/registry.h>

#include <string_view>
#include <vector>

namespace kpid::http {

/// Everything in the registry as families that the encoder takes.
[[nodiscard]] std::vector<wire::MetricFamily> registry_families(
    const prometheus::Registry& registry);

/// How /metrics is written.
struct MetricsFormat {
    wire::ExpositionFormat format = wire::ExpositionFormat::kText;
    wire::NameEscaping escaping = wire::NameEscaping::kUnderscores;
    std::string_view content_type;
};

/// What an Accept header asks for. Names that are not classic come as they are only to those who
/// say escaping=allow-utf-8: a Prometheus before 3.0 loses the whole scrape to one of them.
[[nodiscard]] MetricsFormat metrics_format(std::string_view accept);

/// The page in the format that `accept` asks for. Walks all KPIs: worker pool only.
[[nodiscard]] net::HttpResponse metrics_response(const evaluate::Evaluator& evaluator,
                                                 const prometheus::Registry& registry,
                                                 std::string_view accept);

}  // namespace kpid::http
