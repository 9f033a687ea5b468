#pragma once
// Rules as the API shows them, and the expansion of their templates.

#include "evaluate/context.h"
#include "evaluate/views.h"

#include <string>
#include <string_view>
#include <vector>

namespace kpid::evaluate {

/// A group before its first evaluation.
[[nodiscard]] RuleGroupView group_view(const config::RuleGroup& group);

/// The KPIs as groups named `kpis`, one for each file; each level of a KPI is a rule.
[[nodiscard]] std::vector<RuleGroupView> kpi_group_views(const std::vector<KpiView>& kpis);

/// The page of an expression, as Prometheus links it: `<url>/graph?g0.expr=…&g0.tab=1`.
[[nodiscard]] std::string graph_url(const std::string& external_url, std::string_view expr);

/// Expands the templates of one alerting rule in one evaluation. Borrows its arguments.
class RuleExpander {
public:
    RuleExpander(const Context& context, const Snapshot& snapshot, const config::RuleConfig& rule,
                 Timestamp now);
    /// `text` is one of the rule's label or annotation texts. A failure stands in the text and is
    /// counted.
    [[nodiscard]] std::string expand(std::string_view text, const model::Labels& labels,
                                     double value) const;

private:
    const Context& context_;
    const Snapshot& snapshot_;
    const config::RuleConfig& rule_;
    const Timestamp now_;
};

}  // namespace kpid::evaluate
