// Chunks that still grow.

#include "storage/open_chunk.h"

#include "kpid/model/sample.h"
#include "support/chunk_shapes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <random>

namespace kpid::storage {
namespace {

using kpid::testing::Columns;
using kpid::testing::kValueShapes;
using kpid::testing::make_columns;
using kpid::testing::ValueShape;

OpenChunk fill(const Columns& columns) {
    OpenChunk chunk;
    for (std::size_t i = 0; i < columns.times.size(); ++i) {
        EXPECT_TRUE(chunk.append(columns.times[i], columns.values[i]));
    }
    return chunk;
}

void expect_holds(const OpenChunk& chunk, const Columns& columns) {
    Columns read;
    chunk.decode(read.times, read.values);
    EXPECT_EQ(read.times, columns.times);
    ASSERT_EQ(read.values.size(), columns.values.size());
    for (std::size_t i = 0; i < columns.values.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(read.values[i]),
                  std::bit_cast<std::uint64_t>(columns.values[i]))
            << i;
    }
    const std::size_t middle = columns.times.size() / 2;
    Columns tail;
    chunk.decode(tail.times, tail.values, columns.times[middle]);
    const std::size_t first = static_cast<std::size_t>(
        std::lower_bound(columns.times.begin(), columns.times.end(), columns.times[middle]) -
        columns.times.begin());
    EXPECT_EQ(tail.times,
              std::vector<Timestamp>(columns.times.begin() + static_cast<std::ptrdiff_t>(first),
                                     columns.times.end()));
    EXPECT_EQ(tail.values.size(), tail.times.size());
    ASSERT_EQ(chunk.count(), columns.times.size());
    EXPECT_EQ(chunk.first_time(), columns.times.front());
    EXPECT_EQ(chunk.last_time(), columns.times.back());
    EXPECT_EQ(std::bit_cast<std::uint64_t>(chunk.last_value()),
              std::bit_cast<std::uint64_t>(columns.values.back()));
    EXPECT_GE(chunk.capacity_bytes(), chunk.size_bytes());
}

TEST(OpenChunk, IsEmptyAtFirst) {
    const OpenChunk chunk;
    EXPECT_TRUE(chunk.empty());
    EXPECT_EQ(chunk.capacity_bytes(), 0U);
    Columns read;
    chunk.decode(read.times, read.values);
    EXPECT_TRUE(read.times.empty());
}

TEST(OpenChunk, GivesBackEveryShape) {
    for (const ValueShape shape : kValueShapes) {
        for (const std::size_t count : {1U, 2U, 3U, 8U, 120U, 500U}) {
            for (const std::int64_t jitter : {0, 3}) {
                SCOPED_TRACE(to_string(shape) + " " + std::to_string(count));
                const Columns columns = make_columns(shape, count, count, jitter);
                expect_holds(fill(columns), columns);
            }
        }
    }
}

TEST(OpenChunk, IsReadableAfterEachAppend) {
    const Columns columns = make_columns(ValueShape::kOneDecimal, 60, 4, 2);
    OpenChunk chunk;
    Columns so_far;
    for (std::size_t i = 0; i < columns.times.size(); ++i) {
        ASSERT_TRUE(chunk.append(columns.times[i], columns.values[i]));
        so_far.times.push_back(columns.times[i]);
        so_far.values.push_back(columns.values[i]);
        expect_holds(chunk, so_far);
    }
}

TEST(OpenChunk, GivesBackAnyBitsAndAnyTimes) {
    std::mt19937_64 random(21);
    const double odd[] = {model::stale_marker(),
                          -0.0,
                          0.0,
                          0.3,
                          0.1 + 0.2,
                          std::numeric_limits<double>::infinity(),
                          -std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN(),
                          std::numeric_limits<double>::max(),
                          std::numeric_limits<double>::denorm_min(),
                          4503599627370496.0,
                          9007199254740993.0,
                          1e-7,
                          12.5};
    for (int round = 0; round < 300; ++round) {
        SCOPED_TRACE(round);
        Columns columns;
        std::int64_t time = static_cast<std::int64_t>(random());
        const unsigned width = static_cast<unsigned>(random() % 60);
        for (std::size_t i = random() % 200 + 1; i > 0; --i) {
            const auto step =
                static_cast<std::int64_t>(random() % 3 == 0 ? 0 : random() >> width >> 4);
            const bool fits = time <= std::numeric_limits<std::int64_t>::max() - step;
            time += fits ? step : 0;
            columns.times.emplace_back(time);
            const std::uint64_t choice = random() % 4;
            columns.values.push_back(choice == 0   ? std::bit_cast<double>(random())
                                     : choice == 1 ? static_cast<double>(random() % 4000) / 100
                                                   : odd[random() % std::size(odd)]);
        }
        expect_holds(fill(columns), columns);
    }
    const Columns all_of_time{{Timestamp::min(), Timestamp::min(), Timestamp(0), Timestamp::max()},
                              {1, 2, 3, 4}};
    expect_holds(fill(all_of_time), all_of_time);
}

TEST(OpenChunk, RefusesWhatIsBeforeItsLast) {
    OpenChunk chunk;
    EXPECT_TRUE(chunk.append(Timestamp(2'000), 1));
    EXPECT_FALSE(chunk.append(Timestamp(1'999), 2));
    EXPECT_TRUE(chunk.append(Timestamp(2'000), 2));
    EXPECT_TRUE(chunk.append(Timestamp(2'000), 2));
    expect_holds(chunk, {{Timestamp(2'000), Timestamp(2'000), Timestamp(2'000)}, {1, 2, 2}});
}

TEST(OpenChunk, IsFullAtItsLimit) {
    const Columns columns = make_columns(ValueShape::kNoise, kOpenChunkSamplesMax, 1, 7'000);
    OpenChunk chunk = fill(columns);
    EXPECT_FALSE(chunk.append(columns.times.back() + Duration(1), 1));
    expect_holds(chunk, columns);
}

TEST(OpenChunk, IsSmallForEightSamples) {
    EXPECT_LE(sizeof(OpenChunk), 40U);
    for (const ValueShape shape :
         {ValueShape::kConstant, ValueShape::kCounter, ValueShape::kIdleCounter,
          ValueShape::kOneDecimal, ValueShape::kTenthsPlusWhole, ValueShape::kIntegerGauge}) {
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            SCOPED_TRACE(to_string(shape));
            EXPECT_LE(fill(make_columns(shape, 8, seed)).capacity_bytes(), 56U);
        }
    }
    EXPECT_LE(fill(make_columns(ValueShape::kCounter, 8, 1)).capacity_bytes(), 40U);
}

TEST(OpenChunk, TakesAByteASampleAtASteadyPace) {
    for (const ValueShape shape : {ValueShape::kConstant, ValueShape::kCounter,
                                   ValueShape::kOneDecimal, ValueShape::kTenthsPlusWhole}) {
        SCOPED_TRACE(to_string(shape));
        EXPECT_LE(fill(make_columns(shape, 480, 2)).size_bytes(), 480U + 48U);
    }
    EXPECT_LE(fill(make_columns(ValueShape::kNoise, 480, 2)).size_bytes(), 480U * 10);
}

TEST(OpenChunk, ShrinksToItsSamples) {
    const Columns columns = make_columns(ValueShape::kCounter, 100, 2);
    OpenChunk chunk = fill(columns);
    chunk.shrink();
    EXPECT_EQ(chunk.capacity_bytes(), chunk.size_bytes());
    expect_holds(chunk, columns);
    EXPECT_TRUE(chunk.append(columns.times.back() + Duration(15'000), 1));
    EXPECT_EQ(chunk.count(), 101U);
}

TEST(OpenChunk, MovesAndLeavesAnEmptyOne) {
    const Columns columns = make_columns(ValueShape::kCounter, 30, 2);
    OpenChunk chunk = fill(columns);
    OpenChunk moved(std::move(chunk));
    expect_holds(moved, columns);
    chunk = OpenChunk();
    EXPECT_TRUE(chunk.append(Timestamp(1), 1));
    chunk = std::move(moved);
    expect_holds(chunk, columns);
}

}  // namespace
}  // namespace kpid::storage
