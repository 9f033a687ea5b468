#pragma once
// KPIs, their owners and goals as the files define them.

#include "kpid/alerting/template.h"
#include "kpid/kpi/definition.h"
#include "kpid/promql/ast.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kpid::config {

/// A parsed expression of a bound; stands at the index that kpi::ExprBound names.
struct BoundExpr {
    std::string text;
    promql::ExprPtr expr;  ///< Never null; an instant vector or a scalar.
};

/// A KPI with everything compiled.
struct KpiEntry {
    kpi::Definition definition;
    promql::ExprPtr value;          ///< Never null; an instant vector or a scalar.
    std::vector<BoundExpr> bounds;  ///< One for each of definition.bound_exprs.
    promql::ExprPtr require;        ///< Null without definition.require.
    std::map<std::string, alerting::Template> annotations;  ///< For each of definition.annotations.
    std::string file;
    int line = 0;
};

struct OwnerConfig {
    std::string id;
    std::string title;
    std::string type = "team";  ///< "person", "team", "department", "company".
    std::string receiver;       ///< Empty: none.
    bool operator==(const OwnerConfig&) const = default;
};

struct GoalConfig {
    std::string id;
    std::string title;
    std::string type;     ///< "strategic", "operational", … or empty.
    std::string horizon;  ///< Or empty.
    std::string owner;    ///< Or empty.
    std::optional<std::int64_t> priority;
    std::string parent;  ///< Another goal's id, or empty; never a cycle.
    bool operator==(const GoalConfig&) const = default;
};

}  // namespace kpid::config
