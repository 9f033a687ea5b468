#include "storage/ref_set.h"

#include "kpid/base/assert.h"

#include <roaring/roaring.h>

namespace kpid::storage {
namespace {

static_assert(sizeof(SeriesRef) == sizeof(std::uint32_t));

// A SeriesRef is its number and nothing else.
const std::uint32_t* numbers_of(std::span<const SeriesRef> refs) {
    return reinterpret_cast<const std::uint32_t*>(refs.data());
}

// The library gives null when memory is out, which ends the process elsewhere too.
roaring_bitmap_t* not_null(roaring_bitmap_t* bitmap) {
    KPID_ASSERT(bitmap != nullptr);
    return bitmap;
}

std::size_t container_bytes(const void* container, std::uint8_t type) {
    switch (type) {
        case BITSET_CONTAINER_TYPE_CODE:
            return heap_bytes_of(sizeof(bitset_container_t)) +
                   heap_bytes_of(BITSET_CONTAINER_SIZE_IN_WORDS * sizeof(std::uint64_t));
        case ARRAY_CONTAINER_TYPE_CODE:
            return heap_bytes_of(sizeof(array_container_t)) +
                   heap_bytes_of(static_cast<std::size_t>(
                                     static_cast<const array_container_t*>(container)->capacity) *
                                 sizeof(std::uint16_t));
        case RUN_CONTAINER_TYPE_CODE:
            return heap_bytes_of(sizeof(run_container_t)) +
                   heap_bytes_of(static_cast<std::size_t>(
                                     static_cast<const run_container_t*>(container)->capacity) *
                                 sizeof(rle16_t));
        default:
            return 0;  // Shared ones exist only with copy-on-write, which is off.
    }
}

}  // namespace

void RefSet::Free::operator()(roaring_bitmap_s* bitmap) const noexcept {
    roaring_bitmap_free(bitmap);
}

RefSet::RefSet() : bitmap_(not_null(roaring_bitmap_create())) {
}

RefSet RefSet::of(std::span<const SeriesRef> refs) {
    RefSet set;
    set.add_all(refs);
    return set;
}

RefSet RefSet::clone() const {
    return RefSet(not_null(roaring_bitmap_copy(bitmap_.get())));
}

bool RefSet::add(SeriesRef ref) {
    return roaring_bitmap_add_checked(bitmap_.get(), ref.value());
}

bool RefSet::remove(SeriesRef ref) {
    return roaring_bitmap_remove_checked(bitmap_.get(), ref.value());
}

void RefSet::add_all(std::span<const SeriesRef> refs) {
    if (!refs.empty()) {
        roaring_bitmap_add_many(bitmap_.get(), refs.size(), numbers_of(refs));
    }
}

RefSet& RefSet::operator&=(const RefSet& other) {
    roaring_bitmap_and_inplace(bitmap_.get(), other.bitmap_.get());
    return *this;
}

RefSet& RefSet::operator|=(const RefSet& other) {
    roaring_bitmap_or_inplace(bitmap_.get(), other.bitmap_.get());
    return *this;
}

RefSet& RefSet::operator-=(const RefSet& other) {
    roaring_bitmap_andnot_inplace(bitmap_.get(), other.bitmap_.get());
    return *this;
}

bool RefSet::contains(SeriesRef ref) const {
    return roaring_bitmap_contains(bitmap_.get(), ref.value());
}

bool RefSet::intersects(const RefSet& other) const {
    return roaring_bitmap_intersect(bitmap_.get(), other.bitmap_.get());
}

bool RefSet::empty() const {
    return roaring_bitmap_is_empty(bitmap_.get());
}

std::size_t RefSet::size() const {
    return roaring_bitmap_get_cardinality(bitmap_.get());
}

std::vector<SeriesRef> RefSet::refs() const {
    std::vector<SeriesRef> refs(size());
    if (!refs.empty()) {
        roaring_bitmap_to_uint32_array(bitmap_.get(),
                                       reinterpret_cast<std::uint32_t*>(refs.data()));
    }
    return refs;
}

std::size_t RefSet::bytes() const {
    const roaring_array_t& array = bitmap_->high_low_container;
    const auto allocated = static_cast<std::size_t>(array.allocation_size);
    std::size_t bytes =
        heap_bytes_of(sizeof(roaring_bitmap_t)) +
        heap_bytes_of(allocated * (sizeof(void*) + sizeof(std::uint16_t) + sizeof(std::uint8_t)));
    for (std::int32_t i = 0; i < array.size; ++i) {
        bytes += container_bytes(array.containers[i], array.typecodes[i]);
    }
    return bytes;
}

}  // namespace kpid::storage
