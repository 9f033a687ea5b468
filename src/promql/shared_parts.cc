#include "promql/shared_parts.h"

#include "kpid/promql/printer.h"
#include "kpid/promql/selectors.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kpid::promql {
namespace {

bool may_be_shared(const Expr& node) {
    if (node.type != ValueType::kVector) {
        return false;
    }
    switch (node.kind) {
        case ExprKind::kVectorSelector:
        case ExprKind::kCall:
        case ExprKind::kAggregate:
        case ExprKind::kBinary:
            return true;
        default:
            return false;
    }
}

// Whether two selectors have the same matchers: without, nothing can be shared, and nothing need be
// printed.
bool repeats_a_selector(const Expr& expr) {
    const std::vector<const VectorSelector*> selectors = collect_selectors(expr);
    if (selectors.size() < 2 || selectors.size() > SharedParts::kNodesMax) {
        return false;
    }
    std::set<std::vector<std::pair<std::string_view, std::string_view>>> seen;
    return std::any_of(selectors.begin(), selectors.end(), [&seen](const VectorSelector* selector) {
        std::vector<std::pair<std::string_view, std::string_view>> matchers;
        for (const model::Matcher& matcher : selector->matchers) {
            matchers.emplace_back(matcher.name(), matcher.value());
        }
        std::sort(matchers.begin(), matchers.end());
        return !seen.insert(std::move(matchers)).second;
    });
}

struct Occurrences {
    std::size_t uses = 0;
    std::vector<const Expr*> nodes;
};

// What stands in the second of two equal parts is never evaluated.
void collect(const Expr& node, std::map<std::string, Occurrences>& found) {
    if (node.kind == ExprKind::kSubquery) {
        return;
    }
    if (may_be_shared(node)) {
        Occurrences& occurrences = found[to_string(node)];
        occurrences.nodes.push_back(&node);
        if (++occurrences.uses > 1) {
            return;
        }
    }
    for_each_child(node, [&found](const Expr& child) { collect(child, found); });
}

}  // namespace

SharedParts::SharedParts(const Expr& expr) {
    if (!repeats_a_selector(expr)) {
        return;
    }
    std::size_t nodes = 0;
    for_each_node(expr, [&nodes](const Expr&) { ++nodes; });
    if (nodes > kNodesMax) {
        return;
    }
    if (to_string(expr).size() > kTextMax) {
        return;
    }
    std::map<std::string, Occurrences> found;
    collect(expr, found);
    for (const auto& [text, occurrences] : found) {
        if (occurrences.uses < 2) {
            continue;
        }
        for (const Expr* node : occurrences.nodes) {
            parts_.emplace(node, Part{count_, occurrences.uses});
        }
        ++count_;
    }
}

}  // namespace kpid::promql
