#include "storage/chunk_values.h"
#include "storage/decimal.h"
#include "storage/integer_column.h"

#include <algorithm>
#include <array>
#include <bit>

namespace kpid::storage {
namespace {

constexpr std::size_t kBlockNumbers = 256;
constexpr unsigned kFormMask = 0x03;
constexpr unsigned kExponentMask = 0x0F;
constexpr unsigned kSpecialsFlag = 0x40;
constexpr unsigned kUnusedMask = 0x80;

// One run of values told apart.
struct Run {
    std::size_t start = 0;
    std::size_t length = 0;
    double value = 0;
};

// Reads the runs of values told apart, one after the other.
class RunReader {
public:
    // `count`: values of the chunk.
    RunReader(const ChunkReader& reader, std::size_t count) : reader_(reader), count_(count) {}

    Result<void> open() {
        KPID_TRY(left_, reader_.varint());
        return {};
    }
    // The next run, within the values and behind the one before; at their end, of length 0, when
    // there is none.
    Result<Run> next() {
        if (left_ == 0) {
            return Run{count_, 0, 0};
        }
        --left_;
        KPID_TRY(const std::uint64_t gap, reader_.varint());
        KPID_TRY(const std::uint8_t head, reader_.byte());
        std::uint64_t longer = 0;
        if ((head & 0x08U) != 0) {
            KPID_TRY(const std::uint64_t beyond_two, reader_.varint());
            longer = beyond_two < count_ ? beyond_two + 1 : count_;
        }
        if (gap >= count_ - end_ || longer >= count_ - end_ - gap) {
            return reader_.damaged("values told apart beyond the last");
        }
        const unsigned name = head & 0x07U;
        if (head > 0x0F || name == 6) {
            return reader_.damaged("an unknown special value");
        }
        std::uint64_t bits = special_bits(static_cast<SpecialValue>(name));
        if (name == static_cast<unsigned>(SpecialValue::kOther)) {
            KPID_TRY(bits, reader_.fixed(8));
        }
        const Run run{end_ + static_cast<std::size_t>(gap), static_cast<std::size_t>(longer) + 1,
                      std::bit_cast<double>(bits)};
        end_ = run.start + run.length;
        return run;
    }
    [[nodiscard]] const ChunkReader& rest() const { return reader_; }

private:
    ChunkReader reader_;
    std::size_t count_;
    std::uint64_t left_ = 0;
    std::size_t end_ = 0;
};

Result<double> read_double(ChunkReader& reader) {
    KPID_TRY(const std::uint8_t exponent, reader.byte());
    if (exponent > kDecimalExponentMax) {
        KPID_TRY(const std::uint64_t bits, reader.fixed(8));
        return std::bit_cast<double>(bits);
    }
    KPID_TRY(const std::uint64_t mantissa, reader.varint());
    return unscale(static_cast<std::int64_t>(unzigzag(mantissa)), kPowersOfTen[exponent]);
}

void to_decimals(std::span<const std::int64_t> numbers, double power, std::span<double> values) {
    if (power == 1) {
        std::transform(numbers.begin(), numbers.end(), values.begin(),
                       [](std::int64_t number) { return static_cast<double>(number); });
        return;
    }
    std::transform(numbers.begin(), numbers.end(), values.begin(),
                   [power](std::int64_t number) { return unscale(number, power); });
}

void to_doubles(std::span<const std::int64_t> numbers, std::span<double> values) {
    std::transform(numbers.begin(), numbers.end(), values.begin(), [](std::int64_t number) {
        return std::bit_cast<double>(ordered_bits(static_cast<std::uint64_t>(number)));
    });
}

// Overwrites the values of all runs.
Result<void> set_runs(RunReader runs, std::span<double> values) {
    for (;;) {
        KPID_TRY(const Run run, runs.next());
        if (run.length == 0) {
            return {};
        }
        std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(run.start), run.length, run.value);
    }
}

// Skips all runs: what stands behind them.
Result<ChunkReader> skip_runs(RunReader runs) {
    for (;;) {
        KPID_TRY(const Run run, runs.next());
        if (run.length == 0) {
            return runs.rest();
        }
    }
}

// Adds up steps; a number told apart is where the sum goes on from.
class Summer {
public:
    Summer(const RunReader& runs, double first, double power)
        : runs_(runs), last_(first), power_(power) {}

    Result<void> open() {
        KPID_TRY(run_, runs_.next());
        return {};
    }
    Result<void> add(std::span<const std::int64_t> numbers, std::span<double> values) {
        for (std::size_t i = 0; i < numbers.size(); ++i, ++position_) {
            if (position_ == run_.start && run_.length > 0) {
                values[i] = run_.value;
                last_ = is_special(run_.value) ? last_ : run_.value;
                ++run_.start;
                if (--run_.length == 0) {
                    KPID_TRY(run_, runs_.next());
                }
                continue;
            }
            // A value that stands still keeps its bits.
            last_ = numbers[i] == 0 ? last_ : last_ + unscale(numbers[i], power_);
            values[i] = last_;
        }
        return {};
    }

private:
    RunReader runs_;
    Run run_;
    std::size_t position_ = 0;
    double last_;
    double power_;
};

// Reads the column block by block: `take` gets the numbers and the values to fill.
template <class Take>
Result<void> read_column(ChunkReader& reader, std::span<double> values, const Take& take) {
    IntegerDecoder column;
    KPID_CHECK_OK(column.open(reader, values.size()));
    std::array<std::int64_t, kBlockNumbers> buffer;
    for (std::size_t done = 0; done < values.size(); done += kBlockNumbers) {
        const std::size_t size = std::min(kBlockNumbers, values.size() - done);
        const std::span<std::int64_t> numbers = std::span(buffer).first(size);
        column.read(numbers);
        KPID_CHECK_OK(take(numbers, values.subspan(done, size)));
    }
    if (!column.finished()) {
        return reader.damaged("values that do not add up");
    }
    return {};
}

}  // namespace

Result<void> read_values(ChunkReader& reader, std::span<double> values) {
    using Numbers = std::span<const std::int64_t>;
    KPID_TRY(const std::uint8_t head, reader.byte());
    if ((head & kFormMask) > static_cast<unsigned>(ValueForm::kBits) || (head & kUnusedMask) != 0) {
        return reader.damaged("an unknown form of values");
    }
    const auto form = static_cast<ValueForm>(head & kFormMask);
    const double power = kPowersOfTen[(head >> 2) & kExponentMask];
    RunReader runs(reader, values.size());
    if ((head & kSpecialsFlag) != 0) {
        KPID_CHECK_OK(runs.open());
        KPID_TRY(reader, skip_runs(runs));
    }
    if (form == ValueForm::kSum) {
        KPID_TRY(const double first, read_double(reader));
        Summer summer(runs, first, power);
        KPID_CHECK_OK(summer.open());
        return read_column(reader, values, [&summer](Numbers numbers, std::span<double> block) {
            return summer.add(numbers, block);
        });
    }
    KPID_CHECK_OK(
        read_column(reader, values, [form, power](Numbers numbers, std::span<double> block) {
            if (form == ValueForm::kDecimal) {
                to_decimals(numbers, power, block);
            } else {
                to_doubles(numbers, block);
            }
            return Result<void>();
        }));
    return set_runs(runs, values);
}

}  // namespace kpid::storage
