#pragma once
// How long tests that go on from seed to seed do so.

#include <cstdint>
#include <cstdlib>
#include <string>

namespace kpid::testing {

/// `full` when KPID_TEST_FULL is set (./dev test --full), else `usual`.
inline std::uint64_t effort(std::uint64_t usual, std::uint64_t full) {
    return std::getenv("KPID_TEST_FULL") != nullptr ? full : usual;
}

/// KPID_TEST_SEED, to repeat a failure or to try others, else 1.
inline std::uint64_t first_seed() {
    const char* text = std::getenv("KPID_TEST_SEED");
    return text == nullptr ? 1 : std::stoull(text);
}

}  // namespace kpid::testing
