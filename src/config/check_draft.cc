// What must hold between definitions of all files.

#include "config/draft.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace kpid::config {
namespace {

struct Names {
    std::string_view what;
    const std::map<std::string, Place>* defined = nullptr;
};

Names names_of(const Draft& draft, Reference::Kind kind) {
    switch (kind) {
        case Reference::Kind::kOwner:
            return {"owner", &draft.owners};
        case Reference::Kind::kGoal:
            return {"goal", &draft.goals};
        case Reference::Kind::kReceiver:
            return {"receiver", &draft.receivers};
        case Reference::Kind::kKpi:
            return {"KPI", &draft.kpis};
    }
    return {"owner", &draft.owners};
}

bool is_built_in(const Reference& reference) {
    return reference.kind == Reference::Kind::kReceiver &&
           (reference.name == alerting::kInboxReceiver ||
            reference.name == alerting::kOwnerReceiver);
}

void add_finding(Draft& draft, const Place& place, Severity severity, std::string id,
                 std::string message, std::string hint) {
    draft.errors.add({.file = place.file,
                      .line = place.position.line,
                      .column = place.position.column,
                      .severity = severity,
                      .id = std::move(id),
                      .message = std::move(message),
                      .hint = std::move(hint)});
}

void add_unknown(Draft& draft, const Reference& reference, const Names& names) {
    std::vector<std::string> candidates;
    for (const auto& [name, place] : *names.defined) {
        candidates.push_back(name);
    }
    const bool is_shown = draft.errors.error_count() < ErrorList::kFindingsMax;
    const std::string close = is_shown ? nearest(reference.name, candidates) : std::string();
    std::string hint = close.empty() ? "" : fmt::format("did you mean \"{}\"?", close);
    if (!draft.alone) {
        add_finding(draft, reference.place, Severity::kError, "unknown-reference",
                    fmt::format("unknown {} \"{}\"", names.what, reference.name), std::move(hint));
        return;
    }
    // Who defines some of a kind in this file may well have meant one of them; KPIs are spread.
    const bool may_be_elsewhere =
        names.defined->empty() || (reference.kind == Reference::Kind::kKpi && close.empty());
    const Severity severity = may_be_elsewhere ? Severity::kInfo : Severity::kWarning;
    if (hint.empty()) {
        hint = "it may be defined elsewhere";
    }
    add_finding(draft, reference.place, severity, "not-checked",
                fmt::format("{} \"{}\" is not defined in this file and was not checked", names.what,
                            reference.name),
                std::move(hint));
}

}  // namespace

void check_references(Draft& draft) {
    if (draft.incomplete) {
        return;
    }
    for (const Reference& reference : draft.references) {
        const Names names = names_of(draft, reference.kind);
        if (names.defined->contains(reference.name) || is_built_in(reference)) {
            continue;
        }
        add_unknown(draft, reference, names);
    }
}

void check_goal_parents(Draft& draft) {
    const std::map<std::string, GoalConfig>& goals = draft.config.goals;
    for (const auto& [id, goal] : goals) {
        std::set<std::string> seen{id};
        const GoalConfig* at = &goal;
        while (!at->parent.empty()) {
            const auto parent = goals.find(at->parent);
            if (parent == goals.end()) {
                break;
            }
            if (parent->first == id) {
                add_finding(draft, draft.goals.at(id), Severity::kError, "cycle",
                            fmt::format("goal \"{}\" is its own ancestor", id), "");
            }
            if (!seen.insert(parent->first).second) {
                break;
            }
            at = &parent->second;
        }
    }
}

}  // namespace kpid::config
