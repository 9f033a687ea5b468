#pragma once
// What must hold for the engine whatever it is asked.

#include "kpid/promql/engine.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace kpid::testing {

/// start, start + step, … gaps times.
struct RandomQuery {
    Timestamp start;
    Duration step{0};
    std::int64_t gaps = 0;
};

/// Asks a range query, and an instant query at each of its steps: errors are of the kinds that
/// queries may have, label sets are unique, and where the expression does not look at the query
/// itself, both say the same. Empty when all holds, else what does not.
[[nodiscard]] std::string disagreement(const promql::Engine& engine, const promql::Expr& expr,
                                       std::string_view text, const RandomQuery& query,
                                       const model::Reader& reader);

}  // namespace kpid::testing
