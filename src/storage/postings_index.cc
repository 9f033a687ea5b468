// Adding, finding and removing series.

#include "storage/postings_index.h"

#include "kpid/base/assert.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::storage {
namespace {

bool is_sorted_set(std::span<const LabelView> labels) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i].value.empty() || (i > 0 && labels[i - 1].name >= labels[i].name)) {
            return false;
        }
    }
    return true;
}

}  // namespace

Result<PostingsIndex::Added> PostingsIndex::add_locked(const NewSeries& series) {
    if (!is_sorted_set(series.labels)) {
        return invalid_argument("labels are not sorted, not unique or have empty values");
    }
    const auto known = series_.find(series.hash, [&series](const StoredLabels& stored) {
        return stored.equals(series.labels);
    });
    if (known) {
        return Added{.ref = *known, .is_new = false};
    }
    const auto added = series_.add(series.labels, series.hash, series.id);
    if (!added) {
        return resource_exhausted(
            fmt::format("the series index is full: {} series", series_.size()));
    }
    LabelTable& labels = series_.label_table();
    for (const LabelRef label : series_.labels(*added).refs()) {
        labels.add_series(label, *added);
    }
    live_.add(*added);
    ++live_count_;
    if (series.alias) {
        series_.add_alias(*added, *series.alias);
    }
    return Added{.ref = *added, .is_new = true};
}

Result<PostingsIndex::Added> PostingsIndex::add(const NewSeries& series) {
    const ExclusiveLock lock(mutex_);
    return add_locked(series);
}

void PostingsIndex::add_all(std::span<const NewSeries> series, std::span<Result<Added>> out) {
    KPID_ASSERT(series.size() == out.size());  // One answer for each.
    for (std::size_t begin = 0; begin < series.size(); begin += kWritePiece) {
        const std::size_t end = std::min(begin + kWritePiece, series.size());
        const ExclusiveLock lock(mutex_);
        for (std::size_t i = begin; i < end; ++i) {
            series_.prefetch(series[i].labels, series[i].hash);
            if (series[i].alias) {
                series_.prefetch_alias(*series[i].alias);
            }
        }
        for (std::size_t i = begin; i < end; ++i) {
            out[i] = add_locked(series[i]);
        }
    }
}

bool PostingsIndex::add_alias(SeriesRef series, std::uint64_t hash) {
    const ExclusiveLock lock(mutex_);
    return series_.add_alias(series, hash);
}

std::size_t PostingsIndex::remove(std::span<const SeriesRef> series) {
    std::size_t removed = 0;
    for (std::size_t begin = 0; begin < series.size(); begin += kWritePiece) {
        const ExclusiveLock lock(mutex_);
        LabelTable& labels = series_.label_table();
        const std::size_t count = std::min(kWritePiece, series.size() - begin);
        for (const SeriesRef one : series.subspan(begin, count)) {
            if (!series_.is_live(one)) {
                continue;
            }
            for (const LabelRef label : series_.labels(one).refs()) {
                labels.remove_series(label, one);
            }
            series_.remove(one);
            live_.remove(one);
            --live_count_;
            ++removed;
        }
    }
    return removed;
}

void PostingsIndex::release(std::span<const SeriesRef> series) {
    if (!series.empty()) {
        released_.push_back(
            {.epoch = pins_.next_epoch(), .series = {series.begin(), series.end()}});
    }
    reclaim();
}

std::size_t PostingsIndex::reclaim() {
    const auto oldest = pins_.oldest();
    while (!released_.empty() && (!oldest || released_.front().epoch < *oldest)) {
        const std::vector<SeriesRef>& series = released_.front().series;
        for (std::size_t begin = 0; begin < series.size(); begin += kWritePiece) {
            const std::size_t end = std::min(begin + kWritePiece, series.size());
            const ExclusiveLock lock(mutex_);
            for (std::size_t i = begin; i < end; ++i) {
                series_.release(series[i]);
            }
        }
        released_.pop_front();
    }
    std::size_t waiting = 0;
    for (const Released& released : released_) {
        waiting += released.series.size();
    }
    return waiting;
}

std::optional<SeriesRef> PostingsIndex::find(std::span<const LabelView> labels,
                                             std::uint64_t hash) const {
    return find_if(hash, [labels](const StoredLabels& stored) { return stored.equals(labels); });
}

std::optional<SeriesRef> PostingsIndex::find(const model::Labels& labels) const {
    return find_if(labels.hash(), [&labels](const StoredLabels& stored) {
        if (stored.size() != labels.size()) {
            return false;
        }
        std::size_t i = 0;
        return std::all_of(labels.begin(), labels.end(), [&](const model::Label& label) {
            const LabelView other = stored[i++];
            return label.value == other.value && label.name == other.name;
        });
    });
}

model::Labels PostingsIndex::labels(SeriesRef series) const {
    const SharedLock lock(mutex_);
    return series_.labels(series).labels();
}

SeriesId PostingsIndex::id(SeriesRef series) const {
    const SharedLock lock(mutex_);
    return series_.id(series);
}

std::size_t PostingsIndex::size() const {
    const SharedLock lock(mutex_);
    return live_count_;
}

}  // namespace kpid::storage
