// Sealed chunks: every bit comes back, sizes that are promised, and damage that is noticed.

#include "storage/chunk_codec.h"

#include "kpid/model/sample.h"
#include "support/chunk_shapes.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace kpid::storage {
namespace {

using kpid::testing::Columns;
using kpid::testing::kValueShapes;
using kpid::testing::make_columns;
using kpid::testing::make_mixed;
using kpid::testing::ValueShape;

std::string encode(const Columns& columns) {
    return encode_chunk(columns.times, columns.values);
}

std::vector<std::uint64_t> bits_of_all(const std::vector<double>& values) {
    std::vector<std::uint64_t> bits;
    for (const double value : values) {
        bits.push_back(std::bit_cast<std::uint64_t>(value));
    }
    return bits;
}

// The samples as they come back; also checks what the header says.
void expect_round_trip(const Columns& columns) {
    const std::string bytes = encode(columns);
    Columns read;
    const auto decoded = decode_chunk(bytes, read.times, read.values);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(read.times, columns.times);
    EXPECT_EQ(bits_of_all(read.values), bits_of_all(columns.values));
    const auto info = read_chunk_header(bytes);
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->kind, ChunkKind::kFloat);
    EXPECT_EQ(info->count, columns.times.size());
    EXPECT_EQ(info->first, columns.times.front());
    EXPECT_EQ(info->last, columns.times.back());
    EXPECT_LE(bytes.size(), 8 * columns.values.size() + 8 * columns.times.size() + 64);
}

std::vector<Timestamp> steady_times(std::size_t count) {
    return make_columns(ValueShape::kConstant, count, 0).times;
}

Columns with_values(std::vector<double> values) {
    return {steady_times(values.size()), std::move(values)};
}

Columns with_times(const std::vector<std::int64_t>& times) {
    Columns columns;
    for (const std::int64_t time : times) {
        columns.times.emplace_back(time);
        columns.values.push_back(7);
    }
    return columns;
}

double from_bits(std::uint64_t bits) {
    return std::bit_cast<double>(bits);
}

const std::vector<double>& odd_values() {
    using Limits = std::numeric_limits<double>;
    static const std::vector<double> kValues{
        model::stale_marker(),
        from_bits(0x7FF8000000000001),
        from_bits(0x7FF8000000000000),
        from_bits(0x7FF0000000000001),
        from_bits(0xFFFFFFFFFFFFFFFF),
        from_bits(0xFFF8000000000000),
        from_bits(0x7FF8DEADBEEF0001),
        Limits::infinity(),
        -Limits::infinity(),
        -0.0,
        0.0,
        Limits::denorm_min(),
        -Limits::denorm_min(),
        from_bits(0x000FFFFFFFFFFFFF),
        Limits::min(),
        Limits::max(),
        Limits::lowest(),
        Limits::epsilon(),
        9007199254740992.0,
        9007199254740993.0,
        -9223372036854775808.0,
        9223372036854775808.0,
        18446744073709551616.0,
        0.1 + 0.2,
        1e300,
        1.0 / 3,
    };
    return kValues;
}

TEST(ChunkCodec, GivesBackEveryShapeAtEverySize) {
    for (const ValueShape shape : kValueShapes) {
        for (const std::size_t count : {1U, 2U, 3U, 4U, 9U, 120U, 255U, 256U, 257U, 480U, 1'000U}) {
            for (const std::int64_t jitter : {0, 1, 700}) {
                SCOPED_TRACE(to_string(shape) + " " + std::to_string(count) + " jitter " +
                             std::to_string(jitter));
                expect_round_trip(make_columns(shape, count, count, jitter));
            }
        }
    }
}

TEST(ChunkCodec, GivesBackOddValuesAnywhere) {
    for (const double odd : odd_values()) {
        SCOPED_TRACE(std::bit_cast<std::uint64_t>(odd));
        expect_round_trip(with_values({odd}));
        expect_round_trip(with_values({odd, odd, odd}));
        for (const ValueShape shape : kValueShapes) {
            SCOPED_TRACE(to_string(shape));
            const std::vector<double> plain = make_columns(shape, 70, 3).values;
            for (const std::size_t at : {0U, 1U, 35U, 69U}) {
                std::vector<double> values = plain;
                values[at] = odd;
                expect_round_trip(with_values(values));
                values[(at + 1) % 70] = odd;
                expect_round_trip(with_values(values));
            }
            std::vector<double> values = plain;
            for (std::size_t i = 0; i < values.size(); i += 2) {
                values[i] = odd;
            }
            expect_round_trip(with_values(values));
        }
    }
    expect_round_trip(with_values(odd_values()));
}

TEST(ChunkCodec, GivesBackAnyBits) {
    std::mt19937_64 random(11);
    for (std::size_t round = 0; round < 200; ++round) {
        SCOPED_TRACE(round);
        std::vector<double> values;
        const unsigned kept = static_cast<unsigned>(random() % 64);
        for (std::size_t i = random() % 300 + 1; i > 0; --i) {
            const std::uint64_t bits = random() >> kept << (random() % 64);
            values.push_back(random() % 3 == 0 ? odd_values()[bits % odd_values().size()]
                                               : from_bits(bits));
        }
        expect_round_trip(with_values(values));
    }
}

TEST(ChunkCodec, GivesBackWholeNumbersOfAllSizes) {
    std::mt19937_64 random(12);
    for (int width = 1; width <= 64; ++width) {
        SCOPED_TRACE(width);
        std::vector<double> values;
        for (int i = 0; i < 200; ++i) {
            const auto number = static_cast<double>(random() >> (64 - width));
            values.push_back(random() % 2 == 0 ? number : -number);
        }
        expect_round_trip(with_values(values));
    }
}

TEST(ChunkCodec, GivesBackDecimalsOfAllSizes) {
    std::mt19937_64 random(13);
    for (int digits = 1; digits <= 18; ++digits) {
        SCOPED_TRACE(digits);
        std::vector<double> values;
        for (int i = 0; i < 300; ++i) {
            const double whole = static_cast<double>(random() % 2'000) - 1'000;
            values.push_back(whole +
                             static_cast<double>(random() % 1'000'000) * std::pow(10, -digits));
        }
        expect_round_trip(with_values(values));
    }
}

TEST(ChunkCodec, GivesBackAllKindsOfTimes) {
    constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
    constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
    struct Case {
        std::string name;
        std::vector<std::int64_t> times;
    };
    const std::vector<Case> cases{
        {"one", {5}},
        {"the earliest", {kMin}},
        {"the latest", {kMax}},
        {"all of time", {kMin, kMax}},
        {"all of time and its middle", {kMin, 0, kMax}},
        {"both ends twice", {kMin, kMin, kMax, kMax}},
        {"equal", {1'000, 1'000, 1'000, 1'000}},
        {"equal at last", {1'000, 2'000, 3'000, 3'000}},
        {"negative", {-45'000, -30'000, -15'000, 0}},
        {"a gap", {15'000, 30'000, 45'000, 500'000, 515'000}},
        {"ever faster", {0, 1'000'000, 1'100'000, 1'110'000, 1'111'000, 1'111'100}},
    };
    for (const Case& entry : cases) {
        SCOPED_TRACE(entry.name);
        expect_round_trip(with_times(entry.times));
    }
    std::mt19937_64 random(14);
    for (int round = 0; round < 100; ++round) {
        SCOPED_TRACE(round);
        std::vector<std::int64_t> times{static_cast<std::int64_t>(random() % 1'000'000)};
        const unsigned width = static_cast<unsigned>(random() % 50) + 10;
        for (std::size_t i = random() % 400; i > 0; --i) {
            times.push_back(times.back() + static_cast<std::int64_t>(random() >> width >> 4));
        }
        expect_round_trip(with_times(times));
    }
}

TEST(ChunkCodec, GivesBackTheLongestChunk) {
    for (const ValueShape shape :
         {ValueShape::kCounter, ValueShape::kTwoDecimals, ValueShape::kNoise}) {
        SCOPED_TRACE(to_string(shape));
        expect_round_trip(make_columns(shape, kChunkSamplesMax, 1, 3));
    }
}

TEST(ChunkCodec, AppendsToWhatIsThere) {
    const Columns first = make_columns(ValueShape::kCounter, 50, 1);
    const Columns second = make_columns(ValueShape::kNoise, 30, 2);
    std::string bytes = "before";
    append_chunk(first.times, first.values, bytes);
    EXPECT_EQ(bytes, "before" + encode(first));
    Columns read = second;
    ASSERT_TRUE(decode_chunk(encode(first), read.times, read.values).has_value());
    EXPECT_EQ(read.times.size(), 80U);
    EXPECT_EQ(read.times[30], first.times[0]);
    EXPECT_EQ(read.values[29], second.values[29]);
    EXPECT_EQ(read.values[79], first.values[49]);
}

TEST(ChunkCodec, KeepsItsPromisesOfSize) {
    struct Case {
        ValueShape shape;
        std::size_t bytes_max;  // Of 480 samples at a steady interval.
    };
    for (const Case& entry :
         {Case{ValueShape::kConstant, 32}, Case{ValueShape::kIdleCounter, 48},
          Case{ValueShape::kCounter, 370}, Case{ValueShape::kIntegerGauge, 495},
          Case{ValueShape::kBusyCounter, 485}, Case{ValueShape::kOneDecimal, 295},
          Case{ValueShape::kTwoDecimals, 510}, Case{ValueShape::kTenthsPlusWhole, 170},
          Case{ValueShape::kNoise, 3'400}, Case{ValueShape::kNoiseWalk, 2'400}}) {
        for (std::uint64_t seed = 0; seed < 10; ++seed) {
            SCOPED_TRACE(to_string(entry.shape) + " of seed " + std::to_string(seed));
            EXPECT_LE(encode(make_columns(entry.shape, 480, seed)).size(), entry.bytes_max);
        }
    }
}

TEST(ChunkCodec, MixedDataTakesLessThanSevenTenthsOfAByte) {
    struct Case {
        std::size_t count;
        double bytes_max;  // A sample.
    };
    for (const Case& entry :
         {Case{120, 0.73}, Case{240, 0.65}, Case{480, 0.60}, Case{1'000, 0.57}}) {
        SCOPED_TRACE(entry.count);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < 64; ++i) {
            bytes += encode(make_mixed(i, entry.count)).size();
        }
        EXPECT_LE(static_cast<double>(bytes),
                  64 * entry.bytes_max * static_cast<double>(entry.count));
    }
}

TEST(ChunkCodec, StaleMarkersAndGapsCostLittle) {
    Columns columns = make_columns(ValueShape::kCounter, 480, 5);
    const std::size_t before = encode(columns).size();
    columns.values.back() = model::stale_marker();
    EXPECT_LE(encode(columns).size(), before + 6);
    expect_round_trip(columns);
    for (std::size_t i = 200; i < columns.times.size(); ++i) {
        columns.times[i] += Duration(600'000);
    }
    EXPECT_LE(encode(columns).size(), before + 32);
    expect_round_trip(columns);
}

TEST(ChunkCodec, NoiseIsNeverMuchBiggerThanItself) {
    std::mt19937_64 random(15);
    std::vector<double> values;
    for (int i = 0; i < 480; ++i) {
        values.push_back(from_bits(random()));
    }
    EXPECT_LE(encode(with_values(values)).size(), 480 * 8 + 64U);
}

// Chunks of all forms, small enough to be damaged everywhere.
std::vector<std::string> small_chunks() {
    std::vector<std::string> chunks;
    for (const ValueShape shape : kValueShapes) {
        chunks.push_back(encode(make_columns(shape, 1, 1)));
        chunks.push_back(encode(make_columns(shape, 9, 2, 3)));
        Columns columns = make_columns(shape, 24, 3);
        columns.values[20] = model::stale_marker();
        columns.values[21] = model::stale_marker();
        columns.values[4] = 0.1 + 0.2;
        chunks.push_back(encode(columns));
    }
    return chunks;
}

void expect_data_loss(std::string_view bytes) {
    std::vector<Timestamp> times(3);
    std::vector<double> values(3);
    const auto decoded = decode_chunk(bytes, times, values);
    ASSERT_FALSE(decoded.has_value());
    EXPECT_EQ(decoded.error().code, Code::kDataLoss);
    EXPECT_TRUE(decoded.error().message.starts_with("damaged chunk: ")) << decoded.error().message;
    EXPECT_EQ(times.size(), 3U);
    EXPECT_EQ(values.size(), 3U);
    const auto info = read_chunk_header(bytes);
    ASSERT_FALSE(info.has_value());
    EXPECT_EQ(info.error().code, Code::kDataLoss);
}

TEST(ChunkCodec, NoticesEveryCutAndEveryTail) {
    for (const std::string& chunk : small_chunks()) {
        for (std::size_t size = 0; size < chunk.size(); ++size) {
            SCOPED_TRACE(size);
            expect_data_loss(std::string_view(chunk).substr(0, size));
        }
        expect_data_loss(chunk + '\0');
        expect_data_loss(chunk + chunk);
    }
}

TEST(ChunkCodec, NoticesEveryFlippedBit) {
    for (std::string chunk : small_chunks()) {
        for (std::size_t bit = 0; bit < chunk.size() * 8; ++bit) {
            SCOPED_TRACE(bit);
            const auto flip = static_cast<char>(1U << (bit % 8));
            chunk[bit / 8] = static_cast<char>(chunk[bit / 8] ^ flip);
            expect_data_loss(chunk);
            chunk[bit / 8] = static_cast<char>(chunk[bit / 8] ^ flip);
        }
    }
}

// The bytes with the checksum that fits them.
std::string sealed(std::string_view bytes) {
    std::string out(bytes);
    const std::uint32_t checksum = chunk_checksum(bytes);
    for (std::size_t i = 0; i < kChunkChecksumBytes; ++i) {
        out.push_back(static_cast<char>(checksum >> (8 * i)));
    }
    return out;
}

// Damage that a checksum does not see, as from a defect: an error, or columns as the header says.
void expect_no_harm(const std::string& bytes) {
    Columns read;
    const auto decoded = decode_chunk(bytes, read.times, read.values);
    ASSERT_EQ(read.times.size(), read.values.size());
    if (!decoded) {
        EXPECT_TRUE(read.times.empty());
        return;
    }
    const auto info = read_chunk_header(bytes);
    ASSERT_TRUE(info.has_value());
    ASSERT_EQ(read.times.size(), info->count);
    EXPECT_EQ(read.times.front(), info->first);
    EXPECT_EQ(read.times.back(), info->last);
    EXPECT_TRUE(std::is_sorted(read.times.begin(), read.times.end()));
}

TEST(ChunkCodec, SurvivesDamageBehindAFittingChecksum) {
    std::mt19937_64 random(16);
    for (const std::string& chunk : small_chunks()) {
        const std::string_view whole = std::string_view(chunk).substr(0, chunk.size() - 4);
        for (std::size_t size = 0; size < whole.size(); ++size) {
            expect_no_harm(sealed(whole.substr(0, size)));
        }
        for (std::size_t at = 0; at < whole.size(); ++at) {
            for (const unsigned byte :
                 {0U, 1U, 0x40U, 0x7FU, 0x80U, 0xFFU, static_cast<unsigned>(random() & 0xFF)}) {
                std::string changed(whole);
                changed[at] = static_cast<char>(byte);
                expect_no_harm(sealed(changed));
            }
        }
    }
}

TEST(ChunkCodec, RefusesWhatItDoesNotReadYet) {
    const std::string chunk = encode(make_columns(ValueShape::kCounter, 9, 1));
    struct Case {
        std::string name;
        unsigned first_byte;
        std::string message;
    };
    for (const Case& entry :
         {Case{"a newer version", 2, "chunk of version 2; this program reads version 1"},
          Case{"a bit without a meaning", 0x81,
               "chunk of version 129; this program reads version 1"},
          Case{"integer histograms", 1U + (1U << 3), "chunk of native histograms"},
          Case{"float histograms", 1U + (2U << 3), "chunk of native histograms"},
          Case{"knowledge times", 1U + 0x20U, "chunk with knowledge times"}}) {
        SCOPED_TRACE(entry.name);
        std::string changed = chunk.substr(0, chunk.size() - 4);
        changed[0] = static_cast<char>(entry.first_byte);
        const auto info = read_chunk_header(sealed(changed));
        ASSERT_FALSE(info.has_value());
        EXPECT_EQ(info.error().code, Code::kUnsupported);
        EXPECT_EQ(info.error().message, entry.message);
        Columns read;
        EXPECT_EQ(decode_chunk(sealed(changed), read.times, read.values).error().code,
                  Code::kUnsupported);
    }
}

TEST(ChunkCodec, NamesWhatIsDamagedAndWhere) {
    struct Case {
        std::string bytes;  // Before the checksum.
        std::string message;
    };
    using namespace std::string_literals;
    for (const Case& entry : {
             Case{"\x01\x00"s, "damaged chunk: 0 samples, not 1 to 65536 at byte 2"},
             Case{"\x01\x81\x80\x04"s, "damaged chunk: 65537 samples, not 1 to 65536 at byte 4"},
             Case{"\x01\x02"s, "damaged chunk: it ends early at byte 2"},
             Case{"\x01\x02\x00\x0A\x03"s, "damaged chunk: an unknown form of values at byte 5"},
             Case{"\x41\x02\x00\x0A\x7F"s, "damaged chunk: a part longer than the rest at byte 5"},
         }) {
        SCOPED_TRACE(entry.message);
        Columns read;
        EXPECT_EQ(decode_chunk(sealed(entry.bytes), read.times, read.values).error().message,
                  entry.message);
    }
    Columns read;
    EXPECT_EQ(decode_chunk("abc", read.times, read.values).error().message,
              "damaged chunk: 3 bytes are too few");
}

}  // namespace
}  // namespace kpid::storage
