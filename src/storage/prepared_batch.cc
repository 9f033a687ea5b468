#include "storage/prepared_batch.h"

#include "kpid/base/assert.h"
#include "kpid/base/same_text.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

using Place = PreparedBatch::Place;
using LabelSpan = std::span<const model::LabelView>;

// So that encodings and label sets do not share hashes.
constexpr std::uint64_t kRawSeed = 0x6b70'6964'7261'7731;

std::uint64_t hash_raw(std::string_view bytes) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), kRawSeed);
}

bool same_labels(std::span<const model::LabelView> stored, const model::Labels& labels) {
    if (stored.size() != labels.size()) {
        return false;
    }
    std::size_t i = 0;
    for (const model::Label& label : labels) {
        // The value first: names are mostly the same.
        if (!same_text(stored[i].value, label.value) || !same_text(stored[i].name, label.name)) {
            return false;
        }
        ++i;
    }
    return true;
}

class Preparation {
public:
    Preparation(const model::AppendBatch& batch, const SeriesIndex& index, const SampleRules& rules,
                Timestamp floor)
        : batch_(batch),
          index_(index),
          rules_(rules),
          floor_(floor),
          accepted_(rules.accepted(batch.now, false)),
          accepted_long_kept_(rules.accepted(batch.now, true)) {
        out_.batch = &batch;
        out_.state = batch.state;
        out_.pin.emplace(index.pin());
    }

    PreparedBatch run() {
        if (!batch_.samples.empty()) {
            add_samples();
        }
        if (!batch_.raw.empty()) {
            add_raw();
        }
        return std::move(out_);
    }

private:
    /// A raw series whose bytes were never seen.
    struct Unseen {
        std::size_t raw = 0;
        PreparedBatch::Unknown labels;
        std::optional<Refusal> refusal;
    };

    void add_samples();
    /// The series of each sample, or null and its labels' hash.
    [[nodiscard]] std::vector<MemorySeries*> find_samples(std::vector<std::uint64_t>& hashes);
    void add_raw();
    void read_unseen(std::span<const std::uint64_t> raw_hashes, std::vector<MemorySeries*>& known,
                     std::vector<Unseen>& unseen);
    void add_raw_series(std::size_t raw, std::size_t first, MemorySeries* known, Unseen* unseen);
    /// The rejection of a series' samples that no sample's own time or value matters for.
    [[nodiscard]] std::optional<Refusal> check_unknown(std::span<const model::LabelView> labels);
    [[nodiscard]] bool is_long_kept(const Place& place) const;
    void add(Place place);
    void sort_from(std::size_t begin);

    const model::AppendBatch& batch_;
    const SeriesIndex& index_;
    const SampleRules& rules_;
    const Timestamp floor_;
    const model::TimeRange accepted_;
    const model::TimeRange accepted_long_kept_;
    PreparedBatch out_;
};

std::optional<Refusal> Preparation::check_unknown(std::span<const model::LabelView> labels) {
    std::optional<Refusal> refusal = rules_.check_origin(metric_name_of(labels), batch_.origin);
    return refusal ? std::move(refusal) : rules_.check_labels(labels);
}

bool Preparation::is_long_kept(const Place& place) const {
    return place.series != nullptr
               ? place.series->traits.is_long_kept
               : traits_of(metric_name_of(out_.labels_of(out_.unknown[place.unknown])))
                     .is_long_kept;
}

void Preparation::add(Place place) {
    const auto is_in = [&place](model::TimeRange range) {
        return place.time >= range.start && place.time <= range.end;
    };
    if (!is_in(accepted_) || !is_in(accepted_long_kept_)) {
        const bool long_kept = is_long_kept(place);
        if (!is_in(long_kept ? accepted_long_kept_ : accepted_)) {
            out_.reject(place.index, rules_.age_refusal(out_.labels_of(place, index_), place.time,
                                                        batch_.now, long_kept));
            return;
        }
    }
    if (place.time < floor_) {
        out_.reject(place.index,
                    rules_.room_refusal(out_.labels_of(place, index_), place.time, floor_));
        return;
    }
    out_.places.push_back(place);
}

void Preparation::sort_from(std::size_t begin) {
    const auto by_time = [](const Place& a, const Place& b) { return a.time < b.time; };
    const auto first = out_.places.begin() + static_cast<std::ptrdiff_t>(begin);
    if (!std::is_sorted(first, out_.places.end(), by_time)) {
        std::stable_sort(first, out_.places.end(), by_time);
    }
}

std::vector<MemorySeries*> Preparation::find_samples(std::vector<std::uint64_t>& hashes) {
    const std::span<const model::SeriesSample> samples = batch_.samples;
    const bool has_handles = !batch_.handles.empty();
    KPID_ASSERT(!has_handles || batch_.handles.size() == samples.size());  // The contract.
    std::vector<MemorySeries*> known;
    std::vector<std::size_t> rest;  // samples to look for, all when there are no handles
    if (has_handles) {
        known = index_.find_all(batch_.handles);
        for (std::size_t i = 0; i < known.size(); ++i) {
            if (known[i] == nullptr) {
                rest.push_back(i);
            }
        }
        if (rest.empty()) {
            return known;
        }
    }
    const std::size_t count = has_handles ? rest.size() : samples.size();
    const auto sample_at = [&](std::size_t i) -> const model::SeriesSample& {
        return samples[has_handles ? rest[i] : i];
    };
    std::vector<std::uint64_t> wanted;
    wanted.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        wanted.push_back(sample_at(i).labels.hash());
    }
    std::vector<MemorySeries*> found =
        index_.find_all(wanted, [&sample_at](std::size_t i, LabelSpan stored) {
            return same_labels(stored, sample_at(i).labels);
        });
    if (!has_handles) {
        hashes = std::move(wanted);
        return found;
    }
    hashes.resize(samples.size());
    for (std::size_t i = 0; i < rest.size(); ++i) {
        known[rest[i]] = found[i];
        hashes[rest[i]] = wanted[i];
    }
    return known;
}

void Preparation::add_samples() {
    const std::span<const model::SeriesSample> samples = batch_.samples;
    std::vector<std::uint64_t> hashes;  // of unknown ones
    const std::vector<MemorySeries*> known = find_samples(hashes);
    out_.places.reserve(samples.size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        Place place{.series = known[i],
                    .time = samples[i].time,
                    .value = samples[i].value,
                    .index = static_cast<std::uint32_t>(i)};
        if (place.series == nullptr) {
            const std::size_t begin = out_.labels.size();
            for (const model::Label& label : samples[i].labels) {
                out_.labels.push_back({label.name, label.value});
            }
            const PreparedBatch::Unknown unknown{begin, samples[i].labels.size(), hashes[i], {}};
            if (auto refusal = check_unknown(out_.labels_of(unknown))) {
                out_.labels.resize(begin);
                out_.reject(i, *std::move(refusal));
                continue;
            }
            place.unknown = static_cast<std::uint32_t>(out_.unknown.size());
            out_.unknown.push_back(unknown);
        } else if (place.series->traits.is_reserved &&
                   batch_.origin != model::AppendOrigin::kRecorded) {
            out_.reject(i, *rules_.check_origin(samples[i].labels.metric_name(), batch_.origin));
            continue;
        }
        add(place);
    }
    sort_from(0);
}

// The labels of raw series whose bytes were never seen are read; they may be known by other bytes.
void Preparation::read_unseen(std::span<const std::uint64_t> raw_hashes,
                              std::vector<MemorySeries*>& known, std::vector<Unseen>& unseen) {
    std::vector<model::LabelView> views;
    std::vector<std::uint64_t> hashes;
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (known[i] != nullptr || batch_.raw[i].samples.empty()) {
            continue;
        }
        Unseen one{.raw = i};
        const Result<void> read = batch_.label_reader->read(batch_.raw[i].label_bytes, views);
        if (!read) {
            one.refusal = Refusal{model::RejectReason::kInvalidLabels, read.error().message};
            views.clear();
        }
        one.labels = {out_.labels.size(), views.size(), hash_labels(views), raw_hashes[i]};
        out_.labels.insert(out_.labels.end(), views.begin(), views.end());
        hashes.push_back(one.labels.hash);
        unseen.push_back(std::move(one));
    }
    if (unseen.empty()) {
        return;
    }
    const std::vector<MemorySeries*> found =
        index_.find_all(hashes, [&](std::size_t i, LabelSpan stored) {
            return std::ranges::equal(stored, out_.labels_of(unseen[i].labels));
        });
    for (std::size_t i = 0; i < unseen.size(); ++i) {
        Unseen& one = unseen[i];
        if (one.refusal) {
            continue;
        }
        known[one.raw] = found[i];
        if (found[i] != nullptr) {
            out_.aliases.push_back({found[i], *one.labels.raw_hash});
        } else {
            one.refusal = check_unknown(out_.labels_of(one.labels));
        }
    }
}

void Preparation::add_raw() {
    const std::span<const model::RawSeries> raw = batch_.raw;
    std::vector<std::uint64_t> hashes;
    hashes.reserve(raw.size());
    std::size_t samples = 0;
    for (const model::RawSeries& series : raw) {
        hashes.push_back(hash_raw(series.label_bytes));
        samples += series.samples.size();
    }
    std::vector<MemorySeries*> known =
        index_.find_all(hashes, [&](std::size_t i, LabelSpan stored) {
            return batch_.label_reader->reads_as(raw[i].label_bytes, stored);
        });
    std::vector<Unseen> unseen;
    read_unseen(hashes, known, unseen);
    out_.places.reserve(out_.places.size() + samples);
    std::size_t index = batch_.samples.size();
    auto next_unseen = unseen.begin();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        Unseen* one =
            next_unseen != unseen.end() && next_unseen->raw == i ? &*next_unseen++ : nullptr;
        add_raw_series(i, index, known[i], one);
        index += raw[i].samples.size();
    }
}

void Preparation::add_raw_series(std::size_t raw, std::size_t first, MemorySeries* known,
                                 Unseen* unseen) {
    Place place{.series = known, .raw = static_cast<std::uint32_t>(raw)};
    const std::span<const model::Sample> samples = batch_.raw[raw].samples;
    std::optional<Refusal> refusal;
    if (known == nullptr && unseen != nullptr) {
        refusal = std::move(unseen->refusal);
        if (!refusal) {
            place.unknown = static_cast<std::uint32_t>(out_.unknown.size());
            out_.unknown.push_back(unseen->labels);
        }
    } else if (known != nullptr && known->traits.is_reserved &&
               batch_.origin != model::AppendOrigin::kRecorded) {
        refusal = rules_.check_origin(index_.labels(*known).metric_name(), batch_.origin);
    }
    const std::size_t begin = out_.places.size();
    for (std::size_t at = 0; at < samples.size(); ++at) {
        place.index = static_cast<std::uint32_t>(first + at);
        place.time = samples[at].time;
        place.value = samples[at].value;
        if (refusal) {
            out_.reject(place.index, *refusal);
        } else {
            add(place);
        }
    }
    sort_from(begin);
}

}  // namespace

model::Labels PreparedBatch::labels_of(const Place& place, const SeriesIndex& index) const {
    if (place.raw == kNone) {
        return batch->samples[place.index].labels;
    }
    if (place.series != nullptr) {
        return index.labels(*place.series);
    }
    if (place.unknown != kNone) {
        return model::Labels::copy_of(labels_of(unknown[place.unknown]));
    }
    std::vector<model::LabelView> views;
    const Result<void> read = batch->label_reader->read(batch->raw[place.raw].label_bytes, views);
    return read ? model::Labels::copy_of(views) : model::Labels();
}

void PreparedBatch::fill_in_handles() const {
    const std::span<model::SeriesHandle> handles = batch->handles;
    for (const Place& place : places) {
        if (place.index >= handles.size()) {
            break;  // Samples come before raw series.
        }
        if (place.series != nullptr) {
            handles[place.index] = SeriesIndex::handle_of(*place.series);
        }
    }
}

PreparedBatch prepare(const model::AppendBatch& batch, const SeriesIndex& index,
                      const SampleRules& rules, Timestamp floor) {
    return Preparation(batch, index, rules, floor).run();
}

}  // namespace kpid::storage
