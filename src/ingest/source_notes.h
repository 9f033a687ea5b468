#pragma once
// What a source's peer says beside its answers, and how far its past has been asked for.

#include <cstddef>
#include <string>
#include <vector>

namespace kpid::ingest {

/// A plain value for /api/v1/sources.
struct SourceNotes {
    /// Something that the newest answer to a query came with.
    struct Note {
        std::string metric;
        std::string kind;  ///< "warning", "info", "partial".
        std::string text;
        bool operator==(const Note&) const = default;
    };
    std::vector<Note> notes;  ///< In order of metric.
    /// Whether the past is asked for at all, beside the rounds.
    bool has_history = false;
    std::size_t periods_pending = 0;   ///< Closed and not answered; bounded by what one look finds.
    std::size_t periods_given_up = 0;  ///< Since the start.
    std::size_t backfills_pending = 0;  ///< Queries whose past is not filled yet.
    std::string history_error;  ///< Why the newest request for the past failed; empty: none.
};

}  // namespace kpid::ingest
