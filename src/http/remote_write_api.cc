// Remote write as HTTP.
#include "http/remote_write_api.h"

#include "http/error_status.h"
#include "kpid/wire/remote_write.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>

namespace kpid::http {
namespace {

using Answer = ingest::RemoteWriteOutcome::Answer;

constexpr std::string_view kSamplesWritten = "X-Prometheus-Remote-Write-Samples-Written";
constexpr std::string_view kHistogramsWritten = "X-Prometheus-Remote-Write-Histograms-Written";
constexpr std::string_view kExemplarsWritten = "X-Prometheus-Remote-Write-Exemplars-Written";

net::HttpResponse unsupported_media(std::string text) {
    return net::text_response(415, std::move(text));
}

net::HttpResponse answer(const ingest::RemoteWriteOutcome& outcome) {
    switch (outcome.answer) {
        case Answer::kStored:
            return net::HttpResponse{.status = 204};
        case Answer::kLimited: {
            const net::HttpResponse table = error_response(resource_exhausted(outcome.error));
            net::HttpResponse response = net::text_response(table.status, outcome.error);
            response.headers.set(net::header::kRetryAfter,
                                 table.headers.get_or(net::header::kRetryAfter, "1"));
            return response;
        }
        case Answer::kTooLarge:
            return net::text_response(413, outcome.error);
        case Answer::kRefused:
        case Answer::kUndecodable:
            break;
    }
    return net::text_response(400, outcome.error);
}

}  // namespace

Result<net::HttpResponse> remote_write_response(ingest::RemoteWriteSink& sink,
                                                const net::HttpRequest& request) {
    const std::string_view encoding =
        request.headers.get_or(net::header::kContentEncoding, "snappy");
    if (!net::equals_ignoring_case(encoding, "snappy")) {
        return unsupported_media(
            fmt::format("Content-Encoding \"{}\" is not supported: snappy", encoding));
    }
    const std::string_view content_type = request.headers.get_or(net::header::kContentType, "");
    const std::optional<wire::RemoteWriteVersion> version =
        wire::remote_write_version_of(content_type);
    if (!version) {
        return unsupported_media(fmt::format(
            "Content-Type \"{}\" is not supported: application/x-protobuf, without proto or with "
            "proto=prometheus.WriteRequest or proto=io.prometheus.write.v2.Request",
            content_type));
    }
    KPID_TRY(const ingest::RemoteWriteOutcome outcome, sink.write(request.body, *version));
    net::HttpResponse response = answer(outcome);
    if (*version == wire::RemoteWriteVersion::kV2) {
        response.headers.set(kSamplesWritten, std::to_string(outcome.samples_written));
        response.headers.set(kHistogramsWritten, "0");
        response.headers.set(kExemplarsWritten, std::to_string(outcome.exemplars_written));
    }
    return response;
}

}  // namespace kpid::http
