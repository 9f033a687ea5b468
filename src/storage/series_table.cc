#include "storage/series_table.h"

#include "kpid/base/assert.h"
#include "kpid/base/same_text.h"

#include <algorithm>

namespace kpid::storage {

std::string_view StoredLabels::get(std::string_view name) const {
    for (std::size_t i = 0; i < size(); ++i) {
        if (this->name(i) == name) {
            return value(i);
        }
    }
    return {};
}

bool StoredLabels::equals(std::span<const LabelView> labels) const {
    if (labels.size() != size()) {
        return false;
    }
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (!same_text(labels[i].value, value(i)) || !same_text(labels[i].name, name(i))) {
            return false;
        }
    }
    return true;
}

model::Labels StoredLabels::labels() const {
    std::vector<model::Label> labels;
    labels.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) {
        labels.push_back({std::string(name(i)), std::string(value(i))});
    }
    return model::Labels::from(std::move(labels));
}

std::span<const LabelRef> SeriesTable::refs(RecordArena::Place set) const {
    static_assert(sizeof(LabelRef) == sizeof(std::uint32_t));
    return {reinterpret_cast<const LabelRef*>(sets_.words(set)),
            sets_.size_of(set) / sizeof(LabelRef)};
}

StoredLabels SeriesTable::labels(SeriesRef series) const {
    return {labels_, refs(entries_[series.value()].set)};
}

std::optional<LabelRef> SeriesTable::label(SeriesRef series, NameRef name) const {
    for (const LabelRef label : refs(entries_[series.value()].set)) {
        if (labels_.name_ref(label) == name) {
            return label;
        }
    }
    return std::nullopt;
}

bool SeriesTable::is_live(SeriesRef series) const {
    return has(series) && entries_[series.value()].tag != 0;
}

std::optional<SeriesRef> SeriesTable::add(std::span<const LabelView> labels, std::uint64_t hash,
                                          SeriesId id) {
    if (labels.size() > kLabelsMax || entries_.size() > kSeriesRefMax) {
        return std::nullopt;
    }
    const SeriesRef series(entries_.add());
    const RecordArena::Place set = series.value() <= kSeriesRefMax
                                       ? sets_.add(series.value(), labels.size() * sizeof(LabelRef))
                                       : RecordArena::kNowhere;
    if (set == RecordArena::kNowhere) {
        entries_.remove(series.value());
        return std::nullopt;
    }
    // Not through refs(): acquire() leaves the place alone, but these words are written here.
    std::uint32_t* const words = sets_.words(set);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const std::size_t place = i % kGuesses;
        const auto label = labels_.acquire(labels[i], guesses_[place]);
        if (!label) {
            while (i-- > 0) {
                labels_.release(LabelRef(words[i]));
            }
            release_set(set);
            entries_.remove(series.value());
            return std::nullopt;
        }
        guesses_[place] = *label;
        words[i] = label->value();
    }
    Entry& entry = entries_[series.value()];
    entry.id = id;
    entry.set = set;
    entry.tag = TagTable::tag_of(hash);
    by_hash_.insert(entry.tag, series.value());
    return series;
}

void SeriesTable::prefetch(std::span<const LabelView> labels, std::uint64_t hash) const {
    by_hash_.prefetch(TagTable::tag_of(hash));
    for (std::size_t i = 0; i < labels.size() && i < kGuesses; ++i) {
        labels_.prefetch(labels[i], guesses_[i]);
    }
}

bool SeriesTable::add_alias(SeriesRef series, std::uint64_t hash) {
    Entry& entry = entries_[series.value()];
    KPID_ASSERT(entry.tag != 0);  // Aliases are given to live series, by the only writer.
    const TagTable::Tag tag = TagTable::tag_of(hash);
    if (tag == entry.tag) {
        return true;
    }
    for (TagTable::Tag& alias : entry.aliases) {
        if (alias == tag) {
            return true;
        }
        if (alias == 0) {
            alias = tag;
            by_hash_.insert(tag, series.value());
            return true;
        }
    }
    return false;
}

void SeriesTable::remove(SeriesRef series) {
    Entry& entry = entries_[series.value()];
    KPID_ASSERT(entry.tag != 0);  // The only writer has asked is_live() before.
    by_hash_.erase(entry.tag, series.value());
    for (TagTable::Tag& alias : entry.aliases) {
        if (alias != 0) {
            by_hash_.erase(alias, series.value());
        }
        alias = 0;
    }
    entry.tag = 0;
}

void SeriesTable::release(SeriesRef series) {
    const Entry& entry = entries_[series.value()];
    KPID_ASSERT(entry.tag == 0);  // What is live is still found and in the postings.
    for (const LabelRef label : refs(entry.set)) {
        labels_.release(label);
    }
    release_set(entry.set);
    entries_.remove(series.value());
}

void SeriesTable::release_set(RecordArena::Place set) {
    sets_.remove(set, [this](std::uint32_t owner, RecordArena::Place place) {
        entries_[owner].set = place;
    });
}

// Table, entry, label set, labels, text: each step needs what the one before has fetched.
SeriesTable::Candidates SeriesTable::fetch(std::span<const std::uint64_t> hashes) const {
    KPID_DCHECK(hashes.size() <= kGroup);
    Candidates found;
    const std::size_t count = std::min(hashes.size(), kGroup);
    for (std::size_t i = 0; i < count; ++i) {
        by_hash_.prefetch(TagTable::tag_of(hashes[i]));
    }
    for (std::size_t i = 0; i < count; ++i) {
        found[i] = by_hash_.find(TagTable::tag_of(hashes[i]), [](std::uint32_t) { return true; });
        if (found[i] != TagTable::kNone) {
            __builtin_prefetch(&entries_[found[i]]);
        }
    }
    const auto for_each_found = [&found, count](auto&& visit) {
        for (std::size_t i = 0; i < count; ++i) {
            if (found[i] != TagTable::kNone) {
                visit(found[i]);
            }
        }
    };
    for_each_found(
        [this](std::uint32_t number) { __builtin_prefetch(sets_.words(entries_[number].set)); });
    // What a set has in common with the one before is near already.
    const auto for_each_other_label = [this, &for_each_found](auto&& visit) {
        std::span<const LabelRef> before;
        for_each_found([this, &before, &visit](std::uint32_t number) {
            const std::span<const LabelRef> set = refs(entries_[number].set);
            for (std::size_t i = 0; i < set.size(); ++i) {
                if (i >= before.size() || set[i] != before[i]) {
                    visit(set[i]);
                }
            }
            before = set;
        });
    };
    for_each_other_label([this](LabelRef label) { labels_.prefetch(label); });
    for_each_other_label([this](LabelRef label) { labels_.prefetch_text(label); });
    return found;
}

}  // namespace kpid::storage
