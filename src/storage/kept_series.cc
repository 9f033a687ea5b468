#include "storage/kept_series.h"

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

constexpr std::size_t kAhead = 8;
// Of a series that a deletion disturbs.
constexpr int kAttemptsMax = 4;

// Whether what lies between the range and the newest sample is no longer than the range: else it
// would cost more than it spares to read it too.
bool is_near(model::TimeRange range, Timestamp newest) {
    const auto distance = [](Timestamp from, Timestamp to) {
        return static_cast<std::uint64_t>(to.ms()) - static_cast<std::uint64_t>(from.ms());
    };
    return newest <= range.end || distance(range.end, newest) <= distance(range.start, range.end);
}

}  // namespace

KeptSeriesSelection::KeptSeriesSelection(const Storage::Core& core,
                                         std::vector<model::Matcher> matchers)
    : core_(core), matchers_(std::move(matchers)) {
}

KeptSeriesSelection::~KeptSeriesSelection() {
    give_back(held_);
}

void KeptSeriesSelection::forget(Kept& kept) {
    give_back(kept.window.capacity());
    kept.window = KeptWindow();
    kept.is_kept = false;
}

bool KeptSeriesSelection::has_room_for(std::size_t series) const {
    const std::size_t others = core_.kept_samples - held_;
    return series <= series_.size() ||
           others + series * kSamplesPerSeries <= core_.options.kept_samples_max;
}

void KeptSeriesSelection::hold(std::size_t samples) {
    held_ += samples;
    core_.kept_samples += samples;
}

void KeptSeriesSelection::give_back(std::size_t samples) {
    held_ -= samples;
    core_.kept_samples -= samples;
}

Result<void> KeptSeriesSelection::visit_plainly(const SeriesIndex::Selection& selection,
                                                model::TimeRange range,
                                                const model::ReadOptions& options,
                                                const model::SeriesViewVisitor& take) {
    give_back(held_);
    series_.clear();
    is_found_ = false;
    ++generation_;
    std::size_t place = 0;
    return core_.visit(selection, range, options, [&](model::SeriesColumns& series) {
        return take({series.labels, series.times, series.values, place++});
    });
}

// Those that were there before keep their samples. The caller holds a pin.
void KeptSeriesSelection::find_series(const SeriesIndex::Selection& selection,
                                      std::uint64_t changes) {
    const auto is_same = [](const Kept& kept, const MemorySeries* series) {
        return kept.series == series && kept.id == series->id;
    };
    if (!is_found_ || !std::equal(series_.begin(), series_.end(), selection.series.begin(),
                                  selection.series.end(), is_same)) {
        std::vector<Kept> found;
        found.reserve(selection.series.size());
        auto before = series_.begin();
        const auto comes_before = [](const Kept& kept, const MemorySeries* series) {
            return kept.id.value() < series->id.value();
        };
        // By id: what is in order of places need not be.
        std::sort(series_.begin(), series_.end(),
                  [](const Kept& a, const Kept& b) { return a.id.value() < b.id.value(); });
        for (const MemorySeries* series : selection.series) {
            before = std::lower_bound(series_.begin(), series_.end(), series, comes_before);
            if (before != series_.end() && is_same(*before, series)) {
                found.push_back(std::move(*before));
                before->window = KeptWindow();
            } else {
                found.push_back({.series = series,
                                 .id = series->id,
                                 .labels = core_.index.labels(*series),
                                 .window = {}});
            }
        }
        for (Kept& gone : series_) {
            forget(gone);
        }
        give_back(series_.size() * kSamplesPerSeries);
        hold(found.size() * kSamplesPerSeries);
        series_ = std::move(found);
        ++generation_;
    }
    is_found_ = true;
    changes_ = changes;
}

Result<void> KeptSeriesSelection::visit(model::TimeRange range, const model::ReadOptions& options,
                                        const model::SeriesViewVisitor& take) {
    const SeriesIndex::Pin pin = core_.index.pin();
    const std::uint64_t changes = core_.index.changes();
    if (!is_found_ || changes != changes_) {
        const SeriesIndex::Selection selection = core_.index.select(matchers_);
        if (!has_room_for(selection.series.size())) {
            return visit_plainly(selection, range, options, take);
        }
        find_series(selection, changes);
    }
    for (std::size_t begin = 0; begin < series_.size(); begin += kBlock) {
        const std::size_t end = std::min(begin + kBlock, series_.size());
        Block block;
        for (std::size_t i = begin; i < end; ++i) {
            const Kept& kept = series_[i];
            block.ranges[i - begin] =
                core_.range_of(kept.series->traits, kept.labels, range, options.history);
        }
        if (!options.known_at) {
            catch_up(begin, end, block);
        }
        for (std::size_t i = begin; i < end; ++i) {
            const model::TimeRange& wanted = block.ranges[i - begin];
            if (wanted.start > wanted.end) {
                continue;
            }
            Kept& kept = series_[i];
            KPID_CHECK_OK(block.is_ready[i - begin]
                              ? show(kept.window.in(wanted), kept, options, take, i)
                              : read_anew(kept, wanted, options, take, i));
        }
    }
    return {};
}

// Neighbours share a lock.
void KeptSeriesSelection::catch_up(std::size_t begin, std::size_t end, Block& block) {
    for (std::size_t i = begin; i < end;) {
        Mutex& mutex = core_.index.lock_of(*series_[i].series);
        const MutexLock lock(mutex);
        for (; i < end && &core_.index.lock_of(*series_[i].series) == &mutex; ++i) {
            if (i + kAhead < series_.size()) {
                series_[i + kAhead].series->prefetch();
                series_[i + kAhead].window.prefetch();
            }
            block.is_ready[i - begin] = catch_up(series_[i], block.ranges[i - begin]);
        }
    }
}

// With the series' lock held. Whether the window has all of the range.
bool KeptSeriesSelection::catch_up(Kept& kept, model::TimeRange range) {
    const ChunkedSamples& samples = kept.series->samples;
    if (!kept.is_kept || kept.series->has_versions || kept.rewrites != samples.rewrites() ||
        range.start < kept.complete_from) {
        return false;
    }
    kept.window.drop_before(range.start);
    kept.complete_from = range.start;
    fresh_.times.clear();
    fresh_.values.clear();
    if (!samples.read_after(kept.seen, fresh_)) {
        return false;
    }
    if (fresh_.times.empty()) {
        return true;
    }
    if (!append(kept, fresh_)) {
        return false;
    }
    kept.seen = fresh_.times.back();
    return true;
}

bool KeptSeriesSelection::append(Kept& kept, const SampleColumns& columns) {
    if (kept.window.size() + columns.times.size() > kWindowSamplesMax ||
        core_.kept_samples > core_.options.kept_samples_max) {
        forget(kept);
        return false;
    }
    const std::size_t before = kept.window.capacity();
    kept.window.append(columns.times, columns.values);
    hold(kept.window.capacity() - before);
    return true;
}

Result<void> KeptSeriesSelection::show(const KeptWindow::Columns& columns, const Kept& kept,
                                       const model::ReadOptions& options,
                                       const model::SeriesViewVisitor& take, std::size_t place) {
    if (columns.times.empty()) {
        return {};
    }
    if (columns.times.size() > options.samples_max) {
        return too_many_touched(options.samples_max);
    }
    return take({kept.labels, columns.times, columns.values, place});
}

Result<void> KeptSeriesSelection::read_anew(Kept& kept, model::TimeRange range,
                                            const model::ReadOptions& options,
                                            const model::SeriesViewVisitor& take,
                                            std::size_t place) {
    forget(kept);
    std::uint32_t rewrites = 0;
    Timestamp seen;
    bool has_versions = false;
    bool is_bound = false;
    {
        const MutexLock lock(core_.index.lock_of(*kept.series));
        const ChunkedSamples& samples = kept.series->samples;
        rewrites = samples.rewrites();
        seen = samples.newest().value_or(Timestamp::min());
        is_bound = samples.is_newest_a_bound();
        has_versions = kept.series->has_versions;
    }
    const bool may_keep = !has_versions && !is_bound && !options.known_at && is_near(range, seen) &&
                          core_.kept_samples < core_.options.kept_samples_max;
    if (may_keep && seen > range.end) {
        // What is remembered goes up to the newest: only what is newer needs looking at later.
        const std::size_t limit = options.samples_max + kWindowSamplesMax;
        KPID_CHECK_OK(
            read_plainly(kept, {range.start, seen}, options, std::max(limit, options.samples_max)));
    } else {
        KPID_CHECK_OK(read_plainly(kept, range, options, options.samples_max));
    }
    if (may_keep && remember(kept, range, rewrites, seen)) {
        return show(kept.window.in(range), kept, options, take, place);
    }
    const auto end = std::upper_bound(columns_.times.begin(), columns_.times.end(), range.end);
    const auto count = static_cast<std::size_t>(end - columns_.times.begin());
    return show({std::span(columns_.times).first(count), std::span(columns_.values).first(count)},
                kept, options, take, place);
}

Result<void> KeptSeriesSelection::read_plainly(const Kept& kept, model::TimeRange range,
                                               const model::ReadOptions& options,
                                               std::size_t limit) {
    for (int attempt = 1;; ++attempt) {
        const std::uint64_t deletions = core_.deletions;
        columns_.times.clear();
        columns_.values.clear();
        const Result<void> found =
            core_.reader.read(*kept.series, range, options.known_at, limit, columns_);
        if (!found && found.error().code == Code::kResourceExhausted) {
            return too_many_touched(options.samples_max);
        }
        KPID_CHECK_OK(found);
        if (core_.deletions == deletions || attempt == kAttemptsMax) {
            return {};
        }
    }
}

// What was appended while it was read may be among the samples.
bool KeptSeriesSelection::remember(Kept& kept, model::TimeRange range, std::uint32_t rewrites,
                                   Timestamp seen) {
    fresh_.times.swap(columns_.times);
    fresh_.values.swap(columns_.values);
    const bool fits = append(kept, fresh_);
    fresh_.times.swap(columns_.times);
    fresh_.values.swap(columns_.values);
    if (!fits) {
        return false;
    }
    kept.is_kept = true;
    kept.rewrites = rewrites;
    kept.complete_from = range.start;
    kept.seen = columns_.times.empty() ? seen : std::max(seen, columns_.times.back());
    return true;
}

}  // namespace kpid::storage
