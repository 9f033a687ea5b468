// The far end of time: reading the log at the start, forgetting what is beyond the retention.

#include "storage/group_commit.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::storage {
namespace {

// Sequences of one block. Smaller forgets more precisely and remembers more.
constexpr std::uint64_t kBlockSequences = 1024;

}  // namespace

void GroupCommitter::note_record(std::uint64_t sequence, Timestamp newest) {
    const bool same_block = !blocks_.empty() && blocks_.back().last_sequence / kBlockSequences ==
                                                    sequence / kBlockSequences;
    if (!same_block) {
        blocks_.push_back({sequence, newest});
    } else {
        blocks_.back().last_sequence = sequence;
        blocks_.back().newest = std::max(blocks_.back().newest, newest);
    }
    counters_.log_sequence = sequence;
}

Result<void> GroupCommitter::replay() {
    std::vector<model::StateWrite> entry(1);
    auto replayed = log_.replay([this, &entry](LogTable table, std::string_view key,
                                               std::string_view value) -> Result<void> {
        switch (table) {
            case LogTable::kSeries:
                return replay_series(key, value);
            case LogTable::kChunks:
                return replay_chunk(key, value);
            case LogTable::kSamples:
                finish_chunks();
                return replay_samples(key, value);
            case LogTable::kState:
                entry[0].key = key;
                entry[0].value = std::string(value);
                state_.apply(entry);
                return {};
        }
        return {};
    });
    finish_chunks();
    replayed_ = {};
    first_live_sequence_ = blocks_.empty() ? next_sequence_ : 1;
    series_count_ = index_.size();
    return replayed;
}

Result<void> GroupCommitter::replay_series(std::string_view key, std::string_view value) {
    KPID_TRY(const std::uint64_t id, decode_key(key));
    KPID_TRY(const model::Labels labels, decode_definition(value));
    SeriesPointer series = index_.find(labels);
    if (series == nullptr) {
        series = std::make_shared<MemorySeries>(SeriesId(id));
        index_.add(labels, series);
    }
    replayed_.emplace(id, series);
    next_series_ = std::max(next_series_, id + 1);
    return {};
}

Result<void> GroupCommitter::replay_chunk(std::string_view key, std::string_view value) {
    KPID_TRY(const SeriesId id, decode_chunk_key(key));
    const auto place = replayed_.find(id.value());
    if (place == replayed_.end()) {
        return Error{Code::kDataLoss,
                     fmt::format("a chunk names the series {}, which is not defined", id.value())};
    }
    if (loading_ != place->second) {
        finish_chunks();
        loading_ = place->second;
    }
    const Result<MemorySeries::Change> loaded = loading_->load_chunk(value);
    if (!loaded) {
        return loaded.error().with_context(fmt::format("a chunk of the series {}", id.value()));
    }
    counters_.add(*loaded);
    return {};
}

void GroupCommitter::finish_chunks() {
    if (loading_ != nullptr) {
        counters_.add(loading_->finish_loading());
        loading_ = nullptr;
    }
}

Result<void> GroupCommitter::replay_samples(std::string_view key, std::string_view value) {
    KPID_TRY(const std::uint64_t sequence, decode_key(key));
    KPID_TRY(const std::vector<RecordSample> samples, decode_samples(value));
    Timestamp newest = Timestamp::min();
    for (const RecordSample& sample : samples) {
        const auto place = replayed_.find(sample.series.value());
        if (place == replayed_.end()) {
            return Error{Code::kDataLoss,
                         fmt::format("log record {} names the series {}, which is not defined",
                                     sequence, sample.series.value())};
        }
        if (place->second->pending().empty()) {
            touched_.push_back(place->second);
        }
        place->second->add_pending({sample.time, sample.value});
        newest = std::max(newest, sample.time);
    }
    for (const SeriesPointer& series : touched_) {
        counters_.add(series->merge_pending());
        series->set_newest_record(sequence);
    }
    touched_.clear();
    note_record(sequence, newest);
    next_sequence_ = sequence + 1;
    return {};
}

Result<void> GroupCommitter::save_chunks(std::span<const SeriesPointer> series) {
    LogBatch out;
    for (const SeriesPointer& one : series) {
        if (one->removed()) {
            continue;
        }
        for (ChunkedSamples::SavedChunk& chunk : one->collect_unsaved()) {
            out.entries.push_back({LogTable::kChunks, encode_chunk_key(one->id(), chunk.first),
                                   std::move(chunk.bytes)});
        }
    }
    Result<void> written = out.empty() ? Result<void>() : write(std::move(out));
    for (const SeriesPointer& one : series) {
        one->end_save(written.has_value());
    }
    return written;
}

Result<void> GroupCommitter::trim_records(std::uint64_t sequence) {
    if (sequence < first_live_sequence_) {
        return {};
    }
    LogBatch out;
    out.erasures.push_back(
        {LogTable::kSamples, encode_key(first_live_sequence_), encode_key(sequence + 1)});
    KPID_CHECK_OK(write(std::move(out)));
    first_live_sequence_ = sequence + 1;
    while (!blocks_.empty() && blocks_.front().last_sequence <= sequence) {
        blocks_.pop_front();
    }
    return {};
}

Result<void> GroupCommitter::forget(Timestamp cutoff, std::span<const SeriesPointer> empty) {
    std::size_t blocks = 0;
    std::uint64_t first_live = first_live_sequence_;
    while (blocks < blocks_.size() && blocks_[blocks].newest < cutoff) {
        first_live = blocks_[blocks].last_sequence + 1;
        ++blocks;
    }
    LogBatch out;
    if (blocks > 0) {
        out.erasures.push_back(
            {LogTable::kSamples, encode_key(first_live_sequence_), encode_key(first_live)});
    }
    std::vector<SeriesPointer> gone;
    for (const SeriesPointer& series : empty) {
        if (!series->removed() && series->newest_record() < first_live && series->is_empty() &&
            !series->has_stored()) {
            gone.push_back(series);
            out.entries.push_back({LogTable::kSeries, encode_key(series->id().value()), {}});
        }
    }
    if (out.empty()) {
        return {};
    }
    auto written = write(std::move(out));
    // Also after a failure: whether their definitions are still on disk is not known, so that no
    // later record may name them. One that stayed comes back empty at the next start and is
    // forgotten then.
    for (const SeriesPointer& series : gone) {
        series->set_removed();
    }
    index_.remove(gone);
    series_count_ -= gone.size();
    KPID_CHECK_OK(std::move(written));
    first_live_sequence_ = first_live;
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(blocks));
    return {};
}

}  // namespace kpid::storage
