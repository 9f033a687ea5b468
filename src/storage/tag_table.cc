#include "storage/tag_table.h"

#include "storage/series_ref.h"

#include <algorithm>

namespace kpid::storage {

void TagTable::put(Part& part, Slot slot) {
    std::uint32_t at = home_of(slot.tag, part.capacity);
    while (part.slots[at].tag != 0) {
        at = at + 1 == part.capacity ? 0 : at + 1;
    }
    part.slots[at] = slot;
}

void TagTable::resize(Part& part, std::uint32_t capacity) {
    Part resized{
        .slots = std::make_unique<Slot[]>(capacity), .capacity = capacity, .count = part.count};
    for (std::uint32_t at = 0; at < part.capacity; ++at) {
        if (part.slots[at].tag != 0) {
            put(resized, part.slots[at]);
        }
    }
    slot_bytes_ -= heap_bytes_of(part.capacity * sizeof(Slot));
    slot_bytes_ += heap_bytes_of(capacity * sizeof(Slot));
    part = std::move(resized);
}

void TagTable::insert(Tag tag, std::uint32_t number) {
    Part& part = parts_[tag >> kPartShift];
    if (std::uint64_t{part.count + 1} * 5 > std::uint64_t{part.capacity} * 4) {
        resize(part, std::max(kCapacityMin, part.capacity + part.capacity * 2 / 5));
    }
    put(part, {.tag = tag, .number = number});
    ++part.count;
    ++size_;
}

// Entries behind a gap move up, unless that would put them before their home.
void TagTable::close_gap(Part& part, std::uint32_t gap) {
    const auto distance = [&part](std::uint32_t from, std::uint32_t to) {
        return to >= from ? to - from : to + part.capacity - from;
    };
    std::uint32_t at = gap;
    while (true) {
        at = at + 1 == part.capacity ? 0 : at + 1;
        if (part.slots[at].tag == 0) {
            break;
        }
        if (distance(home_of(part.slots[at].tag, part.capacity), at) >= distance(gap, at)) {
            part.slots[gap] = part.slots[at];
            gap = at;
        }
    }
    part.slots[gap] = {};
}

bool TagTable::erase(Tag tag, std::uint32_t number) {
    Part& part = parts_[tag >> kPartShift];
    if (part.capacity == 0) {
        return false;
    }
    std::uint32_t at = home_of(tag, part.capacity);
    while (part.slots[at].tag != tag || part.slots[at].number != number) {
        if (part.slots[at].tag == 0) {
            return false;
        }
        at = at + 1 == part.capacity ? 0 : at + 1;
    }
    close_gap(part, at);
    --part.count;
    --size_;
    if (part.count == 0) {
        slot_bytes_ -= heap_bytes_of(part.capacity * sizeof(Slot));
        part = {};
    } else if (part.capacity > kCapacityMin && part.count < part.capacity / 4) {
        resize(part, std::max(kCapacityMin, part.capacity / 2));
    }
    return true;
}

std::size_t TagTable::bytes() const {
    return sizeof(*this) + slot_bytes_;
}

}  // namespace kpid::storage
