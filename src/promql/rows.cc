// Rows: merging by labels, and the label arithmetic that operators share.

#include "promql/rows.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <algorithm>

namespace kpid::promql {

Error too_many_samples() {
    return Error{Code::kUnprocessable,
                 "query processing would load too many samples into memory in query execution"};
}

Error same_labelset() {
    return Error{Code::kUnprocessable, "vector cannot contain metrics with the same labelset"};
}

bool Row::any() const {
    return std::any_of(values.begin(), values.end(), [](double v) { return !is_absent(v); });
}

Result<void> merge_row(Row& into, const Row& from) {
    into.drop_name = into.drop_name || from.drop_name;
    if (from.values.empty()) {
        return {};
    }
    if (into.values.empty()) {
        into.first = from.first;
        into.values = from.values;
        return {};
    }
    const std::size_t first = std::min(into.first, from.first);
    const std::size_t end =
        std::max(into.first + into.values.size(), from.first + from.values.size());
    std::vector<double> merged(end - first, absent());
    std::copy(into.values.begin(), into.values.end(),
              merged.begin() + static_cast<std::ptrdiff_t>(into.first - first));
    for (std::size_t i = 0; i < from.values.size(); ++i) {
        double& place = merged[from.first - first + i];
        if (is_absent(from.values[i])) {
            continue;
        }
        if (!is_absent(place)) {
            return same_labelset();
        }
        place = from.values[i];
    }
    into.first = first;
    into.values = std::move(merged);
    return {};
}

Result<void> merge_same_labels(std::vector<Row>& rows) {
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> place_of;
    place_of.reserve(rows.size());
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto [found, fresh] = place_of.try_emplace(rows[i].labels, kept);
        if (!fresh) {
            KPID_CHECK_OK(merge_row(rows[found->second], rows[i]));
            continue;
        }
        if (kept != i) {
            rows[kept] = std::move(rows[i]);
        }
        ++kept;
    }
    rows.resize(kept);
    return {};
}

bool is_metadata_label(std::string_view name) {
    return name == model::kMetricName || name == "__type__" || name == "__unit__";
}

namespace {

template <class Keep>
model::Labels filtered(const model::Labels& labels, const Keep& keep) {
    if (std::all_of(labels.begin(), labels.end(), keep)) {
        return labels;
    }
    std::vector<model::Label> kept;
    kept.reserve(labels.size());
    std::copy_if(labels.begin(), labels.end(), std::back_inserter(kept), keep);
    return model::Labels::from(std::move(kept));
}

}  // namespace

NameSet::NameSet(const std::vector<std::string>& names) : names_(names.begin(), names.end()) {
    std::sort(names_.begin(), names_.end());
}

model::Labels without_metadata(const model::Labels& labels) {
    return filtered(labels,
                    [](const model::Label& label) { return !is_metadata_label(label.name); });
}

model::Labels without_names(const model::Labels& labels, const NameSet& names, bool name_too) {
    return filtered(labels, [&](const model::Label& label) {
        return !(name_too && label.name == model::kMetricName) && !names.contains(label.name);
    });
}

model::Labels only_names(const model::Labels& labels, const NameSet& names) {
    return filtered(labels, [&](const model::Label& label) { return names.contains(label.name); });
}

std::string brace_string(const model::Labels& labels) {
    std::string text = "{";
    for (const model::Label& label : labels) {
        if (text.size() > 1) {
            text += ", ";
        }
        text += model::is_classic_label_name(label.name) ? label.name
                                                         : model::quote_label_value(label.name);
        text += "=";
        text += model::quote_label_value(label.value);
    }
    return text + "}";
}

}  // namespace kpid::promql
