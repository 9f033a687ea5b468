#include "storage/chunk_values.h"
#include "storage/decimal.h"
#include "storage/integer_column.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace kpid::storage {
namespace {

// So many values in front decide quickly that the chunk is no decimals; and of the whole chunk this
// share may be told apart.
constexpr std::size_t kMisfitsFree = 2;
constexpr std::size_t kMisfitsShare = 16;
// A sum's steps beyond this are no cheaper than bits.
constexpr unsigned kSumExponentMax = 9;
// Decimals that cost less than so many bits a sample are not compared with bits.
constexpr double kDecimalBitsGood = 24;

// Decimals beside which less is told apart are not compared with sums.
constexpr std::size_t kSpecialsGood = 8;

// One way to tell the values, whole.
struct Candidate {
    ValueForm form = ValueForm::kBits;
    unsigned exponent = 0;
    double first = 0;  // kSum only.
    std::string specials;
    std::vector<std::int64_t> numbers;
    std::optional<IntegerEncoder> column;

    [[nodiscard]] double bits() const {
        return column->estimated_bits() + 8.0 * static_cast<double>(specials.size());
    }
};

bool is_decimal(double value, unsigned exponent) {
    const double power = kPowersOfTen[exponent];
    return fits_scaled(value, power) && same_bits(unscale(scale(value, power), power), value);
}

// Whole numbers beyond kScaledMax, too: they fit 64 bits.
bool is_whole(double value) {
    constexpr double kLimit = 9.2e18;
    return std::abs(value) < kLimit &&
           same_bits(static_cast<double>(static_cast<std::int64_t>(value)), value);
}

bool is_step(double last, double value, unsigned exponent) {
    const double power = kPowersOfTen[exponent];
    const double moved = value - last;
    return fits_scaled(moved, power) &&
           same_bits(last + unscale(scale(moved, power), power), value);
}

std::size_t misfits_max(std::size_t count) {
    return kMisfitsFree + count / kMisfitsShare;
}

// Counts how many values need which exponent, without trying every exponent for every value.
class ExponentSearch {
public:
    explicit ExponentSearch(std::size_t count) : misfits_max_(misfits_max(count)) {}

    // `fits(e)`: whether the value can be told with exponent e, in an ascending way. False when
    // there are too many misfits.
    template <class Fits>
    bool add(const Fits& fits, unsigned exponent_max) {
        if (fits(likely_)) {
            ++needed_[likely_];
            return true;
        }
        unsigned exponent = likely_ + 1;
        while (exponent <= exponent_max && !fits(exponent)) {
            ++exponent;
        }
        if (exponent > exponent_max) {
            return ++misfits_ <= misfits_max_;
        }
        ++needed_[exponent];
        // One odd value with many digits is a misfit; two are how the values are.
        if (exponent <= likely_ + 3 || needed_[exponent] > 1) {
            likely_ = exponent;
        }
        return true;
    }

    // The smallest exponent that leaves few misfits.
    [[nodiscard]] unsigned result() const {
        std::size_t above = 0;
        unsigned exponent = kDecimalExponentMax;
        while (exponent > 0 && above + needed_[exponent] <= misfits_max_ / 4) {
            above += needed_[exponent];
            --exponent;
        }
        return exponent;
    }

private:
    std::array<std::size_t, kDecimalExponentMax + 1> needed_{};
    std::size_t misfits_ = 0;
    std::size_t misfits_max_;
    unsigned likely_ = 0;
};

// Writes the values told apart, in runs: the gap from the end of the run before, what it is and
// whether it is longer than one, how much longer, and its bits when it has no name.
class SpecialsWriter {
public:
    void add(std::size_t position, double value) {
        const std::uint64_t bits = bits_of(value);
        if (length_ > 0 && bits == bits_ && position == start_ + length_) {
            ++length_;
            return;
        }
        flush();
        start_ = position;
        length_ = 1;
        bits_ = bits;
    }
    // Empty when there were none.
    [[nodiscard]] std::string take() {
        flush();
        std::string out;
        if (runs_ > 0) {
            put_varint(out, runs_);
            out += bytes_;
        }
        return out;
    }

private:
    void flush() {
        if (length_ == 0) {
            return;
        }
        auto name = SpecialValue::kOther;
        for (const SpecialValue known :
             {SpecialValue::kStale, SpecialValue::kNan, SpecialValue::kPlusInfinity,
              SpecialValue::kMinusInfinity, SpecialValue::kMinusZero, SpecialValue::kQuietNan}) {
            name = special_bits(known) == bits_ ? known : name;
        }
        put_varint(bytes_, start_ - end_);
        const unsigned run = length_ > 1 ? 8 : 0;
        bytes_.push_back(static_cast<char>(static_cast<unsigned>(name) | run));
        if (run != 0) {
            put_varint(bytes_, length_ - 2);
        }
        if (name == SpecialValue::kOther) {
            put_bytes(bytes_, bits_, 8);
        }
        end_ = start_ + length_;
        length_ = 0;
        ++runs_;
    }

    std::string bytes_;
    std::size_t runs_ = 0;
    std::size_t start_ = 0;
    std::size_t length_ = 0;
    std::size_t end_ = 0;
    std::uint64_t bits_ = 0;
};

std::optional<unsigned> decimal_exponent(std::span<const double> values) {
    ExponentSearch search(values.size());
    for (const double value : values) {
        const auto fits = [value](unsigned exponent) {
            return exponent == 0 ? is_whole(value) : is_decimal(value, exponent);
        };
        if (!is_special(value) && !search.add(fits, kDecimalExponentMax)) {
            return std::nullopt;
        }
    }
    return search.result();
}

bool make_decimal(std::span<const double> values, Candidate& candidate) {
    const std::optional<unsigned> exponent = decimal_exponent(values);
    if (!exponent) {
        return false;
    }
    candidate.form = ValueForm::kDecimal;
    candidate.exponent = *exponent;
    const double power = kPowersOfTen[*exponent];
    SpecialsWriter specials;
    candidate.numbers.resize(values.size());
    std::size_t regular = 0;
    std::int64_t last = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double value = values[i];
        if (!is_special(value) &&
            (*exponent == 0 ? is_whole(value) : is_decimal(value, *exponent))) {
            last = *exponent == 0 ? static_cast<std::int64_t>(value) : scale(value, power);
            if (regular == 0) {
                std::fill_n(candidate.numbers.begin(), i, last);
            }
            ++regular;
        } else {
            specials.add(i, value);
        }
        candidate.numbers[i] = last;
    }
    candidate.specials = specials.take();
    candidate.column.emplace(candidate.numbers, false);
    return regular > 0;
}

std::optional<unsigned> sum_exponent(std::span<const double> values, double first) {
    ExponentSearch search(values.size());
    double last = first;
    for (const double value : values) {
        if (is_special(value)) {
            continue;
        }
        const auto fits = [last, value](unsigned exponent) {
            return is_step(last, value, exponent);
        };
        if (!search.add(fits, kSumExponentMax)) {
            return std::nullopt;
        }
        last = value;
    }
    return search.result();
}

bool make_sum(std::span<const double> values, Candidate& candidate) {
    const auto first = std::find_if_not(values.begin(), values.end(), is_special);
    if (first == values.end()) {
        return false;
    }
    const std::optional<unsigned> exponent = sum_exponent(values, *first);
    if (!exponent) {
        return false;
    }
    candidate.form = ValueForm::kSum;
    candidate.exponent = *exponent;
    candidate.first = *first;
    const double power = kPowersOfTen[*exponent];
    SpecialsWriter specials;
    candidate.numbers.resize(values.size());
    double last = *first;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (!is_special(values[i]) && is_step(last, values[i], *exponent)) {
            candidate.numbers[i] = scale(values[i] - last, power);
            last = values[i];
        } else {
            // The sum goes on from here, or stands still over what is no number.
            specials.add(i, values[i]);
            last = is_special(values[i]) ? last : values[i];
        }
    }
    candidate.specials = specials.take();
    candidate.column.emplace(candidate.numbers, false);
    return candidate.specials.size() <= 9 * misfits_max(values.size());
}

void make_bits(std::span<const double> values, Candidate& candidate) {
    candidate.form = ValueForm::kBits;
    candidate.numbers.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        candidate.numbers[i] = static_cast<std::int64_t>(ordered_bits(bits_of(values[i])));
    }
    candidate.column.emplace(candidate.numbers, false);
}

// A double by its decimals where it has few, else by its bits.
void put_double(std::string& out, double value) {
    for (unsigned exponent = 0; exponent <= kSumExponentMax; ++exponent) {
        if (is_decimal(value, exponent)) {
            out.push_back(static_cast<char>(exponent));
            put_varint(out,
                       zigzag(static_cast<std::uint64_t>(scale(value, kPowersOfTen[exponent]))));
            return;
        }
    }
    out.push_back(static_cast<char>(kDecimalExponentMax + 1));
    put_bytes(out, bits_of(value), 8);
}

}  // namespace

void append_values(std::span<const double> values, std::string& out) {
    Candidate best;
    bool found = make_decimal(values, best);
    if (!found || best.specials.size() > kSpecialsGood) {
        Candidate sum;
        if (make_sum(values, sum) && (!found || sum.bits() < best.bits())) {
            best = std::move(sum);
            found = true;
        }
    }
    if (!found || best.bits() > kDecimalBitsGood * static_cast<double>(values.size())) {
        Candidate bits;
        make_bits(values, bits);
        if (!found || bits.bits() < best.bits()) {
            best = std::move(bits);
        }
    }
    out.push_back(static_cast<char>(static_cast<unsigned>(best.form) | (best.exponent << 2) |
                                    (best.specials.empty() ? 0U : 0x40U)));
    out += best.specials;
    if (best.form == ValueForm::kSum) {
        put_double(out, best.first);
    }
    best.column->append_to(out);
}

}  // namespace kpid::storage
