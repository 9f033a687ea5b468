#include "storage/postings.h"

#include "kpid/base/assert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <utility>

namespace kpid::storage {
namespace {

constexpr std::uint32_t kArrayMin = 4;
// A RefSet that has lost its series becomes an array again well below the limit, so that a list
// at the limit does not change its form with each series.
constexpr std::size_t kSetMin = Postings::kArrayMax / 2;
constexpr std::size_t kArrayHead = 2;  // count, capacity

std::uint32_t* new_array(std::uint32_t capacity) {
    auto array = std::make_unique<std::uint32_t[]>(kArrayHead + capacity);
    array[1] = capacity;
    return array.release();
}

std::span<SeriesRef> refs_of(std::uint32_t* array) {
    return {reinterpret_cast<SeriesRef*>(array + kArrayHead), array[0]};
}

}  // namespace

RefSet* Postings::set() const {
    return std::bit_cast<RefSet*>(word_);
}

std::uint32_t* Postings::array() const {
    return std::bit_cast<std::uint32_t*>(word_ & ~kFormMask);
}

void Postings::hold(RefSet* set) {
    word_ = std::bit_cast<std::uint64_t>(set);
}

void Postings::hold(std::uint32_t* array) {
    word_ = std::bit_cast<std::uint64_t>(array) | static_cast<std::uint64_t>(Form::kArray);
}

void Postings::hold(std::span<const SeriesRef> refs) {
    free();
    if (refs.size() == 1) {
        word_ = std::uint64_t{refs[0].value()} << 2 | static_cast<std::uint64_t>(Form::kOne);
    } else if (refs.size() == 2) {
        word_ = std::uint64_t{refs[1].value()} << 33 | std::uint64_t{refs[0].value()} << 2 |
                static_cast<std::uint64_t>(Form::kTwo);
    } else if (!refs.empty()) {
        std::uint32_t capacity = kArrayMin;
        while (capacity < refs.size()) {
            capacity *= 2;
        }
        std::uint32_t* const array = new_array(capacity);
        array[0] = static_cast<std::uint32_t>(refs.size());
        std::copy(refs.begin(), refs.end(), refs_of(array).begin());
        hold(array);
    }
}

void Postings::free() {
    if (form() == Form::kSet) {
        const std::unique_ptr<RefSet> freed(set());
    } else if (form() == Form::kArray) {
        const std::unique_ptr<std::uint32_t[]> freed(array());
    }
    word_ = 0;
}

Postings& Postings::operator=(Postings&& other) noexcept {
    if (this != &other) {
        free();
        word_ = std::exchange(other.word_, 0);
    }
    return *this;
}

Postings::~Postings() {
    free();
}

std::span<const SeriesRef> Postings::few(std::span<SeriesRef, 2> room) const {
    if (form() == Form::kArray) {
        return refs_of(array());
    }
    if (form() == Form::kSet) {
        return {};
    }
    room[0] = SeriesRef(static_cast<std::uint32_t>(word_ >> 2 & kRefMask));
    room[1] = SeriesRef(static_cast<std::uint32_t>(word_ >> 33));
    return room.first(form() == Form::kOne ? 1 : 2);
}

bool Postings::add(SeriesRef ref) {
    KPID_DCHECK(ref.value() <= kSeriesRefMax);
    if (form() == Form::kArray) {
        return add_to_array(ref);
    }
    if (form() == Form::kSet && !empty()) {
        return set()->add(ref);
    }
    std::array<SeriesRef, 2> room;
    const auto old = few(room);
    std::array<SeriesRef, 3> refs;
    const auto end = std::copy(old.begin(), old.end(), refs.begin());
    const auto place = std::lower_bound(refs.begin(), end, ref);
    if (place != end && *place == ref) {
        return false;
    }
    std::copy_backward(place, end, end + 1);
    *place = ref;
    hold(std::span<const SeriesRef>(refs.data(), old.size() + 1));
    return true;
}

bool Postings::add_to_array(SeriesRef ref) {
    std::uint32_t* old = array();
    const std::span<SeriesRef> refs = refs_of(old);
    const auto place = std::lower_bound(refs.begin(), refs.end(), ref);
    if (place != refs.end() && *place == ref) {
        return false;
    }
    if (refs.size() == kArrayMax) {
        auto set = std::make_unique<RefSet>(RefSet::of(refs));
        set->add(ref);
        free();
        hold(set.release());
        return true;
    }
    const auto before = static_cast<std::size_t>(place - refs.begin());
    if (refs.size() == old[1]) {
        std::uint32_t* const wider = new_array(old[1] * 2);
        std::copy(refs.begin(), refs.end(), reinterpret_cast<SeriesRef*>(wider + kArrayHead));
        wider[0] = old[0];
        free();
        hold(wider);
        old = wider;
    }
    ++old[0];
    const std::span<SeriesRef> grown = refs_of(old);
    std::copy_backward(grown.begin() + static_cast<std::ptrdiff_t>(before), grown.end() - 1,
                       grown.end());
    grown[before] = ref;
    return true;
}

bool Postings::remove_from_array(SeriesRef ref) {
    const std::span<SeriesRef> refs = refs_of(array());
    const auto place = std::lower_bound(refs.begin(), refs.end(), ref);
    if (place == refs.end() || *place != ref) {
        return false;
    }
    std::copy(place + 1, refs.end(), place);
    const std::uint32_t count = --array()[0];
    if (count <= 2 || count <= array()[1] / 4) {
        // A copy: what is held is freed before the new form is written.
        const std::vector<SeriesRef> rest(refs.begin(), refs.begin() + count);
        hold(rest);
    }
    return true;
}

bool Postings::remove(SeriesRef ref) {
    if (form() == Form::kArray) {
        return remove_from_array(ref);
    }
    if (form() == Form::kSet) {
        if (empty() || !set()->remove(ref)) {
            return false;
        }
        if (set()->size() <= kSetMin) {
            hold(set()->refs());
        }
        return true;
    }
    std::array<SeriesRef, 2> room;
    const auto old = few(room);
    if (std::find(old.begin(), old.end(), ref) == old.end()) {
        return false;
    }
    const SeriesRef other = old.front() == ref ? old.back() : old.front();
    hold(std::span<const SeriesRef>(&other, old.size() - 1));
    return true;
}

std::size_t Postings::size() const {
    if (form() == Form::kSet) {
        return empty() ? 0 : set()->size();
    }
    std::array<SeriesRef, 2> room;
    return few(room).size();
}

bool Postings::contains(SeriesRef ref) const {
    if (form() == Form::kSet) {
        return !empty() && set()->contains(ref);
    }
    std::array<SeriesRef, 2> room;
    const auto refs = few(room);
    return std::binary_search(refs.begin(), refs.end(), ref);
}

bool Postings::intersects(const RefSet& other) const {
    if (form() == Form::kSet) {
        return !empty() && set()->intersects(other);
    }
    std::array<SeriesRef, 2> room;
    const auto refs = few(room);
    return std::any_of(refs.begin(), refs.end(),
                       [&other](SeriesRef ref) { return other.contains(ref); });
}

RefSet Postings::to_set() const {
    if (form() == Form::kSet) {
        return empty() ? RefSet() : set()->clone();
    }
    std::array<SeriesRef, 2> room;
    return RefSet::of(few(room));
}

void Postings::intersect_into(RefSet& other) const {
    if (form() == Form::kSet && !empty()) {
        other &= *set();
        return;
    }
    std::array<SeriesRef, 2> room;
    RefSet both;
    for (const SeriesRef ref : few(room)) {
        if (other.contains(ref)) {
            both.add(ref);
        }
    }
    other = std::move(both);
}

void Postings::subtract_from(RefSet& other) const {
    if (form() == Form::kSet && !empty()) {
        other -= *set();
        return;
    }
    std::array<SeriesRef, 2> room;
    for (const SeriesRef ref : few(room)) {
        other.remove(ref);
    }
}

void Postings::collect(RefSet& other, std::vector<SeriesRef>& more) const {
    if (form() == Form::kSet && !empty()) {
        other |= *set();
        return;
    }
    std::array<SeriesRef, 2> room;
    const auto refs = few(room);
    more.insert(more.end(), refs.begin(), refs.end());
}

std::size_t Postings::bytes() const {
    if (form() == Form::kArray) {
        return heap_bytes_of((kArrayHead + array()[1]) * sizeof(std::uint32_t));
    }
    return form() == Form::kSet && !empty() ? heap_bytes_of(sizeof(RefSet)) + set()->bytes() : 0;
}

}  // namespace kpid::storage
