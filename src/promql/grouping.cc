// Grouping by labels.

#include "promql/grouping.h"

#include <boost/unordered/unordered_flat_map.hpp>

namespace kpid::promql {

Grouping::Grouping(const AggregateExpr& aggregate, const std::vector<Row>& rows) {
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> numbers;
    group_of.reserve(rows.size());
    const NameSet names(aggregate.grouping);
    for (const Row& row : rows) {
        model::Labels key = aggregate.without ? without_names(row.labels, names, true)
                                              : only_names(row.labels, names);
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
