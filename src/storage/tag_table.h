#pragma once
// From hashes to numbers, eight bytes an entry.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace kpid::storage {

/// A hash table of (tag, number): the tag is 32 bits of the hash, and what a hash leads to is only
/// a candidate, which the caller verifies; several entries may have one tag. Open addressing in 256
/// parts that grow by themselves, so that growing stops nobody for long: at most four fifths of a
/// part are full, so an entry takes 10 to 14 bytes. Not thread-safe.
class TagTable {
public:
    using Tag = std::uint32_t;
    static constexpr std::uint32_t kNone = 0xffffffff;

    /// Never 0, so 0 may stand for "no tag".
    [[nodiscard]] static Tag tag_of(std::uint64_t hash) {
        constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
        const auto tag = static_cast<Tag>(hash * kOdd >> 32);
        return tag == 0 ? 1 : tag;
    }

    /// The first number with this tag that is_it(number) accepts, or kNone.
    template <class IsIt>
    [[nodiscard]] std::uint32_t find(Tag tag, IsIt&& is_it) const {
        const Part& part = parts_[tag >> kPartShift];
        if (part.capacity == 0) {
            return kNone;
        }
        std::uint32_t at = home_of(tag, part.capacity);
        while (part.slots[at].tag != 0) {
            if (part.slots[at].tag == tag && is_it(part.slots[at].number)) {
                return part.slots[at].number;
            }
            at = at + 1 == part.capacity ? 0 : at + 1;
        }
        return kNone;
    }
    /// Asks the processor for the place where a search for the tag begins.
    void prefetch(Tag tag) const {
        const Part& part = parts_[tag >> kPartShift];
        if (part.capacity != 0) {
            __builtin_prefetch(&part.slots[home_of(tag, part.capacity)]);
        }
    }

    void insert(Tag tag, std::uint32_t number);
    /// False when there is no such entry.
    bool erase(Tag tag, std::uint32_t number);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes() const;

private:
    static constexpr int kPartShift = 24;
    static constexpr std::uint32_t kCapacityMin = 8;

    struct Slot {
        Tag tag = 0;  // 0: free
        std::uint32_t number = 0;
    };
    struct Part {
        std::unique_ptr<Slot[]> slots;
        std::uint32_t capacity = 0;
        std::uint32_t count = 0;
    };

    // The lower 24 bits spread over the part; neighbours in order of tag.
    [[nodiscard]] static std::uint32_t home_of(Tag tag, std::uint32_t capacity) {
        return static_cast<std::uint32_t>(std::uint64_t{tag << 8} * capacity >> 32);
    }
    static void put(Part& part, Slot slot);
    static void close_gap(Part& part, std::uint32_t gap);
    void resize(Part& part, std::uint32_t capacity);

    std::array<Part, 256> parts_;
    std::size_t size_ = 0;
    std::size_t slot_bytes_ = 0;
};

}  // namespace kpid::storage
