#pragma once
// The series that have one label: eight bytes when they are one or two.

#include "storage/ref_set.h"
#include "storage/series_ref.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace kpid::storage {

/// A set of SeriesRefs that most often are few: one or two stand in the object itself, up to
/// kArrayMax in a sorted array, more in a RefSet. Movable. Not thread-safe, but const functions may
/// run at once.
class Postings {
public:
    static constexpr std::uint32_t kArrayMax = 64;

    Postings() = default;
    Postings(Postings&& other) noexcept : word_(other.word_) { other.word_ = 0; }
    Postings& operator=(Postings&& other) noexcept;
    ~Postings();

    /// False when it was there / was not there. At most kSeriesRefMax.
    bool add(SeriesRef ref);
    bool remove(SeriesRef ref);

    [[nodiscard]] bool empty() const { return word_ == 0; }
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool contains(SeriesRef ref) const;
    [[nodiscard]] bool intersects(const RefSet& set) const;

    [[nodiscard]] RefSet to_set() const;
    /// set &= *this, set -= *this.
    void intersect_into(RefSet& set) const;
    void subtract_from(RefSet& set) const;
    /// Adds all to `set`, or to `few` when they are no RefSet here; so that a caller that unites
    /// many lists can sort and add those together.
    void collect(RefSet& set, std::vector<SeriesRef>& few) const;

    /// On the heap, beside the object.
    [[nodiscard]] std::size_t bytes() const;

private:
    // Which of the forms; the lowest two bits of word_.
    enum class Form : std::uint8_t {
        kSet,    // a RefSet*, or null: empty
        kOne,    // a ref at bit 2
        kTwo,    // the lesser ref at bit 2, the greater at bit 33
        kArray,  // a std::uint32_t*: count, capacity, refs
    };
    static constexpr std::uint64_t kFormMask = 3;
    static constexpr std::uint64_t kRefMask = 0x7fffffff;

    [[nodiscard]] Form form() const { return static_cast<Form>(word_ & kFormMask); }
    [[nodiscard]] RefSet* set() const;
    [[nodiscard]] std::uint32_t* array() const;
    // The refs when they are no RefSet: a copy of one or two into `room`, or the array itself.
    [[nodiscard]] std::span<const SeriesRef> few(std::span<SeriesRef, 2> room) const;

    void hold(RefSet* set);
    void hold(std::uint32_t* array);
    // Replaces what is here by these refs, ascending, kArrayMax at most.
    void hold(std::span<const SeriesRef> refs);
    bool add_to_array(SeriesRef ref);
    bool remove_from_array(SeriesRef ref);
    void free();

    std::uint64_t word_ = 0;
};

}  // namespace kpid::storage
