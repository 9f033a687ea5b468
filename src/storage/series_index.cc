#include "storage/series_index.h"

#include "kpid/base/assert.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <utility>

namespace kpid::storage {

/// Memory that the system gives when a series is put there.
struct SeriesIndex::Page {
    alignas(MemorySeries) std::array<std::byte, kPageSeries * sizeof(MemorySeries)> memory;
    std::array<std::uint64_t, kPageSeries / 64> used{};

    [[nodiscard]] MemorySeries* slot(std::size_t i) {
        return std::launder(
            reinterpret_cast<MemorySeries*>(memory.data() + i * sizeof(MemorySeries)));
    }
    [[nodiscard]] bool has(std::size_t i) const { return (used[i / 64] >> (i % 64) & 1U) != 0; }
    void create(std::size_t i) {
        ::new (static_cast<void*>(memory.data() + i * sizeof(MemorySeries))) MemorySeries();
        used[i / 64] |= std::uint64_t{1} << (i % 64);
    }
    void destroy(std::size_t i) {
        slot(i)->~MemorySeries();
        used[i / 64] &= ~(std::uint64_t{1} << (i % 64));
    }
};

SeriesIndex::SeriesIndex() : pages_(new std::atomic<Page*>[kPages]()) {
}

SeriesIndex::~SeriesIndex() {
    for (std::size_t number = 0; number < kPages; ++number) {
        Page* page = pages_[number].load(std::memory_order_relaxed);
        if (page == nullptr) {
            continue;
        }
        for (std::size_t i = 0; i < kPageSeries; ++i) {
            if (page->has(i)) {
                page->destroy(i);
            }
        }
        delete page;
    }
}

MemorySeries& SeriesIndex::at(SeriesRef ref) const {
    Page* page = pages_[ref.value() / kPageSeries].load(std::memory_order_acquire);
    return *page->slot(ref.value() % kPageSeries);
}

MemorySeries* SeriesIndex::find(std::span<const LabelView> labels, std::uint64_t hash) const {
    const SeriesRef ref = postings_.find(labels, hash).value_or(kUnknown);
    return places({&ref, 1}).front();
}

std::vector<MemorySeries*> SeriesIndex::places(std::span<const SeriesRef> refs) const {
    std::vector<MemorySeries*> series;
    series.reserve(refs.size());
    // Whoever stands in the postings by now is in its place when the lock is had.
    const SharedLock lock(adding_);
    for (const SeriesRef ref : refs) {
        series.push_back(ref == kUnknown ? nullptr : &at(ref));
    }
    return series;
}

// A place may be anyone's by now, but ids are given once; and what is not removed now stays in its
// place as long as the caller's pin.
std::vector<MemorySeries*> SeriesIndex::find_all(
    std::span<const model::SeriesHandle> handles) const {
    constexpr std::size_t kAhead = 16;
    std::vector<MemorySeries*> series;
    series.reserve(handles.size());
    const auto place = [this](const model::SeriesHandle& handle) -> MemorySeries* {
        if (handle.id == 0 || handle.place > kSeriesRefMax) {
            return nullptr;
        }
        Page* page = pages_[handle.place / kPageSeries].load(std::memory_order_acquire);
        return page != nullptr && page->has(handle.place % kPageSeries)
                   ? page->slot(handle.place % kPageSeries)
                   : nullptr;
    };
    const SharedLock lock(adding_);
    for (std::size_t i = 0; i < handles.size(); ++i) {
        if (i + kAhead < handles.size()) {
            if (const MemorySeries* soon = place(handles[i + kAhead])) {
                soon->prefetch();
            }
        }
        MemorySeries* found = place(handles[i]);
        const bool is_it =
            found != nullptr && found->id.value() == handles[i].id && !found->is_removed;
        series.push_back(is_it ? found : nullptr);
    }
    return series;
}

SeriesIndex::Selection SeriesIndex::select(std::span<const model::Matcher> matchers) const {
    Selection selection{postings_.pin(), {}};
    selection.series = places(postings_.resolve(matchers).refs());
    return selection;
}

std::size_t SeriesIndex::bytes() const {
    return postings_.bytes().total() + size() * sizeof(MemorySeries);
}

SeriesIndex::Added SeriesIndex::add(std::span<const LabelView> labels, std::uint64_t hash,
                                    SeriesId id) {
    const PostingsIndex::NewSeries series{.labels = labels, .hash = hash, .id = id};
    const ExclusiveLock lock(adding_);
    const Added added = put(series, postings_.add(series));
    ++changes_;
    return added;
}

void SeriesIndex::add_all(std::span<const PostingsIndex::NewSeries> series,
                          std::vector<Added>& out) {
    out.clear();
    out.reserve(series.size());
    std::vector<Result<PostingsIndex::Added>> added;
    for (std::size_t begin = 0; begin < series.size(); begin += PostingsIndex::kWritePiece) {
        const auto piece =
            series.subspan(begin, std::min(PostingsIndex::kWritePiece, series.size() - begin));
        added.assign(piece.size(), PostingsIndex::Added());
        const ExclusiveLock lock(adding_);
        postings_.add_all(piece, added);
        for (std::size_t i = 0; i < piece.size(); ++i) {
            out.push_back(put(piece[i], added[i]));
        }
    }
    ++changes_;
}

SeriesIndex::Added SeriesIndex::put(const PostingsIndex::NewSeries& series,
                                    const Result<PostingsIndex::Added>& added) {
    if (!added) {
        return {};
    }
    if (!added->is_new) {
        return {&at(added->ref), false};
    }
    const std::size_t number = added->ref.value() / kPageSeries;
    Page* page = pages_[number].load(std::memory_order_relaxed);
    if (page == nullptr) {
        page = new Page;  // NOLINT(cppcoreguidelines-owning-memory): owned by pages_
        pages_[number].store(page, std::memory_order_release);
    }
    const std::size_t slot = added->ref.value() % kPageSeries;
    if (page->has(slot)) {
        page->destroy(slot);
    }
    page->create(slot);
    MemorySeries& created = *page->slot(slot);
    created.id = series.id;
    created.ref = added->ref;
    created.traits = traits_of(metric_name_of(series.labels));
    if (created.traits.is_long_kept) {
        const MutexLock lock(long_kept_mutex_);
        long_kept_.insert(created.id.value());
    }
    return {&created, true};
}

bool SeriesIndex::is_long_kept(SeriesId id) const {
    const MutexLock lock(long_kept_mutex_);
    return long_kept_.contains(id.value());
}

void SeriesIndex::remove(std::span<MemorySeries* const> series) {
    std::vector<SeriesRef> refs;
    refs.reserve(series.size());
    for (MemorySeries* one : series) {
        refs.push_back(one->ref);
        if (one->traits.is_long_kept) {
            const MutexLock lock(long_kept_mutex_);
            long_kept_.erase(one->id.value());
        }
        const MutexLock lock(lock_of(*one));
        one->is_removed = true;
        one->samples = ChunkedSamples();
    }
    postings_.remove(refs);
    // Before their places can be used again: who finds the old number after this has a pin from
    // before the release.
    ++changes_;
    postings_.release(refs);
}

}  // namespace kpid::storage
