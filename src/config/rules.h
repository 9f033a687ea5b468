#pragma once
// Prometheus rule files as values.

#include "kpid/alerting/template.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/promql/ast.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace kpid::config {

/// A recording rule (`record` set) or an alerting rule (`alert` set); exactly one of the two.
struct RuleConfig {
    std::string record;
    std::string alert;
    std::string expr_text;  ///< As it was written.
    promql::ExprPtr expr;   ///< Never null.
    Duration hold{0};       ///< `for`.
    Duration keep_firing_for{0};
    std::map<std::string, std::string> labels;       ///< As written; the group's are merged in.
    std::map<std::string, std::string> annotations;  ///< As written.
    /// The same, compiled; of alerting rules only.
    std::map<std::string, alerting::Template> label_templates;
    std::map<std::string, alerting::Template> annotation_templates;
    int line = 0;

    [[nodiscard]] bool is_alert() const { return !alert.empty(); }
    [[nodiscard]] const std::string& name() const { return is_alert() ? alert : record; }
};

struct RuleGroup {
    std::string name;
    std::string file;
    Duration interval{0};  ///< Never 0: the group's own or global.evaluation_interval.
    Duration query_offset{0};
    std::uint64_t limit = 0;                    ///< Of series or alerts a rule; 0 is no bound.
    std::map<std::string, std::string> labels;  ///< Merged into each rule's already.
    std::vector<RuleConfig> rules;
    int line = 0;
};

}  // namespace kpid::config
