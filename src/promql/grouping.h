#pragma once
// The groups of an aggregation, made once for all steps.

#include "kpid/promql/ast.h"
#include "promql/rows.h"

#include <cstddef>
#include <vector>

namespace kpid::promql {

/// The labels of the group that a row with these belongs to; `names` are the aggregation's.
[[nodiscard]] model::Labels group_labels(const AggregateExpr& aggregate, const NameSet& names,
                                         const model::Labels& labels);

/// Which group each row belongs to, and what each group is called.
struct Grouping {
    Grouping(const AggregateExpr& aggregate, const std::vector<Row>& rows);

    std::vector<std::size_t> group_of;  ///< By row.
    std::vector<model::Labels> labels;  ///< By group, in order of the first row.
    std::vector<bool> drop_name;        ///< By group: a row's name is to go.

    [[nodiscard]] std::size_t count() const { return labels.size(); }
    /// A row for the answer of a group.
    [[nodiscard]] Row empty_row(std::size_t group) const {
        Row row;
        row.labels = labels[group];
        row.drop_name = drop_name[group];
        return row;
    }
};

}  // namespace kpid::promql
