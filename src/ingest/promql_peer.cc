// Requests to a Prometheus-compatible server.
#include "ingest/promql_peer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

std::string time_text(Timestamp at) {
    const std::int64_t over = ((at.ms() % 1000) + 1000) % 1000;
    return fmt::format("{}.{:03}", (at.ms() - over) / 1000, over);
}

// Prometheus explains its refusals in JSON; a proxy before it does not.
template <class Decoded>
Result<Decoded> checked(Result<Decoded> decoded, const net::HttpClientResponse& answer) {
    const bool is_json = net::media_type_of(answer.headers.get_or(net::header::kContentType, "")) ==
                         net::media_type::kJson;
    if (!decoded && answer.status != 200 && !is_json) {
        return unavailable(fmt::format("server returned HTTP status {} {}", answer.status,
                                       net::reason_phrase(answer.status)));
    }
    return decoded;
}

}  // namespace

PromqlPeer::PromqlPeer(std::string source, const config::PromqlSource& promql,
                       Environment& environment)
    : environment_(environment), source_(std::move(source)), url_(promql.url), http_(promql.http) {
    for (const char* kind : {kNoteWarning, kNoteInfo, kNotePartial}) {
        environment_.metrics.query_notes.Add({{"source", source_}, {"kind", kind}});
    }
}

net::Task<Result<net::HttpClientResponse>> PromqlPeer::send(std::string_view path,
                                                            net::HttpParams form,
                                                            Duration timeout) {
    form.add("timeout", format_duration(timeout));
    net::HttpClientRequest request{.method = "POST",
                                   .url = url_ + std::string(path),
                                   .body = net::encode_form(form),
                                   .options = http_,
                                   .timeout = timeout,
                                   .connect_timeout = timeout,
                                   .response_bytes_max = kBodyBytesMax};
    request.headers.set(net::header::kContentType, net::media_type::kForm);
    request.headers.set(net::header::kAccept, net::media_type::kJson);
    request.headers.set(net::header::kAcceptEncoding, "gzip");
    return environment_.client.send(std::move(request));
}

net::Task<Result<wire::QueryResult>> PromqlPeer::ask(Instant question) {
    net::HttpParams form;
    form.add("query", question.query->expr);
    form.add("time", time_text(question.at));
    if (question.is_past) {
        // VictoriaMetrics moves the time to a multiple of the step without it.
        form.add("nocache", "1");
    }
    const Result<net::HttpClientResponse> answer =
        co_await send("/api/v1/query", std::move(form), question.timeout);
    if (!answer) {
        co_return answer.error();
    }
    Result<wire::QueryResult> result = co_await net::offload(environment_.workers, [&answer] {
        return checked(wire::decode_query_result(answer->body), *answer);
    });
    if (result) {
        take_notes(question.query->metric, question.is_past, result->notes);
    }
    co_return result;
}

net::Task<Result<wire::QueryMatrix>> PromqlPeer::ask_range(Range question) {
    net::HttpParams form;
    form.add("query", question.query->expr);
    form.add("start", time_text(question.from));
    form.add("end", time_text(question.last));
    form.add("step", time_text(Timestamp(question.step.count())));
    form.add("nocache", "1");
    const Result<net::HttpClientResponse> answer =
        co_await send("/api/v1/query_range", std::move(form), question.timeout);
    if (!answer) {
        co_return answer.error();
    }
    Result<wire::QueryMatrix> matrix = co_await net::offload(environment_.workers, [&answer] {
        return checked(wire::decode_query_matrix(answer->body), *answer);
    });
    if (matrix) {
        take_notes(question.query->metric, true, matrix->notes);
    }
    co_return matrix;
}

void PromqlPeer::take_notes(const std::string& metric, bool is_past, const wire::QueryNotes& said) {
    std::vector<SourceNotes::Note> notes;
    notes.reserve(said.warnings.size() + said.infos.size() + 1);
    for (const std::string& text : said.warnings) {
        notes.push_back({metric, kNoteWarning, text.substr(0, kNoteBytesMax)});
    }
    for (const std::string& text : said.infos) {
        notes.push_back({metric, kNoteInfo, text.substr(0, kNoteBytesMax)});
    }
    if (said.is_partial) {
        notes.push_back({metric, kNotePartial, "a part of the server did not answer"});
    }
    for (const SourceNotes::Note& note : notes) {
        environment_.metrics.query_notes.Add({{"source", source_}, {"kind", note.kind}})
            .Increment();
    }
    std::vector<SourceNotes::Note> before;
    {
        const MutexLock lock(mutex_);
        std::vector<SourceNotes::Note>& known = notes_[{metric, is_past}];
        before = std::exchange(known, notes);
    }
    for (const SourceNotes::Note& note : notes) {
        if (std::find(before.begin(), before.end(), note) != before.end()) {
            continue;
        }
        const LogFields fields{
            {"source", source_}, {"metric", metric}, {"kind", note.kind}, {"text", note.text}};
        if (note.kind == kNoteInfo) {
            environment_.log.info("a query was answered with a note", fields);
        } else {
            environment_.log.warn("a query was answered with a note", fields);
        }
    }
}

std::vector<SourceNotes::Note> PromqlPeer::notes() const {
    std::vector<SourceNotes::Note> all;
    const MutexLock lock(mutex_);
    for (const auto& [key, notes] : notes_) {
        for (const SourceNotes::Note& note : notes) {
            const bool is_new = std::find(all.begin(), all.end(), note) == all.end();
            if (is_new && all.size() < kNotesMax) {
                all.push_back(note);
            }
        }
    }
    return all;
}

}  // namespace kpid::ingest
