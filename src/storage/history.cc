// What lies on the disk: chunks that come back for late samples, that are saved, deleted and
// forgotten.

#include "kpid/base/assert.h"
#include "storage/chunk_codec.h"
#include "storage/group_commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

std::int64_t day_of(Timestamp time) {
    return time.ms() / kDayMs - (time.ms() % kDayMs < 0 ? 1 : 0);
}

std::string after(const std::string& key) {
    return key + '\0';
}

}  // namespace

void GroupCommitter::take_in(MemorySeries& series, const ChunkOnDisk& chunk) {
    const MutexLock lock(index_.lock_of(series));
    const std::size_t count = series.samples.samples_in_memory();
    const std::size_t bytes = series.samples.heap_bytes();
    const std::size_t sealed = series.samples.sealed_bytes();
    series.samples.bring_in(chunk.bytes, chunk.first, chunk.last, chunk.count);
    counters_.samples_in_memory += series.samples.samples_in_memory() - count;
    counters_.sample_bytes_in_memory += series.samples.heap_bytes() - bytes;
    counters_.sealed_bytes_in_memory += series.samples.sealed_bytes() - sealed;
}

Result<void> GroupCommitter::check_chunk(SeriesId series, const ChunkOnDisk& chunk) const {
    SampleColumns columns;
    const Result<void> decoded = decode_chunk(chunk.bytes, columns.times, columns.values);
    return decoded ? Result<void>() : chunks_.note_damaged(series, chunk, decoded.error());
}

Result<void> GroupCommitter::past_damage(const std::function<Result<void>()>& read) {
    Result<void> done = read();
    for (int attempt = 1; !done && done.error().code == Code::kDataLoss; ++attempt) {
        KPID_CHECK_OK(set_aside(chunks_.take_damaged()));
        if (attempt == kReadAttemptsMax) {
            break;
        }
        done = read();
    }
    return done;
}

Result<void> GroupCommitter::bring_in(MemorySeries& series, Timestamp time) {
    if (!series.samples.needs_chunk(time)) {
        return {};
    }
    bool found = false;
    const auto visit = [&](const ChunkOnDisk& chunk) -> Result<bool> {
        KPID_CHECK_OK(check_chunk(series.id, chunk));
        found = true;
        take_in(series, chunk);
        return false;
    };
    KPID_CHECK_OK(past_damage(
        [&] { return chunks_.visit_chunks(series.id, {time, Timestamp::max()}, visit); }));
    if (!found) {
        const MutexLock lock(index_.lock_of(series));
        series.samples.lower_evicted_end(time - Duration(1));
    }
    return {};
}

// What was deleted may have been the newest; memory only knows that nothing is newer than its
// bound.
Result<void> GroupCommitter::find_evicted_end(MemorySeries& series, Timestamp time) {
    Timestamp end = time - Duration(1);
    const auto visit = [&end](const ChunkOnDisk& chunk) -> Result<bool> {
        end = std::max(end, chunk.last);
        return true;
    };
    KPID_CHECK_OK(past_damage(
        [&] { return chunks_.visit_chunks(series.id, {time, Timestamp::max()}, visit); }));
    const MutexLock lock(index_.lock_of(series));
    series.samples.lower_evicted_end(end);
    return {};
}

Result<void> GroupCommitter::bring_in_all(MemorySeries& series, model::TimeRange range) {
    const auto visit = [&](const ChunkOnDisk& chunk) -> Result<bool> {
        // What is wholly in the range goes unread.
        if (chunk.first < range.start || chunk.last > range.end) {
            KPID_CHECK_OK(check_chunk(series.id, chunk));
            take_in(series, chunk);
        }
        return true;
    };
    return past_damage([&] { return chunks_.visit_chunks(series.id, range, visit); });
}

// The erasures of a batch come first, so that what stands there meanwhile goes before the chunk
// comes.
void GroupCommitter::collect_unsaved(SeriesId series, const ChunkedSamples& samples,
                                     LogBatch& out) {
    using Save = ChunkedSamples::SealedChunk::Save;
    for (const ChunkedSamples::SealedChunk& chunk : samples.sealed()) {
        if (chunk.save == Save::kDone) {
            continue;
        }
        std::string key = encode_time_key(series, chunk.last);
        if (chunk.save == Save::kChanged) {
            out.erasures.push_back({LogTable::kChunks, encode_time_key(series, chunk.first), key});
        }
        out.entries.push_back({LogTable::kChunks, std::move(key), std::string(chunk.text())});
        meta_.day_bytes[day_of(chunk.last)] += chunk.size;
        ++counters_.chunks_saved;
    }
    if (samples.is_open_unsaved()) {
        const std::string chunk = samples.encode_open();
        out.entries.push_back({LogTable::kOpen, encode_key(series.value()),
                               encode_open_entry({.sequence = next_sequence_ - 1,
                                                  .begin = samples.begin(),
                                                  .sealed_end = samples.sealed_end(),
                                                  .chunk = chunk})});
    }
}

Result<void> GroupCommitter::save_chunks(std::span<MemorySeries* const> series, bool evicts) {
    LogBatch out;
    for (const MemorySeries* one : series) {
        if (!one->is_removed) {
            collect_unsaved(one->id, one->samples, out);
        }
    }
    Result<void> written = out.empty() ? Result<void>() : write(std::move(out));
    for (MemorySeries* one : series) {
        const MutexLock lock(index_.lock_of(*one));
        if (!written) {
            one->samples.note_failed();
            continue;
        }
        one->samples.note_saved();
        if (evicts) {
            const std::size_t count = one->samples.samples_in_memory();
            const std::size_t before = one->samples.heap_bytes();
            counters_.sealed_bytes_in_memory -= one->samples.evict();
            counters_.sample_bytes_in_memory -= before - one->samples.heap_bytes();
            counters_.samples_in_memory -= count - one->samples.samples_in_memory();
        }
    }
    return written;
}

Result<void> GroupCommitter::note_saved(std::uint64_t sequence, std::uint64_t erased) {
    LogBatch out;
    if (erased > 0) {
        out.erasures.push_back({LogTable::kSamples, encode_key(0), encode_key(erased + 1)});
    }
    const std::uint64_t unsaved_before =
        std::exchange(meta_.first_unsaved, std::max(meta_.first_unsaved, sequence + 1));
    const std::uint64_t kept_before = std::exchange(first_kept_, std::max(first_kept_, erased + 1));
    put_meta(out);
    Result<void> written = write(std::move(out));
    if (!written) {
        meta_.first_unsaved = unsaved_before;
        first_kept_ = kept_before;
        return written;
    }
    counters_.first_unsaved_sequence = meta_.first_unsaved;
    ++counters_.checkpoints;
    return {};
}

Result<void> GroupCommitter::raise_size_floor(Timestamp floor) {
    meta_.size_floor = std::max(meta_.size_floor, floor);
    const std::int64_t day = day_of(meta_.size_floor);
    meta_.day_bytes.erase(meta_.day_bytes.begin(), meta_.day_bytes.lower_bound(day));
    LogBatch out;
    put_meta(out);
    return write(std::move(out));
}

void GroupCommitter::drop_before(std::span<MemorySeries* const> series, Timestamp cutoff) {
    for (MemorySeries* one : series) {
        const MutexLock lock(index_.lock_of(*one));
        const std::size_t bytes = one->samples.heap_bytes();
        const std::size_t sealed = one->samples.sealed_bytes();
        counters_.samples_in_memory -= one->samples.drop_before(cutoff);
        counters_.sample_bytes_in_memory -= bytes - one->samples.heap_bytes();
        counters_.sealed_bytes_in_memory -= sealed - one->samples.sealed_bytes();
    }
}

Result<void> GroupCommitter::forget(std::span<MemorySeries* const> series, Timestamp cutoff) {
    LogBatch out;
    std::vector<MemorySeries*> gone;
    for (MemorySeries* one : series) {
        const std::optional<Timestamp> newest = one->samples.newest();
        if (one->is_removed || one->newest_record >= first_kept_ || (newest && *newest >= cutoff)) {
            continue;
        }
        gone.push_back(one);
        const std::string key = encode_key(one->id.value());
        const std::string next = encode_key(one->id.value() + 1);
        out.entries.push_back({LogTable::kOpen, key, {}});
        out.erasures.push_back({LogTable::kChunks, key, next});
        if (one->has_versions) {
            out.erasures.push_back({LogTable::kVersions, key, next});
        }
    }
    if (gone.empty()) {
        return {};
    }
    std::vector<SeriesId> ids;
    ids.reserve(gone.size());
    for (const MemorySeries* one : gone) {
        ids.push_back(one->id);
    }
    std::sort(ids.begin(), ids.end());
    KPID_CHECK_OK(undefine(ids, out));
    if (Result<void> written = write(std::move(out)); !written) {
        // The disk may or may not have them: the next write puts their definitions back.
        for (MemorySeries* one : gone) {
            const MutexLock lock(index_.lock_of(*one));
            one->samples.note_all_unsaved();
        }
        return written;
    }
    for (const MemorySeries* one : gone) {
        counters_.samples_in_memory -= one->samples.samples_in_memory();
        counters_.sample_bytes_in_memory -= one->samples.heap_bytes();
        counters_.sealed_bytes_in_memory -= one->samples.sealed_bytes();
    }
    index_.remove(gone);
    series_count_ -= gone.size();
    counters_.series_removed += gone.size();
    return {};
}

Result<std::optional<DefinitionBytes>> GroupCommitter::definitions_of(SeriesId series) const {
    // The disk may lack what a failed write has changed.
    auto kept = failed_definitions_.upper_bound(series.value());
    if (kept != failed_definitions_.begin()) {
        --kept;
        DefinitionBlock block;
        const Result<void> read = decode_definitions(kept->second, block);
        if (read.has_value() && series.value() - kept->first < block.size()) {
            return std::optional(DefinitionBytes{SeriesId(kept->first), kept->second});
        }
    }
    auto found = find_definitions(log_, series);
    if (!found && found.error().code == Code::kDataLoss) {
        return std::optional<DefinitionBytes>();  // It is set aside at the next start.
    }
    return found;
}

Result<void> GroupCommitter::undefine(std::span<const SeriesId> series, LogBatch& out) {
    for (std::size_t i = 0; i < series.size();) {
        KPID_TRY(const auto found, definitions_of(series[i]));
        DefinitionBlock block;
        if (!found || !decode_definitions(found->bytes, block) ||
            series[i].value() - found->first.value() >= block.size()) {
            ++i;  // It was set aside.
            continue;
        }
        DefinitionWriter rest;
        bool is_empty = true;
        for (std::size_t j = 0; j < block.size(); ++j) {
            const SeriesId one(found->first.value() + j);
            const bool goes = i < series.size() && series[i] == one;
            i += goes ? 1U : 0U;
            const auto labels = goes ? std::span<const model::LabelView>() : block.labels(j);
            is_empty = is_empty && labels.empty();
            rest.add(one, labels);
        }
        LogEntry& entry =
            out.entries.emplace_back(LogTable::kSeries, encode_key(found->first.value()));
        if (!is_empty) {
            entry.value = std::move(rest.finish().front().bytes);
        }
        failed_definitions_.try_emplace(found->first.value(), found->bytes);
    }
    return {};
}

Result<GroupCommitter::Erased> GroupCommitter::erased(MemorySeries& series, model::TimeRange range,
                                                      LogBatch& out) {
    Timestamp last_touched = Timestamp::min();
    const auto note = [&](const ChunkOnDisk& chunk) -> Result<bool> {
        last_touched = std::max(last_touched, chunk.last);
        return true;
    };
    KPID_CHECK_OK(bring_in_all(series, range));
    KPID_CHECK_OK(past_damage([&] { return chunks_.visit_chunks(series.id, range, note); }));
    Erased erased{.series = &series, .samples = series.samples.copy()};
    ChunkedSamples& samples = erased.samples;
    const std::size_t count = samples.erase(range);
    erased.had_samples = count > 0 || last_touched != Timestamp::min();
    if (range.end >= samples.evicted_end()) {
        samples.lower_evicted_end(range.start == Timestamp::min() ? Timestamp::min()
                                                                  : range.start - Duration(1));
    }
    if (last_touched != Timestamp::min()) {
        out.erasures.push_back({LogTable::kChunks, encode_time_key(series.id, range.start),
                                after(encode_time_key(series.id, last_touched))});
    }
    if (series.has_versions) {
        // Rows stand alone where a chunk was set aside.
        const Result<std::vector<VersionRow>> rows = chunks_.versions(series.id, range, 1);
        if (!rows && rows.error().code != Code::kDataLoss) {
            return rows.error();
        }
        erased.had_samples = erased.had_samples || !rows || !rows->empty();
        out.erasures.push_back({LogTable::kVersions, encode_time_key(series.id, range.start),
                                range.end == Timestamp::max()
                                    ? encode_key(series.id.value() + 1)
                                    : encode_time_key(series.id, range.end + Duration(1))});
    }
    return erased;
}

void GroupCommitter::install(Erased& erased) {
    ChunkedSamples& old = erased.series->samples;
    const ChunkedSamples& fresh = erased.samples;
    const MutexLock lock(index_.lock_of(*erased.series));
    counters_.samples_in_memory += fresh.samples_in_memory() - old.samples_in_memory();
    counters_.sample_bytes_in_memory += fresh.heap_bytes() - old.heap_bytes();
    counters_.sealed_bytes_in_memory += fresh.sealed_bytes() - old.sealed_bytes();
    old = std::move(erased.samples);
}

// Nothing changes in memory before the disk has it; a failure may have taken some of the samples.
Result<std::size_t> GroupCommitter::erase(std::span<MemorySeries* const> series,
                                          model::TimeRange range) {
    LogBatch out;
    std::vector<SeriesId> ids;
    std::vector<Erased> touched;
    for (MemorySeries* one : series) {
        // Rows may outlive samples that were lost.
        if (one->is_removed || (!one->samples.may_have_samples_in(range) && !one->has_versions)) {
            continue;
        }
        KPID_TRY(Erased changed, erased(*one, range, out));
        if (changed.had_samples) {
            ids.push_back(one->id);
            touched.push_back(std::move(changed));
        }
    }
    if (touched.empty()) {
        return std::size_t{0};
    }
    // For who reads the log again at a start: of these series all up to here stands in chunks.
    out.entries.push_back(
        {LogTable::kSamples, encode_key(next_sequence_), encode_deletion(ids, range)});
    ++next_sequence_;
    // In order of key an erasure would take what is put behind it: all erasures come first.
    for (const Erased& one : touched) {
        one.series->newest_record = next_sequence_ - 1;
        collect_unsaved(one.series->id, one.samples, out);
    }
    Result<void> written = write(std::move(out));
    for (Erased& one : touched) {
        if (written) {
            one.samples.note_saved();
            install(one);
            continue;
        }
        const MutexLock lock(index_.lock_of(*one.series));
        one.series->samples.note_all_unsaved();
    }
    KPID_CHECK_OK(std::move(written));
    return touched.size();
}

Result<bool> GroupCommitter::rescue(const DamagedEntry& damaged) {
    const Result<TimeKey> place = decode_time_key(damaged.key);
    if (damaged.table != LogTable::kChunks || !place) {
        return false;
    }
    const SeriesIndex::Selection selection = index_.select({});
    for (MemorySeries* series : selection.series) {
        const bool has_it =
            series->id == place->series &&
            std::any_of(series->samples.sealed().begin(), series->samples.sealed().end(),
                        [&](const auto& chunk) { return chunk.last == place->time; });
        if (!has_it) {
            continue;
        }
        {
            const MutexLock lock(index_.lock_of(*series));
            series->samples.note_all_unsaved();
        }
        // While the log is read again no record is wholly in memory: a checkpoint does it then.
        if (!is_replaying_) {
            KPID_CHECK_OK(save_chunks({&series, 1}, false));
        }
        return true;
    }
    return false;
}

Result<void> GroupCommitter::prepare_aside(std::vector<DamagedEntry>& damaged) {
    using Aside = DamagedEntry::Aside;
    std::vector<DamagedEntry> rest;
    for (DamagedEntry& entry : damaged) {
        if (entry.aside == Aside::kMove) {
            KPID_TRY(const bool is_damaged, chunks_.is_still_damaged(entry));
            if (!is_damaged) {
                continue;
            }
            KPID_TRY(const bool is_rescued, rescue(entry));
            entry.aside = is_rescued ? Aside::kCopy : Aside::kTake;
        }
        rest.push_back(std::move(entry));
    }
    damaged = std::move(rest);
    return {};
}

Result<void> GroupCommitter::set_aside(std::vector<DamagedEntry> damaged) {
    using Aside = DamagedEntry::Aside;
    const std::vector<DamagedEntry> all = damaged;
    LogBatch out;
    std::size_t count = 0;
    Result<void> done = prepare_aside(damaged);
    if (done) {
        for (const DamagedEntry& entry : damaged) {
            if (entry.aside == Aside::kReport) {
                continue;
            }
            if (entry.aside == Aside::kErase) {
                out.entries.push_back({entry.table, entry.key, {}});
                continue;
            }
            ++count;
            out.entries.push_back({LogTable::kQuarantine,
                                   std::string(to_string(entry.table)) + '/' + entry.key,
                                   entry.value});
            if (entry.aside == Aside::kTake) {
                out.entries.push_back({entry.table, entry.key, entry.replacement});
            }
        }
        if (!out.empty()) {
            put_meta(out);  // Numbers of what goes are not given again.
            done = write(std::move(out));
        }
    }
    if (!done) {
        chunks_.put_back(all);
        return done;
    }
    counters_.quarantined += count;
    const MutexLock lock(reports_mutex_);
    for (const DamagedEntry& entry : damaged) {
        if (entry.aside != Aside::kErase && damage_reports_.size() < kReportsMax) {
            damage_reports_.push_back(entry.what);
        }
    }
    return {};
}

std::vector<std::string> GroupCommitter::take_damage_reports() {
    const MutexLock lock(reports_mutex_);
    return std::exchange(damage_reports_, {});
}

}  // namespace kpid::storage
