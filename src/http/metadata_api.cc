// Metadata as Prometheus shows it.
#include "http/metadata_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"

namespace kpid::http {

Result<net::HttpResponse> metadata_response(const ingest::MetadataTable& table,
                                            const net::HttpParams& params) {
    KPID_TRY(const std::size_t limit, limit_param(params));
    JsonWriter json;
    json.begin_object();
    for (const model::MetricMetadata& metadata : table.list(params.get_or("metric", ""), limit)) {
        json.key(metadata.family).begin_array().begin_object();
        json.key("type").string(model::to_string(metadata.type));
        json.key("help").string(metadata.help).key("unit").string(metadata.unit);
        json.end_object().end_array();
    }
    json.end_object();
    return success(std::move(json).take());
}

}  // namespace kpid::http
