// Joins stretches of time.
#include "ingest/covered_spans.h"

#include <algorithm>

namespace kpid::ingest {

void CoveredSpans::add(Timestamp from, Timestamp until) {
    if (from >= until) {
        return;
    }
    // All that touch the new one become one with it.
    const auto first =
        std::find_if(spans_.begin(), spans_.end(), [&](const Span& s) { return s.until >= from; });
    auto last = first;
    while (last != spans_.end() && last->from <= until) {
        from = std::min(from, last->from);
        until = std::max(until, last->until);
        ++last;
    }
    spans_.insert(spans_.erase(first, last), Span{from, until});
    if (spans_.size() > kSpansMax) {
        spans_.erase(spans_.begin());
    }
}

bool CoveredSpans::covers(Timestamp from, Timestamp until) const {
    return std::any_of(spans_.begin(), spans_.end(),
                       [&](const Span& s) { return s.from <= from && until <= s.until; });
}

Timestamp CoveredSpans::begin_of(Timestamp until) const {
    for (const Span& span : spans_) {
        if (span.from < until && until <= span.until) {
            return span.from;
        }
    }
    return until;
}

}  // namespace kpid::ingest
