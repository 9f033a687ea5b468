#pragma once
// From label sets and matchers to series.

#include "kpid/base/hash.h"
#include "kpid/base/mutex.h"
#include "kpid/model/matcher.h"
#include "storage/memory_series.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// All series, and for each label's value the series that have it. Thread-safe; series are added
/// and removed by the committer only. Nothing is matched with the lock held but the values of
/// labels that have few.
class SeriesIndex {
public:
    /// Null when unknown.
    [[nodiscard]] SeriesPointer find(const model::Labels& labels) const;
    /// find() for each sample, in order, under one lock.
    [[nodiscard]] std::vector<SeriesPointer> find_all(
        std::span<const model::SeriesSample> samples) const;
    /// Every series that all matchers match, in no order.
    [[nodiscard]] std::vector<SeriesPointer> select(std::span<const model::Matcher> matchers) const;

    [[nodiscard]] std::size_t size() const;
    /// Of label names and values, and an estimate of what each series takes beside its samples.
    [[nodiscard]] std::size_t bytes() const;

    void add(const SeriesPointer& series);
    void remove(std::span<const SeriesPointer> series);

private:
    using Postings = std::vector<SeriesPointer>;

    [[nodiscard]] std::vector<SeriesPointer> candidates(
        std::span<const model::Matcher> matchers) const;
    [[nodiscard]] const Postings* find_postings(const model::Matcher& matcher) const
        KPID_REQUIRES(mutex_);
    /// The union over the values that the matcher accepts; null when it cannot narrow the choice.
    [[nodiscard]] std::optional<std::vector<SeriesPointer>> expand(
        const model::Matcher& matcher) const KPID_REQUIRES(mutex_);

    mutable Mutex mutex_;
    boost::unordered_flat_map<model::Labels, SeriesPointer, model::LabelsHash> series_
        KPID_GUARDED_BY(mutex_);
    StringMap<StringMap<Postings>> postings_ KPID_GUARDED_BY(mutex_);  // name -> value -> series
    std::size_t bytes_ KPID_GUARDED_BY(mutex_) = 0;
};

}  // namespace kpid::storage
