// Reading everything again at a start.

#include "storage/group_commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

// take(key, value) for every entry from `begin` on.
template <class Take>
Result<void> visit_all(const Log& log, LogTable table, std::string_view begin, Take& take) {
    return log.scan(table, begin, {},
                    [&take](std::string_view key, std::string_view value) -> Result<bool> {
                        Result<void> taken = take(key, value);
                        if (!taken) {
                            return std::move(taken).error();
                        }
                        return true;
                    });
}

}  // namespace

/// What a start needs and running does not.
struct GroupCommitter::Replay {
    struct Entry {
        MemorySeries* series = nullptr;
        std::uint64_t saved = 0;  ///< All records up to it stand in the series' chunks.
    };
    std::vector<Entry> by_id;  ///< From first_id on.
    std::uint64_t first_id = 1;
    boost::unordered_flat_map<std::uint64_t, Entry> beyond;  ///< Of ids far from the others.
    std::vector<model::LabelView> labels;
    std::vector<DamagedEntry> damaged;

    // Numbers are dense but for series that went.
    static constexpr std::uint64_t kDense = 16'000'000;

    [[nodiscard]] Entry* find(std::uint64_t id) {
        if (id >= first_id && id - first_id < by_id.size()) {
            Entry& entry = by_id[id - first_id];
            return entry.series != nullptr ? &entry : nullptr;
        }
        const auto found = beyond.find(id);
        return found == beyond.end() ? nullptr : &found->second;
    }
    void add(std::uint64_t id, MemorySeries* series) {
        if (by_id.empty()) {
            first_id = id;
        }
        if (id < first_id || id - first_id >= kDense) {
            beyond[id] = {series, 0};
            return;
        }
        if (by_id.size() <= id - first_id) {
            by_id.resize(id - first_id + 1);
        }
        by_id[id - first_id] = {series, 0};
    }
    void note_damaged(LogTable table, std::string_view key, std::string_view value,
                      std::string_view what) {
        const Result<std::uint64_t> number = decode_key(key.substr(0, sizeof(std::uint64_t)));
        damaged.push_back({table, std::string(key), std::string(value),
                           fmt::format("entry {} of {} is damaged: {}", number.value_or(0),
                                       to_string(table), what)});
    }
};

Result<void> GroupCommitter::replay() {
    Replay replay;
    KPID_CHECK_OK(replay_all(replay));
    series_count_ = index_.size();
    return set_aside(replay.damaged);
}

Result<void> GroupCommitter::replay_all(Replay& replay) {
    KPID_TRY(const std::optional<std::string> meta, log_.get(LogTable::kSeries, encode_key(0)));
    if (meta) {
        KPID_TRY(meta_, decode_meta(*meta));
        next_series_ = meta_.next_series;
        next_sequence_ = meta_.next_sequence;
        first_kept_ = meta_.first_kept;
        counters_.first_unsaved_sequence = meta_.first_unsaved;
    }
    const auto series = [&](std::string_view key, std::string_view value) {
        return replay_series(replay, key, value);
    };
    KPID_CHECK_OK(visit_all(log_, LogTable::kSeries, encode_key(1), series));
    const auto open = [&](std::string_view key, std::string_view value) {
        return replay_open(replay, key, value);
    };
    KPID_CHECK_OK(visit_all(log_, LogTable::kOpen, {}, open));
    KPID_CHECK_OK(replay_version_flags(replay));
    const auto record = [&](std::string_view key, std::string_view value) {
        return replay_record(replay, key, value);
    };
    KPID_CHECK_OK(visit_all(log_, LogTable::kSamples, encode_key(meta_.first_unsaved), record));
    counters_.log_sequence = next_sequence_ - 1;
    std::vector<model::StateWrite> entry(1);
    const auto state = [&](std::string_view key, std::string_view value) -> Result<void> {
        entry[0].key = key;
        entry[0].value = std::string(value);
        state_.apply(entry);
        return {};
    };
    return visit_all(log_, LogTable::kState, {}, state);
}

Result<void> GroupCommitter::replay_series(Replay& replay, std::string_view key,
                                           std::string_view value) {
    const Result<std::uint64_t> id = decode_key(key);
    const Result<void> read = decode_definition(value, replay.labels);
    if (read.has_value() && id) {
        const SeriesIndex::Added added =
            index_.add(replay.labels, hash_labels(replay.labels), SeriesId(*id));
        if (added.series == nullptr) {
            return resource_exhausted("the series of the storage do not fit the index");
        }
        // Records before those that are read again may be kept for readers of the log; any of them
        // may name it.
        added.series->newest_record = meta_.first_unsaved - 1;
        replay.add(*id, added.series);
        next_series_ = std::max(next_series_, *id + 1);
        return {};
    }
    const Error why = id ? read.error() : id.error();
    if (why.code == Code::kUnsupported) {
        return why;
    }
    replay.note_damaged(LogTable::kSeries, key, value, why.message);
    return {};
}

Result<void> GroupCommitter::replay_open(Replay& replay, std::string_view key,
                                         std::string_view value) {
    const Result<std::uint64_t> id = decode_key(key);
    Replay::Entry* place = id ? replay.find(*id) : nullptr;
    const Result<OpenEntry> entry = decode_open_entry(value);
    if (place == nullptr || !entry) {
        replay.note_damaged(LogTable::kOpen, key, value,
                            !entry ? entry.error().message : "its series is not defined");
        return {};
    }
    MemorySeries& series = *place->series;
    place->saved = entry->sequence;
    const Result<void> loaded =
        series.samples.load_open(entry->begin, entry->sealed_end, entry->chunk);
    if (!loaded) {
        // The sealed chunks stand; the open one's samples are lost and named.
        replay.note_damaged(LogTable::kOpen, key, value, loaded.error().message);
        KPID_CHECK_OK(series.samples.load_open(entry->begin, entry->sealed_end, {}));
        series.samples.note_failed();
    }
    counters_.samples_in_memory += series.samples.samples_in_memory();
    counters_.sample_bytes_in_memory += series.samples.heap_bytes();
    if (const auto newest = series.samples.newest(); newest && newest->ms() > counters_.newest_ms) {
        counters_.newest_ms = newest->ms();
    }
    return {};
}

// One look for each series that has rows.
Result<void> GroupCommitter::replay_version_flags(Replay& replay) {
    std::string from;
    while (true) {
        std::uint64_t series = 0;
        const auto first = [&series](std::string_view key, std::string_view) -> Result<bool> {
            KPID_TRY(const TimeKey place, decode_time_key(key));
            series = place.series.value();
            return false;
        };
        KPID_CHECK_OK(log_.scan(LogTable::kVersions, from, {}, first));
        if (series == 0) {
            return {};
        }
        if (Replay::Entry* place = replay.find(series)) {
            place->series->has_versions = true;
        }
        from = encode_key(series + 1);
    }
}

Result<void> GroupCommitter::replay_record(Replay& replay, std::string_view key,
                                           std::string_view value) {
    const Result<std::uint64_t> sequence = decode_key(key);
    const Result<Record> record = decode_record(value);
    if (sequence) {
        next_sequence_ = std::max(next_sequence_, *sequence + 1);
    }
    if (!sequence || !record) {
        const Error why = sequence ? record.error() : sequence.error();
        if (why.code == Code::kUnsupported) {
            return why;
        }
        replay.note_damaged(LogTable::kSamples, key, value, why.message);
        return {};
    }
    std::size_t unknown = 0;
    for (const RecordSample& sample : record->samples) {
        Replay::Entry* place = replay.find(sample.series.value());
        if (place == nullptr) {
            ++unknown;
            continue;
        }
        MemorySeries& series = *place->series;
        series.newest_record = *sequence;
        if (*sequence <= place->saved) {
            continue;
        }
        const std::optional<Timestamp> newest = newest_of(series);
        const bool is_late = newest && sample.time <= *newest;
        if (is_late) {
            KPID_CHECK_OK(bring_in(series, sample.time));
        }
        pending_.push_back({&series, sample.time, sample.value,
                            newest ? std::max(*newest, sample.time) : sample.time, is_late});
        series.pending = static_cast<std::uint32_t>(pending_.size());
    }
    apply();
    for (const SeriesId id : record->deleted_series) {
        Replay::Entry* place = replay.find(id.value());
        if (place == nullptr) {
            continue;
        }
        place->series->newest_record = *sequence;
        if (*sequence > place->saved) {
            LogBatch erasures;  // The deletion itself wrote them.
            KPID_TRY(Erased changed, erased(*place->series, record->deleted_range, erasures));
            install(changed);
        }
    }
    if (unknown > 0) {
        replay.note_damaged(
            LogTable::kSamples, key, value,
            fmt::format("{} of its samples name series that are not defined", unknown));
    }
    return {};
}

}  // namespace kpid::storage
