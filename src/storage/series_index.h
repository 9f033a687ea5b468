#pragma once
// From label sets and matchers to series in memory.

#include "kpid/base/shared_mutex.h"
#include "kpid/model/matcher.h"
#include "storage/memory_series.h"
#include "storage/postings_index.h"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace kpid::storage {

/// All series: a PostingsIndex, and the MemorySeries of each number. Thread-safe; series are added
/// and removed by the committer only.
class SeriesIndex {
public:
    /// Series whose labels can be read as long as this lives.
    struct Selection {
        PostingsIndex::Pin pin;
        std::vector<SeriesPointer> series;
    };

    /// Null when unknown.
    [[nodiscard]] SeriesPointer find(const model::Labels& labels) const;
    /// find() for each sample, in order.
    [[nodiscard]] std::vector<SeriesPointer> find_all(
        std::span<const model::SeriesSample> samples) const;
    /// Every series that all matchers match, in no order.
    [[nodiscard]] Selection select(std::span<const model::Matcher> matchers) const;

    /// Of a series in a living selection.
    [[nodiscard]] model::Labels labels(const MemorySeries& series) const {
        return postings_.labels(series.ref());
    }
    /// visit(const StoredLabels&) for a series in a living selection, under the index's lock.
    template <class Visit>
    void visit_labels(const MemorySeries& series, Visit&& visit) const {
        const SeriesRef ref = series.ref();
        postings_.visit({&ref, 1},
                        [&visit](SeriesRef, SeriesId, const StoredLabels& set) { visit(set); });
    }

    [[nodiscard]] std::size_t size() const { return postings_.size(); }
    /// Of labels, postings and series, without samples. Looks at every label.
    [[nodiscard]] std::size_t bytes() const;

    /// The labels are not there yet.
    void add(const model::Labels& labels, const SeriesPointer& series);
    void remove(std::span<const SeriesPointer> series);

private:
    [[nodiscard]] std::vector<SeriesPointer> pointers(std::span<const SeriesRef> refs) const;

    PostingsIndex postings_;
    mutable SharedMutex mutex_;
    std::vector<SeriesPointer> by_ref_ KPID_GUARDED_BY(mutex_);  // null: no such series
};

}  // namespace kpid::storage
