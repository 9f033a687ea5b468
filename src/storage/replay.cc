// Reading everything again at a start.

#include "storage/group_commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

// Numbers of one place in a table, and entries among them; a damaged block holds some hundred.
constexpr std::uint64_t kUnreadableMax = 1U << 20U;
constexpr std::uint64_t kLostMax = 1U << 14U;
constexpr int kUnreadablePlacesMax = 64;
// What cannot be read so often is damaged.
constexpr int kReadsMax = 3;

Result<std::optional<std::string>> read_alone(const Log& log, LogTable table,
                                              const std::string& key) {
    Result<std::optional<std::string>> value = log.get(table, key);
    for (int i = 1; i < kReadsMax && !value && value.error().code == Code::kDataLoss; ++i) {
        value = log.get(table, key);
    }
    return value;
}

// Whether the first entry from there on can be read.
Result<void> try_from(const Log& log, LogTable table, const std::string& begin) {
    return log.scan(table, begin, {},
                    [](std::string_view, std::string_view) -> Result<bool> { return false; });
}

// The first number behind a place that cannot be read from which on reading goes well.
Result<std::uint64_t> first_readable(const Log& log, LogTable table, std::uint64_t begin,
                                     const Error& why) {
    std::uint64_t bad = begin;
    std::uint64_t good = begin;
    for (std::uint64_t step = 1; good == begin; step *= 2) {
        if (step > kUnreadableMax) {
            return why.with_context(fmt::format("more than {} entries of {} cannot be read",
                                                kUnreadableMax, to_string(table)));
        }
        const Result<void> tried = try_from(log, table, encode_key(begin + step));
        if (!tried && tried.error().code != Code::kDataLoss) {
            return tried.error();
        }
        (tried ? good : bad) = begin + step;
    }
    while (good - bad > 1) {
        const std::uint64_t middle = bad + (good - bad) / 2;
        const Result<void> tried = try_from(log, table, encode_key(middle));
        if (!tried && tried.error().code != Code::kDataLoss) {
            return tried.error();
        }
        (tried ? good : bad) = middle;
    }
    return good;
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
    DefinitionBlock definitions;
    std::vector<DamagedEntry> damaged;
    std::vector<MemorySeries*> without_open;  ///< What was kept of them is damaged.

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
                      std::string_view what,
                      DamagedEntry::Aside aside = DamagedEntry::Aside::kTake) {
        const Result<std::uint64_t> number = decode_key(key.substr(0, sizeof(std::uint64_t)));
        damaged.push_back({table, std::string(key), std::string(value),
                           fmt::format("entry {} of {} is damaged: {}", number.value_or(0),
                                       to_string(table), what),
                           aside});
    }
};

Result<void> GroupCommitter::replay() {
    Replay replay;
    is_replaying_ = true;
    KPID_CHECK_OK(replay_all(replay));
    is_replaying_ = false;
    series_count_ = index_.size();
    return set_aside(std::move(replay.damaged));
}

Result<void> GroupCommitter::replay_table(Replay& replay, LogTable table, std::uint64_t begin,
                                          const Take& take) {
    std::uint64_t next = begin;
    for (int place = 0;; ++place) {
        bool is_takers = false;
        const auto visit = [&](std::string_view key, std::string_view value) -> Result<bool> {
            if (Result<void> taken = take(key, value); !taken) {
                is_takers = true;
                return std::move(taken).error();
            }
            next = decode_key(key).value_or(next) + 1;
            return true;
        };
        Result<void> visited = log_.scan(table, encode_key(next), {}, visit);
        if (visited || is_takers || visited.error().code != Code::kDataLoss ||
            place == kUnreadablePlacesMax) {
            return visited;
        }
        KPID_TRY(next, replay_unreadable(replay, table, next, visited.error(), take));
    }
}

// Not given again, of damaged ones either: chunks and rows may name it.
void GroupCommitter::note_number(LogTable table, std::uint64_t number) {
    if (table == LogTable::kSeries) {
        next_series_ = std::max(next_series_, number + kDefinitionBlockMax);
    } else if (table == LogTable::kSamples) {
        next_sequence_ = std::max(next_sequence_, number + 1);
    }
}

// A block that cannot be read hides what else stands between its keys, which can be had one by one:
// newer entries of the same keys, and those of other files.
Result<std::uint64_t> GroupCommitter::replay_unreadable(Replay& replay, LogTable table,
                                                        std::uint64_t begin, const Error& why,
                                                        const Take& take) {
    KPID_TRY(const std::uint64_t end, first_readable(log_, table, begin, why));
    std::uint64_t lost = 0;
    for (std::uint64_t number = begin; number < end; ++number) {
        // Most numbers may be of no series.
        Replay::Entry* place = table == LogTable::kOpen ? replay.find(number) : nullptr;
        if (table == LogTable::kOpen && place == nullptr) {
            continue;
        }
        const std::string key = encode_key(number);
        const Result<std::optional<std::string>> value = read_alone(log_, table, key);
        if (value && *value) {
            KPID_CHECK_OK(take(key, **value));
        } else if (!value && value.error().code != Code::kDataLoss) {
            return value.error();
        } else if (!value) {
            if (++lost > kLostMax) {
                return why.with_context(
                    fmt::format("more than {} entries of {} are lost", kLostMax, to_string(table)));
            }
            note_lost(replay, table, number, value.error());
        }
    }
    if (table == LogTable::kSeries && lost > 0) {
        replay.note_damaged(
            table, encode_key(begin), {},
            fmt::format("with others up to {}, as far as there are any: {}", end - 1, why.message),
            DamagedEntry::Aside::kCopy);
    }
    return end;
}

void GroupCommitter::note_lost(Replay& replay, LogTable table, std::uint64_t number,
                               const Error& why) {
    if (table == LogTable::kSeries) {
        // It may be a number of none, so others are counted: what names a series that is lost. If
        // it was one, another series may have its labels from now on.
        replay.note_damaged(table, encode_key(number), {}, {}, DamagedEntry::Aside::kErase);
        return;
    }
    note_number(table, number);
    replay.note_damaged(table, encode_key(number), {}, why.message);
    if (Replay::Entry* place = replay.find(number); place != nullptr && table == LogTable::kOpen) {
        replay.without_open.push_back(place->series);
    }
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
    KPID_CHECK_OK(replay_table(replay, LogTable::kSeries, 1, series));
    const auto open = [&](std::string_view key, std::string_view value) {
        return replay_open(replay, key, value);
    };
    KPID_CHECK_OK(replay_table(replay, LogTable::kOpen, 0, open));
    for (MemorySeries* without_open : replay.without_open) {
        KPID_CHECK_OK(rebuild_open(replay, *without_open));
    }
    KPID_CHECK_OK(replay_version_flags(replay));
    const auto record = [&](std::string_view key, std::string_view value) {
        return replay_record(replay, key, value);
    };
    KPID_CHECK_OK(replay_table(replay, LogTable::kSamples, meta_.first_unsaved, record));
    counters_.log_sequence = next_sequence_ - 1;
    std::vector<model::StateWrite> entry(1);
    // Without what people entered kpid does not start: there is no telling what is missing.
    return log_.scan(LogTable::kState, {}, {},
                     [&](std::string_view key, std::string_view value) -> Result<bool> {
                         entry[0].key = key;
                         entry[0].value = std::string(value);
                         state_.apply(entry);
                         return true;
                     });
}

Result<void> GroupCommitter::replay_series(Replay& replay, std::string_view key,
                                           std::string_view value) {
    const Result<std::uint64_t> first = decode_key(key);
    const Result<void> read = decode_definitions(value, replay.definitions);
    if (!first || !read) {
        const Error why = first ? read.error() : first.error();
        if (why.code == Code::kUnsupported) {
            return why;
        }
        if (first) {
            note_number(LogTable::kSeries, *first);
        }
        replay.note_damaged(LogTable::kSeries, key, value, why.message);
        return {};
    }
    for (std::size_t i = 0; i < replay.definitions.size(); ++i) {
        const std::uint64_t id = *first + i;
        next_series_ = std::max(next_series_, id + 1);
        const std::span<const model::LabelView> labels = replay.definitions.labels(i);
        if (labels.empty()) {
            continue;
        }
        const SeriesIndex::Added added = index_.add(labels, hash_labels(labels), SeriesId(id));
        if (added.series == nullptr) {
            return resource_exhausted("the series of the storage do not fit the index");
        }
        // Records before those that are read again may be kept for readers of the log; any of them
        // may name it.
        added.series->newest_record = meta_.first_unsaved - 1;
        replay.add(id, added.series);
    }
    return {};
}

Result<void> GroupCommitter::replay_open(Replay& replay, std::string_view key,
                                         std::string_view value) {
    const Result<std::uint64_t> id = decode_key(key);
    Replay::Entry* place = id ? replay.find(*id) : nullptr;
    const Result<OpenEntry> entry = decode_open_entry(value);
    if (id) {
        note_number(LogTable::kSeries, *id);
    }
    if (place == nullptr || !entry) {
        replay.note_damaged(LogTable::kOpen, key, value,
                            !entry ? entry.error().message : "its series is not defined");
        if (place != nullptr) {
            replay.without_open.push_back(place->series);
        }
        return {};
    }
    MemorySeries& series = *place->series;
    place->saved = entry->sequence;
    // Its number may be of a record that was never written; another of that number would go unread.
    note_number(LogTable::kSamples, entry->sequence);
    const Result<void> loaded =
        series.samples.load_open(entry->begin, entry->sealed_end, entry->chunk);
    if (!loaded) {
        // The sealed chunks stand; the open one's samples are lost and named.
        replay.note_damaged(LogTable::kOpen, key, value, loaded.error().message);
        replay.damaged.back().replacement = encode_open_entry({.sequence = entry->sequence,
                                                               .begin = entry->begin,
                                                               .sealed_end = entry->sealed_end,
                                                               .chunk = {}});
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

// Of a series whose open entry is lost the sealed chunks tell what they can.
Result<void> GroupCommitter::rebuild_open(Replay& replay, MemorySeries& series) {
    constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;
    Timestamp begin = Timestamp::max();
    Timestamp end = Timestamp::min();
    const auto visit = [&](const ChunkOnDisk& chunk) -> Result<bool> {
        begin = std::min(begin, chunk.first);
        end = std::max(end, chunk.last);
        return true;
    };
    Result<void> visited = past_damage([&] { return chunks_.visit_chunks(series.id, {}, visit); });
    if (!visited && visited.error().code != Code::kDataLoss) {
        return visited;
    }
    if (!visited && !meta_.day_bytes.empty()) {
        // Some cannot be read: they end no later than any chunk, and who asks for them is told.
        const Timestamp last_day((meta_.day_bytes.rbegin()->first + 1) * kDayMs - 1);
        const Timestamp newest(counters_.newest_ms);
        begin = std::max(Timestamp::min(), meta_.floor);
        end = std::max(end, std::min(last_day, newest + options_.out_of_order_window));
    }
    KPID_CHECK_OK(series.samples.load_open(begin, end, {}));
    series.samples.note_failed();
    // The next start is to find the sealed ones too, whatever happens until then.
    const auto lost = std::find_if(
        replay.damaged.begin(), replay.damaged.end(), [&series](const DamagedEntry& entry) {
            return entry.table == LogTable::kOpen && entry.key == encode_key(series.id.value());
        });
    if (lost != replay.damaged.end()) {
        lost->replacement =
            encode_open_entry({.sequence = 0, .begin = begin, .sealed_end = end, .chunk = {}});
    }
    return {};
}

// One look for each series that has rows. Where that fails, there may be rows, whose readers are
// told.
Result<void> GroupCommitter::replay_version_flags(Replay& replay) {
    const auto flag = [&replay](std::uint64_t id) {
        if (Replay::Entry* place = replay.find(id)) {
            place->series->has_versions = true;
        }
    };
    for (std::uint64_t from = replay.first_id;;) {
        std::uint64_t series = 0;
        const auto first = [&series](std::string_view key, std::string_view) -> Result<bool> {
            KPID_TRY(const TimeKey place, decode_time_key(key));
            series = place.series.value();
            return false;
        };
        Result<void> seen = log_.scan(LogTable::kVersions, encode_key(from), {}, first);
        if (!seen && seen.error().code != Code::kDataLoss) {
            return seen;
        }
        if (seen && series == 0) {
            return {};
        }
        series = seen ? series : from;
        flag(series);
        from = series + 1;
        if (from - replay.first_id > replay.by_id.size() && !seen) {
            for (auto& [id, entry] : replay.beyond) {
                entry.series->has_versions = true;
            }
            return {};
        }
    }
}

Result<void> GroupCommitter::replay_record(Replay& replay, std::string_view key,
                                           std::string_view value) {
    const Result<std::uint64_t> sequence = decode_key(key);
    const Result<Record> record = decode_record(value);
    if (sequence) {
        note_number(LogTable::kSamples, *sequence);
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
    std::size_t unreadable = 0;
    for (const RecordSample& sample : record->samples) {
        Replay::Entry* place = replay.find(sample.series.value());
        if (place == nullptr) {
            note_number(LogTable::kSeries, sample.series.value());
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
            const Result<void> brought = bring_in(series, sample.time);
            if (!brought && brought.error().code == Code::kDataLoss) {
                ++unreadable;
                continue;
            }
            KPID_CHECK_OK(brought);
        }
        pending_.push_back({&series, sample.time, sample.value,
                            newest ? std::max(*newest, sample.time) : sample.time, is_late});
        series.pending = static_cast<std::uint32_t>(pending_.size());
    }
    apply();
    KPID_CHECK_OK(replay_deletion(replay, *record, *sequence));
    if (unknown > 0 || unreadable > 0) {
        // The others stand in memory alone until they are saved: the record stays.
        replay.note_damaged(
            LogTable::kSamples, key, value,
            fmt::format("{} of its samples name series that are not defined, and {} are of a time "
                        "whose chunks cannot be read",
                        unknown, unreadable),
            unknown == record->samples.size() ? DamagedEntry::Aside::kTake
                                              : DamagedEntry::Aside::kCopy);
    }
    return {};
}

Result<void> GroupCommitter::replay_deletion(Replay& replay, const Record& record,
                                             std::uint64_t sequence) {
    for (const SeriesId id : record.deleted_series) {
        Replay::Entry* place = replay.find(id.value());
        if (place == nullptr) {
            continue;
        }
        MemorySeries& series = *place->series;
        series.newest_record = sequence;
        if (sequence <= place->saved) {
            continue;
        }
        LogBatch erasures;  // The deletion itself wrote them.
        Result<Erased> changed = erased(series, record.deleted_range, erasures);
        if (!changed && changed.error().code == Code::kDataLoss) {
            // The chunks that cannot be read lack the samples already.
            changed = Erased{.series = &series, .samples = series.samples.copy()};
            (void)changed->samples.erase(record.deleted_range);
        }
        KPID_TRY(Erased done, std::move(changed));
        install(done);
    }
    return {};
}

}  // namespace kpid::storage
