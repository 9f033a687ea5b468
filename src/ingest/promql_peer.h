#pragma once
// The server that a promql source asks: requests, answers, and what it says beside them.

#include "config/sources.h"
#include "ingest/poll_task.h"
#include "ingest/source_notes.h"
#include "kpid/base/mutex.h"
#include "kpid/wire/query_result.h"
#include "net/http_client.h"
#include "net/url.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// Asks one query at a time for who calls; several may be under way. Warnings, infos and partial
/// answers are counted, logged when they are news, and kept until the next answer of the same
/// query. ask() and ask_range() run on the caller's strand, decoding on the worker pool; notes()
/// may be called from any thread. What it is made from outlives it.
class PromqlPeer {
public:
    /// Bytes of one answer, unpacked.
    static constexpr std::size_t kBodyBytesMax = 64U << 20U;
    /// Bytes of a note that are kept.
    static constexpr std::size_t kNoteBytesMax = 1024;
    /// Notes of all queries that are shown.
    static constexpr std::size_t kNotesMax = 200;

    PromqlPeer(std::string source, const config::PromqlSource& promql, Environment& environment);

    struct Instant {
        const config::PromqlSource::Query* query = nullptr;  ///< Outlives the call.
        Timestamp at;
        Duration timeout{0};   ///< Above 0.
        bool is_past = false;  ///< The very instant, please, nothing near it.
    };
    [[nodiscard]] net::Task<Result<wire::QueryResult>> ask(Instant question);

    struct Range {
        const config::PromqlSource::Query* query = nullptr;
        Timestamp from;
        Timestamp last;  ///< Included.
        Duration step{0};
        Duration timeout{0};
    };
    [[nodiscard]] net::Task<Result<wire::QueryMatrix>> ask_range(Range question);

    [[nodiscard]] std::vector<SourceNotes::Note> notes() const;

private:
    [[nodiscard]] net::Task<Result<net::HttpClientResponse>> send(std::string_view path,
                                                                  net::HttpParams form,
                                                                  Duration timeout);
    void take_notes(const std::string& metric, bool is_past, const wire::QueryNotes& said);

    Environment& environment_;
    const std::string source_;
    const std::string url_;
    const HttpClientOptions http_;

    mutable Mutex mutex_;
    // By metric, and whether it was asked for the past.
    std::map<std::pair<std::string, bool>, std::vector<SourceNotes::Note>> notes_
        KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::ingest
