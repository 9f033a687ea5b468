#include "kpid/base/assert.h"
#include "storage/decimal.h"
#include "storage/integer_column.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace kpid::storage {
namespace {

// Parameters of a column, about.
constexpr double kParameterBits = 40;
// An order whose numbers are this many bits wider on average is not worth a closer look.
constexpr std::uint64_t kWiderBitsMax = 1;

std::uint64_t as_unsigned(std::int64_t number) {
    return static_cast<std::uint64_t>(number);
}

// What is left of the numbers after `order`, behind its opening numbers.
void leave(std::span<const std::int64_t> numbers, IntegerOrder order, std::uint64_t slope,
           std::vector<std::uint64_t>& left) {
    const std::size_t opening = opening_count(order);
    left.resize(numbers.size() - opening);
    std::uint64_t line = as_unsigned(numbers.front());
    for (std::size_t i = opening; i < numbers.size(); ++i) {
        const std::uint64_t number = as_unsigned(numbers[i]);
        std::uint64_t& rest = left[i - opening];
        switch (order) {
            case IntegerOrder::kNumber:
                rest = number;
                break;
            case IntegerOrder::kDifference:
                rest = number - as_unsigned(numbers[i - 1]);
                break;
            case IntegerOrder::kChange:
                rest = number - 2 * as_unsigned(numbers[i - 1]) + as_unsigned(numbers[i - 2]);
                break;
            case IntegerOrder::kLine:
                line += slope;
                rest = number - line;
                break;
        }
    }
}

// The middle rise of a line from the first number to the last.
std::uint64_t slope_of(std::span<const std::int64_t> numbers) {
    if (numbers.size() < 2) {
        return 0;
    }
    const std::uint64_t rise = as_unsigned(numbers.back()) - as_unsigned(numbers.front());
    const std::uint64_t steps = numbers.size() - 1;
    return rise / steps + (rise % steps > steps / 2 ? 1 : 0);
}

// The order of numbers of either sign. An object, so that algorithms take it in.
struct Below {
    bool operator()(std::uint64_t a, std::uint64_t b) const {
        return static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
    }
};

// The greatest number that divides all distances from `base`.
std::uint64_t unit_of(std::span<const std::uint64_t> left, std::uint64_t base) {
    std::uint64_t unit = 0;
    for (const std::uint64_t number : left) {
        const std::uint64_t distance = number - base;
        if (unit == 1) {
            break;
        }
        if (unit == 0 || distance % unit != 0) {
            unit = std::gcd(unit, distance);
        }
    }
    return unit == 0 ? 1 : unit;
}

// Bits of what is left after each order, in all, apart from what is common: says which orders are
// worth a closer look. What is common to differences is taken from the middle.
std::array<std::uint64_t, 3> widths_of(std::span<const std::int64_t> numbers) {
    const auto width = [](std::uint64_t value) {
        return static_cast<std::uint64_t>(std::bit_width(zigzag(value)));
    };
    std::array<std::uint64_t, 3> widths{};
    const std::size_t middle = numbers.size() / 2;
    const std::uint64_t common =
        middle == 0 ? 0 : as_unsigned(numbers[middle]) - as_unsigned(numbers[middle - 1]);
    for (std::size_t i = 2; i < numbers.size(); ++i) {
        const std::uint64_t number = as_unsigned(numbers[i]);
        const std::uint64_t difference = number - as_unsigned(numbers[i - 1]);
        const std::uint64_t before = as_unsigned(numbers[i - 1]) - as_unsigned(numbers[i - 2]);
        widths[0] += width(number - as_unsigned(numbers[middle]));
        widths[1] += width(difference - common);
        widths[2] += width(difference - before);
    }
    return widths;
}

double log2_of(std::uint32_t number) {
    static const std::vector<float> kTable = [] {
        std::vector<float> table(2'048);
        for (std::size_t i = 1; i < table.size(); ++i) {
            table[i] = static_cast<float>(std::log2(static_cast<double>(i)));
        }
        return table;
    }();
    return number < kTable.size() ? static_cast<double>(kTable[number])
                                  : std::log2(static_cast<double>(number));
}

// How often each class of one granularity occurs.
class Histogram {
public:
    explicit Histogram(unsigned granularity) : granularity_(granularity) {}

    void add(std::uint64_t steps) {
        const unsigned index = class_of(steps, granularity_);
        ++counts_[index];
        end_ = std::max(end_, index + 1);
    }
    void coarsen() {
        --granularity_;
        const unsigned end = end_;
        for (unsigned i = 2U << granularity_; i < end; ++i) {
            const std::uint32_t count = counts_[i];
            counts_[i] = 0;
            counts_[coarser_class(i, granularity_)] += count;
        }
        end_ = end == 0 ? 0 : coarser_class(end - 1, granularity_) + 1;
    }
    [[nodiscard]] unsigned lowest() const {
        unsigned index = 0;
        while (counts_[index] == 0) {
            ++index;
        }
        return index;
    }
    [[nodiscard]] unsigned end() const { return end_; }
    [[nodiscard]] std::uint32_t count(unsigned index) const { return counts_[index]; }
    [[nodiscard]] unsigned granularity() const { return granularity_; }

    // Bits of `total` numbers and of the weights; infinite when there are too many classes.
    [[nodiscard]] double bits(std::uint32_t total) const {
        const unsigned low = lowest();
        if (end_ - low > kClassesMax) {
            return std::numeric_limits<double>::infinity();
        }
        const double whole = log2_of(total);
        double sum = 4.0 * (end_ - low) + 16;
        for (unsigned i = low; i < end_; ++i) {
            if (counts_[i] > 0) {
                sum += counts_[i] * (whole - log2_of(counts_[i]) + class_bits(i, granularity_));
            }
        }
        return sum;
    }

private:
    unsigned granularity_;
    unsigned end_ = 0;
    std::array<std::uint32_t, class_end(kGranularityMax)> counts_{};
};

// The weight closest to a count, as a ratio; counts above the heaviest are scaled down.
std::uint8_t weight_of(std::uint32_t count, std::uint32_t greatest) {
    if (count == 0) {
        return 0;
    }
    double wanted = count;
    if (greatest > kWeights.back()) {
        wanted = std::max(1.0, wanted * kWeights.back() / greatest);
    }
    std::uint8_t weight = 1;
    while (weight + 1U < kWeights.size() &&
           wanted * wanted > static_cast<double>(kWeights[weight]) * kWeights[weight + 1U]) {
        ++weight;
    }
    return weight;
}

// u of a number that is left.
std::uint64_t steps_of(std::uint64_t number, std::uint64_t base, std::uint64_t unit,
                       IntegerModel model) {
    const std::uint64_t distance = number - base;
    if (model != IntegerModel::kAround) {
        return unit == 1 ? distance : distance / unit;
    }
    return zigzag(unit == 1 ? distance
                            : as_unsigned(static_cast<std::int64_t>(distance) /
                                          static_cast<std::int64_t>(unit)));
}

}  // namespace

IntegerEncoder::IntegerEncoder(std::span<const std::int64_t> numbers, bool try_line)
    : numbers_(numbers) {
    plan_.bits = std::numeric_limits<double>::infinity();
    const std::array<std::uint64_t, 3> widths = widths_of(numbers);
    const std::uint64_t bound =
        *std::min_element(widths.begin(), widths.end()) + kWiderBitsMax * numbers.size();
    for (std::size_t order = 0; order < widths.size(); ++order) {
        if (widths[order] <= bound && (order == 0 || numbers.size() > 2)) {
            consider(static_cast<IntegerOrder>(order));
        }
    }
    if (try_line && numbers.size() > 2) {
        consider(IntegerOrder::kLine);
    }
}

void IntegerEncoder::consider(IntegerOrder order) {
    leave(numbers_, order, slope_of(numbers_), left_);
    std::uint64_t least = left_.front();
    std::uint64_t greatest = least;
    for (const std::uint64_t number : left_) {
        least = std::min(least, number, Below());
        greatest = std::max(greatest, number, Below());
    }
    Plan plan;
    plan.order = order;
    plan.base = least;
    plan.unit = unit_of(left_, plan.base);
    const std::uint64_t spread = greatest - least;
    plan.greatest = spread / plan.unit;
    const UniformSplit split = split_uniform(plan.greatest);
    const double opening = 16.0 * static_cast<double>(opening_count(order));
    plan.bits = kParameterBits + opening +
                static_cast<double>(left_.size()) *
                    (std::log2(static_cast<double>(split.radix)) + split.low_bits);
    take_if_smaller(plan);
    if (spread == 0) {
        return;
    }
    plan.bits = kParameterBits + opening;
    plan.model = IntegerModel::kAbove;
    consider_classes(plan);
    // Distances of either sign do not all fit 63 bits and a sign when the spread has 64.
    if (spread >> 63 != 0) {
        plan.unit = 1;
    }
    sorting_ = left_;
    const auto middle = sorting_.begin() + static_cast<std::ptrdiff_t>(sorting_.size() / 2);
    std::nth_element(sorting_.begin(), middle, sorting_.end(), Below());
    plan.base = *middle;
    plan.model = IntegerModel::kAround;
    consider_classes(plan);
}

void IntegerEncoder::consider_classes(Plan plan) {
    Histogram histogram(kGranularityMax);
    for (const std::uint64_t number : left_) {
        histogram.add(steps_of(number, plan.base, plan.unit, plan.model));
    }
    const double parameters = plan.bits;
    for (;;) {
        plan.granularity = histogram.granularity();
        plan.bits = parameters + histogram.bits(static_cast<std::uint32_t>(left_.size()));
        take_if_smaller(plan);
        if (plan.granularity == 0) {
            return;
        }
        histogram.coarsen();
    }
}

void IntegerEncoder::take_if_smaller(const Plan& plan) {
    if (plan.bits < plan_.bits) {
        plan_ = plan;
    }
}

void IntegerEncoder::append_to(std::string& out) const {
    append_parameters(out);
    std::vector<std::uint64_t> left;
    leave(numbers_, plan_.order, slope_of(numbers_), left);
    for (std::uint64_t& number : left) {
        number = steps_of(number, plan_.base, plan_.unit, plan_.model);
    }
    if (plan_.model == IntegerModel::kUniform) {
        append_uniform(out, left);
    } else {
        append_classes(out, left);
    }
}

void IntegerEncoder::append_parameters(std::string& out) const {
    const bool has_unit = plan_.unit != 1;
    out.push_back(static_cast<char>(static_cast<unsigned>(plan_.model) |
                                    (static_cast<unsigned>(plan_.order) << 2) |
                                    (has_unit ? 0x10U : 0U) | (plan_.granularity << 5)));
    const std::uint64_t first = as_unsigned(numbers_.front());
    if (plan_.order != IntegerOrder::kNumber) {
        put_varint(out, zigzag(first));
    }
    if (plan_.order == IntegerOrder::kChange) {
        put_varint(out, zigzag(as_unsigned(numbers_[1]) - first));
    } else if (plan_.order == IntegerOrder::kLine) {
        put_varint(out, zigzag(slope_of(numbers_)));
    }
    put_varint(out, zigzag(plan_.base));
    if (has_unit) {
        put_varint(out, plan_.unit);
    }
}

void IntegerEncoder::append_uniform(std::string& out, std::span<const std::uint64_t> left) const {
    put_varint(out, plan_.greatest);
    const UniformSplit split = split_uniform(plan_.greatest);
    EntropyEncoder coder(split.radix);
    const std::uint64_t low_mask = (std::uint64_t{1} << split.low_bits) - 1;
    for (std::size_t i = left.size(); i > 0; --i) {
        coder.push_wide(left[i - 1] & low_mask, split.low_bits);
        coder.push_uniform(static_cast<std::uint32_t>(left[i - 1] >> split.low_bits));
    }
    coder.append_to(out);
}

void IntegerEncoder::append_classes(std::string& out, std::span<const std::uint64_t> left) const {
    const unsigned granularity = plan_.granularity;
    Histogram histogram(granularity);
    for (const std::uint64_t steps : left) {
        histogram.add(steps);
    }
    const unsigned lowest = histogram.lowest();
    const std::size_t count = histogram.end() - lowest;
    KPID_ASSERT(count <= kClassesMax);
    std::uint32_t greatest = 0;
    for (unsigned i = lowest; i < histogram.end(); ++i) {
        greatest = std::max(greatest, histogram.count(i));
    }
    std::array<std::uint8_t, kClassesMax + 1> weights{};
    for (std::size_t i = 0; i < count; ++i) {
        weights[i] = weight_of(histogram.count(lowest + static_cast<unsigned>(i)), greatest);
    }
    put_varint(out, lowest);
    out.push_back(static_cast<char>(count));
    for (std::size_t i = 0; i < count; i += 2) {
        out.push_back(static_cast<char>(weights[i] | (weights[i + 1] << 4)));
    }
    std::array<Frequency, kClassesMax> frequencies;
    assign_frequencies(std::span(weights).first(count), frequencies);
    EntropyEncoder coder(1);
    for (std::size_t i = left.size(); i > 0; --i) {
        const unsigned index = class_of(left[i - 1], granularity);
        coder.push_wide(left[i - 1] - class_first(index, granularity),
                        class_bits(index, granularity));
        coder.push_symbol(frequencies[index - lowest]);
    }
    coder.append_to(out);
}

}  // namespace kpid::storage
