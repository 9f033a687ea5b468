#include "storage/chunk_times.h"

#include "storage/integer_column.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace kpid::storage {
namespace {

constexpr std::size_t kBlockNumbers = 256;

std::uint64_t distance(Timestamp from, Timestamp to) {
    return static_cast<std::uint64_t>(to.ms()) - static_cast<std::uint64_t>(from.ms());
}

Timestamp later(Timestamp from, std::uint64_t by) {
    return Timestamp(static_cast<std::int64_t>(static_cast<std::uint64_t>(from.ms()) + by));
}

}  // namespace

bool is_regular(std::span<const Timestamp> times) {
    for (std::size_t i = 2; i < times.size(); ++i) {
        if (distance(times[i - 1], times[i]) != distance(times[0], times[1])) {
            return false;
        }
    }
    return true;
}

void append_irregular_times(std::span<const Timestamp> times, std::string& out) {
    std::vector<std::int64_t> numbers(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
        numbers[i] = static_cast<std::int64_t>(distance(times.front(), times[i]));
    }
    IntegerEncoder(numbers, true).append_to(out);
}

Result<void> read_irregular_times(ChunkReader& reader, Timestamp first, Timestamp last,
                                  std::span<Timestamp> times) {
    IntegerDecoder column;
    KPID_CHECK_OK(column.open(reader, times.size()));
    std::array<std::int64_t, kBlockNumbers> buffer;
    std::uint64_t before = 0;
    bool ascending = true;
    for (std::size_t done = 0; done < times.size(); done += kBlockNumbers) {
        const std::size_t size = std::min(kBlockNumbers, times.size() - done);
        const std::span<std::int64_t> numbers = std::span(buffer).first(size);
        column.read(numbers);
        for (std::size_t i = 0; i < size; ++i) {
            const auto offset = static_cast<std::uint64_t>(numbers[i]);
            ascending = ascending && offset >= before;
            before = offset;
            times[done + i] = later(first, offset);
        }
    }
    // Offsets that ascend to the last one cannot wrap.
    if (!column.finished() || !ascending || times.front() != first ||
        before != distance(first, last)) {
        return reader.damaged("times that do not add up");
    }
    return {};
}

void fill_regular_times(Timestamp first, std::uint64_t interval, std::span<Timestamp> times) {
    auto time = static_cast<std::uint64_t>(first.ms());
    for (Timestamp& slot : times) {
        slot = Timestamp(static_cast<std::int64_t>(time));
        time += interval;
    }
}

}  // namespace kpid::storage
