// What there is: label names, label values, the largest of them, and what they take.

#include "storage/postings_index.h"

#include <boost/unordered/unordered_flat_set.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace kpid::storage {
namespace {

// Names are compared with whole bitmaps, so fewer of them at a time.
constexpr std::uint32_t kNamePiece = 64;

// Keeps the first `limit` strings in order, in memory for about twice as many.
class FirstStrings {
public:
    explicit FirstStrings(std::size_t limit) : limit_(limit) {}

    void add(std::string_view text) {
        if (truncated_ && text > strings_[limit_ - 1]) {
            return;
        }
        strings_.emplace_back(text);
        if (limit_ != 0 && strings_.size() >= 2 * limit_ + kSlack) {
            cut();
        }
    }

    PostingsIndex::Strings take() {
        cut();
        return {.strings = std::move(strings_), .truncated = truncated_};
    }

private:
    static constexpr std::size_t kSlack = 1024;

    void cut() {
        std::sort(strings_.begin(), strings_.end());
        strings_.erase(std::unique(strings_.begin(), strings_.end()), strings_.end());
        if (limit_ != 0 && strings_.size() > limit_) {
            strings_.resize(limit_);
            truncated_ = true;
        }
    }

    std::size_t limit_;
    std::vector<std::string> strings_;  // The first limit_ are sorted once truncated_.
    bool truncated_ = false;
};

// Keeps the largest counts; a heap with the least of them in front.
class TopCounts {
public:
    using Count = PostingsIndex::Count;

    explicit TopCounts(std::size_t top) : top_(top) {}

    // `name` gives the name when the count is among the largest so far.
    template <class Name>
    void add(std::uint64_t count, Name&& name) {
        if (top_ == 0 || (counts_.size() == top_ && count <= counts_.front().count)) {
            return;
        }
        if (counts_.size() == top_) {
            std::pop_heap(counts_.begin(), counts_.end(), is_before);
            counts_.pop_back();
        }
        counts_.push_back({.name = std::string(name()), .count = count});
        std::push_heap(counts_.begin(), counts_.end(), is_before);
    }

    std::vector<Count> take() {
        std::sort(counts_.begin(), counts_.end(), is_before);
        return std::move(counts_);
    }

private:
    static bool is_before(const Count& a, const Count& b) {
        return a.count != b.count ? a.count > b.count : a.name < b.name;
    }

    std::size_t top_;
    std::vector<Count> counts_;
};

}  // namespace

template <class Visit>
void PostingsIndex::visit_labels(Visit&& visit) const {
    std::uint32_t begin = 0;
    while (true) {
        const SharedLock lock(mutex_);
        const LabelTable& labels = series_.label_table();
        const std::uint32_t end =
            std::min(begin + static_cast<std::uint32_t>(kPiece), labels.end());
        for (; begin < end; ++begin) {
            if (labels.has(LabelRef(begin)) && !labels.series(LabelRef(begin)).empty()) {
                visit(labels, LabelRef(begin));
            }
        }
        if (begin >= labels.end()) {
            return;
        }
    }
}

template <class Visit>
void PostingsIndex::visit_names(std::uint32_t piece, Visit&& visit) const {
    std::uint32_t begin = 0;
    while (true) {
        const SharedLock lock(mutex_);
        const LabelTable& labels = series_.label_table();
        const std::uint32_t end = std::min(begin + piece, labels.names_end());
        for (; begin < end; ++begin) {
            if (labels.has(NameRef(begin)) && !labels.series(NameRef(begin)).empty()) {
                visit(labels, NameRef(begin));
            }
        }
        if (begin >= labels.names_end()) {
            return;
        }
    }
}

PostingsIndex::Strings PostingsIndex::label_names(std::span<const model::Matcher> matchers,
                                                  std::size_t limit) const {
    const Pin pinned = pin();
    const std::optional<RefSet> found =
        matchers.empty() ? std::nullopt : std::optional(resolve(matchers));
    FirstStrings names(limit);
    visit_names(kNamePiece, [&](const LabelTable& labels, NameRef name) {
        if (!found || labels.series(name).intersects(*found)) {
            names.add(labels.text(name));
        }
    });
    return names.take();
}

PostingsIndex::Strings PostingsIndex::label_values(std::string_view name,
                                                   std::span<const model::Matcher> matchers,
                                                   std::size_t limit) const {
    const Pin pinned = pin();
    const std::optional<RefSet> found =
        matchers.empty() ? std::nullopt : std::optional(resolve(matchers));
    FirstStrings values(limit);
    if (found && found->size() <= value_count(name)) {
        // Few series: their values. A label is one value, so each is copied once.
        const std::vector<SeriesRef> series = found->refs();
        boost::unordered_flat_set<std::uint32_t> seen;
        for (std::size_t begin = 0; begin < series.size(); begin += kPiece) {
            const std::size_t end = std::min(begin + kPiece, series.size());
            const SharedLock lock(mutex_);
            const auto name_ref = series_.label_table().find_name(name);
            for (std::size_t i = begin; name_ref && i < end; ++i) {
                const auto label = series_.label(series[i], *name_ref);
                if (label && seen.insert(label->value()).second) {
                    values.add(series_.label_table().value(*label));
                }
            }
        }
        return values.take();
    }
    const std::vector<LabelRef> listed = values_of(name);
    for (std::size_t begin = 0; begin < listed.size(); begin += kPiece) {
        const std::size_t end = std::min(begin + kPiece, listed.size());
        const SharedLock lock(mutex_);
        const LabelTable& labels = series_.label_table();
        for (std::size_t i = begin; i < end; ++i) {
            const Postings& series = labels.series(listed[i]);
            if (found ? series.intersects(*found) : !series.empty()) {
                values.add(labels.value(listed[i]));
            }
        }
    }
    return values.take();
}

PostingsIndex::Cardinality PostingsIndex::cardinality(std::size_t top) const {
    const Pin pinned = pin();
    TopCounts metrics(top);
    TopCounts pairs(top);
    TopCounts values(top);
    TopCounts value_bytes(top);
    std::vector<std::uint64_t> bytes;  // by NameRef
    Cardinality cardinality;
    visit_labels([&](const LabelTable& labels, LabelRef label) {
        const std::size_t series = labels.series(label).size();
        const NameRef name = labels.name_ref(label);
        if (labels.text(name) == model::kMetricName) {
            metrics.add(series, [&] { return labels.value(label); });
        }
        pairs.add(series,
                  [&] { return fmt::format("{}={}", labels.text(name), labels.value(label)); });
        bytes.resize(std::max(bytes.size(), std::size_t{name.value()} + 1));
        bytes[name.value()] += labels.value(label).size() * series;
        ++cardinality.label_pairs;
    });
    visit_names(kPiece, [&](const LabelTable& labels, NameRef name) {
        const auto text = [&labels, name] { return labels.text(name); };
        values.add(labels.values_of(name).size(), text);
        value_bytes.add(name.value() < bytes.size() ? bytes[name.value()] : 0, text);
        ++cardinality.label_names;
    });
    cardinality.series = size();
    cardinality.series_by_metric_name = metrics.take();
    cardinality.values_by_label_name = values.take();
    cardinality.value_bytes_by_label_name = value_bytes.take();
    cardinality.series_by_label_pair = pairs.take();
    return cardinality;
}

PostingsIndex::Bytes PostingsIndex::bytes() const {
    Bytes bytes;
    visit_labels([&bytes](const LabelTable& labels, LabelRef label) {
        bytes.postings += labels.series(label).bytes();
    });
    visit_names(kPiece, [&bytes](const LabelTable& labels, NameRef name) {
        bytes.postings += labels.series(name).bytes();
    });
    const SharedLock lock(mutex_);
    bytes.postings += live_.bytes();
    bytes.labels = series_.label_table().bytes();
    bytes.series = series_.set_bytes();
    bytes.hashes = series_.hash_bytes();
    return bytes;
}

}  // namespace kpid::storage
