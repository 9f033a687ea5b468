#include "storage/decimal.h"
#include "storage/integer_column.h"

#include <cstring>

namespace kpid::storage {

Result<void> IntegerDecoder::open(ChunkReader& reader, std::size_t count) {
    KPID_TRY(const std::uint8_t head, reader.byte());
    const unsigned model = head & 0x03U;
    const unsigned granularity = head >> 5;
    if (model > static_cast<unsigned>(IntegerModel::kAround) || granularity > kGranularityMax) {
        return reader.damaged("an unknown model of numbers");
    }
    model_ = static_cast<IntegerModel>(model);
    order_ = static_cast<IntegerOrder>((head >> 2) & 0x03U);
    if (opening_count(order_) >= count && order_ != IntegerOrder::kNumber) {
        return reader.damaged("more opening numbers than numbers");
    }
    if (order_ != IntegerOrder::kNumber) {
        KPID_TRY(const std::uint64_t first, reader.varint());
        previous_ = unzigzag(first);
    }
    if (order_ == IntegerOrder::kChange || order_ == IntegerOrder::kLine) {
        KPID_TRY(const std::uint64_t difference, reader.varint());
        difference_ = unzigzag(difference);
    }
    KPID_TRY(const std::uint64_t base, reader.varint());
    base_ = unzigzag(base);
    if ((head & 0x10U) != 0) {
        KPID_TRY(unit_, reader.varint());
    }
    std::uint32_t radix = 1;
    if (model_ == IntegerModel::kUniform) {
        KPID_TRY(const std::uint64_t greatest, reader.varint());
        split_ = split_uniform(greatest);
        radix = split_.radix;
    } else {
        KPID_CHECK_OK(open_classes(reader, granularity));
    }
    coder_ = EntropyDecoder(reader.rest(), radix);
    return {};
}

Result<void> IntegerDecoder::open_classes(ChunkReader& reader, unsigned granularity) {
    KPID_TRY(const std::uint64_t lowest, reader.varint());
    KPID_TRY(const std::uint8_t count, reader.byte());
    if (count == 0 || lowest >= class_end(granularity) || count > class_end(granularity) - lowest) {
        return reader.damaged("classes of numbers out of range");
    }
    std::array<std::uint8_t, kClassesMax + 1> weights{};
    bool any = false;
    for (std::size_t i = 0; i < count; i += 2) {
        KPID_TRY(const std::uint8_t two, reader.byte());
        weights[i] = two & 0x0F;
        weights[i + 1] = two >> 4;
        any = any || two != 0;
    }
    if (!any || (count % 2 != 0 && weights[count] != 0)) {
        return reader.damaged("weights of classes");
    }
    std::array<Frequency, kClassesMax> frequencies;
    assign_frequencies(std::span(weights).first(count), frequencies);
    for (unsigned i = 0; i < count; ++i) {
        const unsigned index = static_cast<unsigned>(lowest) + i;
        classes_[i] = {class_first(index, granularity), frequencies[i],
                       static_cast<std::uint8_t>(class_bits(index, granularity))};
        std::memset(slots_.data() + frequencies[i].start, static_cast<int>(i),
                    frequencies[i].width);
    }
    return {};
}

void IntegerDecoder::read(std::span<std::int64_t> numbers) {
    std::size_t done = 0;
    while (position_ < opening_count(order_) && done < numbers.size()) {
        // The second number of kChange is the first plus the opening difference.
        previous_ += position_ == 1 ? difference_ : 0;
        numbers[done] = static_cast<std::int64_t>(previous_);
        ++done;
        ++position_;
    }
    const std::span<std::int64_t> left = numbers.subspan(done);
    read_left(left);
    switch (order_) {
        case IntegerOrder::kNumber:
            break;
        case IntegerOrder::kDifference:
            for (std::int64_t& number : left) {
                previous_ += static_cast<std::uint64_t>(number);
                number = static_cast<std::int64_t>(previous_);
            }
            break;
        case IntegerOrder::kChange:
            for (std::int64_t& number : left) {
                difference_ += static_cast<std::uint64_t>(number);
                previous_ += difference_;
                number = static_cast<std::int64_t>(previous_);
            }
            break;
        case IntegerOrder::kLine:
            for (std::int64_t& number : left) {
                previous_ += difference_;
                number = static_cast<std::int64_t>(previous_ + static_cast<std::uint64_t>(number));
            }
            break;
    }
    position_ += left.size();
}

void IntegerDecoder::read_left(std::span<std::int64_t> left) {
    switch (model_) {
        case IntegerModel::kUniform:
            read_uniform(left);
            break;
        case IntegerModel::kAbove:
            read_classes<false>(left);
            break;
        case IntegerModel::kAround:
            read_classes<true>(left);
            break;
    }
}

void IntegerDecoder::read_uniform(std::span<std::int64_t> left) {
    // A copy, so that its state stays in registers.
    EntropyDecoder coder = coder_;
    if (split_.low_bits == 0) {
        for (std::int64_t& number : left) {
            number = static_cast<std::int64_t>(base_ + unit_ * coder.pop_uniform());
        }
    } else {
        for (std::int64_t& number : left) {
            const std::uint64_t high = coder.pop_uniform();
            const std::uint64_t low = coder.pop_wide(split_.low_bits);
            number = static_cast<std::int64_t>(base_ + unit_ * ((high << split_.low_bits) | low));
        }
    }
    coder_ = coder;
}

template <bool kEitherSign>
void IntegerDecoder::read_classes(std::span<std::int64_t> left) {
    EntropyDecoder coder = coder_;
    for (std::int64_t& number : left) {
        const Class& found = classes_[slots_[coder.peek_symbol()]];
        coder.drop_symbol(found.frequency);
        std::uint64_t steps = found.first;
        if (found.bits > 0) {
            steps += coder.pop_wide(found.bits);
        }
        if constexpr (kEitherSign) {
            steps = unzigzag(steps);
        }
        number = static_cast<std::int64_t>(base_ + unit_ * steps);
    }
    coder_ = coder;
}

}  // namespace kpid::storage
