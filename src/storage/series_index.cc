#include "storage/series_index.h"

#include "kpid/base/assert.h"

#include <algorithm>
#include <optional>

namespace kpid::storage {
namespace {

// A series and its entry in the table, with what the allocator adds.
constexpr std::size_t kSeriesBytes =
    heap_bytes_of(sizeof(MemorySeries) + 2 * sizeof(void*)) + sizeof(SeriesPointer);

std::vector<LabelView> views_of(const model::Labels& labels) {
    std::vector<LabelView> views;
    views.reserve(labels.size());
    for (const model::Label& label : labels) {
        views.push_back({label.name, label.value});
    }
    return views;
}

bool same_labels(const StoredLabels& stored, const model::Labels& labels) {
    if (stored.size() != labels.size()) {
        return false;
    }
    std::size_t i = 0;
    for (const model::Label& label : labels) {
        // The value first: names are mostly the same.
        if (stored.value(i) != label.value || stored.name(i) != label.name) {
            return false;
        }
        ++i;
    }
    return true;
}

}  // namespace

SeriesPointer SeriesIndex::find(const model::Labels& labels) const {
    const PostingsIndex::Pin pin = postings_.pin();
    const std::optional<SeriesRef> ref = postings_.find(labels);
    return ref ? pointers({&*ref, 1}).front() : nullptr;
}

std::vector<SeriesPointer> SeriesIndex::find_all(
    std::span<const model::SeriesSample> samples) const {
    std::vector<std::uint64_t> hashes;
    hashes.reserve(samples.size());
    for (const model::SeriesSample& sample : samples) {
        hashes.push_back(sample.labels.hash());
    }
    const PostingsIndex::Pin pin = postings_.pin();
    constexpr SeriesRef kUnknown(kSeriesRefMax + 1);
    std::vector<SeriesRef> refs(samples.size(), kUnknown);
    postings_.find_all(
        hashes,
        [samples](std::size_t i, const StoredLabels& stored) {
            return same_labels(stored, samples[i].labels);
        },
        [&refs](std::size_t i, std::optional<SeriesRef> ref) {
            if (ref) {
                refs[i] = *ref;
            }
        });
    return pointers(refs);
}

std::vector<SeriesPointer> SeriesIndex::pointers(std::span<const SeriesRef> refs) const {
    std::vector<SeriesPointer> found;
    found.reserve(refs.size());
    const SharedLock lock(mutex_);
    for (const SeriesRef ref : refs) {
        found.push_back(ref.value() < by_ref_.size() ? by_ref_[ref.value()] : nullptr);
    }
    return found;
}

SeriesIndex::Selection SeriesIndex::select(std::span<const model::Matcher> matchers) const {
    Selection selection{postings_.pin(), {}};
    selection.series = pointers(postings_.resolve(matchers).refs());
    // One that was found just before it got its pointer has no samples yet.
    std::erase(selection.series, nullptr);
    return selection;
}

std::size_t SeriesIndex::bytes() const {
    return postings_.bytes().total() + postings_.size() * kSeriesBytes;
}

void SeriesIndex::add(const model::Labels& labels, const SeriesPointer& series) {
    const std::vector<LabelView> views = views_of(labels);
    const Result<PostingsIndex::Added> added =
        postings_.add({.labels = views, .hash = labels.hash(), .id = series->id()});
    // Labels are as they must be, and their limits lie far below the numbers and the text that the
    // postings can hold.
    KPID_ASSERT(added.has_value() && added->is_new);
    series->set_ref(added->ref);
    const ExclusiveLock lock(mutex_);
    if (by_ref_.size() <= added->ref.value()) {
        by_ref_.resize(added->ref.value() + std::size_t{1});
    }
    by_ref_[added->ref.value()] = series;
}

void SeriesIndex::remove(std::span<const SeriesPointer> series) {
    std::vector<SeriesRef> refs;
    refs.reserve(series.size());
    for (const SeriesPointer& one : series) {
        refs.push_back(one->ref());
    }
    postings_.remove(refs);
    {
        const ExclusiveLock lock(mutex_);
        for (const SeriesRef ref : refs) {
            by_ref_[ref.value()] = nullptr;
        }
    }
    postings_.release(refs);
}

}  // namespace kpid::storage
