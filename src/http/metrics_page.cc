// Turns prometheus-cpp's families into wire's and writes the page.
#include "http/metrics_page.h"

#include "evaluate/kpi_families.h"
#include "kpid/wire/exposition.h"

#include <cmath>
#include <iterator>
#include <limits>

namespace kpid::http {
namespace {

using prometheus::ClientMetric;

model::MetricType type_of(prometheus::MetricType type) {
    switch (type) {
        case prometheus::MetricType::Counter:
            return model::MetricType::kCounter;
        case prometheus::MetricType::Gauge:
            return model::MetricType::kGauge;
        case prometheus::MetricType::Summary:
            return model::MetricType::kSummary;
        case prometheus::MetricType::Histogram:
            return model::MetricType::kHistogram;
        case prometheus::MetricType::Untyped:
            return model::MetricType::kUnknown;
    }
    return model::MetricType::kUnknown;
}

model::LabelsBuilder labels_of(const ClientMetric& metric) {
    model::LabelsBuilder labels;
    for (const ClientMetric::Label& label : metric.label) {
        labels.set(label.name, label.value);
    }
    return labels;
}

void add_histogram(const ClientMetric& metric, wire::MetricFamily& family) {
    const model::LabelsBuilder base = labels_of(metric);
    double last = 0;
    for (const ClientMetric::Bucket& bucket : metric.histogram.bucket) {
        model::LabelsBuilder labels = base;
        labels.set("le", wire::format_bound(bucket.upper_bound));
        family.samples.push_back({.suffix = "_bucket",
                                  .labels = labels.build(),
                                  .value = static_cast<double>(bucket.cumulative_count)});
        last = bucket.upper_bound;
    }
    const auto count = static_cast<double>(metric.histogram.sample_count);
    if (!std::isinf(last)) {
        model::LabelsBuilder labels = base;
        labels.set("le", "+Inf");
        family.samples.push_back({.suffix = "_bucket", .labels = labels.build(), .value = count});
    }
    family.samples.push_back(
        {.suffix = "_sum", .labels = base.build(), .value = metric.histogram.sample_sum});
    family.samples.push_back({.suffix = "_count", .labels = base.build(), .value = count});
}

void add_summary(const ClientMetric& metric, wire::MetricFamily& family) {
    const model::LabelsBuilder base = labels_of(metric);
    for (const ClientMetric::Quantile& quantile : metric.summary.quantile) {
        model::LabelsBuilder labels = base;
        labels.set("quantile", wire::format_bound(quantile.quantile));
        family.samples.push_back({.labels = labels.build(), .value = quantile.value});
    }
    family.samples.push_back(
        {.suffix = "_sum", .labels = base.build(), .value = metric.summary.sample_sum});
    family.samples.push_back({.suffix = "_count",
                              .labels = base.build(),
                              .value = static_cast<double>(metric.summary.sample_count)});
}

wire::MetricFamily convert(const prometheus::MetricFamily& from) {
    wire::MetricFamily family{.name = from.name, .help = from.help, .type = type_of(from.type)};
    std::string suffix;
    constexpr std::string_view kTotal = "_total";
    if (family.type == model::MetricType::kCounter) {
        suffix = kTotal;
        if (family.name.ends_with(kTotal)) {
            family.name.resize(family.name.size() - kTotal.size());
        }
    }
    for (const ClientMetric& metric : from.metric) {
        switch (from.type) {
            case prometheus::MetricType::Histogram:
                add_histogram(metric, family);
                break;
            case prometheus::MetricType::Summary:
                add_summary(metric, family);
                break;
            case prometheus::MetricType::Counter:
                family.samples.push_back({.suffix = suffix,
                                          .labels = labels_of(metric).build(),
                                          .value = metric.counter.value});
                break;
            case prometheus::MetricType::Gauge:
                family.samples.push_back(
                    {.labels = labels_of(metric).build(), .value = metric.gauge.value});
                break;
            case prometheus::MetricType::Untyped:
                family.samples.push_back(
                    {.labels = labels_of(metric).build(), .value = metric.untyped.value});
                break;
        }
    }
    return family;
}

}  // namespace

std::vector<wire::MetricFamily> registry_families(const prometheus::Registry& registry) {
    std::vector<wire::MetricFamily> families;
    for (const prometheus::MetricFamily& family : registry.Collect()) {
        wire::MetricFamily converted = convert(family);
        if (!converted.samples.empty()) {
            families.push_back(std::move(converted));
        }
    }
    return families;
}

MetricsFormat metrics_format(std::string_view accept) {
    const auto asks_for = [accept](std::string_view text) {
        return accept.find(text) != std::string_view::npos;
    };
    const bool open = asks_for("application/openmetrics-text");
    const bool utf8 = asks_for("escaping=allow-utf-8");
    return {open ? wire::ExpositionFormat::kOpenMetrics : wire::ExpositionFormat::kText,
            utf8 ? wire::NameEscaping::kAllowUtf8 : wire::NameEscaping::kUnderscores,
            open ? (utf8 ? wire::kUtf8OpenMetricsContentType : wire::kOpenMetricsContentType)
                 : (utf8 ? wire::kUtf8TextContentType : wire::kTextContentType)};
}

net::HttpResponse metrics_response(const evaluate::Evaluator& evaluator,
                                   const prometheus::Registry& registry, std::string_view accept) {
    std::vector<wire::MetricFamily> families = registry_families(registry);
    const std::size_t instances_max =
        static_cast<std::size_t>(evaluator.snapshot().config->web.metrics_instances);
    std::vector<wire::MetricFamily> kpis = evaluate::kpi_families(evaluator.kpis(), instances_max);
    std::move(kpis.begin(), kpis.end(), std::back_inserter(families));
    const MetricsFormat wanted = metrics_format(accept);
    return net::make_response(200, wanted.content_type,
                              wire::encode_exposition(families, wanted.format, wanted.escaping));
}

}  // namespace kpid::http
