#pragma once
// Values at dense 32-bit numbers that are used again.

#include "kpid/base/assert.h"
#include "storage/series_ref.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace kpid::storage {

/// A table in pages: values never move, a new one takes a free number of the first page that has
/// one, and a page without values is given back. Not thread-safe.
template <class T>
class SlotTable {
public:
    static constexpr std::uint32_t kPageSlots = 1024;

    /// A value-initialised T; returns its number.
    std::uint32_t add() {
        while (open_ < pages_.size() && pages_[open_] && pages_[open_]->count == kPageSlots) {
            ++open_;
        }
        if (open_ == pages_.size()) {
            pages_.emplace_back();
        }
        std::unique_ptr<Page>& page = pages_[open_];
        if (!page) {
            page = std::make_unique<Page>();
            ++page_count_;
        }
        std::uint32_t word = 0;
        while (page->used[word] == ~std::uint64_t{0}) {
            ++word;
        }
        const auto bit = static_cast<std::uint32_t>(std::countr_one(page->used[word]));
        page->used[word] |= std::uint64_t{1} << bit;
        ++page->count;
        ++size_;
        return static_cast<std::uint32_t>(open_) * kPageSlots + word * 64 + bit;
    }

    void remove(std::uint32_t number) {
        KPID_ASSERT(has(number));  // Whoever removes has counted that it is there.
        const std::size_t index = number / kPageSlots;
        Page& page = *pages_[index];
        const std::uint32_t slot = number % kPageSlots;
        page.values[slot] = T{};
        page.used[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
        --page.count;
        --size_;
        if (page.count == 0) {
            pages_[index].reset();
            --page_count_;
            while (!pages_.empty() && !pages_.back()) {
                pages_.pop_back();
            }
        }
        open_ = index < open_ ? index : open_;
        open_ = open_ < pages_.size() ? open_ : pages_.size();
    }

    [[nodiscard]] bool has(std::uint32_t number) const {
        const std::size_t index = number / kPageSlots;
        const std::uint32_t slot = number % kPageSlots;
        return index < pages_.size() && pages_[index] &&
               (pages_[index]->used[slot / 64] >> (slot % 64) & 1) != 0;
    }
    /// The number is one that has().
    [[nodiscard]] T& operator[](std::uint32_t number) {
        return pages_[number / kPageSlots]->values[number % kPageSlots];
    }
    [[nodiscard]] const T& operator[](std::uint32_t number) const {
        return pages_[number / kPageSlots]->values[number % kPageSlots];
    }
    /// No number from here on has a value.
    [[nodiscard]] std::uint32_t end() const {
        return static_cast<std::uint32_t>(pages_.size()) * kPageSlots;
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// Of the table itself, without what its values own.
    [[nodiscard]] std::size_t bytes() const {
        return page_count_ * heap_bytes_of(sizeof(Page)) +
               heap_bytes_of(pages_.capacity() * sizeof(pages_[0]));
    }

private:
    struct Page {
        std::array<std::uint64_t, kPageSlots / 64> used{};
        std::uint32_t count = 0;
        std::array<T, kPageSlots> values{};
    };

    std::vector<std::unique_ptr<Page>> pages_;
    std::size_t open_ = 0;  // No page before this one has room.
    std::size_t page_count_ = 0;
    std::size_t size_ = 0;
};

}  // namespace kpid::storage
