#pragma once
// Labels, each stored once: name and value as one number, with the series that have it.

#include "kpid/base/hash.h"
#include "storage/postings.h"
#include "storage/record_arena.h"
#include "storage/series_ref.h"
#include "storage/slot_table.h"
#include "storage/tag_table.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// A label, name and value together, as an index into tables.
using LabelRef = Strong<struct LabelRefTag, std::uint32_t>;
/// A label's name.
using NameRef = Strong<struct NameRefTag, std::uint32_t>;

/// The labels of all series. A label lives as long as one label set holds it (the number of sets is
/// counted), and is listed among its name's values as long as a series in the postings has it. So
/// strings of series that are gone are given back at once, without a sweep. Not thread-safe, but
/// const functions may run at once; text is borrowed until the next release().
class LabelTable {
public:
    LabelTable() = default;
    LabelTable(const LabelTable&) = delete;
    LabelTable& operator=(const LabelTable&) = delete;

    [[nodiscard]] std::optional<NameRef> find_name(std::string_view name) const;
    [[nodiscard]] std::optional<LabelRef> find(NameRef name, std::string_view value) const;

    [[nodiscard]] std::string_view name(LabelRef label) const {
        return names_[labels_[label.value()].name.value()].text;
    }
    [[nodiscard]] std::string_view value(LabelRef label) const {
        return texts_.read(labels_[label.value()].text);
    }
    [[nodiscard]] NameRef name_ref(LabelRef label) const { return labels_[label.value()].name; }
    [[nodiscard]] const Postings& series(LabelRef label) const {
        return labels_[label.value()].series;
    }
    [[nodiscard]] bool has(LabelRef label) const { return labels_.has(label.value()); }
    /// No LabelRef from here on is in use.
    [[nodiscard]] std::uint32_t end() const { return labels_.end(); }

    /// Those that some series has, in no order.
    [[nodiscard]] const std::vector<LabelRef>& values_of(NameRef name) const {
        return names_[name.value()].values;
    }
    [[nodiscard]] const Postings& series(NameRef name) const { return names_[name.value()].series; }
    [[nodiscard]] std::string_view text(NameRef name) const { return names_[name.value()].text; }
    [[nodiscard]] bool has(NameRef name) const { return names_.has(name.value()); }
    [[nodiscard]] std::uint32_t names_end() const { return names_.end(); }
    [[nodiscard]] std::size_t name_count() const { return names_.size(); }

    /// Finds or makes the label and counts one more label set that holds it; nothing when the value
    /// is too large (RecordArena::kRecordBytesMax) or memory for text (16 GiB) is used up.
    [[nodiscard]] std::optional<LabelRef> acquire(const LabelView& label);
    /// The same, faster when the label is this one, which it need not be; nor must it be in use.
    [[nodiscard]] std::optional<LabelRef> acquire(const LabelView& label, LabelRef guess);
    /// One label set less; the last one takes the label along.
    void release(LabelRef label);
    void add_series(LabelRef label, SeriesRef series);
    void remove_series(LabelRef label, SeriesRef series);

    /// For a writer that soon acquires the label with this guess.
    void prefetch(const LabelView& label, LabelRef guess) const;
    // For readers that will soon need the label: asks the processor for its entry, then its text.
    void prefetch(LabelRef label) const { __builtin_prefetch(&labels_[label.value()]); }
    void prefetch_text(LabelRef label) const {
        __builtin_prefetch(texts_.words(labels_[label.value()].text));
    }

    /// Texts, entries and their hash table, without postings.
    [[nodiscard]] std::size_t bytes() const;

private:
    struct Entry {
        RecordArena::Place text = RecordArena::kNowhere;
        NameRef name;
        std::uint32_t sets = 0;   // label sets that hold it
        std::uint32_t place = 0;  // in Name::values, while series is not empty
        Postings series;
    };
    struct Name {
        std::string text;
        std::vector<LabelRef> values;
        Postings series;
        std::uint32_t labels = 0;  // entries, listed or not
    };

    [[nodiscard]] static TagTable::Tag tag_of(NameRef name, std::string_view value);
    [[nodiscard]] NameRef find_or_add_name(std::string_view text);
    void release_name(NameRef name);
    void unlist(const Entry& entry);

    SlotTable<Entry> labels_;  // by LabelRef
    RecordArena texts_;        // values; the owner is the LabelRef
    TagTable by_text_;         // name and value -> LabelRef
    SlotTable<Name> names_;    // by NameRef
    StringMap<NameRef> name_refs_;
    std::size_t name_bytes_ = 0;  // of the names' texts and lists
};

}  // namespace kpid::storage
