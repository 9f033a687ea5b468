// A bounded queue of exemplars, with the exemplars of each series chained.
#include "ingest/exemplar_table.h"

#include "kpid/base/json_writer.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace kpid::ingest {
namespace {

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    }));
}

bool is_utf8(const model::Labels& labels) {
    return std::all_of(labels.begin(), labels.end(), [](const model::Label& label) {
        return is_valid_utf8(label.name) && is_valid_utf8(label.value);
    });
}

std::size_t bytes_of(const model::Labels& labels) {
    std::size_t bytes = 0;
    for (const model::Label& label : labels) {
        bytes += sizeof(label) + label.name.size() + label.value.size();
    }
    return bytes;
}

// NaN is one value, below all others.
bool same_value(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}
bool less_value(double a, double b) {
    return std::isnan(a) ? !std::isnan(b) : a < b;
}

std::optional<ExemplarDrop> reason_to_drop(const model::Labels& series, const Exemplar& exemplar,
                                           Timestamp now) {
    std::size_t length = 0;
    for (const model::Label& label : exemplar.labels) {
        length += characters(label.name) + characters(label.value);
    }
    if (length > ExemplarTable::kCharactersMax) {
        return ExemplarDrop::kTooLong;
    }
    if (!is_utf8(exemplar.labels) || !is_utf8(series) || series.metric_name().empty()) {
        return ExemplarDrop::kInvalidLabels;
    }
    if (exemplar.time > now + ExemplarTable::kAheadMax) {
        return ExemplarDrop::kTooFarInFuture;
    }
    return std::nullopt;
}

bool repeats(const Exemplar& exemplar, const Exemplar& newest) {
    const bool same_time =
        exemplar.time == newest.time || (!exemplar.has_own_time && !newest.has_own_time);
    return same_time && same_value(exemplar.value, newest.value) &&
           exemplar.labels == newest.labels;
}

bool lies_before(const Exemplar& exemplar, const Exemplar& newest) {
    if (exemplar.time != newest.time) {
        return exemplar.time < newest.time;
    }
    if (!same_value(exemplar.value, newest.value)) {
        return less_value(exemplar.value, newest.value);
    }
    return exemplar.labels < newest.labels;
}

}  // namespace

bool ExemplarTable::add(Protocol protocol, const model::Labels& series, Exemplar exemplar,
                        Timestamp now) {
    ExemplarCounters& counters = metrics_.exemplars_of(protocol);
    if (const std::optional<ExemplarDrop> reason = reason_to_drop(series, exemplar, now)) {
        counters.count_dropped(*reason);
        return false;
    }
    const MutexLock lock(mutex_);
    const auto [place, is_new] = index_.try_emplace(series);
    if (!is_new) {
        const Exemplar& newest = slot(place->second.newest).exemplar;
        if (repeats(exemplar, newest)) {
            return true;
        }
        if (lies_before(exemplar, newest)) {
            counters.count_dropped(ExemplarDrop::kOutOfOrder);
            return false;
        }
    } else {
        bytes_ += bytes_of(series);
    }
    append(*place, std::move(exemplar));
    counters.count_kept();
    while (slots_.size() > kExemplarsMax || bytes_ > kBytesMax) {
        drop_oldest();
    }
    return true;
}

void ExemplarTable::append(Index::value_type& series, Exemplar exemplar) {
    const Number number = first_ + slots_.size();
    Ends& ends = series.second;
    if (ends.newest == kNone) {
        ends.oldest = number;
    } else {
        slots_[static_cast<std::size_t>(ends.newest - first_)].next = number;
    }
    ends.newest = number;
    bytes_ += sizeof(Slot) + bytes_of(exemplar.labels);
    slots_.push_back({.exemplar = std::move(exemplar), .series = &series});
}

void ExemplarTable::drop_oldest() {
    const Slot& oldest = slots_.front();
    bytes_ -= sizeof(Slot) + bytes_of(oldest.exemplar.labels);
    if (oldest.next == kNone) {
        bytes_ -= bytes_of(oldest.series->first);
        index_.erase(index_.find(oldest.series->first));
    } else {
        oldest.series->second.oldest = oldest.next;
    }
    slots_.pop_front();
    ++first_;
}

std::vector<SeriesExemplars> ExemplarTable::select(
    std::span<const std::vector<model::Matcher>> sets, model::TimeRange range) const {
    std::vector<SeriesExemplars> found;
    {
        const MutexLock lock(mutex_);
        for (const auto& [series, ends] : index_) {
            const bool is_wanted =
                slot(ends.newest).exemplar.time >= range.start &&
                slot(ends.oldest).exemplar.time <= range.end &&
                std::any_of(sets.begin(), sets.end(), [&labels = series](const auto& matchers) {
                    return model::matches_all(matchers, labels);
                });
            if (!is_wanted) {
                continue;
            }
            SeriesExemplars one{.series = series, .exemplars = {}};
            for (Number number = ends.oldest; number != kNone; number = slot(number).next) {
                const Exemplar& exemplar = slot(number).exemplar;
                if (exemplar.time >= range.start && exemplar.time <= range.end) {
                    one.exemplars.push_back(exemplar);
                }
            }
            if (!one.exemplars.empty()) {
                found.push_back(std::move(one));
            }
        }
    }
    std::sort(found.begin(), found.end(), [](const SeriesExemplars& a, const SeriesExemplars& b) {
        return a.series < b.series;
    });
    return found;
}

std::size_t ExemplarTable::size() const {
    const MutexLock lock(mutex_);
    return slots_.size();
}

}  // namespace kpid::ingest
