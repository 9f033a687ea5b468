// The admin API as Prometheus answers it.
#include "http/admin_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <charconv>

namespace kpid::http {
namespace {

constexpr std::size_t kListDefault = 10;
constexpr std::size_t kListMax = 10'000;

Result<std::size_t> list_size(const net::HttpParams& params) {
    const std::string_view text = params.get_or("limit", "");
    if (text.empty()) {
        return kListDefault;
    }
    std::size_t limit = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (failure != std::errc() || end != text.data() + text.size() || limit == 0) {
        return invalid_argument("limit must be a positive number");
    }
    if (limit > kListMax) {
        return invalid_argument(fmt::format("limit must not exceed {}", kListMax));
    }
    return limit;
}

void write_counts(JsonWriter& json, std::string_view key,
                  const std::vector<model::NamedCount>& counts) {
    json.key(key).begin_array();
    for (const model::NamedCount& count : counts) {
        json.begin_object().key("name").string(count.name);
        json.key("value").number(count.count).end_object();
    }
    json.end_array();
}

}  // namespace

Result<void> AdminApi::check_enabled() const {
    if (!enabled_) {
        return Error{Code::kPermissionDenied, "admin APIs disabled"};
    }
    return {};
}

Result<net::HttpResponse> AdminApi::delete_series(const net::HttpParams& params) const {
    KPID_CHECK_OK(check_enabled());
    if (!params.has("match[]")) {
        return invalid_argument("no match[] parameter provided");
    }
    KPID_TRY(const model::TimeRange range, range_params(params));
    KPID_TRY(const auto sets, named_match_params(params));
    if (range.end < range.start) {
        return net::HttpResponse{.status = 204};
    }
    for (const std::vector<model::Matcher>& matchers : sets) {
        KPID_CHECK_OK(admin_.delete_series(matchers, range));
    }
    return net::HttpResponse{.status = 204};
}

Result<net::HttpResponse> AdminApi::clean_tombstones() const {
    KPID_CHECK_OK(check_enabled());
    KPID_CHECK_OK(admin_.clean_tombstones());
    return net::HttpResponse{.status = 204};
}

Result<net::HttpResponse> AdminApi::snapshot(const net::HttpParams& params) const {
    KPID_CHECK_OK(check_enabled());
    KPID_CHECK_OK(bool_param(params, "skip_head", "unable to parse boolean"));
    KPID_TRY(const std::string name, admin_.snapshot(clock_.wall_now()));
    JsonWriter json;
    json.begin_object().key("name").string(name).end_object();
    return success(std::move(json).take());
}

Result<net::HttpResponse> AdminApi::cardinality(const net::HttpParams& params) const {
    KPID_TRY(const std::size_t limit, list_size(params));
    const model::StorageCardinality counts = admin_.cardinality(limit);
    JsonWriter json;
    json.begin_object().key("headStats").begin_object();
    json.key("numSeries").number(counts.series);
    json.key("numLabelPairs").number(counts.label_pairs);
    json.key("chunkCount").number(counts.chunks);
    json.key("minTime").number(counts.oldest.ms());
    json.key("maxTime").number(counts.newest.ms()).end_object();
    write_counts(json, "seriesCountByMetricName", counts.series_by_metric_name);
    write_counts(json, "labelValueCountByLabelName", counts.values_by_label_name);
    write_counts(json, "memoryInBytesByLabelName", counts.value_bytes_by_label_name);
    write_counts(json, "seriesCountByLabelValuePair", counts.series_by_label_pair);
    json.end_object();
    return success(std::move(json).take());
}

}  // namespace kpid::http
