#pragma once
// Series by number: durable id and label set; found by hash, verified by content.

#include "kpid/model/labels.h"
#include "storage/label_table.h"
#include "storage/record.h"
#include "storage/record_arena.h"
#include "storage/series_ref.h"
#include "storage/slot_table.h"
#include "storage/tag_table.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// The label set of one series where it is stored, sorted by name. Borrowed: good while the lock
/// under which it was given is held.
class StoredLabels {
public:
    StoredLabels(const LabelTable& table, std::span<const LabelRef> refs)
        : table_(&table), refs_(refs) {}

    [[nodiscard]] std::size_t size() const { return refs_.size(); }
    [[nodiscard]] std::string_view name(std::size_t i) const { return table_->name(refs_[i]); }
    [[nodiscard]] std::string_view value(std::size_t i) const { return table_->value(refs_[i]); }
    [[nodiscard]] LabelView operator[](std::size_t i) const { return {name(i), value(i)}; }
    /// "" when absent.
    [[nodiscard]] std::string_view get(std::string_view name) const;
    [[nodiscard]] std::span<const LabelRef> refs() const { return refs_; }

    /// The same set; `labels` are sorted by name.
    [[nodiscard]] bool equals(std::span<const LabelView> labels) const;
    /// A copy that lasts.
    [[nodiscard]] model::Labels labels() const;

private:
    const LabelTable* table_;
    std::span<const LabelRef> refs_;
};

/// Label sets of one series after the other, as views. What a set has in common with the one before
/// is not looked up again: neighbours mostly differ in a label or two.
class LabelViews {
public:
    /// Good until the next call.
    [[nodiscard]] std::span<const LabelView> of(const StoredLabels& set) {
        const std::span<const LabelRef> refs = set.refs();
        if (refs_.size() < refs.size()) {
            refs_.resize(refs.size(), kNoLabel);
            views_.resize(refs.size());
        }
        for (std::size_t i = 0; i < refs.size(); ++i) {
            if (refs_[i] != refs[i]) {
                refs_[i] = refs[i];
                views_[i] = set[i];
            }
        }
        return std::span(views_).first(refs.size());
    }

private:
    static constexpr LabelRef kNoLabel{0xffff'ffff};

    std::vector<LabelRef> refs_;
    std::vector<LabelView> views_;
};

/// All series. A series is live (found, in the postings), then removed (not found any more, its
/// labels still readable), then free. Not thread-safe, but const functions may run at once.
class SeriesTable {
public:
    /// Hashes of other encodings of a label set that lead to its series, beside the canonical one.
    static constexpr std::size_t kAliasesMax = 2;
    static constexpr std::size_t kLabelsMax = 65'535;

    /// Adds a live series under the hash; the labels are not there yet. Nothing when no number
    /// below kSeriesRefMax or no memory for labels is left; then nothing has changed.
    [[nodiscard]] std::optional<SeriesRef> add(std::span<const LabelView> labels,
                                               std::uint64_t hash, SeriesId id);
    /// For a writer that soon looks for the series and adds it.
    void prefetch(std::span<const LabelView> labels, std::uint64_t hash) const;
    void prefetch_alias(std::uint64_t hash) const { by_hash_.prefetch(TagTable::tag_of(hash)); }
    /// False when the series has kAliasesMax others.
    bool add_alias(SeriesRef series, std::uint64_t hash);
    /// Live to removed.
    void remove(SeriesRef series);
    /// Removed to free; the number may be given out again.
    void release(SeriesRef series);

    [[nodiscard]] bool is_live(SeriesRef series) const;
    /// Live or removed.
    [[nodiscard]] bool has(SeriesRef series) const { return entries_.has(series.value()); }
    [[nodiscard]] SeriesId id(SeriesRef series) const { return entries_[series.value()].id; }
    [[nodiscard]] StoredLabels labels(SeriesRef series) const;
    /// The label of that name.
    [[nodiscard]] std::optional<LabelRef> label(SeriesRef series, NameRef name) const;

    /// The live series with that hash, canonical or alias, which verify(StoredLabels) accepts.
    template <class Verify>
    [[nodiscard]] std::optional<SeriesRef> find(std::uint64_t hash, Verify&& verify) const {
        const std::uint32_t found = by_hash_.find(
            TagTable::tag_of(hash),
            [this, &verify](std::uint32_t number) { return verify(labels(SeriesRef(number))); });
        return found == TagTable::kNone ? std::nullopt : std::optional(SeriesRef(found));
    }
    /// find() for kGroup hashes at most, with the memory for all of them fetched together; calls
    /// verify(index, span of LabelView) and then found(index, optional<SeriesRef>) for each.
    static constexpr std::size_t kGroup = 32;
    template <class Verify, class Found>
    void find_group(std::span<const std::uint64_t> hashes, Verify&& verify, Found&& found) const {
        const Candidates candidates = fetch(hashes);
        LabelViews views;
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            const auto is_it = [&](std::uint32_t number) {
                return verify(i, views.of(labels(SeriesRef(number))));
            };
            std::uint32_t number = candidates[i];
            // Another series may have the same tag.
            if (number != TagTable::kNone && !is_it(number)) {
                number = by_hash_.find(TagTable::tag_of(hashes[i]), is_it);
            }
            found(i, number == TagTable::kNone ? std::nullopt : std::optional(SeriesRef(number)));
        }
    }

    [[nodiscard]] LabelTable& label_table() { return labels_; }
    [[nodiscard]] const LabelTable& label_table() const { return labels_; }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    /// Entries and label sets, without the label table and the hash table.
    [[nodiscard]] std::size_t set_bytes() const { return entries_.bytes() + sets_.bytes(); }
    [[nodiscard]] std::size_t hash_bytes() const { return by_hash_.bytes(); }

private:
    struct Entry {
        SeriesId id;
        RecordArena::Place set = RecordArena::kNowhere;
        TagTable::Tag tag = 0;                             // 0: removed
        std::array<TagTable::Tag, kAliasesMax> aliases{};  // 0: none
    };

    [[nodiscard]] std::span<const LabelRef> refs(RecordArena::Place set) const;
    using Candidates = std::array<std::uint32_t, kGroup>;
    /// The first series with each hash's tag, or kNone; asks the processor for all of it.
    [[nodiscard]] Candidates fetch(std::span<const std::uint64_t> hashes) const;
    void release_set(RecordArena::Place set);

    // What comes together often has labels in common, at the same places.
    static constexpr std::size_t kGuesses = 64;

    LabelTable labels_;
    std::array<LabelRef, kGuesses> guesses_{};  // of the series added last, by place
    SlotTable<Entry> entries_;                  // by SeriesRef
    RecordArena sets_;                          // LabelRefs by name; the owner is the SeriesRef
    TagTable by_hash_;
};

}  // namespace kpid::storage
