#pragma once
// Evaluates parsed PromQL expressions against a reader.
//
//   Engine engine({.lookback = std::chrono::minutes(5)}, executor);
//   KPID_TRY(auto expr, parse_expr("sum by (job) (rate(http_requests_total[5m]))"));
//   KPID_TRY(auto answer, engine.instant(*expr, now, storage));

#include "kpid/base/executor.h"
#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/reader.h"
#include "kpid/promql/ast.h"
#include "kpid/promql/plan.h"
#include "kpid/promql/valid_for.h"
#include "kpid/promql/value.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {

/// What holds for every query of one engine.
struct EngineOptions {
    /// How old the newest sample of a series may be for an instant selector to see it; above 0.
    /// Longer: sparse series stay visible, ended ones linger where they have no stale marker.
    Duration lookback = std::chrono::minutes(5);
    /// The step of subqueries that name none; above 0: `global.evaluation_interval`.
    Duration default_subquery_step = std::chrono::minutes(1);
    /// The samples that a query may hold at once: what it reads and the values it computes.
    std::size_t samples_max = 50'000'000;
    /// How many steps a range query may make after its first point. Subqueries are bounded by
    /// samples_max alone.
    std::size_t points_max = 11'000;
    /// False: functions drop the metric name at once. True: at the end of the query, so that
    /// label_replace and aggregations can still see it (Prometheus' feature
    /// promql-delayed-name-removal).
    bool delayed_name_removal = false;
    /// Which series hold longer or shorter than the lookback; null: none.
    std::shared_ptr<const ValidFor> valid_for = {};

    /// Of a query that names none of its own.
    [[nodiscard]] Lookbacks lookbacks() const { return {lookback, valid_for.get(), false}; }
};

/// What one query looked at, counted as Prometheus counts it.
struct QueryStatistics {
    /// One entry a step: the samples that instant selectors gave to it and that its windows held.
    /// What many steps look at counts for each of them.
    std::vector<std::uint64_t> samples_per_step = {};
    /// The same, but of a window only what the window of the step before did not hold.
    std::vector<std::uint64_t> read_per_step = {};
    /// The most samples that the query held at once, of EngineOptions::samples_max.
    std::size_t samples_peak = 0;
};

/// What holds for one query.
struct QueryContext {
    /// Asked regularly; a stop ends the query with Code::kCancelled.
    std::stop_token stop;
    /// Instead of EngineOptions::lookback; what EngineOptions::valid_for says only lengthens it.
    std::optional<Duration> lookback;
    /// Read what was known then (model::ReadOptions::known_at); absent: what is known now.
    std::optional<Timestamp> known_at = {};
    /// The text that the expression was parsed from: annotations name line and column in it.
    /// Without it they are counted as if it were one line.
    std::string_view text;
    /// Filled by the query, also by one that fails; borrowed for the call. Null: not wanted.
    QueryStatistics* statistics = nullptr;
};

/// The value and what the engine noticed on the way. Annotations are whole sentences as Prometheus
/// words them, sorted, unique, each ending in its place: "PromQL info: … (1:6)".
struct QueryResult {
    Value value;
    std::vector<std::string> warnings;
    std::vector<std::string> infos;
};

/// Runs queries. Holds no state between them: const, thread-safe. Blocks for as long as a query
/// takes, so never call it on an I/O thread.
///
/// Semantics are those of Prometheus 3: ranges and lookback are open on the left and closed on the
/// right.
///
/// Errors: kUnprocessable when the data cannot be combined or a sample limit is reached, in
/// Prometheus' words; kUnsupported for parts of the language that are not supported yet;
/// kInvalidArgument for a step, range or type that makes no sense; kCancelled after a stop; those
/// of the reader as they are.
class Engine {
public:
    /// `executor` is borrowed for the engine's life.
    Engine(EngineOptions options, Executor& executor);

    /// The value of `expr` at `time`. `expr` is one that the parser gave.
    [[nodiscard]] Result<QueryResult> instant(const Expr& expr, Timestamp time,
                                              const model::Reader& reader,
                                              const QueryContext& context = {}) const;

    /// The same for who asks again and again: what the plan keeps makes the next time cheap. Reads
    /// from the plan's reader.
    [[nodiscard]] Result<QueryResult> instant(Plan& plan, Timestamp time,
                                              const QueryContext& context = {}) const;

    /// The values of `expr` at start, start + step, … up to and including `end`: always a Matrix.
    /// `expr` is a scalar or an instant vector. With start == end `step` may be 0.
    [[nodiscard]] Result<QueryResult> range(const Expr& expr, Timestamp start, Timestamp end,
                                            Duration step, const model::Reader& reader,
                                            const QueryContext& context = {}) const;

    [[nodiscard]] const EngineOptions& options() const { return options_; }

private:
    EngineOptions options_;
    Executor& executor_;
};

}  // namespace kpid::promql
