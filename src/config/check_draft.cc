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

void add_error(Draft& draft, const Place& place, std::string id, std::string message,
               std::string hint) {
    draft.errors.add({.file = place.file,
                      .line = place.position.line,
                      .column = place.position.column,
                      .id = std::move(id),
                      .message = std::move(message),
                      .hint = std::move(hint)});
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
        std::vector<std::string> candidates;
        for (const auto& [name, place] : *names.defined) {
            candidates.push_back(name);
        }
        const bool is_shown = draft.errors.error_count() < ErrorList::kFindingsMax;
        const std::string close = is_shown ? nearest(reference.name, candidates) : std::string();
        add_error(draft, reference.place, "unknown-reference",
                  fmt::format("unknown {} \"{}\"", names.what, reference.name),
                  close.empty() ? std::string() : fmt::format("did you mean \"{}\"?", close));
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
                add_error(draft, draft.goals.at(id), "cycle",
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
