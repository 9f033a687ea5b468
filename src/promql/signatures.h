#pragma once
// The signatures by which rows of two vectors find each other, as small numbers.

#include "kpid/promql/ast.h"
#include "promql/rows.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstddef>
#include <vector>

namespace kpid::promql {

/// Numbers the different signatures that it meets: 0, 1, …
class Signatures {
public:
    explicit Signatures(const VectorMatching& matching)
        : matching_(matching), names_(matching.labels) {}

    /// The labels of the match group a row belongs to.
    [[nodiscard]] model::Labels labels_of(const model::Labels& labels) const {
        return matching_.on ? only_names(labels, names_) : without_names(labels, names_, true);
    }
    /// The number of each row's signature.
    [[nodiscard]] std::vector<std::size_t> number(const std::vector<Row>& rows) {
        std::vector<std::size_t> numbers;
        numbers.reserve(rows.size());
        for (const Row& row : rows) {
            numbers.push_back(
                numbers_.try_emplace(labels_of(row.labels), numbers_.size()).first->second);
        }
        return numbers;
    }
    [[nodiscard]] std::size_t count() const { return numbers_.size(); }
    /// Those of on(…) or ignoring(…).
    [[nodiscard]] const NameSet& names() const { return names_; }

private:
    const VectorMatching& matching_;
    NameSet names_;
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> numbers_;
};

}  // namespace kpid::promql
