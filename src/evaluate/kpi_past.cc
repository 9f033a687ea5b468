// Range queries of a KPI's value, bounds and records, put side by side.
#include "evaluate/kpi_past.h"

#include "evaluate/kpi_families.h"
#include "evaluate/value_input.h"
#include "kpid/kpi/levels.h"
#include "kpid/promql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace kpid::evaluate {
namespace {

// One entry for each step.
template <class T>
using Column = std::vector<std::optional<T>>;

struct Columns {
    Column<double> values;
    Column<double> targets;
    Column<kpi::Status> statuses;
};

// Unsigned, since the ends of time lie further apart than a Duration can say.
std::size_t gaps_between(Timestamp start, Timestamp end, Duration step) {
    const auto span = static_cast<std::uint64_t>(end.ms()) - static_cast<std::uint64_t>(start.ms());
    return static_cast<std::size_t>(span / static_cast<std::uint64_t>(step.count()));
}

class Past {
public:
    Past(const model::Reader& reader, const Snapshot& snapshot, const config::KpiEntry& entry,
         const PastQuery& query)
        : reader_(reader),
          snapshot_(snapshot),
          entry_(entry),
          query_(query),
          step_(std::max(query.step, Duration(1))),
          count_(gaps_between(query.start, query.end, step_) + 1) {}

    Result<std::vector<PastInstance>> run() {
        KPID_CHECK_OK(read_values());
        KPID_CHECK_OK(read_statuses());
        KPID_CHECK_OK(read_targets());
        KPID_CHECK_OK(read_bounds());
        std::vector<PastInstance> instances;
        for (const auto& [labels, columns] : instances_) {
            instances.push_back(instance_of(labels, columns));
        }
        std::erase_if(instances, [](const PastInstance& each) { return each.points.empty(); });
        return instances;
    }

private:
    Result<promql::Matrix> ask(const promql::Expr& expr, std::optional<Duration> lookback = {}) {
        const promql::QueryContext context{
            .stop = query_.stop, .lookback = lookback, .known_at = query_.known_at};
        KPID_TRY(promql::QueryResult result,
                 snapshot_.engine->range(expr, query_.start, query_.end, step_, reader_, context));
        return std::get<promql::Matrix>(std::move(result.value));
    }

    // Of what kpid records itself every scrape_interval.
    Result<promql::Matrix> ask_records(const char* pattern) {
        KPID_TRY(const promql::ExprPtr expr,
                 promql::parse_expr(fmt::format(fmt::runtime(pattern), entry_.definition.id)));
        return ask(*expr, std::max(kValidForDefault, 2 * snapshot_.config->global.scrape_interval));
    }

    [[nodiscard]] std::size_t step_of(Timestamp time) const {
        return static_cast<std::size_t>((time - query_.start) / step_);
    }
    Columns& columns_of(const model::Labels& labels) {
        Columns& columns = instances_[labels];
        columns.values.resize(count_);
        columns.targets.resize(count_);
        columns.statuses.resize(count_);
        return columns;
    }

    Result<void> read_values() {
        KPID_TRY(const promql::Matrix matrix, ask(*entry_.value));
        for (const promql::MatrixSeries& series : matrix) {
            const model::Labels labels = series.labels.without(model::kMetricName);
            if (instances_.contains(labels)) {
                return Error{Code::kUnprocessable,
                             fmt::format("several series of the answer differ only in their metric "
                                         "name: {}; aggregate them",
                                         labels.to_string())};
            }
            Columns& columns = columns_of(labels);
            for (const promql::Point& point : series.points) {
                if (!std::isnan(point.value)) {
                    columns.values[step_of(point.time)] = point.value;
                }
            }
        }
        return {};
    }

    Result<void> read_statuses() {
        KPID_TRY(const promql::Matrix matrix, ask_records("kpid_kpi_status{{kpi=\"{}\"}} == 1"));
        for (const promql::MatrixSeries& series : matrix) {
            const auto status = kpi::parse_status(series.labels.get("status"));
            if (!status) {
                continue;
            }
            Columns& columns = columns_of(instance_of_series(series.labels));
            for (const promql::Point& point : series.points) {
                columns.statuses[step_of(point.time)] = *status;
            }
        }
        return {};
    }

    Result<void> read_targets() {
        KPID_TRY(const promql::Matrix matrix, ask_records("kpid_kpi_target{{kpi=\"{}\"}}"));
        for (const promql::MatrixSeries& series : matrix) {
            const auto found = instances_.find(instance_of_series(series.labels));
            if (found == instances_.end()) {
                continue;
            }
            for (const promql::Point& point : series.points) {
                found->second.targets[step_of(point.time)] = point.value;
            }
        }
        return {};
    }

    Result<void> read_bounds() {
        for (const config::BoundExpr& bound : entry_.bounds) {
            KPID_TRY(const promql::Matrix matrix, ask(*bound.expr));
            std::vector<promql::Vector> by_step(count_);
            for (const promql::MatrixSeries& series : matrix) {
                for (const promql::Point& point : series.points) {
                    by_step[step_of(point.time)].push_back(
                        {series.labels, point.time, point.value});
                }
            }
            bounds_.push_back(std::move(by_step));
        }
        return {};
    }

    [[nodiscard]] std::optional<kpi::ResolvedCondition> target_at(
        const kpi::Condition& target, const model::Labels& labels, std::size_t step,
        const std::optional<double>& recorded) const {
        // Of two bounds only one is recorded.
        if (recorded && !kpi::takes_two_bounds(target.op)) {
            return kpi::ResolvedCondition{.op = target.op, .a = *recorded};
        }
        std::vector<std::optional<double>> bounds;
        bounds.reserve(bounds_.size());
        for (const std::vector<promql::Vector>& bound : bounds_) {
            bounds.push_back(match_by_shared_labels(labels, bound[step]));
        }
        return kpi::resolve(target, bounds);
    }

    [[nodiscard]] PastInstance instance_of(const model::Labels& labels,
                                           const Columns& columns) const {
        PastInstance instance{.labels = labels, .points = {}};
        const std::optional<kpi::Condition> target =
            kpi::levels_for(entry_.definition, labels).target;
        for (std::size_t i = 0; i < count_; ++i) {
            if (!columns.values[i] && !columns.statuses[i]) {
                continue;
            }
            PastPoint point{.time = query_.start + step_ * static_cast<std::int64_t>(i),
                            .value = columns.values[i],
                            .target = std::nullopt,
                            .status = columns.statuses[i]};
            if (target) {
                point.target = target_at(*target, labels, i, columns.targets[i]);
            }
            instance.points.push_back(std::move(point));
        }
        return instance;
    }

    const model::Reader& reader_;
    const Snapshot& snapshot_;
    const config::KpiEntry& entry_;
    const PastQuery& query_;
    const Duration step_;
    const std::size_t count_;
    std::map<model::Labels, Columns> instances_;
    std::vector<std::vector<promql::Vector>> bounds_;  // by expression, then by step
};

}  // namespace

Result<std::vector<PastInstance>> kpi_past(const model::Reader& reader, const Snapshot& snapshot,
                                           const config::KpiEntry& entry, const PastQuery& query) {
    if (query.end < query.start) {
        return invalid_argument("end timestamp must not be before start time");
    }
    return Past(reader, snapshot, entry, query).run();
}

}  // namespace kpid::evaluate
