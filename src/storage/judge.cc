// Which samples of a group are stored: order, duplicates, kinds of metric and the limit on series.

#include "storage/group_commit.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <utility>

namespace kpid::storage {
namespace {

bool same_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool is_refusal(const model::Rejection& rejection) {
    return rejection.reason != model::RejectReason::kReserved;
}

}  // namespace

model::MetricKind GroupCommitter::kind_of(const MemorySeries& series,
                                          const PreparedBatch& batch) const {
    return series.is_kind_declared ? series.kind : batch.batch->kind;
}

MemorySeries* GroupCommitter::find_known(PreparedBatch& batch, Place& place) {
    if (place.series != nullptr && !place.series->is_removed) {
        return place.series;
    }
    if (place.unknown == PreparedBatch::kNone) {
        // It was removed since the batch was prepared.
        const model::Labels labels = batch.labels_of(place, index_);
        place.series = nullptr;
        return index_.find(views_of(labels), labels.hash());
    }
    const PreparedBatch::Unknown& unknown = batch.unknown[place.unknown];
    return index_.find(batch.labels_of(unknown), unknown.hash);
}

void GroupCommitter::note_created(MemorySeries& series, std::span<const model::LabelView> labels) {
    ++series_count_;
    if (const auto declared = kinds_.find(metric_name_of(labels)); declared != kinds_.end()) {
        series.kind = declared->second;
        series.is_kind_declared = true;
    }
    created_.push_back(&series);
    definitions_.add(series.id, labels);
}

// All of a batch at once, as far as they surely fit: many at a time are faster.
void GroupCommitter::create_unknown(PreparedBatch& batch) {
    if (batch.unknown.empty() || series_count_ + batch.unknown.size() > options_.series_max) {
        return;
    }
    std::vector<PostingsIndex::NewSeries> wanted;
    wanted.reserve(batch.unknown.size());
    for (const PreparedBatch::Unknown& unknown : batch.unknown) {
        wanted.push_back({.labels = batch.labels_of(unknown),
                          .hash = unknown.hash,
                          .id = SeriesId(next_series_ + wanted.size()),
                          .alias = unknown.raw_hash});
    }
    std::vector<SeriesIndex::Added> added;
    index_.add_all(wanted, added);
    next_series_ += wanted.size();
    for (std::size_t i = 0; i < added.size(); ++i) {
        if (added[i].is_new) {
            note_created(*added[i].series, wanted[i].labels);
        }
    }
    for (Place& place : batch.places) {
        if (place.unknown != PreparedBatch::kNone) {
            place.series = added[place.unknown].series;
        }
    }
}

MemorySeries* GroupCommitter::find_or_create(PreparedBatch& batch, Place& place) {
    if (MemorySeries* known = find_known(batch, place)) {
        return known;
    }
    if (series_count_ >= options_.series_max) {
        return nullptr;
    }
    model::Labels copy;
    std::vector<model::LabelView> copied;
    PostingsIndex::NewSeries wanted{.id = SeriesId(next_series_)};
    if (place.unknown != PreparedBatch::kNone) {
        const PreparedBatch::Unknown& unknown = batch.unknown[place.unknown];
        wanted.labels = batch.labels_of(unknown);
        wanted.hash = unknown.hash;
        wanted.alias = unknown.raw_hash;
    } else {
        copy = batch.labels_of(place, index_);
        copied = views_of(copy);
        wanted.labels = copied;
        wanted.hash = copy.hash();
    }
    std::vector<SeriesIndex::Added> added;
    index_.add_all({&wanted, 1}, added);
    if (added[0].is_new) {
        ++next_series_;
        note_created(*added[0].series, wanted.labels);
    }
    return added[0].series;
}

Refusal GroupCommitter::limit_reached(const PreparedBatch& batch, const Place& place) const {
    return {model::RejectReason::kLimit,
            fmt::format("{} would be a new series; the limit of {} is reached",
                        batch.labels_of(place, index_).to_string(), options_.series_max)};
}

std::optional<Timestamp> GroupCommitter::newest_of(const MemorySeries& series) const {
    return series.pending != 0 ? std::optional(pending_[series.pending - 1].newest)
                               : series.samples.newest();
}

Result<std::optional<Timestamp>> GroupCommitter::newest_for(MemorySeries& series, Timestamp time) {
    std::optional<Timestamp> newest = newest_of(series);
    if (newest && time <= *newest && series.pending == 0 && series.samples.is_newest_a_bound()) {
        KPID_CHECK_OK(find_evicted_end(series, time));
        newest = newest_of(series);
    }
    return newest;
}

void GroupCommitter::index_pending() {
    if (is_indexed_) {
        return;
    }
    is_indexed_ = true;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        pending_at_[{pending_[i].series, pending_[i].time}] = i;
    }
}

Result<std::optional<double>> GroupCommitter::value_at(MemorySeries& series, Timestamp time) {
    if (series.pending != 0) {
        index_pending();
        if (const auto found = pending_at_.find({&series, time}); found != pending_at_.end()) {
            return std::optional(pending_[found->second].value);
        }
    }
    if (const auto newest = series.samples.newest(); !newest || time > *newest) {
        return std::optional<double>();
    }
    KPID_CHECK_OK(bring_in(series, time));
    return series.samples.value_at(time);
}

void GroupCommitter::accept(const Place& place, std::optional<Timestamp> newest) {
    const bool is_late = newest && place.time <= *newest;
    if (is_indexed_) {
        pending_at_[{place.series, place.time}] = pending_.size();
    }
    pending_.push_back({place.series, place.time, place.value,
                        newest ? std::max(*newest, place.time) : place.time, is_late});
    place.series->pending = static_cast<std::uint32_t>(pending_.size());
}

Result<void> GroupCommitter::judge_gauge(PreparedBatch& batch, const Place& place) {
    KPID_TRY(const std::optional<Timestamp> newest, newest_for(*place.series, place.time));
    if (newest && place.time <= *newest) {
        KPID_TRY(const std::optional<double> stored, value_at(*place.series, place.time));
        if (stored && !same_bits(*stored, place.value)) {
            batch.reject(place.index, SampleRules::duplicate(batch.labels_of(place, index_),
                                                             place.time, *stored, place.value));
            return {};
        }
        if (stored) {
            ++batch.repeated;
            ++batch.result.accepted;
            return {};
        }
        const auto window = batch.batch->out_of_order_window;
        if (!rules_.is_in_order(place.time, *newest, window)) {
            batch.reject(place.index, rules_.order_refusal(batch.labels_of(place, index_),
                                                           place.time, *newest, window));
            return {};
        }
    }
    accept(place, newest);
    ++batch.result.accepted;
    return {};
}

Result<bool> GroupCommitter::has_rows_at(const MemorySeries& series, Timestamp time) {
    if (!series.has_versions) {
        return false;
    }
    constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
    const std::size_t limit = failed_versions_.empty() ? 1 : kAll;
    std::vector<VersionRow> rows;
    KPID_CHECK_OK(past_damage([&]() -> Result<void> {
        KPID_TRY(rows, chunks_.versions(series.id, {time, time}, limit));
        return {};
    }));
    // Rows of failed writes go with the next one.
    return std::any_of(rows.begin(), rows.end(), [&](const VersionRow& row) {
        return !failed_versions_.contains(encode_version_key(series.id, row.time, row.order));
    });
}

void GroupCommitter::add_version(MemorySeries& series, const VersionRow& row) {
    if (!series.has_versions && (versioned_.empty() || versioned_.back() != &series)) {
        versioned_.push_back(&series);
    }
    versions_.push_back({LogTable::kVersions, encode_version_key(series.id, row.time, row.order),
                         encode_version(row)});
}

// Each value of a total and each event is a row of its own; the chunks have the newest.
Result<void> GroupCommitter::judge_version(PreparedBatch& batch, const Place& place,
                                           bool is_event) {
    MemorySeries& series = *place.series;
    const std::optional<Timestamp> newest = newest_of(series);
    std::optional<double> stored;
    if (newest && place.time <= *newest) {
        KPID_TRY(stored, value_at(series, place.time));
    }
    if (stored && !is_event && same_bits(*stored, place.value)) {
        ++batch.repeated;
        ++batch.result.accepted;
        return {};
    }
    // The rows of one instant are in order of arrival over all groups.
    const std::uint64_t order = (next_sequence_ << kVersionOrderBits) + versions_.size();
    const bool is_pending =
        series.pending != 0 && is_indexed_ && pending_at_.contains({&series, place.time});
    if (stored && !is_pending) {
        // What was stored before its metric was of this kind has no row.
        KPID_TRY(const bool has_rows, has_rows_at(series, place.time));
        if (!has_rows) {
            add_version(series, {.time = place.time,
                                 .order = 0,
                                 .is_event = is_event,
                                 .known = place.time,
                                 .value = *stored});
        }
    }
    add_version(series, {.time = place.time,
                         .order = order + 1,
                         .is_event = is_event,
                         .known = batch.batch->now,
                         .value = place.value});
    group_replaced_ += stored && !is_event ? 1U : 0U;
    group_events_ += is_event ? 1U : 0U;
    accept(place, newest);
    ++batch.result.accepted;
    return {};
}

Refusal GroupCommitter::unreadable(const PreparedBatch& batch, const Place& place,
                                   const Error& why) const {
    return {model::RejectReason::kOutOfOrder,
            fmt::format("{} at {} is late, and what is stored around it cannot be read: {}",
                        batch.labels_of(place, index_).to_string(), format_rfc3339(place.time),
                        why.message)};
}

Result<void> GroupCommitter::judge_place(PreparedBatch& batch, Place& place) {
    if (place.series == nullptr || place.series->is_removed) {
        MemorySeries* series = find_or_create(batch, place);
        if (series == nullptr) {
            batch.reject(place.index, limit_reached(batch, place));
            return {};
        }
        place.series = series;
    }
    Result<void> judged = judge_kind(batch, place);
    if (!judged && judged.error().code == Code::kDataLoss) {
        // The others of its group are not to wait for a disk that is mended.
        batch.reject(place.index, unreadable(batch, place, judged.error()));
        return {};
    }
    return judged;
}

Result<void> GroupCommitter::judge_kind(PreparedBatch& batch, const Place& place) {
    switch (kind_of(*place.series, batch)) {
        case model::MetricKind::kTotal:
            return judge_version(batch, place, false);
        case model::MetricKind::kEvent:
            return judge_version(batch, place, true);
        case model::MetricKind::kGauge:
        case model::MetricKind::kCounter:
            break;
    }
    return judge_gauge(batch, place);
}

// Finds what is refused before anything is kept aside.
Result<void> GroupCommitter::judge_whole(PreparedBatch& batch) {
    std::set<std::pair<std::uint64_t, std::uint32_t>> fresh;
    std::map<std::pair<model::Labels, Timestamp>, double> own;
    for (Place& place : batch.places) {
        MemorySeries* series = find_known(batch, place);
        const model::Labels labels = batch.labels_of(place, index_);
        const model::MetricKind kind =
            series != nullptr ? kind_of(*series, batch) : batch.batch->kind;
        const bool keeps_all =
            kind == model::MetricKind::kTotal || kind == model::MetricKind::kEvent;
        const auto [twin, is_first] = own.try_emplace({labels, place.time}, place.value);
        if (!is_first) {
            if (!keeps_all && !same_bits(twin->second, place.value)) {
                batch.reject(place.index,
                             SampleRules::duplicate(labels, place.time, twin->second, place.value));
            }
            continue;
        }
        if (series == nullptr) {
            fresh.insert({labels.hash(), 0});
            if (series_count_ + fresh.size() > options_.series_max) {
                batch.reject(place.index, limit_reached(batch, place));
            }
            continue;
        }
        KPID_TRY(const std::optional<Timestamp> newest, newest_for(*series, place.time));
        if (keeps_all || !newest || place.time > *newest) {
            continue;
        }
        const Result<std::optional<double>> value = value_at(*series, place.time);
        if (!value && value.error().code == Code::kDataLoss) {
            batch.reject(place.index, unreadable(batch, place, value.error()));
            continue;
        }
        KPID_TRY(const std::optional<double> stored, value);
        const auto window = batch.batch->out_of_order_window;
        if (stored && !same_bits(*stored, place.value)) {
            batch.reject(place.index,
                         SampleRules::duplicate(labels, place.time, *stored, place.value));
        } else if (!stored && !rules_.is_in_order(place.time, *newest, window)) {
            batch.reject(place.index, rules_.order_refusal(labels, place.time, *newest, window));
        }
    }
    batch.refused =
        std::any_of(batch.result.rejected.begin(), batch.result.rejected.end(), is_refusal);
    if (batch.refused) {
        batch.places.clear();
        batch.state = {};
    }
    return {};
}

Result<void> GroupCommitter::judge(PreparedBatch& batch) {
    if (batch.batch != nullptr && batch.batch->all_or_nothing) {
        KPID_CHECK_OK(judge_whole(batch));
    }
    create_unknown(batch);
    const std::size_t begin = pending_.size();
    constexpr std::size_t kAhead = 8;
    for (std::size_t i = 0; i < batch.places.size(); ++i) {
        if (i + kAhead < batch.places.size() && batch.places[i + kAhead].series != nullptr) {
            batch.places[i + kAhead].series->prefetch();
        }
        KPID_CHECK_OK(judge_place(batch, batch.places[i]));
    }
    if (batch.batch != nullptr && pending_.size() > begin) {
        const RecordKind kind = batch.batch->origin == model::AppendOrigin::kRecorded
                                    ? RecordKind::kRecorded
                                    : RecordKind::kExternal;
        if (runs_.empty() || runs_.back().kind != kind) {
            runs_.push_back({kind, begin});
        }
    }
    for (const PreparedBatch::NewAlias& alias : batch.aliases) {
        if (!alias.series->is_removed) {
            index_.add_alias(*alias.series, alias.raw_hash);
        }
    }
    std::sort(
        batch.result.rejected.begin(), batch.result.rejected.end(),
        [](const model::Rejection& a, const model::Rejection& b) { return a.index < b.index; });
    return {};
}

}  // namespace kpid::storage
