#include "storage/open_chunk.h"

#include "storage/decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

namespace kpid::storage {
namespace {

// A sample begins with one byte. At the same interval as before:
//   0x00 to 0xBF: the value moved by (byte - 64) steps of the decimal grid; 64: the same bits;
//   0xC0 to 0xDF: the value was added (byte - 208) steps, in floating point.
// Else, or when the value moved otherwise, 0xE0 + time * 16 + value:
//   time 1: the interval's change follows, a zigzag varint;
//   value: what follows next, as StepForm says. kExponent is no sample but a new grid.
constexpr std::uint8_t kDecimalZero = 64;
constexpr std::int64_t kDecimalStepMin = -64;
constexpr std::int64_t kDecimalStepMax = 127;
constexpr std::uint8_t kFloatStart = 0xC0;
constexpr std::uint8_t kFloatZero = 208;
constexpr std::int64_t kFloatStepMin = -16;
constexpr std::int64_t kFloatStepMax = 15;
constexpr std::uint8_t kLongStart = 0xE0;
constexpr std::uint8_t kTimeFollows = 0x10;
enum StepForm : std::uint8_t {
    kSame = 0,      // nothing: the same bits
    kDecimal = 1,   // steps of the decimal grid, a zigzag varint
    kFloat = 2,     // steps added in floating point, a zigzag varint
    kXor = 3,       // zero bytes in front * 16 + bytes, then these bytes of the exclusive or
    kExponent = 4,  // the decimals of the grid from here on, one byte
};

constexpr std::size_t kFirstBytes = 16;
constexpr std::size_t kFirstCapacity = 24;
constexpr std::size_t kSampleBytesMax = 22;
// Allocators hand out 16 bytes more at a time, 8 of them their own.
constexpr std::size_t kGrainBytes = 16;
constexpr unsigned kExponentMax = 6;
// After so many values without an exponent no more are looked for.
constexpr std::uint8_t kMissesMax = 8;

static_assert(kFirstBytes + kOpenChunkSamplesMax * kSampleBytesMax + kGrainBytes < 65'536);
static_assert(sizeof(OpenChunk) <= 40);

struct Steps {
    StepForm form = kXor;
    std::int64_t count = 0;
};

// How the value is reached from the last one by steps of the grid; kXor when it is not.
inline Steps steps_to(double value, double last, double power) {
    if (same_bits(value, last)) {
        return {kSame, 0};
    }
    if (fits_scaled(value, power) && fits_scaled(last, power)) {
        const std::int64_t mantissa = scale(value, power);
        const std::int64_t moved = mantissa - scale(last, power);
        if (moved != 0 && same_bits(unscale(mantissa, power), value)) {
            return {kDecimal, moved};
        }
        const std::int64_t added = scale(value - last, power);
        if (added != 0 && same_bits(last + unscale(added, power), value)) {
            return {kFloat, added};
        }
    }
    return {};
}

// The byte of a sample at the same interval; kLongStart when it needs more.
std::uint8_t short_head(Steps steps) {
    if (steps.form == kSame) {
        return kDecimalZero;
    }
    if (steps.form == kDecimal && steps.count >= kDecimalStepMin &&
        steps.count <= kDecimalStepMax) {
        return static_cast<std::uint8_t>(steps.count + kDecimalZero);
    }
    if (steps.form == kFloat && steps.count >= kFloatStepMin && steps.count <= kFloatStepMax) {
        return static_cast<std::uint8_t>(steps.count + kFloatZero);
    }
    return kLongStart;
}

// The fewest decimals that tell the value; kExponentMax + 1 when there are none.
unsigned exponent_of(double value) {
    for (unsigned exponent = 0; exponent <= kExponentMax; ++exponent) {
        const double power = kPowersOfTen[exponent];
        if (fits_scaled(value, power) && same_bits(unscale(scale(value, power), power), value)) {
            return exponent;
        }
    }
    return kExponentMax + 1;
}

// The bytes of one sample, before they go to the buffer.
class SampleBytes {
public:
    void byte(std::uint8_t value) { bytes_[size_++] = value; }
    void varint(std::uint64_t number) {
        while (number >= 0x80) {
            byte(static_cast<std::uint8_t>(number | 0x80));
            number >>= 7;
        }
        byte(static_cast<std::uint8_t>(number));
    }
    void exclusive_or(std::uint64_t difference) {
        const auto front = static_cast<unsigned>(std::countl_zero(difference)) / 8;
        const auto back = static_cast<unsigned>(std::countr_zero(difference)) / 8;
        const unsigned count = 8 - front - back;
        byte(static_cast<std::uint8_t>(front * 16 + count));
        for (unsigned i = 0; i < count; ++i) {
            byte(static_cast<std::uint8_t>(difference >> (8 * (back + i))));
        }
    }
    [[nodiscard]] const std::uint8_t* data() const { return bytes_.data(); }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    std::array<std::uint8_t, kSampleBytesMax> bytes_{};
    std::size_t size_ = 0;
};

std::uint64_t interval_change(std::int64_t time, std::int64_t last, std::uint32_t interval) {
    return static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(last) - interval;
}

}  // namespace

// Walks over the bytes, which are our own and therefore whole.
class OpenChunk::Reader {
public:
    explicit Reader(const std::uint8_t* bytes) : at_(bytes) {
        std::memcpy(&cursor_.time, at_, sizeof(cursor_.time));
        std::memcpy(&cursor_.value, at_ + sizeof(cursor_.time), sizeof(cursor_.value));
        at_ += kFirstBytes;
    }

    // Writes all `count` samples of the chunk but those before `from`; there is room for all.
    // Returns how many were written.
    std::size_t write(std::size_t count, Timestamp from, Timestamp* times, double* values) {
        Output out{times, values, from.ms()};
        out.put(cursor_.time, cursor_.value);
        for (std::size_t done = 1; done < count;) {
            done += write_short(count - done, out);
            if (done < count) {
                next();
                out.put(cursor_.time, cursor_.value);
                ++done;
            }
        }
        return out.written;
    }

private:
    struct Output {
        Timestamp* times;
        double* values;
        std::int64_t from;
        std::size_t written = 0;

        void put(std::int64_t time, double value) {
            times[written] = Timestamp(time);
            values[written] = value;
            written += time >= from ? 1U : 0U;
        }
    };

    // Samples at the same interval on the same grid, as next() would take them, but what they have
    // in common stays in registers. Returns how many, at most `count`.
    std::size_t write_short(std::size_t count, Output& out) {
        const std::uint8_t* at = at_;
        const double power = kPowersOfTen[cursor_.exponent];
        const std::int64_t interval = cursor_.interval;
        std::int64_t time = cursor_.time;
        double value = cursor_.value;
        std::int64_t mantissa = 0;
        bool has_mantissa = false;  // It is scale(value, power).
        std::size_t done = 0;
        for (; done < count && *at < kFloatStart; ++done) {
            const std::int64_t step = static_cast<std::int64_t>(*at++) - kDecimalZero;
            time += interval;
            if (step != 0) {
                mantissa = (has_mantissa ? mantissa : scale(value, power)) + step;
                has_mantissa = true;
                value = unscale(mantissa, power);
            }
            out.put(time, value);
        }
        at_ = at;
        cursor_.time = time;
        cursor_.value = value;
        return done;
    }

    void next() {
        std::uint8_t head = *at_++;
        while (head == kLongStart + kExponent) {
            cursor_.exponent = *at_++;
            head = *at_++;
        }
        if (head < kFloatStart) {
            cursor_.time += cursor_.interval;
            step_value({kDecimal, static_cast<std::int64_t>(head) - kDecimalZero});
        } else if (head < kLongStart) {
            cursor_.time += cursor_.interval;
            step_value({kFloat, static_cast<std::int64_t>(head) - kFloatZero});
        } else {
            next_long(head);
        }
    }

    void next_long(std::uint8_t head) {
        std::uint64_t change = 0;
        if ((head & kTimeFollows) != 0) {
            change = unzigzag(varint());
        }
        step_time(cursor_, static_cast<std::int64_t>(static_cast<std::uint64_t>(cursor_.time) +
                                                     cursor_.interval + change));
        const auto form = static_cast<StepForm>(head & 0x0F);
        if (form == kXor) {
            cursor_.value =
                std::bit_cast<double>(std::bit_cast<std::uint64_t>(cursor_.value) ^ exclusive_or());
        } else if (form != kSame) {
            step_value({form, static_cast<std::int64_t>(unzigzag(varint()))});
        }
    }

    void step_value(Steps steps) {
        const double power = kPowersOfTen[cursor_.exponent];
        if (steps.count == 0) {
            return;
        }
        cursor_.value = steps.form == kDecimal
                            ? unscale(scale(cursor_.value, power) + steps.count, power)
                            : cursor_.value + unscale(steps.count, power);
    }

    std::uint64_t varint() {
        std::uint64_t number = 0;
        unsigned shift = 0;
        while (*at_ >= 0x80) {
            number |= static_cast<std::uint64_t>(*at_++ & 0x7FU) << shift;
            shift += 7;
        }
        return number | (static_cast<std::uint64_t>(*at_++) << shift);
    }

    std::uint64_t exclusive_or() {
        const unsigned front = *at_ / 16U;
        const unsigned count = *at_ % 16U;
        ++at_;
        std::uint64_t difference = 0;
        for (unsigned i = 0; i < count; ++i) {
            difference |= static_cast<std::uint64_t>(*at_++) << (8 * (8 - front - count + i));
        }
        return difference;
    }

    const std::uint8_t* at_;
    Cursor cursor_;
};

bool OpenChunk::append(Timestamp time, double value) {
    if (count_ == 0) {
        append_first(time.ms(), value);
        return true;
    }
    if (time.ms() < cursor_.time || count_ == kOpenChunkSamplesMax) {
        return false;
    }
    if (interval_change(time.ms(), cursor_.time, cursor_.interval) == 0 && size_ < capacity_) {
        const std::uint8_t head =
            short_head(steps_to(value, cursor_.value, kPowersOfTen[cursor_.exponent]));
        if (head < kLongStart) {
            bytes_[size_++] = head;
            ++count_;
            cursor_.time = time.ms();
            cursor_.value = value;
            return true;
        }
    }
    append_long(time.ms(), value);
    return true;
}

void OpenChunk::append_first(std::int64_t time, double value) {
    std::array<std::uint8_t, kFirstBytes> first;
    std::memcpy(first.data(), &time, sizeof(time));
    std::memcpy(first.data() + sizeof(time), &value, sizeof(value));
    resize_buffer(kFirstCapacity);
    put(first.data(), first.size());
    cursor_ = Cursor{.time = time, .value = value};
    count_ = 1;
}

void OpenChunk::append_long(std::int64_t time, double value) {
    SampleBytes bytes;
    Steps steps = steps_to(value, cursor_.value, kPowersOfTen[cursor_.exponent]);
    if (steps.form == kXor && cursor_.misses < kMissesMax) {
        const unsigned exponent = std::max(exponent_of(value), exponent_of(cursor_.value));
        if (exponent > kExponentMax || exponent <= cursor_.exponent) {
            ++cursor_.misses;
        } else {
            cursor_.exponent = static_cast<std::uint8_t>(exponent);
            bytes.byte(kLongStart + kExponent);
            bytes.byte(cursor_.exponent);
            steps = steps_to(value, cursor_.value, kPowersOfTen[exponent]);
        }
    }
    const std::uint64_t change = interval_change(time, cursor_.time, cursor_.interval);
    const std::uint8_t head = short_head(steps);
    if (change == 0 && head < kLongStart) {
        bytes.byte(head);
    } else {
        bytes.byte(
            static_cast<std::uint8_t>(kLongStart + (change == 0 ? 0 : kTimeFollows) + steps.form));
        if (change != 0) {
            bytes.varint(zigzag(change));
        }
        if (steps.form == kXor) {
            bytes.exclusive_or(bits_of(value) ^ bits_of(cursor_.value));
        } else if (steps.form != kSame) {
            bytes.varint(zigzag(static_cast<std::uint64_t>(steps.count)));
        }
    }
    put(bytes.data(), bytes.size());
    step_time(cursor_, time);
    cursor_.value = value;
    ++count_;
}

void OpenChunk::step_time(Cursor& cursor, std::int64_t time) {
    const std::uint64_t interval =
        static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(cursor.time);
    cursor.interval = interval <= std::numeric_limits<std::uint32_t>::max()
                          ? static_cast<std::uint32_t>(interval)
                          : 0;
    cursor.time = time;
}

void OpenChunk::decode(std::vector<Timestamp>& times, std::vector<double>& values,
                       Timestamp from) const {
    if (count_ == 0) {
        return;
    }
    const std::size_t begin = times.size();
    times.resize(begin + count_);
    values.resize(begin + count_);
    const std::size_t written =
        Reader(bytes_.get()).write(count_, from, times.data() + begin, values.data() + begin);
    times.resize(begin + written);
    values.resize(begin + written);
}

Timestamp OpenChunk::first_time() const {
    std::int64_t time = 0;
    std::memcpy(&time, bytes_.get(), sizeof(time));
    return Timestamp(time);
}

void OpenChunk::shrink() {
    if (capacity_ > size_) {
        resize_buffer(size_);
    }
}

void OpenChunk::put(const std::uint8_t* bytes, std::size_t size) {
    const std::size_t wanted = size_ + size;
    if (wanted > capacity_) {
        // An eighth more, up to the end of a grain: little is idle, and few appends copy.
        const std::size_t aimed = wanted + wanted / 8;
        resize_buffer((aimed + 7) / kGrainBytes * kGrainBytes + 8);
    }
    std::memcpy(bytes_.get() + size_, bytes, size);
    size_ = static_cast<std::uint16_t>(wanted);
}

void OpenChunk::resize_buffer(std::size_t capacity) {
    auto bigger = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    if (size_ > 0) {
        std::memcpy(bigger.get(), bytes_.get(), size_);
    }
    bytes_ = std::move(bigger);
    capacity_ = static_cast<std::uint16_t>(capacity);
}

void OpenChunk::swap(OpenChunk& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(cursor_, other.cursor_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(count_, other.count_);
}

}  // namespace kpid::storage
