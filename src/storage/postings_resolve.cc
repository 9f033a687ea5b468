// From matchers to series: the smallest list first, what is costly last and on what is left.

#include "storage/postings_index.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>
#include <limits>

namespace kpid::storage {
namespace {

using Values = ValueCondition::Values;

constexpr std::size_t kUnknown = std::numeric_limits<std::size_t>::max();

// The rank in which conditions are applied: what keeps little work for the next comes first.
int rank_of(const ValueCondition& condition) {
    return (condition.values == Values::kTested ? 2 : 0) + (condition.keeps ? 0 : 1);
}

// Adds to a set in ascending order, which it likes best.
void add_sorted(RefSet& set, std::vector<SeriesRef>& refs) {
    std::sort(refs.begin(), refs.end());
    set.add_all(refs);
    refs.clear();
}

}  // namespace

RefSet PostingsIndex::resolve(std::span<const model::Matcher> matchers) const {
    const std::vector<ValueCondition> plans = plan_matchers(matchers);
    std::vector<const ValueCondition*> conditions;
    conditions.reserve(plans.size());
    for (const ValueCondition& condition : plans) {
        conditions.push_back(&condition);
    }
    std::stable_sort(
        conditions.begin(), conditions.end(),
        [](const ValueCondition* a, const ValueCondition* b) { return rank_of(*a) < rank_of(*b); });
    const Pin pinned = pin();
    RefSet found = first_choice(conditions);
    for (const ValueCondition* condition : conditions) {
        if (found.empty()) {
            return found;
        }
        apply(*condition, found);
    }
    // A series that was removed meanwhile may have missed a list that should have dropped it.
    const SharedLock lock(mutex_);
    found &= live_;
    return found;
}

// The least set that some condition keeps; takes the condition out of the list.
RefSet PostingsIndex::first_choice(std::vector<const ValueCondition*>& conditions) const {
    auto least = conditions.end();
    std::size_t least_size = 0;
    for (auto place = conditions.begin(); place != conditions.end(); ++place) {
        if (!(*place)->keeps) {
            continue;
        }
        const std::size_t size = expected(**place);
        if (least == conditions.end() || size < least_size) {
            least = place;
            least_size = size;
        }
    }
    if (least == conditions.end()) {
        return live_series();
    }
    const ValueCondition& condition = **least;
    conditions.erase(least);
    return having(condition);
}

void PostingsIndex::apply(const ValueCondition& condition, RefSet& found) const {
    if (condition.values == Values::kTested && found.size() <= value_count(condition.name)) {
        filter(condition, found);
        return;
    }
    const RefSet having_values = having(condition);
    if (condition.keeps) {
        found &= having_values;
    } else {
        found -= having_values;
    }
}

RefSet PostingsIndex::having(const ValueCondition& condition) const {
    if (condition.values == Values::kTested) {
        return having_tested(condition);
    }
    if (condition.values == Values::kListed) {
        return having_listed(condition);
    }
    RefSet found;
    {
        const SharedLock lock(mutex_);
        const LabelTable& labels = series_.label_table();
        if (const auto name = labels.find_name(condition.name)) {
            found = labels.series(*name).to_set();
        }
    }
    if (!condition.list.empty()) {
        found -= having_listed(condition);
    }
    return found;
}

RefSet PostingsIndex::having_listed(const ValueCondition& condition) const {
    RefSet found;
    std::vector<SeriesRef> few;
    for (std::size_t begin = 0; begin < condition.list.size(); begin += kPiece) {
        const std::size_t end = std::min(begin + kPiece, condition.list.size());
        {
            const SharedLock lock(mutex_);
            const LabelTable& labels = series_.label_table();
            const auto name = labels.find_name(condition.name);
            for (std::size_t i = begin; name && i < end; ++i) {
                if (const auto label = labels.find(*name, condition.list[i])) {
                    labels.series(*label).collect(found, few);
                }
            }
        }
        add_sorted(found, few);
    }
    return found;
}

RefSet PostingsIndex::having_tested(const ValueCondition& condition) const {
    constexpr std::size_t kAhead = 8;
    const std::vector<LabelRef> values = values_of(condition.name);
    RefSet found;
    std::vector<SeriesRef> few;
    for (std::size_t begin = 0; begin < values.size(); begin += kPiece) {
        const std::size_t end = std::min(begin + kPiece, values.size());
        {
            const SharedLock lock(mutex_);
            const LabelTable& labels = series_.label_table();
            for (std::size_t i = begin; i < end; ++i) {
                if (i + 2 * kAhead < end) {
                    labels.prefetch(values[i + 2 * kAhead]);
                    labels.prefetch_text(values[i + kAhead]);
                }
                if (condition.selects(labels.value(values[i]))) {
                    labels.series(values[i]).collect(found, few);
                }
            }
        }
        add_sorted(found, few);
    }
    return found;
}

// Series by series; each value is tested once.
void PostingsIndex::filter(const ValueCondition& condition, RefSet& found) const {
    const std::vector<SeriesRef> candidates = found.refs();
    std::vector<SeriesRef> kept;
    boost::unordered_flat_map<std::uint32_t, bool> tested;
    for (std::size_t begin = 0; begin < candidates.size(); begin += kPiece) {
        const std::size_t end = std::min(begin + kPiece, candidates.size());
        const SharedLock lock(mutex_);
        const LabelTable& labels = series_.label_table();
        const auto name = labels.find_name(condition.name);
        for (std::size_t i = begin; i < end; ++i) {
            const auto label = name ? series_.label(candidates[i], *name) : std::nullopt;
            bool selected = false;
            if (label) {
                const auto [place, is_new] = tested.try_emplace(label->value(), false);
                if (is_new) {
                    place->second = condition.selects(labels.value(*label));
                }
                selected = place->second;
            }
            if (selected == condition.keeps) {
                kept.push_back(candidates[i]);
            }
        }
    }
    found = RefSet::of(kept);
}

std::size_t PostingsIndex::expected(const ValueCondition& condition) const {
    if (condition.values == Values::kTested) {
        return kUnknown;
    }
    const SharedLock lock(mutex_);
    const LabelTable& labels = series_.label_table();
    const auto name = labels.find_name(condition.name);
    if (!name) {
        return 0;
    }
    const std::size_t having_name = labels.series(*name).size();
    if (condition.values == Values::kAllOthers || condition.list.size() > kPiece) {
        return having_name;
    }
    std::size_t size = 0;
    for (const std::string& value : condition.list) {
        const auto label = labels.find(*name, value);
        size += label ? labels.series(*label).size() : 0;
    }
    return size;
}

std::size_t PostingsIndex::value_count(std::string_view name) const {
    const SharedLock lock(mutex_);
    const auto found = series_.label_table().find_name(name);
    return found ? series_.label_table().values_of(*found).size() : 0;
}

std::vector<LabelRef> PostingsIndex::values_of(std::string_view name) const {
    std::vector<LabelRef> values;
    // Room is made before the lock is taken: what is done under it is a copy of memory.
    values.reserve(value_count(name) + kPiece);
    const SharedLock lock(mutex_);
    if (const auto found = series_.label_table().find_name(name)) {
        values = series_.label_table().values_of(*found);
    }
    return values;
}

RefSet PostingsIndex::live_series() const {
    const SharedLock lock(mutex_);
    return live_.clone();
}

}  // namespace kpid::storage
