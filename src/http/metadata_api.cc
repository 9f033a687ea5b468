// Metadata as Prometheus shows it.
#include "http/metadata_api.h"

#include "http/api_json.h"
#include "http/metrics_page.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"

#include <map>
#include <string>

namespace kpid::http {
namespace {

// Below 0 there is no bound, as in Prometheus; for `limit_per_metric` also at 0.
Result<std::int64_t> count_param(const net::HttpParams& params, std::string_view name) {
    const Result<std::optional<std::int64_t>> count = integer_param(params, name);
    if (!count) {
        return invalid_argument(std::string(name) + " must be a number");
    }
    return count->value_or(-1);
}

}  // namespace

Result<net::HttpResponse> metadata_response(const ingest::MetadataTable& table,
                                            const std::vector<wire::MetricFamily>& own,
                                            const net::HttpParams& params) {
    KPID_TRY(const std::int64_t limit, count_param(params, "limit"));
    // There is one statement a family, so that this bound never cuts.
    KPID_CHECK_OK(count_param(params, "limit_per_metric"));
    const std::string_view metric = params.get_or("metric", "");
    std::map<std::string, model::MetricMetadata> families;
    for (const wire::MetricFamily& family : own) {
        // A counter's name is that of its samples, as readers of the text format know it.
        const bool has_suffix =
            family.type == model::MetricType::kCounter && !family.samples.empty();
        std::string name = family.name + (has_suffix ? family.samples.front().suffix : "");
        if (metric.empty() || metric == name) {
            families[name] = {name, family.type, family.help, family.unit};
        }
    }
    for (model::MetricMetadata& metadata : table.list(metric, 0)) {
        std::string name = metadata.family;
        families.insert_or_assign(std::move(name), std::move(metadata));
    }
    JsonWriter json;
    json.begin_object();
    std::int64_t written = 0;
    for (const auto& [name, metadata] : families) {
        if (limit >= 0 && written++ >= limit) {
            break;
        }
        json.key(name).begin_array().begin_object();
        json.key("type").string(model::to_string(metadata.type));
        json.key("help").string(metadata.help).key("unit").string(metadata.unit);
        json.end_object().end_array();
    }
    json.end_object();
    return success(std::move(json).take());
}

}  // namespace kpid::http
