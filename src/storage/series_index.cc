#include "storage/series_index.h"

#include <set>
#include <unordered_set>

namespace kpid::storage {
namespace {

// Labels with more values are not searched under the lock; their series are filtered one by one.
constexpr std::size_t kExpandedValuesMax = 1024;
// A series, its entry in the table and its places in the postings, about.
constexpr std::size_t kSeriesBytes = 256;
constexpr std::size_t kLabelBytes = 80;

std::size_t bytes_of(const model::Labels& labels) {
    std::size_t bytes = kSeriesBytes;
    for (const model::Label& label : labels) {
        bytes += kLabelBytes + label.name.size() + label.value.size();
    }
    return bytes;
}

}  // namespace

SeriesPointer SeriesIndex::find(const model::Labels& labels) const {
    const MutexLock lock(mutex_);
    const auto place = series_.find(labels);
    return place == series_.end() ? nullptr : place->second;
}

std::vector<SeriesPointer> SeriesIndex::find_all(
    std::span<const model::SeriesSample> samples) const {
    std::vector<SeriesPointer> found;
    found.reserve(samples.size());
    const MutexLock lock(mutex_);
    for (const model::SeriesSample& sample : samples) {
        const auto place = series_.find(sample.labels);
        found.push_back(place == series_.end() ? nullptr : place->second);
    }
    return found;
}

std::vector<SeriesPointer> SeriesIndex::select(std::span<const model::Matcher> matchers) const {
    std::vector<SeriesPointer> selected = candidates(matchers);
    std::erase_if(selected, [matchers](const SeriesPointer& series) {
        return !model::matches_all(matchers, series->labels());
    });
    return selected;
}

const SeriesIndex::Postings* SeriesIndex::find_postings(const model::Matcher& matcher) const {
    const auto values = postings_.find(std::string_view(matcher.name()));
    if (values == postings_.end()) {
        return nullptr;
    }
    const auto place = values->second.find(std::string_view(matcher.value()));
    return place == values->second.end() ? nullptr : &place->second;
}

std::optional<std::vector<SeriesPointer>> SeriesIndex::expand(const model::Matcher& matcher) const {
    if (matcher.matches("")) {
        return std::nullopt;  // Series without the label are among the answer.
    }
    const auto values = postings_.find(std::string_view(matcher.name()));
    if (values == postings_.end()) {
        return std::vector<SeriesPointer>();
    }
    if (values->second.size() > kExpandedValuesMax) {
        return std::nullopt;
    }
    std::vector<SeriesPointer> found;
    for (const auto& [value, postings] : values->second) {
        if (matcher.matches(value)) {
            found.insert(found.end(), postings.begin(), postings.end());
        }
    }
    return found;
}

std::vector<SeriesPointer> SeriesIndex::candidates(std::span<const model::Matcher> matchers) const {
    const MutexLock lock(mutex_);
    const Postings* smallest = nullptr;
    for (const model::Matcher& matcher : matchers) {
        if (matcher.type() != model::MatchType::kEqual || matcher.value().empty()) {
            continue;
        }
        const Postings* postings = find_postings(matcher);
        if (postings == nullptr) {
            return {};
        }
        if (smallest == nullptr || postings->size() < smallest->size()) {
            smallest = postings;
        }
    }
    if (smallest != nullptr) {
        return *smallest;
    }
    for (const model::Matcher& matcher : matchers) {
        if (auto found = expand(matcher)) {
            return *std::move(found);
        }
    }
    std::vector<SeriesPointer> all;
    all.reserve(series_.size());
    for (const auto& [labels, series] : series_) {
        all.push_back(series);
    }
    return all;
}

std::size_t SeriesIndex::size() const {
    const MutexLock lock(mutex_);
    return series_.size();
}

std::size_t SeriesIndex::bytes() const {
    const MutexLock lock(mutex_);
    return bytes_;
}

void SeriesIndex::add(const SeriesPointer& series) {
    const MutexLock lock(mutex_);
    if (!series_.emplace(series->labels(), series).second) {
        return;
    }
    bytes_ += bytes_of(series->labels());
    for (const model::Label& label : series->labels()) {
        postings_[label.name][label.value].push_back(series);
    }
}

void SeriesIndex::remove(std::span<const SeriesPointer> series) {
    const std::unordered_set<SeriesPointer> gone(series.begin(), series.end());
    std::set<model::Label> labels;
    const MutexLock lock(mutex_);
    for (const SeriesPointer& one : gone) {
        if (series_.erase(one->labels()) != 0) {
            bytes_ -= bytes_of(one->labels());
            labels.insert(one->labels().begin(), one->labels().end());
        }
    }
    // Each list is gone through once, however many of its series go.
    for (const model::Label& label : labels) {
        const auto values = postings_.find(label.name);
        Postings& postings = values->second[label.value];
        std::erase_if(postings, [&gone](const SeriesPointer& one) { return gone.contains(one); });
        if (postings.empty()) {
            values->second.erase(label.value);
        }
        if (values->second.empty()) {
            postings_.erase(values);
        }
    }
}

}  // namespace kpid::storage
