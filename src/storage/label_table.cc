#include "storage/label_table.h"

#include "kpid/base/assert.h"
#include "kpid/base/same_text.h"

#include <algorithm>
#include <cstring>

namespace kpid::storage {
namespace {

// A string's heap block; short ones stand in the object.
std::size_t string_bytes(const std::string& text) {
    return text.capacity() > 15 ? heap_bytes_of(text.capacity() + 1) : 0;
}

std::size_t list_bytes(const std::vector<LabelRef>& list) {
    return heap_bytes_of(list.capacity() * sizeof(LabelRef));
}

}  // namespace

TagTable::Tag LabelTable::tag_of(NameRef name, std::string_view value) {
    return TagTable::tag_of(hash_bytes(value) + name.value());
}

std::optional<NameRef> LabelTable::find_name(std::string_view name) const {
    const auto found = name_refs_.find(name);
    return found == name_refs_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<LabelRef> LabelTable::find(NameRef name, std::string_view value) const {
    const std::uint32_t found =
        by_text_.find(tag_of(name, value), [this, name, value](std::uint32_t number) {
            const Entry& entry = labels_[number];
            return entry.name == name && same_text(texts_.read(entry.text), value);
        });
    return found == TagTable::kNone ? std::nullopt : std::optional(LabelRef(found));
}

NameRef LabelTable::find_or_add_name(std::string_view text) {
    if (const auto found = find_name(text)) {
        return *found;
    }
    const NameRef name(names_.add());
    Name& added = names_[name.value()];
    added.text = text;
    // The map's own copy of the text has the same size.
    name_bytes_ += 2 * string_bytes(added.text);
    name_refs_.emplace(added.text, name);
    return name;
}

void LabelTable::release_name(NameRef name) {
    Name& released = names_[name.value()];
    name_bytes_ -= 2 * string_bytes(released.text) + list_bytes(released.values);
    name_refs_.erase(released.text);
    names_.remove(name.value());
}

std::optional<LabelRef> LabelTable::acquire(const LabelView& label) {
    const auto known = find_name(label.name);
    if (known) {
        if (const auto found = find(*known, label.value)) {
            ++labels_[found->value()].sets;
            return found;
        }
    }
    const LabelRef added(labels_.add());
    const RecordArena::Place place = texts_.add(added.value(), label.value.size());
    if (place == RecordArena::kNowhere) {
        labels_.remove(added.value());
        return std::nullopt;
    }
    if (!label.value.empty()) {
        std::memcpy(texts_.data(place), label.value.data(), label.value.size());
    }
    const NameRef name = known ? *known : find_or_add_name(label.name);
    Entry& entry = labels_[added.value()];
    entry.text = place;
    entry.name = name;
    entry.sets = 1;
    ++names_[name.value()].labels;
    by_text_.insert(tag_of(name, label.value), added.value());
    return added;
}

std::optional<LabelRef> LabelTable::acquire(const LabelView& label, LabelRef guess) {
    if (has(guess) && same_text(value(guess), label.value) && same_text(name(guess), label.name)) {
        ++labels_[guess.value()].sets;
        return guess;
    }
    return acquire(label);
}

void LabelTable::prefetch(const LabelView& label, LabelRef guess) const {
    // Another value of the same name is what has to be looked up.
    if (has(guess) && same_text(name(guess), label.name) && !same_text(value(guess), label.value)) {
        by_text_.prefetch(tag_of(name_ref(guess), label.value));
    }
}

void LabelTable::release(LabelRef label) {
    Entry& entry = labels_[label.value()];
    if (--entry.sets != 0) {
        return;
    }
    KPID_ASSERT(entry.series.empty());  // A series in the postings has a label set.
    const NameRef name = entry.name;
    by_text_.erase(tag_of(name, value(label)), label.value());
    texts_.remove(entry.text, [this](std::uint32_t owner, RecordArena::Place place) {
        labels_[owner].text = place;
    });
    labels_.remove(label.value());
    if (--names_[name.value()].labels == 0) {
        release_name(name);
    }
}

void LabelTable::add_series(LabelRef label, SeriesRef series) {
    Entry& entry = labels_[label.value()];
    Name& name = names_[entry.name.value()];
    if (entry.series.empty()) {
        name_bytes_ -= list_bytes(name.values);
        entry.place = static_cast<std::uint32_t>(name.values.size());
        name.values.push_back(label);
        name_bytes_ += list_bytes(name.values);
    }
    entry.series.add(series);
    name.series.add(series);
}

void LabelTable::unlist(const Entry& entry) {
    Name& name = names_[entry.name.value()];
    name_bytes_ -= list_bytes(name.values);
    const LabelRef last = name.values.back();
    name.values[entry.place] = last;
    labels_[last.value()].place = entry.place;
    name.values.pop_back();
    if (name.values.size() < name.values.capacity() / 4) {
        name.values.shrink_to_fit();
    }
    name_bytes_ += list_bytes(name.values);
}

void LabelTable::remove_series(LabelRef label, SeriesRef series) {
    Entry& entry = labels_[label.value()];
    names_[entry.name.value()].series.remove(series);
    if (entry.series.remove(series) && entry.series.empty()) {
        unlist(entry);
    }
}

std::size_t LabelTable::bytes() const {
    // A slot of the map: the string, the number, and a byte of its own.
    constexpr std::size_t kSlotBytes = sizeof(std::string) + sizeof(std::uint64_t) + 1;
    return labels_.bytes() + texts_.bytes() + by_text_.bytes() + names_.bytes() + name_bytes_ +
           name_refs_.bucket_count() * kSlotBytes;
}

}  // namespace kpid::storage
