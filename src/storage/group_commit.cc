#include "storage/group_commit.h"

#include "kpid/base/assert.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

namespace kpid::storage {
namespace {

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

SeriesPointer GroupCommitter::find(const model::Labels& labels, const SeriesPointer& known) const {
    if (known != nullptr && !known->removed()) {
        return known;
    }
    if (SeriesPointer indexed = index_.find(labels)) {
        return indexed;
    }
    const auto place = created_.find(labels);
    return place != created_.end() ? place->second : nullptr;
}

SeriesPointer GroupCommitter::find_or_create(const model::Labels& labels) {
    if (SeriesPointer known = find(labels, nullptr)) {
        return known;
    }
    if (series_count_ + created_.size() >= options_.series_max) {
        return nullptr;
    }
    auto series = std::make_shared<MemorySeries>(SeriesId(next_series_));
    ++next_series_;
    created_.emplace(labels, series);
    return series;
}

// Finds what is refused before anything is kept aside.
void GroupCommitter::judge_whole(PreparedBatch& batch) {
    std::vector<model::Rejection>& rejected = batch.result.rejected;
    std::set<model::Labels> fresh;
    std::map<std::pair<model::Labels, Timestamp>, double> own;
    for (const PreparedBatch::Place& place : batch.places) {
        const model::SeriesSample& sample = batch.samples[place.index];
        const auto refuse = [&rejected, &place](Refusal refusal) {
            rejected.push_back({place.index, refusal.reason, std::move(refusal.message)});
        };
        const auto [twin, is_first] = own.try_emplace({sample.labels, sample.time}, sample.value);
        if (!is_first) {
            if (!same_bits(twin->second, sample.value)) {
                refuse(SampleRules::duplicate(sample, twin->second));
            }
            continue;
        }
        const SeriesPointer series = find(sample.labels, place.series);
        if (series == nullptr) {
            fresh.insert(sample.labels);
            if (series_count_ + created_.size() + fresh.size() > options_.series_max) {
                refuse(limit_reached(sample));
            }
            continue;
        }
        const MemorySeries::Standing standing = series->standing_at(sample.time);
        if (standing.value && !same_bits(*standing.value, sample.value)) {
            refuse(SampleRules::duplicate(sample, *standing.value));
        } else if (!standing.value && standing.newest) {
            if (auto refusal = rules_.check_order(sample, *standing.newest)) {
                refuse(*std::move(refusal));
            }
        }
    }
    batch.refused =
        std::any_of(rejected.begin(), rejected.end(), [](const model::Rejection& rejection) {
            return rejection.reason != model::RejectReason::kReserved;
        });
    if (batch.refused) {
        batch.places.clear();
        batch.state = {};
    }
}

void GroupCommitter::judge(PreparedBatch& batch) {
    if (batch.all_or_nothing) {
        judge_whole(batch);
    }
    for (PreparedBatch::Place& place : batch.places) {
        const model::SeriesSample& sample = batch.samples[place.index];
        const auto refuse = [&batch, &place](Refusal refusal) {
            batch.result.rejected.push_back(
                {place.index, refusal.reason, std::move(refusal.message)});
        };
        if (place.series == nullptr || place.series->removed()) {
            place.series = find_or_create(sample.labels);
        }
        if (place.series == nullptr) {
            refuse(limit_reached(sample));
            continue;
        }
        const MemorySeries::Standing standing = place.series->standing_at(sample.time);
        if (standing.value) {
            if (!same_bits(*standing.value, sample.value)) {
                refuse(SampleRules::duplicate(sample, *standing.value));
                continue;
            }
            ++batch.repeated;
            ++batch.result.accepted;
            continue;
        }
        if (standing.newest) {
            if (auto refusal = rules_.check_order(sample, *standing.newest)) {
                refuse(*std::move(refusal));
                continue;
            }
        }
        if (place.series->pending().empty()) {
            touched_.push_back(place.series);
        }
        place.series->add_pending({sample.time, sample.value});
        ++batch.result.accepted;
    }
    std::sort(
        batch.result.rejected.begin(), batch.result.rejected.end(),
        [](const model::Rejection& a, const model::Rejection& b) { return a.index < b.index; });
}

Refusal GroupCommitter::limit_reached(const model::SeriesSample& sample) const {
    return {model::RejectReason::kLimit,
            fmt::format("{} would be a new series; the limit of {} is reached",
                        sample.labels.to_string(), options_.series_max)};
}

void GroupCommitter::encode_records(LogBatch& out) {
    std::vector<RecordSample> samples;
    Timestamp newest = Timestamp::min();
    const auto finish_record = [&] {
        if (samples.empty()) {
            return;
        }
        out.entries.push_back(
            {LogTable::kSamples, encode_key(next_sequence_), encode_samples(samples)});
        records_.push_back({next_sequence_, newest});
        ++next_sequence_;
        samples.clear();
        newest = Timestamp::min();
    };
    for (const SeriesPointer& series : touched_) {
        for (const model::Sample& sample : series->pending()) {
            samples.push_back({series->id(), sample.time, sample.value});
            newest = std::max(newest, sample.time);
            if (samples.size() == kRecordSamplesMax) {
                finish_record();
            }
        }
    }
    finish_record();
}

void GroupCommitter::encode_state(std::span<PreparedBatch* const> group, LogBatch& out) const {
    for (const PreparedBatch* batch : group) {
        for (const model::StateWrite& write : batch->state) {
            out.entries.push_back({LogTable::kState, write.key, write.value});
        }
    }
}

Result<void> GroupCommitter::commit(std::span<PreparedBatch* const> group) {
    for (PreparedBatch* batch : group) {
        judge(*batch);
    }
    LogBatch out;
    for (const auto& [labels, series] : created_) {
        out.entries.push_back(
            {LogTable::kSeries, encode_key(series->id().value()), encode_definition(labels)});
    }
    encode_records(out);
    encode_state(group, out);
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
    ++counters_.commits;
    counters_.log_bytes += bytes;
    return {};
}

void GroupCommitter::remember_failed(const LogBatch& batch) {
    for (const LogEntry& entry : batch.entries) {
        if (entry.table == LogTable::kState) {
            failed_state_.insert(entry.key);
            continue;
        }
        if (!entry.value || entry.table == LogTable::kChunks) {
            continue;  // Erasures and chunks are mended by whoever writes them.
        }
        const auto number = decode_key(entry.key);
        KPID_ASSERT(number.has_value());  // It was encoded by commit().
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
    if (failed_state_.empty()) {
        return;
    }
    std::vector<LogEntry> restored;
    restored.reserve(failed_state_.size());
    for (const std::string& key : failed_state_) {
        restored.push_back({LogTable::kState, key, state_.get(key)});
    }
    // Before the batch's own entries, which win.
    out.entries.insert(out.entries.begin(), std::make_move_iterator(restored.begin()),
                       std::make_move_iterator(restored.end()));
}

void GroupCommitter::apply() {
    for (const auto& [labels, series] : created_) {
        ++series_count_;
        index_.add(labels, series);
    }
    created_.clear();
    const std::uint64_t newest_record = next_sequence_ - 1;
    for (const SeriesPointer& series : touched_) {
        const MemorySeries::Change change = series->merge_pending();
        series->set_newest_record(newest_record);
        counters_.add(change);
        counters_.samples_appended += static_cast<std::uint64_t>(change.samples);
    }
    touched_.clear();
    for (const RecordBlock& record : records_) {
        note_record(record.last_sequence, record.newest);
    }
    records_.clear();
}

void GroupCommitter::discard() {
    for (const SeriesPointer& series : touched_) {
        series->discard_pending();
    }
    touched_.clear();
    created_.clear();
    records_.clear();
}

}  // namespace kpid::storage
