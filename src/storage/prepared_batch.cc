#include "storage/prepared_batch.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

using Place = PreparedBatch::Place;

// So that encodings and label sets do not share hashes.
constexpr std::uint64_t kRawSeed = 0x6b70'6964'7261'7731;

std::uint64_t hash_raw(std::string_view bytes) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), kRawSeed);
}

bool same_labels(const StoredLabels& stored, const model::Labels& labels) {
    if (stored.size() != labels.size()) {
        return false;
    }
    std::size_t i = 0;
    for (const model::Label& label : labels) {
        // The value first: names are mostly the same.
        if (stored.value(i) != label.value || stored.name(i) != label.name) {
            return false;
        }
        ++i;
    }
    return true;
}

std::string_view name_of(std::span<const model::LabelView> labels) {
    const auto found = std::find_if(
        labels.begin(), labels.end(),
        [](const model::LabelView& label) { return label.name == model::kMetricName; });
    return found == labels.end() ? std::string_view() : found->value;
}

class Preparation {
public:
    Preparation(const model::AppendBatch& batch, const SeriesIndex& index, const SampleRules& rules)
        : batch_(batch), index_(index), rules_(rules) {
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
    void add_samples();
    void add_raw();
    /// The rejection of a series' samples that no sample's own time or value matters for.
    [[nodiscard]] std::optional<Refusal> check_unknown(std::span<const model::LabelView> labels);
    void add(Place place);
    void sort_from(std::size_t begin);

    const model::AppendBatch& batch_;
    const SeriesIndex& index_;
    const SampleRules& rules_;
    PreparedBatch out_;
};

std::optional<Refusal> Preparation::check_unknown(std::span<const model::LabelView> labels) {
    std::optional<Refusal> refusal = rules_.check_origin(name_of(labels), batch_.origin);
    return refusal ? std::move(refusal) : rules_.check_labels(labels);
}

void Preparation::add(Place place) {
    if (const auto reason = rules_.age_problem(place.time, batch_.now)) {
        out_.reject(place.index, rules_.age_refusal(*reason, out_.labels_of(place, index_),
                                                    place.time, batch_.now));
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

void Preparation::add_samples() {
    const std::span<const model::SeriesSample> samples = batch_.samples;
    std::vector<std::uint64_t> hashes;
    hashes.reserve(samples.size());
    for (const model::SeriesSample& sample : samples) {
        hashes.push_back(sample.labels.hash());
    }
    const std::vector<MemorySeries*> known =
        index_.find_all(hashes, [samples](std::size_t i, const StoredLabels& stored) {
            return same_labels(stored, samples[i].labels);
        });
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

void Preparation::add_raw() {
    const std::span<const model::RawSeries> raw = batch_.raw;
    const model::LabelReader& reader = *batch_.label_reader;
    std::vector<std::uint64_t> hashes;
    hashes.reserve(raw.size());
    std::size_t samples = 0;
    for (const model::RawSeries& series : raw) {
        hashes.push_back(hash_raw(series.label_bytes));
        samples += series.samples.size();
    }
    std::vector<model::LabelView> views;
    const std::vector<MemorySeries*> known =
        index_.find_all(hashes, [&](std::size_t i, const StoredLabels& stored) {
            return reader.read(raw[i].label_bytes, views).has_value() && stored.equals(views);
        });
    out_.places.reserve(out_.places.size() + samples);
    std::size_t index = batch_.samples.size();
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const std::size_t first = index;
        index += raw[i].samples.size();
        if (raw[i].samples.empty()) {
            continue;
        }
        Place place{.series = known[i], .raw = static_cast<std::uint32_t>(i)};
        std::optional<Refusal> refusal;
        if (place.series == nullptr) {
            if (const Result<void> read = reader.read(raw[i].label_bytes, views); !read) {
                refusal = Refusal{model::RejectReason::kInvalidLabels, read.error().message};
            } else if (const std::uint64_t hash = hash_labels(views);
                       (place.series = index_.find(views, hash)) != nullptr) {
                out_.aliases.push_back({place.series, hashes[i]});
            } else if (!(refusal = check_unknown(views))) {
                place.unknown = static_cast<std::uint32_t>(out_.unknown.size());
                out_.unknown.push_back({out_.labels.size(), views.size(), hash, hashes[i]});
                out_.labels.insert(out_.labels.end(), views.begin(), views.end());
            }
        }
        if (place.series != nullptr && place.series->traits.is_reserved &&
            batch_.origin != model::AppendOrigin::kRecorded) {
            refusal =
                rules_.check_origin(index_.labels(*place.series).metric_name(), batch_.origin);
        }
        const std::size_t begin = out_.places.size();
        for (std::size_t at = 0; at < raw[i].samples.size(); ++at) {
            place.index = static_cast<std::uint32_t>(first + at);
            place.time = raw[i].samples[at].time;
            place.value = raw[i].samples[at].value;
            if (refusal) {
                out_.reject(place.index, *refusal);
            } else {
                add(place);
            }
        }
        sort_from(begin);
    }
}

}  // namespace

model::Labels PreparedBatch::labels_of(const Place& place, const SeriesIndex& index) const {
    if (place.series != nullptr) {
        return index.labels(*place.series);
    }
    if (place.unknown != kNone) {
        return model::Labels::copy_of(labels_of(unknown[place.unknown]));
    }
    if (place.raw == kNone) {
        return batch->samples[place.index].labels;
    }
    std::vector<model::LabelView> views;
    const Result<void> read = batch->label_reader->read(batch->raw[place.raw].label_bytes, views);
    return read ? model::Labels::copy_of(views) : model::Labels();
}

PreparedBatch prepare(const model::AppendBatch& batch, const SeriesIndex& index,
                      const SampleRules& rules) {
    return Preparation(batch, index, rules).run();
}

}  // namespace kpid::storage
