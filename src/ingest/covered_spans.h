#pragma once
// Which stretches of time are done.

#include "kpid/base/time.h"

#include <cstddef>
#include <vector>

namespace kpid::ingest {

/// Half-open stretches [from, until), disjoint and in order; those that touch are one. A plain
/// value; pure. Not thread-safe.
class CoveredSpans {
public:
    /// More are not kept: the oldest are forgotten.
    static constexpr std::size_t kSpansMax = 10'000;

    struct Span {
        Timestamp from;
        Timestamp until;
        bool operator==(const Span&) const = default;
    };

    /// Nothing happens unless `from` is before `until`.
    void add(Timestamp from, Timestamp until);
    [[nodiscard]] bool covers(Timestamp from, Timestamp until) const;
    /// The beginning of the stretch that ends at `until` or goes on beyond it; `until` where there
    /// is none.
    [[nodiscard]] Timestamp begin_of(Timestamp until) const;

    [[nodiscard]] bool empty() const { return spans_.empty(); }
    [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }
    bool operator==(const CoveredSpans&) const = default;

private:
    std::vector<Span> spans_;
};

}  // namespace kpid::ingest
