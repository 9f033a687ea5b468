#pragma once
// What became of a push.

#include <cstddef>
#include <string>
#include <vector>

namespace kpid::ingest {

/// `accepted` counts samples that are stored, and those with a reserved name, which are dropped and
/// counted but never the sender's error.
struct PushOutcome {
    struct Refusal {
        std::size_t index = 0;  ///< Of the item in the request.
        std::string error;
        bool operator==(const Refusal&) const = default;
    };
    std::size_t accepted = 0;
    std::vector<Refusal> rejected;
    bool operator==(const PushOutcome&) const = default;
};

}  // namespace kpid::ingest
