// KPIs and goals as JSON.
#include "http/kpi_api.h"

#include "http/api_json.h"
#include "http/params.h"
#include "kpid/base/json_writer.h"
#include "kpid/kpi/condition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kpid::http {
namespace {

std::string_view status_text(const std::optional<kpi::Status>& status) {
    return status ? kpi::to_string(*status) : std::string_view();
}

void write_instance(JsonWriter& json, const kpi::InstanceReport& instance,
                    const std::optional<kpi::Status>& status) {
    json.begin_object().key("labels");
    write_labels(json, instance.labels);
    json.key("value");
    write_number_or_null(json, instance.value);
    json.key("target");
    write_condition(json, instance.target);
    json.key("status").string_or_null(status_text(status));
    json.key("since");
    write_time_or_null(json, instance.since);
    json.end_object();
}

double shortfall(double value, const kpi::ResolvedCondition& target) {
    const auto relative = [](double distance, double bound) {
        return distance / (bound == 0 ? 1 : std::abs(bound));
    };
    switch (target.op) {
        case kpi::Operator::kAtLeast:
        case kpi::Operator::kAbove:
            return relative(target.a - value, target.a);
        case kpi::Operator::kAtMost:
        case kpi::Operator::kBelow:
            return relative(value - target.a, target.a);
        case kpi::Operator::kBetween:
            return std::max(relative(target.a - value, target.a),
                            relative(value - target.b, target.b));
        case kpi::Operator::kOutside:
            return std::min(relative(value - target.a, target.a),
                            relative(target.b - value, target.b));
    }
    return 0;
}

}  // namespace

void write_number_or_null(JsonWriter& json, const std::optional<double>& value) {
    if (value) {
        json.number(*value);
    } else {
        json.null();
    }
}

void write_condition(JsonWriter& json, const std::optional<kpi::ResolvedCondition>& condition) {
    json.raw(condition ? kpi::describe_json(*condition) : "null");
}

ShownKpi shown_now(evaluate::KpiView view) {
    ShownKpi shown{.status = view.report.status};
    for (const kpi::InstanceReport& instance : view.report.instances) {
        shown.statuses.emplace_back(instance.status);
    }
    shown.view = std::move(view);
    return shown;
}

void write_kpi(JsonWriter& json, const ShownKpi& shown) {
    const evaluate::KpiView& kpi = shown.view;
    const kpi::Definition& definition = kpi.entry->definition;
    const kpi::InstanceReport* only =
        kpi.report.instances.size() == 1 ? &kpi.report.instances.front() : nullptr;
    json.begin_object().key("id").string(definition.id).key("title").string(definition.title);
    json.key("owner").string_or_null(definition.owner);
    json.key("goal").string_or_null(definition.goal);
    json.key("category").string_or_null(definition.category);
    json.key("unit").string(definition.unit.short_name());
    json.key("better").string(kpi::to_string(definition.better));
    json.key("value");
    write_number_or_null(json, only != nullptr ? only->value : std::nullopt);
    json.key("target");
    write_condition(json, target_of(kpi));
    json.key("status").string_or_null(status_text(shown.status));
    json.key("since");
    write_time_or_null(json, kpi.report.since);
    json.key("instances").begin_array();
    for (std::size_t i = 0; i < kpi.report.instances.size(); ++i) {
        write_instance(json, kpi.report.instances[i], shown.statuses.at(i));
    }
    json.end_array().end_object();
}

double gap_of(const evaluate::KpiView& kpi) {
    double gap = -std::numeric_limits<double>::infinity();
    for (const kpi::InstanceReport& instance : kpi.report.instances) {
        if (instance.value && instance.target) {
            gap = std::max(gap, shortfall(*instance.value, *instance.target));
        }
    }
    return gap;
}

std::optional<kpi::ResolvedCondition> target_of(const evaluate::KpiView& kpi) {
    if (kpi.report.instances.size() == 1) {
        return kpi.report.instances.front().target;
    }
    const std::optional<kpi::Condition>& own = kpi.entry->definition.target;
    return own && own->is_numeric() ? kpi::resolve(*own, {}) : std::nullopt;
}

Result<net::HttpResponse> list_response(std::vector<ShownKpi> kpis, const net::HttpParams& params) {
    KPID_TRY(const std::size_t limit, limit_param(params));
    const std::string_view status = params.get_or("status", "");
    if (!status.empty() && !kpi::parse_status(status)) {
        return bad_parameter("status", fmt::format("unknown status \"{}\"", status));
    }
    const std::string_view sort = params.get_or("sort", "");
    if (!sort.empty() && sort != "gap") {
        return bad_parameter("sort", fmt::format("unknown order \"{}\": gap", sort));
    }
    if (!status.empty()) {
        std::erase_if(kpis, [&](const ShownKpi& kpi) { return status_text(kpi.status) != status; });
    }
    if (sort == "gap") {
        std::stable_sort(kpis.begin(), kpis.end(), [](const ShownKpi& a, const ShownKpi& b) {
            return gap_of(a.view) > gap_of(b.view);
        });
    }
    if (limit != 0 && kpis.size() > limit) {
        kpis.erase(kpis.begin() + static_cast<std::ptrdiff_t>(limit), kpis.end());
    }
    JsonWriter json;
    json.begin_array();
    for (const ShownKpi& kpi : kpis) {
        write_kpi(json, kpi);
    }
    json.end_array();
    return success(std::move(json).take());
}

Result<net::HttpResponse> kpis_response(const evaluate::Evaluator& evaluator,
                                        const net::HttpParams& params) {
    std::vector<ShownKpi> kpis;
    for (evaluate::KpiView& view : evaluator.kpis()) {
        kpis.push_back(shown_now(std::move(view)));
    }
    return list_response(std::move(kpis), params);
}

Result<net::HttpResponse> kpi_response(const evaluate::Evaluator& evaluator,
                                       const std::string& id) {
    std::optional<evaluate::KpiView> kpi = evaluator.kpi(id);
    if (!kpi) {
        return no_such_kpi(id);
    }
    JsonWriter json;
    write_kpi(json, shown_now(*std::move(kpi)));
    return success(std::move(json).take());
}

Error no_such_kpi(std::string_view id) {
    return not_found(fmt::format("no KPI has the id \"{}\"", id));
}

net::HttpResponse goals_response(const evaluate::Evaluator& evaluator) {
    const std::vector<evaluate::KpiView> kpis = evaluator.kpis();
    const evaluate::Snapshot snapshot = evaluator.snapshot();
    JsonWriter json;
    json.begin_array();
    for (const auto& [id, goal] : snapshot.config->goals) {
        std::vector<std::string> ids;
        std::optional<kpi::Status> worst;
        for (const evaluate::KpiView& kpi : kpis) {
            if (kpi.entry->definition.goal == id) {
                ids.push_back(kpi.entry->definition.id);
                worst = worst ? kpi::worse(*worst, kpi.report.status) : kpi.report.status;
            }
        }
        json.begin_object().key("id").string(id).key("title").string(goal.title);
        json.key("owner").string_or_null(goal.owner).key("type").string_or_null(goal.type);
        json.key("parent").string_or_null(goal.parent);
        // Health rolls up from objectives, which a goal does not have without their domain.
        json.key("health").null();
        json.key("status").string_or_null(worst ? kpi::to_string(*worst) : "");
        json.key("objectives").begin_array().end_array().key("kpis");
        write_strings(json, ids);
        json.end_object();
    }
    json.end_array();
    return success(std::move(json).take());
}

}  // namespace kpid::http
