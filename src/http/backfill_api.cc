// Export and import as HTTP.
#include "http/backfill_api.h"

#include "http/api_json.h"
#include "http/error_status.h"
#include "http/params.h"
#include "http/series_export.h"
#include "kpid/base/json_writer.h"
#include "kpid/wire/exposition.h"
#include "net/body_stream.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace kpid::http {
namespace {

constexpr unsigned kUnsupportedMediaType = 415;

// Makes the pieces of an export on a pool.
class ExportStream final : public net::BodyStream {
public:
    ExportStream(net::WorkerPool& pool, SeriesExport series)
        : pool_(pool), series_(std::move(series)) {}

    net::Task<Result<std::string>> next() override {
        Result<std::string> piece = co_await net::offload(pool_, [this] { return series_.next(); });
        co_return piece;
    }

private:
    net::WorkerPool& pool_;
    SeriesExport series_;
};

Result<std::size_t> first_line_param(const net::HttpParams& params) {
    const std::string_view text = params.get_or("line", "1");
    std::size_t line = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), line);
    if (failure != std::errc() || end != text.data() + text.size()) {
        return bad_parameter("line", fmt::format("\"{}\" is no number of a line", text));
    }
    return line;
}

Result<bool> recorded_param(const net::HttpParams& params) {
    const std::string_view text = params.get_or("recorded", "false");
    if (text != "true" && text != "false") {
        return bad_parameter("recorded", fmt::format("\"{}\" is neither true nor false", text));
    }
    return text == "true";
}

}  // namespace

Result<net::HttpResponse> export_response(const model::Reader& reader, net::WorkerPool& pool,
                                          const net::HttpParams& params) {
    if (!params.has("match[]")) {
        return invalid_argument("no match[] parameter provided");
    }
    KPID_TRY(const model::TimeRange range, range_params(params));
    KPID_TRY(auto sets, named_match_params(params));
    net::HttpResponse response = net::make_response(200, wire::kUtf8OpenMetricsContentType, "");
    response.stream =
        std::make_shared<ExportStream>(pool, SeriesExport(reader, std::move(sets), range));
    return response;
}

Result<net::HttpResponse> import_response(ingest::ImportSink& sink, ingest::ImportFormat format,
                                          bool may_restore, const net::HttpRequest& request) {
    const std::string_view encoding =
        request.headers.get_or(net::header::kContentEncoding, "identity");
    if (!request.body.empty() && !net::equals_ignoring_case(encoding, "identity")) {
        return error_response(
            kUnsupportedMediaType,
            fmt::format("Content-Encoding \"{}\" is not supported: gzip, deflate or identity",
                        encoding));
    }
    KPID_TRY(const std::size_t first_line, first_line_param(request.params));
    KPID_TRY(const bool with_recorded, recorded_param(request.params));
    if (with_recorded && !may_restore) {
        return Error{
            Code::kPermissionDenied,
            "recorded=true is for restoring a backup and needs --web.enable-admin-api: admin APIs "
            "disabled"};
    }
    KPID_TRY(const ingest::ImportOutcome outcome,
             sink.import_samples(request.body, format, first_line, with_recorded));
    JsonWriter data;
    data.begin_object().key("accepted").number(outcome.accepted);
    data.key("reserved").number(outcome.reserved);
    data.key("rejectedTotal").number(outcome.rejected_total);
    data.key("rejected").begin_array();
    for (const ingest::ImportOutcome::Refusal& refusal : outcome.rejected) {
        data.begin_object().key("line").number(refusal.line);
        data.key("error").string(refusal.error).end_object();
    }
    data.end_array().end_object();
    return success(std::move(data).take());
}

}  // namespace kpid::http
