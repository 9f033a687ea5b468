#include "storage/group_commit.h"

#include "kpid/base/assert.h"

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

// Holds one lock after the other; taking the one that is held costs nothing.
class MovingLock {
public:
    MovingLock() = default;
    ~MovingLock() { release(); }
    MovingLock(const MovingLock&) = delete;
    MovingLock& operator=(const MovingLock&) = delete;

    // clang cannot follow which one is held.
    void take(Mutex& mutex) KPID_THREAD_ANNOTATION(no_thread_safety_analysis) {
        if (held_ != &mutex) {
            release();
            mutex.lock();
            held_ = &mutex;
        }
    }
    void release() KPID_THREAD_ANNOTATION(no_thread_safety_analysis) {
        if (held_ != nullptr) {
            held_->unlock();
            held_ = nullptr;
        }
    }

private:
    Mutex* held_ = nullptr;
};

}  // namespace

void GroupCommitter::encode_records(LogBatch& out) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
        const std::size_t end = i + 1 < runs_.size() ? runs_[i + 1].begin : pending_.size();
        for (std::size_t begin = runs_[i].begin; begin < end; begin += kRecordSamplesMax) {
            const std::size_t count = std::min(kRecordSamplesMax, end - begin);
            SampleRecordWriter writer(runs_[i].kind, count);
            for (const Pending& sample : std::span(pending_).subspan(begin, count)) {
                writer.add(sample.series->id, sample.time, sample.value);
            }
            out.entries.push_back(
                {LogTable::kSamples, encode_key(next_sequence_), writer.finish()});
            ++next_sequence_;
        }
    }
}

Result<void> GroupCommitter::commit(std::span<PreparedBatch* const> group) {
    LogBatch out;
    for (PreparedBatch* batch : group) {
        if (Result<void> judged = judge(*batch); !judged) {
            discard();
            return judged;
        }
    }
    out.entries = std::move(versions_);
    versions_.clear();
    for (DefinitionBytes& block : definitions_.finish()) {
        out.entries.push_back(
            {LogTable::kSeries, encode_key(block.first.value()), std::move(block.bytes)});
    }
    encode_records(out);
    for (const PreparedBatch* batch : group) {
        for (const model::StateWrite& write : batch->state) {
            out.entries.push_back({LogTable::kState, write.key, write.value});
        }
    }
    if (!out.empty()) {
        if (auto written = write(std::move(out)); !written) {
            discard();
            return written;
        }
    }
    apply();
    for (const PreparedBatch* batch : group) {
        state_.apply(batch->state);
        counters_.samples_repeated += batch->repeated;
        for (const model::Rejection& rejection : batch->result.rejected) {
            ++counters_.rejected[static_cast<std::size_t>(rejection.reason)];
        }
    }
    return {};
}

Result<void> GroupCommitter::write(LogBatch batch) {
    undo_failed(batch);
    std::uint64_t bytes = 0;
    for (const LogEntry& entry : batch.entries) {
        bytes += entry.key.size() + (entry.value ? entry.value->size() : 0);
    }
    health_ = log_.write(batch, options_.durability == Durability::kFsync);
    if (!health_) {
        ++counters_.write_failures;
        remember_failed(batch);
        return health_;
    }
    failed_series_ = {};
    failed_sequences_ = {};
    failed_state_.clear();
    failed_versions_.clear();
    failed_definitions_.clear();
    ++counters_.commits;
    counters_.log_bytes += bytes;
    counters_.log_sequence = next_sequence_ - 1;
    return {};
}

void GroupCommitter::remember_failed(const LogBatch& batch) {
    for (const LogEntry& entry : batch.entries) {
        if (entry.table == LogTable::kState) {
            failed_state_.insert(entry.key);
        } else if (entry.table == LogTable::kVersions && entry.value) {
            failed_versions_.insert(entry.key);
        }
        const bool is_numbered =
            entry.table == LogTable::kSeries || entry.table == LogTable::kSamples;
        if (!entry.value || !is_numbered) {
            continue;  // Erasures and chunks are mended by whoever writes them.
        }
        const auto number = decode_key(entry.key);
        KPID_ASSERT(number.has_value());  // It was encoded by commit().
        if (*number == 0) {
            continue;  // The storage's own entry, which is written whole each time.
        }
        if (entry.table == LogTable::kSeries && failed_definitions_.contains(*number)) {
            continue;  // It is to be there.
        }
        NumberRange& failed = entry.table == LogTable::kSeries ? failed_series_ : failed_sequences_;
        failed.begin = std::min(failed.begin, *number);
        failed.end = std::max(failed.end, *number + 1);
    }
}

void GroupCommitter::undo_failed(LogBatch& out) const {
    // Numbers are not used twice and nothing was written since the first failure, so that these
    // ranges hold nothing but what failed.
    if (failed_series_.begin < failed_series_.end) {
        out.erasures.push_back(
            {LogTable::kSeries, encode_key(failed_series_.begin), encode_key(failed_series_.end)});
    }
    if (failed_sequences_.begin < failed_sequences_.end) {
        out.erasures.push_back({LogTable::kSamples, encode_key(failed_sequences_.begin),
                                encode_key(failed_sequences_.end)});
    }
    std::vector<LogEntry> restored;
    restored.reserve(failed_state_.size() + failed_versions_.size() + failed_definitions_.size());
    for (const std::string& key : failed_versions_) {
        restored.push_back({LogTable::kVersions, key, {}});
    }
    for (const auto& [key, definition] : failed_definitions_) {
        restored.push_back({LogTable::kSeries, encode_key(key), definition});
    }
    for (const std::string& key : failed_state_) {
        restored.push_back({LogTable::kState, key, state_.get(key)});
    }
    // Before the batch's own entries, which win.
    out.entries.insert(out.entries.begin(), std::make_move_iterator(restored.begin()),
                       std::make_move_iterator(restored.end()));
}

void GroupCommitter::put_meta(LogBatch& out) const {
    StoreMeta meta = meta_;
    meta.next_series = next_series_;
    meta.next_sequence = next_sequence_;
    meta.first_kept = first_kept_;
    out.entries.push_back({LogTable::kSeries, encode_key(0), encode_meta(meta)});
}

void GroupCommitter::apply() {
    const std::uint64_t newest_record = next_sequence_ - 1;
    constexpr std::size_t kAhead = 8;
    std::uint64_t appended = 0;
    std::int64_t bytes = 0;
    Timestamp newest = Timestamp::min();
    MovingLock lock;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        if (i + kAhead < pending_.size()) {
            pending_[i + kAhead].series->prefetch();
        }
        const Pending& sample = pending_[i];
        MemorySeries& series = *sample.series;
        series.pending = 0;
        series.newest_record = newest_record;
        newest = std::max(newest, sample.time);
        if (sample.is_late) {
            late_.push_back({&series, {sample.time, sample.value}});
            continue;
        }
        lock.take(index_.lock_of(series));
        const std::size_t before = series.samples.heap_bytes();
        const std::size_t sealed = series.samples.sealed_bytes();
        series.samples.append(sample.time, sample.value);
        bytes += static_cast<std::int64_t>(series.samples.heap_bytes()) -
                 static_cast<std::int64_t>(before);
        if (const std::size_t grown = series.samples.sealed_bytes() - sealed; grown != 0) {
            counters_.sealed_bytes_in_memory += grown;
        }
        ++appended;
    }
    lock.release();
    counters_.samples_appended += appended;
    counters_.samples_in_memory += appended;
    counters_.sample_bytes_in_memory += static_cast<std::uint64_t>(bytes);
    if (newest.ms() > counters_.newest_ms) {
        counters_.newest_ms = newest.ms();
    }
    counters_.samples_replaced += group_replaced_;
    counters_.events_appended += group_events_;
    counters_.series_created += created_.size();
    apply_late();
    for (MemorySeries* series : versioned_) {
        const MutexLock one(index_.lock_of(*series));
        series->has_versions = true;
    }
    created_.clear();
    discard();
}

void GroupCommitter::apply_late() {
    if (late_.empty()) {
        return;
    }
    // Stable: of two values at one instant the later one stays.
    std::stable_sort(late_.begin(), late_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first->ref.value(), a.second.time) <
               std::pair(b.first->ref.value(), b.second.time);
    });
    std::vector<model::Sample> samples;
    for (std::size_t begin = 0; begin < late_.size();) {
        MemorySeries& series = *late_[begin].first;
        samples.clear();
        std::size_t end = begin;
        for (; end < late_.size() && late_[end].first == &series; ++end) {
            if (!samples.empty() && samples.back().time == late_[end].second.time) {
                samples.back() = late_[end].second;
            } else {
                samples.push_back(late_[end].second);
            }
        }
        begin = end;
        const MutexLock lock(index_.lock_of(series));
        const std::size_t before = series.samples.heap_bytes();
        const std::size_t sealed = series.samples.sealed_bytes();
        const std::size_t added = series.samples.merge_late(samples);
        counters_.samples_appended += added;
        counters_.samples_late += added;
        counters_.samples_in_memory += added;
        counters_.sample_bytes_in_memory += series.samples.heap_bytes() - before;
        counters_.sealed_bytes_in_memory += series.samples.sealed_bytes() - sealed;
    }
    late_.clear();
}

void GroupCommitter::discard() {
    for (const Pending& sample : pending_) {
        sample.series->pending = 0;
    }
    pending_.clear();
    runs_.clear();
    pending_at_.clear();
    is_indexed_ = false;
    versions_.clear();
    versioned_.clear();
    definitions_.clear();
    group_replaced_ = 0;
    group_events_ = 0;
    if (!created_.empty()) {
        // Their definitions may or may not be on the disk: their numbers are not used again.
        index_.remove(created_);
        series_count_ -= created_.size();
        created_.clear();
    }
}

void GroupCommitter::declare_kinds(const model::MetricKinds& kinds) {
    const auto set_kind = [this](const std::string& name, std::optional<model::MetricKind> kind) {
        const std::array matchers{model::Matcher::equal(model::kMetricName, name)};
        for (MemorySeries* series : index_.select(matchers).series) {
            series->is_kind_declared = kind.has_value();
            series->kind = kind.value_or(model::MetricKind::kGauge);
        }
    };
    for (const auto& [name, kind] : kinds_) {
        if (!kinds.contains(name)) {
            set_kind(name, std::nullopt);
        }
    }
    for (const auto& [name, kind] : kinds) {
        set_kind(name, kind);
    }
    kinds_ = kinds;
}

}  // namespace kpid::storage
