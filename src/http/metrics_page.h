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

/// The page in the format that `accept` asks for. Walks all KPIs: worker pool only.
[[nodiscard]] net::HttpResponse metrics_response(const evaluate::Evaluator& evaluator,
                                                 const prometheus::Registry& registry,
                                                 std::string_view accept);

}  // namespace kpid::http
