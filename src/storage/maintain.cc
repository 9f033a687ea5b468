// What the storage does from time to time, and what an operator asks of it.

#include "storage/storage_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>

namespace kpid::storage {
namespace {

// So much of the log is read again at a start, about. Shorter writes open chunks more often.
constexpr Duration kCheckpointInterval = std::chrono::minutes(15);
// Or so many samples; they are read again at some million a second.
constexpr std::uint64_t kCheckpointSamples = 32'000'000;
// Series of one piece of work of the committer: appends wait for it.
constexpr std::size_t kSliceSeries = 256;
// Room that is made beyond what is needed, so that it is not made each minute.
constexpr double kSizeSlack = 0.95;
constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

// 20260131T235959Z
std::string folder_name(Timestamp time) {
    const std::string text = format_rfc3339(time);
    std::string name;
    for (const char c : text.substr(0, text.find('.'))) {
        if (c != '-' && c != ':' && c != 'Z') {
            name.push_back(c);
        }
    }
    return name + "Z";
}

std::vector<model::NamedCount> counts(const std::vector<PostingsIndex::Count>& from) {
    std::vector<model::NamedCount> to;
    to.reserve(from.size());
    for (const PostingsIndex::Count& count : from) {
        to.push_back({count.name, count.count});
    }
    return to;
}

}  // namespace

Result<void> Storage::Core::in_slices(
    std::span<MemorySeries* const> series,
    const std::function<Result<void>(std::span<MemorySeries* const>)>& task) {
    for (std::size_t begin = 0; begin < series.size(); begin += kSliceSeries) {
        if (is_stopping) {
            return Error{Code::kCancelled, "the storage is closing"};
        }
        const auto slice = series.subspan(begin, std::min(kSliceSeries, series.size() - begin));
        KPID_CHECK_OK(committer->run_alone([&] { return task(slice); }));
    }
    return {};
}

void Storage::Core::set_drop_rule() {
    log->set_drop_rule([this](LogTable table, std::string_view key, std::string_view) {
        if (table != LogTable::kChunks && table != LogTable::kVersions) {
            return false;
        }
        const Result<TimeKey> place = decode_time_key(key);
        if (!place ||
            place->time.ms() >= std::max(floors.raw_ms.load(), floors.long_kept_ms.load())) {
            return false;
        }
        return place->time < floors.of({.is_long_kept = index.is_long_kept(place->series)});
    });
}

Result<void> Storage::Core::forget_old() {
    std::vector<MemorySeries*> old;     // nothing newer than the floor
    std::vector<MemorySeries*> partly;  // sealed chunks in memory that may be older
    const SeriesIndex::Selection selection = index.select({});
    for (MemorySeries* series : selection.series) {
        const Timestamp floor = floors.of(series->traits);
        const MutexLock lock(index.lock_of(*series));
        const std::optional<Timestamp> newest = series->samples.newest();
        if (!newest || *newest < floor) {
            old.push_back(series);
        } else if (!series->samples.sealed().empty() &&
                   series->samples.sealed().front().last < floor) {
            partly.push_back(series);
        }
    }
    KPID_CHECK_OK(in_slices(partly, [this](auto slice) -> Result<void> {
        for (MemorySeries* series : slice) {
            work.drop_before({&series, 1}, floors.of(series->traits));
        }
        return {};
    }));
    return in_slices(old, [this](auto slice) -> Result<void> {
        for (const bool is_long_kept : {false, true}) {
            std::vector<MemorySeries*> some;
            for (MemorySeries* series : slice) {
                if (series->traits.is_long_kept == is_long_kept) {
                    some.push_back(series);
                }
            }
            KPID_CHECK_OK(work.forget(some, floors.of({.is_long_kept = is_long_kept})));
        }
        return {};
    });
}

Result<void> Storage::Core::checkpoint(Timestamp now) {
    const MutexLock lock(maintain_mutex);
    return checkpoint_locked(now);
}

Result<void> Storage::Core::checkpoint_locked(Timestamp now) {
    std::uint64_t sequence = 0;
    KPID_CHECK_OK(committer->run_alone([&]() -> Result<void> {
        sequence = work.last_sequence();
        return {};
    }));
    const std::uint64_t appended = counters.samples_appended;
    bool evicts = counters.sealed_bytes_in_memory > options.sealed_bytes_in_memory_max;
    {
        SeriesIndex::Selection selection = index.select({});
        std::erase_if(selection.series, [this, evicts](MemorySeries* series) {
            const MutexLock held(index.lock_of(*series));
            return !series->samples.has_unsaved() &&
                   !(evicts && series->samples.sealed_in_memory() > 0);
        });
        KPID_CHECK_OK(in_slices(selection.series, [this, &evicts](auto slice) {
            evicts = counters.sealed_bytes_in_memory > options.sealed_bytes_in_memory_max;
            return work.save_chunks(slice, evicts);
        }));
    }
    std::uint64_t erased = sequence;
    const std::uint64_t log_bytes =
        log->stats().table_bytes[static_cast<std::size_t>(LogTable::kSamples)];
    if (log_bytes <= options.log_held_bytes_max) {
        const MutexLock held(holds_mutex);
        for (const auto& [reader_name, position] : holds) {
            erased = std::min(erased, position == 0 ? 0 : position - 1);
        }
    }
    KPID_CHECK_OK(committer->run_alone([&] { return work.note_saved(sequence, erased); }));
    first_kept_record = std::max(first_kept_record.load(), erased + 1);
    last_checkpoint = now;
    appended_at_checkpoint = appended;
    return {};
}

Result<void> Storage::Core::fit_size() {
    if (options.retention_bytes == 0) {
        return {};
    }
    const LogStats stats = log->stats();
    const std::uint64_t chunk_bytes =
        stats.table_bytes[static_cast<std::size_t>(LogTable::kChunks)];
    const std::uint64_t total = std::accumulate(stats.table_bytes.begin(), stats.table_bytes.end(),
                                                stats.write_ahead_bytes);
    if (total <= options.retention_bytes) {
        return {};
    }
    const std::uint64_t others = total - chunk_bytes;
    const double room = others < options.retention_bytes
                            ? kSizeSlack * static_cast<double>(options.retention_bytes - others)
                            : 0.0;
    StoreMeta meta;
    KPID_CHECK_OK(committer->run_alone([&]() -> Result<void> {
        meta = work.meta();
        return {};
    }));
    double written = 0;
    for (const auto& [day, bytes] : meta.day_bytes) {
        written += static_cast<double>(bytes);
    }
    // Chunks that were written twice are counted twice.
    const double scale = written > 0 ? static_cast<double>(chunk_bytes) / written : 0;
    double kept = 0;
    std::optional<std::int64_t> oldest;  // day that is kept; the newest one always is
    for (auto day = meta.day_bytes.rbegin(); day != meta.day_bytes.rend(); ++day) {
        kept += scale * static_cast<double>(day->second);
        if (oldest && kept > room) {
            break;
        }
        oldest = day->first;
    }
    if (!oldest || Timestamp(*oldest * kDayMs) <= meta.size_floor || is_stopping) {
        return {};
    }
    const Timestamp floor(*oldest * kDayMs);
    KPID_CHECK_OK(committer->run_alone([&] { return work.raise_size_floor(floor); }));
    floors.raise(floor, floor);
    size_floor_ms = floor.ms();
    return log->tidy(LogTable::kChunks);
}

Result<void> Storage::Core::maintain(Timestamp now) {
    const MutexLock lock(maintain_mutex);
    Timestamp size_floor;
    KPID_CHECK_OK(committer->run_alone([&]() -> Result<void> {
        size_floor = work.meta().size_floor;
        return work.set_aside(work.chunks().take_damaged());
    }));
    floors.raise(std::max(rules.oldest_kept(now), size_floor),
                 std::max(rules.oldest_kept_recorded(now), size_floor));
    KPID_CHECK_OK(committer->run_alone([&]() -> Result<void> {
        work.note_floors(Timestamp(floors.raw_ms), Timestamp(floors.long_kept_ms));
        return {};
    }));
    // Whatever the wall clock does, not much later than it should.
    const bool is_due = !last_checkpoint || now < *last_checkpoint ||
                        now - *last_checkpoint >= kCheckpointInterval ||
                        counters.samples_appended - appended_at_checkpoint >= kCheckpointSamples;
    if (is_due) {
        KPID_CHECK_OK(checkpoint_locked(now));
    }
    KPID_CHECK_OK(forget_old());
    return fit_size();
}

Result<std::size_t> Storage::delete_series(std::span<const model::Matcher> matchers,
                                           model::TimeRange range) {
    if (matchers.empty()) {
        return invalid_argument("no matchers: which series are to be deleted?");
    }
    std::size_t deleted = 0;
    ++core_->deletions;
    Result<void> done;
    {
        const SeriesIndex::Selection selection = core_->index.select(matchers);
        done = core_->in_slices(selection.series, [&](auto slice) -> Result<void> {
            KPID_TRY(const std::size_t some, core_->work.erase(slice, range));
            deleted += some;
            return {};
        });
    }
    ++core_->deletions;
    core_->series_deleted += deleted;
    KPID_CHECK_OK(std::move(done));
    return deleted;
}

Result<void> Storage::clean_tombstones() {
    for (const LogTable table : {LogTable::kChunks, LogTable::kVersions, LogTable::kSamples}) {
        KPID_CHECK_OK(core_->log->tidy(table));
    }
    return {};
}

Result<std::string> Storage::snapshot(Timestamp now) {
    const MutexLock lock(core_->maintain_mutex);
    std::string name = fmt::format("{}-{:04x}", folder_name(now), ++core_->snapshots);
    const std::filesystem::path parent = std::filesystem::path(core_->options.path) / "snapshots";
    std::error_code error;
    std::filesystem::create_directories(parent, error);
    if (error) {
        return unavailable(
            fmt::format("cannot make the folder {}: {}", parent.string(), error.message()));
    }
    KPID_CHECK_OK(core_->committer->run_alone(
        [&] { return core_->log->snapshot((parent / name).string()); }));
    return name;
}

model::StorageCardinality Storage::cardinality(std::size_t top) const {
    const PostingsIndex::Cardinality index = core_->index.cardinality(top);
    model::StorageCardinality answer{
        .series = index.series, .label_names = index.label_names, .label_pairs = index.label_pairs};
    answer.series_by_metric_name = counts(index.series_by_metric_name);
    answer.values_by_label_name = counts(index.values_by_label_name);
    answer.value_bytes_by_label_name = counts(index.value_bytes_by_label_name);
    answer.series_by_label_pair = counts(index.series_by_label_pair);
    const SeriesIndex::Selection selection = core_->index.select({});
    for (const MemorySeries* series : selection.series) {
        const MutexLock lock(core_->index.lock_of(*series));
        const std::optional<Timestamp> newest = series->samples.newest();
        if (newest) {
            answer.chunks += series->samples.sealed_in_memory() + 1;
            answer.oldest = std::min(
                answer.oldest, std::max(series->samples.begin(), core_->floors.of(series->traits)));
            answer.newest = std::max(answer.newest, *newest);
        }
    }
    return answer;
}

}  // namespace kpid::storage
