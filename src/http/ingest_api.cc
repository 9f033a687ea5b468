// Pushes as HTTP.
#include "http/ingest_api.h"

#include "http/api_json.h"
#include "http/error_status.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <optional>

namespace kpid::http {
namespace {

constexpr unsigned kUnsupportedMediaType = 415;

// What the server could not unpack is still packed.
std::optional<net::HttpResponse> refuse_encoding(const net::HttpRequest& request) {
    const std::string_view encoding =
        request.headers.get_or(net::header::kContentEncoding, "identity");
    if (request.body.empty() || net::equals_ignoring_case(encoding, "identity")) {
        return std::nullopt;
    }
    return error_response(
        kUnsupportedMediaType,
        fmt::format("Content-Encoding \"{}\" is not supported: gzip, deflate or identity",
                    encoding));
}

}  // namespace

Result<net::HttpResponse> push_response(ingest::PushSink& sink, const net::HttpRequest& request) {
    if (auto refused = refuse_encoding(request)) {
        return *std::move(refused);
    }
    const std::string_view key = request.headers.get_or(net::header::kIdempotencyKey, "");
    KPID_TRY(const ingest::PushOutcome outcome, sink.push_json(request.body, key));
    JsonWriter data;
    data.begin_object().key("accepted").number(outcome.accepted);
    data.key("rejected").begin_array();
    for (const ingest::PushOutcome::Refusal& refusal : outcome.rejected) {
        data.begin_object().key("index").number(refusal.index);
        data.key("error").string(refusal.error).end_object();
    }
    data.end_array().end_object();
    if (outcome.accepted > 0 || outcome.rejected.empty()) {
        return success(std::move(data).take());
    }
    JsonWriter json;
    json.begin_object().key("status").string("error").key("errorType").string("bad_data");
    json.key("error").string("no sample was accepted; the first: " +
                             outcome.rejected.front().error);
    json.key("data").raw(data.text()).end_object();
    return net::make_response(400, net::media_type::kJson, std::move(json).take());
}

Result<net::HttpResponse> import_text_response(ingest::PushSink& sink,
                                               const net::HttpRequest& request) {
    if (auto refused = refuse_encoding(request)) {
        return *std::move(refused);
    }
    const std::string_view type = request.headers.get_or(net::header::kContentType, "");
    wire::ExpositionFormat format = wire::ExpositionFormat::kText;
    // Everything else is text: curl calls all that it sends a form.
    if (net::media_type_of(type) == "application/openmetrics-text") {
        const Result<wire::ExpositionFormat> named = wire::exposition_format_of(type);
        if (!named) {
            return error_response(kUnsupportedMediaType, named.error().message);
        }
        format = *named;
    }
    KPID_CHECK_OK(sink.import_text(request.body, format));
    return net::HttpResponse{.status = 204};
}

}  // namespace kpid::http
