// Writes KPIs as metric families.
#include "evaluate/kpi_families.h"

#include <algorithm>
#include <string_view>

namespace kpid::evaluate {
namespace {

constexpr std::string_view kClashPrefix = "exported_";

bool is_own_label(std::string_view name) {
    return name == "kpi" || name == "level" || name == "status";
}

// The instance's labels beside `kpi`; a clash with kpid's own names gets the prefix exported_, as
// often as it takes to be unique.
model::LabelsBuilder instance_labels(const std::string& kpi, const model::Labels& instance) {
    model::LabelsBuilder labels;
    for (const model::Label& label : instance) {
        std::string name = label.name;
        if (is_own_label(name)) {
            do {
                name.insert(0, kClashPrefix);
            } while (instance.has(name));
        }
        labels.set(name, label.value);
    }
    labels.set("kpi", kpi);
    return labels;
}

class Families {
public:
    void add(std::string_view family, const model::Labels& labels, double value) {
        for (wire::MetricFamily& candidate : families_) {
            if (candidate.name == family) {
                candidate.samples.push_back({.labels = labels, .value = value});
            }
        }
    }

    void add_instance(const std::string& kpi, const kpi::InstanceReport& instance) {
        const model::LabelsBuilder base = instance_labels(kpi, instance.labels);
        const model::Labels labels = base.build();
        if (instance.value) {
            add("kpid_kpi_value", labels, *instance.value);
        }
        // A band has two edges; its target as one number is the lower.
        if (instance.target) {
            add("kpid_kpi_target", labels, instance.target->a);
        }
        add_threshold(base, "warning", instance.warning);
        add_threshold(base, "critical", instance.critical);
        add_status(base, instance.status);
        if (instance.last_sample) {
            add("kpid_kpi_last_sample_timestamp_seconds", labels, instance.last_sample->seconds());
        }
    }

    void add_status(const model::LabelsBuilder& base, kpi::Status holds) {
        for (const kpi::Status status : kpi::kStatuses) {
            model::LabelsBuilder labels = base;
            add("kpid_kpi_status", labels.set("status", kpi::to_string(status)).build(),
                status == holds ? 1 : 0);
        }
    }

    [[nodiscard]] std::vector<wire::MetricFamily> take() && {
        std::erase_if(families_, [](const wire::MetricFamily& f) { return f.samples.empty(); });
        return std::move(families_);
    }

private:
    void add_threshold(const model::LabelsBuilder& base, std::string_view level,
                       const std::optional<kpi::ResolvedCondition>& condition) {
        if (condition) {
            model::LabelsBuilder labels = base;
            add("kpid_kpi_threshold", labels.set("level", level).build(), condition->a);
        }
    }

    static wire::MetricFamily gauge(const char* name, const char* help) {
        return {.name = name, .help = help, .type = model::MetricType::kGauge};
    }

    std::vector<wire::MetricFamily> families_{
        gauge("kpid_kpi_value", "The KPI's current value in base units."),
        gauge("kpid_kpi_target", "The bound of the target in force."),
        gauge("kpid_kpi_threshold", "The bound of a level in force."),
        gauge("kpid_kpi_status", "1 for the status that holds, 0 for the others."),
        gauge("kpid_kpi_last_sample_timestamp_seconds", "The newest sample behind the value."),
        gauge("kpid_kpi_instances_hidden", "Instances not shown here, or beyond the KPI's limit."),
        gauge("kpid_kpi_info", "What is said about the KPI; always 1."),
        gauge("kpid_goal_info", "What is said about the goal; always 1."),
    };
};

std::vector<const kpi::InstanceReport*> worst_instances(const kpi::Report& report,
                                                        std::size_t instances_max) {
    std::vector<const kpi::InstanceReport*> instances;
    instances.reserve(report.instances.size());
    for (const kpi::InstanceReport& instance : report.instances) {
        instances.push_back(&instance);
    }
    if (instances.size() > instances_max) {
        std::stable_sort(instances.begin(), instances.end(), [](const auto* a, const auto* b) {
            return kpi::badness(a->status) > kpi::badness(b->status);
        });
        instances.resize(instances_max);
    }
    return instances;
}

model::Labels info_labels(const kpi::Definition& definition) {
    return {{"kpi", definition.id},
            {"title", definition.title},
            {"owner", definition.owner},
            {"goal", definition.goal},
            {"category", definition.category},
            {"unit", definition.unit.short_name()},
            {"better", kpi::to_string(definition.better)}};
}

}  // namespace

model::Labels instance_of_series(const model::Labels& series) {
    model::LabelsBuilder labels;
    for (const model::Label& label : series) {
        std::string_view name = label.name;
        while (name.starts_with(kClashPrefix)) {
            name.remove_prefix(kClashPrefix.size());
        }
        const bool was_moved = name.size() < label.name.size() && is_own_label(name);
        if (label.name != model::kMetricName && !is_own_label(label.name)) {
            labels.set(was_moved ? name : std::string_view(label.name), label.value);
        }
    }
    return labels.build();
}

std::vector<wire::MetricFamily> kpi_families(const std::vector<KpiView>& kpis,
                                             std::size_t instances_max) {
    Families families;
    for (const KpiView& kpi : kpis) {
        const std::string& id = kpi.entry->definition.id;
        const auto instances = worst_instances(kpi.report, instances_max);
        for (const kpi::InstanceReport* instance : instances) {
            families.add_instance(id, *instance);
        }
        if (instances.empty()) {
            families.add_status(instance_labels(id, {}), kpi.report.status);
        }
        const std::size_t hidden =
            kpi.report.hidden + kpi.report.instances.size() - instances.size();
        families.add("kpid_kpi_instances_hidden", {{"kpi", id}}, static_cast<double>(hidden));
        families.add("kpid_kpi_info", info_labels(kpi.entry->definition), 1);
    }
    if (!kpis.empty()) {
        for (const auto& [id, goal] : kpis.front().config->goals) {
            families.add(
                "kpid_goal_info",
                {{"goal", id}, {"title", goal.title}, {"owner", goal.owner}, {"type", goal.type}},
                1);
        }
    }
    return std::move(families).take();
}

}  // namespace kpid::evaluate
