// Grouping by labels.

#include "promql/grouping.h"

#include <boost/unordered/unordered_flat_map.hpp>

namespace kpid::promql {

model::Labels group_labels(const AggregateExpr& aggregate, const NameSet& names,
                           const model::Labels& labels) {
    if (aggregate.without) {
        return without_names(labels, names, true);
    }
    return aggregate.grouping.empty() ? model::Labels() : only_names(labels, names);
}

Grouping::Grouping(const AggregateExpr& aggregate, const std::vector<Row>& rows) {
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> numbers;
    group_of.reserve(rows.size());
    const NameSet names(aggregate.grouping);
    for (const Row& row : rows) {
        model::Labels key = group_labels(aggregate, names, row.labels);
        const auto [place, fresh] = numbers.try_emplace(key, labels.size());
        if (fresh) {
            labels.push_back(std::move(key));
            drop_name.push_back(false);
        }
        group_of.push_back(place->second);
        drop_name[place->second] = drop_name[place->second] || row.drop_name;
    }
}

}  // namespace kpid::promql
