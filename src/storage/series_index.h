#pragma once
// From label sets and matchers to series in memory.

#include "kpid/base/mutex.h"
#include "kpid/base/shared_mutex.h"
#include "kpid/model/appender.h"
#include "kpid/model/matcher.h"
#include "storage/memory_series.h"
#include "storage/postings_index.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace kpid::storage {

/// All series: a PostingsIndex, and the MemorySeries of each number. Thread-safe; series are added
/// and removed by one thread, the committer.
///
/// A series lies where it is for as long as it lives. One that was found with a Pin held can be
/// used as long as the pin lives: it may be removed meanwhile, but its place is not used again.
class SeriesIndex {
public:
    using Pin = PostingsIndex::Pin;

    /// Series that can be used as long as this lives.
    struct Selection {
        Pin pin;
        std::vector<MemorySeries*> series;
    };

    SeriesIndex();
    ~SeriesIndex();
    SeriesIndex(const SeriesIndex&) = delete;
    SeriesIndex& operator=(const SeriesIndex&) = delete;

    [[nodiscard]] Pin pin() const { return postings_.pin(); }

    // With a pin held.

    /// By sorted labels and their hash; null when unknown.
    [[nodiscard]] MemorySeries* find(std::span<const LabelView> labels, std::uint64_t hash) const;
    /// For each hash, of a label set or an encoding of one, the series that verify(i, span of
    /// LabelView) accepts, or null. verify() runs under the index's lock.
    template <class Verify>
    [[nodiscard]] std::vector<MemorySeries*> find_all(std::span<const std::uint64_t> hashes,
                                                      Verify&& verify) const {
        std::vector<SeriesRef> refs(hashes.size(), kUnknown);
        postings_.find_all(hashes, verify, [&refs](std::size_t i, std::optional<SeriesRef> ref) {
            refs[i] = ref.value_or(kUnknown);
        });
        return places(refs);
    }
    /// For each handle its series, or null when it means none or one that is gone.
    [[nodiscard]] std::vector<MemorySeries*> find_all(
        std::span<const model::SeriesHandle> handles) const KPID_EXCLUDES(adding_);
    [[nodiscard]] static model::SeriesHandle handle_of(const MemorySeries& series) {
        return {.id = series.id.value(), .place = series.ref.value()};
    }
    [[nodiscard]] model::Labels labels(const MemorySeries& series) const {
        return postings_.labels(series.ref);
    }
    /// visit(const StoredLabels&) under the index's lock.
    template <class Visit>
    void visit_labels(const MemorySeries& series, Visit&& visit) const {
        const SeriesRef ref = series.ref;
        postings_.visit({&ref, 1},
                        [&visit](SeriesRef, SeriesId, const StoredLabels& set) { visit(set); });
    }

    /// Every series that all matchers match, in order of their numbers.
    [[nodiscard]] Selection select(std::span<const model::Matcher> matchers) const;
    [[nodiscard]] PostingsIndex::Cardinality cardinality(std::size_t top) const {
        return postings_.cardinality(top);
    }

    /// Whether such a series has traits.is_long_kept; known before anything of it is written.
    [[nodiscard]] bool is_long_kept(SeriesId id) const KPID_EXCLUDES(long_kept_mutex_);

    /// Guards the samples of this series, and of others.
    [[nodiscard]] Mutex& lock_of(const MemorySeries& series) const {
        return locks_[series.ref.value() / kLockSeries % kLocks];
    }

    /// Counts series that came or went, a moment after they can be seen. Who takes a Pin and then
    /// finds the number that it had before a select() can use that selection as long as the pin.
    [[nodiscard]] std::uint64_t changes() const { return changes_; }

    [[nodiscard]] std::size_t size() const { return postings_.size(); }
    /// Of labels, postings and series, without samples. Looks at every label.
    [[nodiscard]] std::size_t bytes() const;

    // The committer.

    struct Added {
        MemorySeries* series = nullptr;  ///< Null when the index is full.
        bool is_new = false;
    };
    /// Finds the set or adds it, then with this id.
    [[nodiscard]] Added add(std::span<const LabelView> labels, std::uint64_t hash, SeriesId id);
    /// add() of each, faster.
    void add_all(std::span<const PostingsIndex::NewSeries> series, std::vector<Added>& out);
    /// An encoding with this hash means this series.
    void add_alias(const MemorySeries& series, std::uint64_t hash) {
        postings_.add_alias(series.ref, hash);
    }
    void remove(std::span<MemorySeries* const> series);

private:
    static constexpr std::size_t kLocks = 256;
    // Neighbours share a lock: they were made, and are mostly appended to, one after the other.
    static constexpr std::size_t kLockSeries = 64;
    static constexpr std::size_t kPageSeries = 16'384;
    static constexpr std::size_t kPages = kSeriesRefMax / kPageSeries + 1;
    struct Page;

    static constexpr SeriesRef kUnknown{kSeriesRefMax + 1};

    [[nodiscard]] MemorySeries& at(SeriesRef ref) const;
    [[nodiscard]] Added put(const PostingsIndex::NewSeries& series,
                            const Result<PostingsIndex::Added>& added) KPID_REQUIRES(adding_);
    /// Of series that the postings gave; null for kUnknown.
    [[nodiscard]] std::vector<MemorySeries*> places(std::span<const SeriesRef> refs) const
        KPID_EXCLUDES(adding_);

    PostingsIndex postings_;
    /// Held while a series stands in the postings and not yet in its place.
    mutable SharedMutex adding_;
    std::unique_ptr<std::atomic<Page*>[]> pages_;  // kPages; null where no series ever was
    mutable std::array<Mutex, kLocks> locks_;
    std::atomic<std::uint64_t> changes_ = 0;
    mutable Mutex long_kept_mutex_;
    boost::unordered_flat_set<std::uint64_t> long_kept_ KPID_GUARDED_BY(long_kept_mutex_);  // ids
};

}  // namespace kpid::storage
