#pragma once
// A set of series as a compressed bitmap.

#include "storage/series_ref.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct roaring_bitmap_s;  // NOLINT(readability-identifier-naming): the library's name

namespace kpid::storage {

/// A Roaring bitmap of SeriesRefs. Movable; clone() copies. Not thread-safe, but const functions
/// may run at once.
class RefSet {
public:
    RefSet();
    /// `refs` in ascending order are fastest.
    [[nodiscard]] static RefSet of(std::span<const SeriesRef> refs);
    [[nodiscard]] RefSet clone() const;

    /// False when it was there / was not there.
    bool add(SeriesRef ref);
    bool remove(SeriesRef ref);
    void add_all(std::span<const SeriesRef> refs);

    RefSet& operator&=(const RefSet& other);
    RefSet& operator|=(const RefSet& other);
    RefSet& operator-=(const RefSet& other);

    [[nodiscard]] bool contains(SeriesRef ref) const;
    [[nodiscard]] bool intersects(const RefSet& other) const;
    [[nodiscard]] bool empty() const;
    /// Counted, in time by the number of containers (65,536 refs each).
    [[nodiscard]] std::size_t size() const;
    /// Ascending.
    [[nodiscard]] std::vector<SeriesRef> refs() const;
    /// On the heap.
    [[nodiscard]] std::size_t bytes() const;

private:
    struct Free {
        void operator()(roaring_bitmap_s* bitmap) const noexcept;
    };
    explicit RefSet(roaring_bitmap_s* bitmap) : bitmap_(bitmap) {}

    std::unique_ptr<roaring_bitmap_s, Free> bitmap_;  // never null, but after a move
};

}  // namespace kpid::storage
