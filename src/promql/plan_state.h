#pragma once
// What the evaluations of one plan leave behind for the next one.

#include "kpid/model/kept_selection.h"
#include "kpid/promql/plan.h"
#include "promql/rows.h"
#include "promql/shared_parts.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace kpid::promql {

/// What is known of the places of a kept selection, until they mean other series.
class PlaceNumbers {
public:
    static constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();

    /// Forgets everything when the generation is another one. True when it did.
    bool start(std::uint64_t generation) {
        if (generation == generation_) {
            return false;
        }
        generation_ = generation;
        numbers_.clear();
        return true;
    }
    [[nodiscard]] std::uint32_t at(std::size_t place) const {
        return place < numbers_.size() ? numbers_[place] : kUnknown;
    }
    void set(std::size_t place, std::uint32_t number) {
        if (place >= numbers_.size()) {
            numbers_.resize(place + 1, kUnknown);
        }
        numbers_[place] = number;
    }

private:
    std::uint64_t generation_ = 0;  // Generations begin at 1.
    std::vector<std::uint32_t> numbers_;
};

/// The groups of an aggregation over a streamed selection.
struct KeptGroups {
    PlaceNumbers group_of;
    std::vector<model::Labels> labels;  ///< By group.
    std::vector<bool> drop_name;        ///< By group, as Row::drop_name.
    boost::unordered_flat_map<model::Labels, std::uint32_t, model::LabelsHash> numbers;
};

/// Whether the series of a streamed call stay different without their names.
struct KeptUniqueness {
    PlaceNumbers is_seen;
    boost::unordered_flat_set<std::uint64_t> hashes;
    bool is_unique = true;
};

struct Plan::State {
    /// Evaluator::invariant_ of the expression.
    boost::unordered_flat_set<const Expr*> invariant;
    SharedParts shared;
    boost::unordered_flat_map<const VectorSelector*, std::unique_ptr<model::KeptSelection>> kept;
    boost::unordered_flat_map<const AggregateExpr*, std::unique_ptr<KeptGroups>> groups;
    boost::unordered_flat_map<const Call*, std::unique_ptr<KeptUniqueness>> uniqueness;
};

}  // namespace kpid::promql
