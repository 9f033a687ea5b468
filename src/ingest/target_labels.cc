// Joins label sets by Prometheus' rules for clashes.
#include "ingest/target_labels.h"

#include <algorithm>
#include <string>
#include <vector>

namespace kpid::ingest {
namespace {

constexpr std::string_view kExportedPrefix = "exported_";

}  // namespace

model::Labels join_labels(const model::Labels& sample, const model::Labels& source,
                          LabelClash clash) {
    model::LabelsBuilder joined(sample);
    std::vector<model::Label> moved;
    for (const model::Label& label : source) {
        const std::string_view own = sample.get(label.name);
        if (own.empty()) {
            joined.set(label.name, label.value);
        } else if (clash == LabelClash::kSourceWins) {
            moved.push_back({label.name, std::string(own)});
            joined.set(label.name, label.value);
        }
    }
    // Shorter names first, so that the outcome does not depend on the order of the labels.
    std::stable_sort(moved.begin(), moved.end(),
                     [](const auto& a, const auto& b) { return a.name.size() < b.name.size(); });
    for (const model::Label& label : moved) {
        std::string name = label.name;
        do {
            name.insert(0, kExportedPrefix);
        } while (!joined.get(name).empty());
        joined.set(name, label.value);
    }
    return joined.build();
}

model::Labels named(std::string_view metric, const model::Labels& labels) {
    return labels.with(model::kMetricName, metric);
}

}  // namespace kpid::ingest
