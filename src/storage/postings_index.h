#pragma once
// The series index: from label sets and matchers to series, small enough for millions.

#include "kpid/base/result.h"
#include "kpid/base/shared_mutex.h"
#include "kpid/model/matcher.h"
#include "storage/matcher_plan.h"
#include "storage/read_pins.h"
#include "storage/ref_set.h"
#include "storage/series_table.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// All series, and for each label the series that have it.
///
/// Threads: one writer at a time (the committer) adds, removes and releases; any number of readers
/// find, resolve and ask. They share one lock under which each does a bounded piece of work
/// (kPiece labels or series, kWritePiece for the writer), and nobody overtakes a waiting writer.
/// Between the pieces of one answer the index may change: the answer has every series that matched
/// and was there from its beginning to its end, and none that does not match.
///
/// Life of a SeriesRef: add() gives it; remove() takes the series out of find() and all answers,
/// while labels() and id() still read it; release() gives the number and the label set back, once
/// no Pin from before is held. A caller that uses refs from an answer beside a writer that releases
/// holds a Pin from before it asked; resolve() and its like hold their own for as long as they run.
class PostingsIndex {
public:
    /// At most this many labels, names, values or series are looked at in one hold of the lock.
    static constexpr std::size_t kPiece = 1024;
    /// At most this many series are added or removed in one hold.
    static constexpr std::size_t kWritePiece = 64;
    static constexpr std::size_t kAliasesMax = SeriesTable::kAliasesMax;

    using Pin = ReadPins::Pin;

    struct NewSeries {
        std::span<const LabelView> labels;  ///< Sorted by name, unique, values not empty.
        std::uint64_t hash = 0;             ///< hash_labels(labels).
        SeriesId id;
        /// As by add_alias(), when the set is new.
        std::optional<std::uint64_t> alias = {};
    };
    struct Added {
        SeriesRef ref;
        bool is_new = false;  ///< Else the set was there, with the id it has.
    };
    /// Strings of an answer, sorted, unique.
    struct Strings {
        std::vector<std::string> strings;
        bool truncated = false;  ///< There are more than the limit; these are the first.
    };
    struct Count {
        std::string name;
        std::uint64_t count = 0;
        bool operator==(const Count&) const = default;
    };
    /// Each list in descending order of count, then by name.
    struct Cardinality {
        std::uint64_t series = 0;
        std::uint64_t label_names = 0;
        std::uint64_t label_pairs = 0;
        std::vector<Count> series_by_metric_name;
        std::vector<Count> values_by_label_name;
        std::vector<Count> value_bytes_by_label_name;  ///< Bytes of a value times its series.
        std::vector<Count> series_by_label_pair;       ///< "name=value"
    };
    /// Heap and tables, within about a tenth.
    struct Bytes {
        std::size_t labels = 0;    ///< Names and values, each once, and how they are found.
        std::size_t series = 0;    ///< Ids and label sets.
        std::size_t hashes = 0;    ///< From hashes to series.
        std::size_t postings = 0;  ///< Bitmaps.
        [[nodiscard]] std::size_t total() const { return labels + series + hashes + postings; }
    };

    // The writer.

    /// Finds the set or adds it. kInvalidArgument when the labels are not as NewSeries says;
    /// kResourceExhausted when numbers or memory for text are used up, then nothing has changed.
    [[nodiscard]] Result<Added> add(const NewSeries& series) KPID_EXCLUDES(mutex_);
    /// add() of each, in few holds of the lock; out[i] is for series[i].
    void add_all(std::span<const NewSeries> series, std::span<Result<Added>> out)
        KPID_EXCLUDES(mutex_);
    /// A raw encoding with this hash means this live series; find_if() verifies it. False when it
    /// has kAliasesMax of them; then senders of others are found by their sorted labels.
    bool add_alias(SeriesRef series, std::uint64_t hash) KPID_EXCLUDES(mutex_);
    /// Series that are not live are passed over. Returns how many were.
    std::size_t remove(std::span<const SeriesRef> series) KPID_EXCLUDES(mutex_);
    /// Of removed series. What cannot be given back yet is, by a later release() or reclaim().
    void release(std::span<const SeriesRef> series) KPID_EXCLUDES(mutex_);
    /// Returns how many still wait for readers.
    std::size_t reclaim() KPID_EXCLUDES(mutex_);

    // Any thread.

    [[nodiscard]] Pin pin() const { return pins_.pin(); }

    /// By sorted labels and their hash.
    [[nodiscard]] std::optional<SeriesRef> find(std::span<const LabelView> labels,
                                                std::uint64_t hash) const KPID_EXCLUDES(mutex_);
    [[nodiscard]] std::optional<SeriesRef> find(const model::Labels& labels) const
        KPID_EXCLUDES(mutex_);
    /// By a hash, canonical or alias, and verify(const StoredLabels&), which says whether that is
    /// the set that was meant. It runs under the lock: compare, nothing else.
    template <class Verify>
    [[nodiscard]] std::optional<SeriesRef> find_if(std::uint64_t hash, Verify&& verify) const
        KPID_EXCLUDES(mutex_) {
        const SharedLock lock(mutex_);
        return series_.find(hash, verify);
    }
    /// find_if() of many, faster than one by one: verify(i, span of LabelView) and then
    /// found(i, std::optional<SeriesRef>) for each i.
    template <class Verify, class Found>
    void find_all(std::span<const std::uint64_t> hashes, Verify&& verify, Found&& found) const
        KPID_EXCLUDES(mutex_);

    /// Of a live or removed series.
    [[nodiscard]] model::Labels labels(SeriesRef series) const KPID_EXCLUDES(mutex_);
    [[nodiscard]] SeriesId id(SeriesRef series) const KPID_EXCLUDES(mutex_);
    /// visit(SeriesRef, SeriesId, const StoredLabels&) for each, under the lock; no copies.
    template <class Visit>
    void visit(std::span<const SeriesRef> series, Visit&& visit) const KPID_EXCLUDES(mutex_);

    /// The series that all matchers match; all series when there are none.
    [[nodiscard]] RefSet resolve(std::span<const model::Matcher> matchers) const
        KPID_EXCLUDES(mutex_);
    /// Over the series that all matchers match; `limit` 0 is none.
    [[nodiscard]] Strings label_names(std::span<const model::Matcher> matchers,
                                      std::size_t limit = 0) const KPID_EXCLUDES(mutex_);
    [[nodiscard]] Strings label_values(std::string_view name,
                                       std::span<const model::Matcher> matchers,
                                       std::size_t limit = 0) const KPID_EXCLUDES(mutex_);
    /// The `top` entries of each list, without sorting the rest. Looks at every label.
    [[nodiscard]] Cardinality cardinality(std::size_t top) const KPID_EXCLUDES(mutex_);

    /// Live ones.
    [[nodiscard]] std::size_t size() const KPID_EXCLUDES(mutex_);
    /// Looks at every label: some ten milliseconds for a million.
    [[nodiscard]] Bytes bytes() const KPID_EXCLUDES(mutex_);

private:
    struct Released {
        std::uint64_t epoch = 0;
        std::vector<SeriesRef> series;
    };

    [[nodiscard]] Result<Added> add_locked(const NewSeries& series) KPID_REQUIRES(mutex_);

    // Parts of resolve(). Each holds the lock piece by piece.
    [[nodiscard]] RefSet first_choice(std::vector<const ValueCondition*>& conditions) const;
    void apply(const ValueCondition& condition, RefSet& found) const;
    [[nodiscard]] RefSet having(const ValueCondition& condition) const;
    [[nodiscard]] RefSet having_listed(const ValueCondition& condition) const;
    [[nodiscard]] RefSet having_tested(const ValueCondition& condition) const;
    void filter(const ValueCondition& condition, RefSet& found) const;
    [[nodiscard]] std::size_t expected(const ValueCondition& condition) const;
    [[nodiscard]] std::size_t value_count(std::string_view name) const;
    [[nodiscard]] std::vector<LabelRef> values_of(std::string_view name) const;
    [[nodiscard]] RefSet live_series() const;

    /// visit(LabelTable, LabelRef) for each label that some series has, under the lock, in pieces.
    template <class Visit>
    void visit_labels(Visit&& visit) const;
    /// visit(LabelTable, NameRef) for each name that some series has, `piece` at a time.
    template <class Visit>
    void visit_names(std::uint32_t piece, Visit&& visit) const;

    mutable SharedMutex mutex_;
    SeriesTable series_ KPID_GUARDED_BY(mutex_);
    RefSet live_ KPID_GUARDED_BY(mutex_);
    std::size_t live_count_ KPID_GUARDED_BY(mutex_) = 0;

    std::deque<Released> released_;  // The writer's; in order of epoch.
    mutable ReadPins pins_;
};

template <class Verify, class Found>
void PostingsIndex::find_all(std::span<const std::uint64_t> hashes, Verify&& verify,
                             Found&& found) const {
    std::size_t begin = 0;
    while (begin < hashes.size()) {
        const SharedLock lock(mutex_);
        for (std::size_t i = 0; i < kPiece / SeriesTable::kGroup && begin < hashes.size(); ++i) {
            const std::size_t count = std::min(SeriesTable::kGroup, hashes.size() - begin);
            series_.find_group(
                hashes.subspan(begin, count),
                [&](std::size_t at, std::span<const LabelView> set) {
                    return verify(begin + at, set);
                },
                [&](std::size_t at, std::optional<SeriesRef> ref) { found(begin + at, ref); });
            begin += count;
        }
    }
}

template <class Visit>
void PostingsIndex::visit(std::span<const SeriesRef> series, Visit&& visit) const {
    while (!series.empty()) {
        const SharedLock lock(mutex_);
        const std::size_t count = std::min(kPiece, series.size());
        for (const SeriesRef ref : series.first(count)) {
            visit(ref, series_.id(ref), series_.labels(ref));
        }
        series = series.subspan(count);
    }
}

}  // namespace kpid::storage
