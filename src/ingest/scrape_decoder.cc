// The samples of one scrape: labels, limits, repetitions.
#include "ingest/scrape_decoder.h"

#include "ingest/target_labels.h"
#include "kpid/model/relabel.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {

ScrapeDecoder::ScrapeDecoder(std::shared_ptr<const config::ScrapeConfig> config,
                             model::Labels labels, SeriesBook& book)
    : config_(std::move(config)), labels_(std::move(labels)), book_(book) {
}

Result<void> ScrapeDecoder::decode(std::string_view text, wire::ExpositionFormat format,
                                   Timestamp at, DecodedScrape& out) {
    at_ = at;
    out_ = &out;
    limit_exceeded_ = false;
    families_ = 0;
    metadata_changed_ = false;
    // The book forgets a series only after all texts of it were away for as long.
    erase_if(known_, [this](const auto& entry) {
        return entry.second.seen + SeriesBook::kRoundsKept + 1 < book_.round();
    });
    Result<void> read = wire::read_exposition(text, {.format = format}, *this);
    out_ = nullptr;
    if (!read) {
        metadata_.clear();  // half of it is of a text that does not count
    } else if (families_ < metadata_.size()) {
        metadata_.resize(families_);
        metadata_changed_ = true;
    }
    if (read && limit_exceeded_) {
        return resource_exhausted("sample limit exceeded");
    }
    return read;
}

Result<void> ScrapeDecoder::on_sample(const wire::SampleEvent& sample) {
    if (sample.is_created) {
        return {};
    }
    ++out_->scraped;
    if (limit_exceeded_) {
        out_->kept += is_kept(sample) ? 1U : 0U;
        return {};
    }
    KPID_TRY(Known * known, find(sample));
    known->seen = book_.round();
    if (known->series == nullptr) {
        return {};
    }
    ++out_->kept;
    const bool has_time = config_->honor_timestamps && sample.time.has_value();
    const bool tracked = !has_time || config_->track_timestamps_staleness;
    // Marked before anything can fail: a text that is known never outlives its series.
    const bool first = book_.mark(*known->series, tracked);
    if (config_->sample_limit != 0 && out_->kept > config_->sample_limit) {
        limit_exceeded_ = true;
        return {};
    }
    if (!first) {
        ++out_->repeated;
        return {};
    }
    const Timestamp time = has_time ? *sample.time : at_;
    if (sample.exemplar != nullptr) {
        out_->exemplars.push_back(
            {.sample = out_->samples.size(),
             .exemplar = {.labels = sample.exemplar->build_labels(),
                          .value = sample.exemplar->value,
                          .time = sample.exemplar->time.value_or(time),
                          .has_own_time = sample.exemplar->time.has_value()}});
    }
    out_->samples.push_back({*known->series->labels, time, sample.value});
    out_->series.push_back(known->series);
    return {};
}

// Texts say the same in the same order each time: then nothing is copied.
Result<void> ScrapeDecoder::on_metadata(const wire::MetadataEvent& statement) {
    const bool is_next = families_ == 0 || metadata_[families_ - 1].family != statement.family;
    if ((is_next && families_ == kFamiliesMax) || statement.text.size() > kHelpBytesMax ||
        statement.family.size() > kHelpBytesMax) {
        return {};
    }
    if (is_next) {
        metadata_.resize(std::max(metadata_.size(), families_ + 1));
        if (metadata_[families_].family != statement.family) {
            metadata_[families_] = {.family = std::string(statement.family)};
            metadata_changed_ = true;
        }
        ++families_;
    }
    model::MetricMetadata& known = metadata_[families_ - 1];
    const auto update = [this](auto& place, const auto& value) {
        if (place != value) {
            place = value;
            metadata_changed_ = true;
        }
    };
    switch (statement.kind) {
        case wire::MetadataEvent::Kind::kHelp:
            update(known.help, statement.text);
            break;
        case wire::MetadataEvent::Kind::kType:
            update(known.type, statement.type);
            break;
        case wire::MetadataEvent::Kind::kUnit:
            update(known.unit, statement.text);
            break;
    }
    return {};
}

Result<ScrapeDecoder::Known*> ScrapeDecoder::find(const wire::SampleEvent& sample) {
    const auto place = known_.find(sample.series);
    if (place != known_.end() && place->second.type == sample.type) {
        return &place->second;
    }
    KPID_TRY(SeriesBook::Series * series, resolve(sample));
    Known& known = place != known_.end() ? place->second : known_[std::string(sample.series)];
    known = {.type = sample.type, .series = series};
    return &known;
}

Result<SeriesBook::Series*> ScrapeDecoder::resolve(const wire::SampleEvent& sample) {
    const std::optional<model::Labels> relabelled = final_labels(sample);
    if (!relabelled) {
        return nullptr;
    }
    if (relabelled->metric_name().empty()) {
        return invalid_argument(
            fmt::format("line {}: metric name missing after relabelling", sample.line));
    }
    KPID_CHECK_OK(check_limits(*relabelled));
    bool added = false;
    SeriesBook::Series& series = book_.enter(*relabelled, added);
    out_->added += added ? 1 : 0;
    return &series;
}

std::optional<model::Labels> ScrapeDecoder::final_labels(const wire::SampleEvent& sample) const {
    const model::Labels joined =
        join_labels(sample.build_labels(), labels_,
                    config_->honor_labels ? LabelClash::kSampleWins : LabelClash::kSourceWins);
    return model::relabel(joined, config_->metric_relabel_configs);
}

// Without remembering the series: a text that is too long is not to fill the memory.
bool ScrapeDecoder::is_kept(const wire::SampleEvent& sample) const {
    const auto place = known_.find(sample.series);
    return place != known_.end() ? place->second.series != nullptr
                                 : final_labels(sample).has_value();
}

Result<void> ScrapeDecoder::check_limits(const model::Labels& labels) const {
    const std::string_view metric = labels.metric_name();
    if (config_->label_limit != 0 && labels.size() > config_->label_limit) {
        return resource_exhausted(
            fmt::format("label_limit exceeded (metric: {}, number of labels: {}, limit: {})",
                        metric, labels.size(), config_->label_limit));
    }
    const std::uint64_t name_max = config_->label_name_length_limit;
    const std::uint64_t value_max = config_->label_value_length_limit;
    if (name_max == 0 && value_max == 0) {
        return {};
    }
    for (const model::Label& label : labels) {
        if (name_max != 0 && label.name.size() > name_max) {
            return resource_exhausted(fmt::format(
                "label_name_length_limit exceeded (metric: {}, label name: {:.50}, length: {}, "
                "limit: {})",
                metric, label.name, label.name.size(), name_max));
        }
        if (value_max != 0 && label.value.size() > value_max) {
            return resource_exhausted(fmt::format(
                "label_value_length_limit exceeded (metric: {}, label name: {}, value: {:.50}, "
                "length: {}, limit: {})",
                metric, label.name, label.value, label.value.size(), value_max));
        }
    }
    return {};
}

}  // namespace kpid::ingest
