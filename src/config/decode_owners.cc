// Owners and goals.

#include "config/draft.h"

#include <fmt/format.h>

#include <utility>

namespace kpid::config {
namespace {

OwnerConfig decode_owner(Draft& draft, Context& context, const YamlEntry& entry) {
    Fields fields(context, *entry.value, fmt::format("owner \"{}\"", entry.key));
    OwnerConfig owner;
    owner.id = entry.key;
    fields.require("title");
    fields.word("title", owner.title);
    fields.choice("type", {"person", "team", "department", "company"}, owner.type);
    if (fields.word("receiver", owner.receiver)) {
        const Position position = fields.take("receiver")->position;
        draft.refer(Reference::Kind::kReceiver, owner.receiver, context, position);
        if (owner.receiver == alerting::kOwnerReceiver) {
            context.error(position, "receiver",
                          "an owner's receiver cannot be \"owner\": the word means this receiver");
        }
    }
    fields.later({"escalate_to", "after"});
    fields.finish();
    return owner;
}

GoalConfig decode_goal(Draft& draft, Context& context, const YamlEntry& entry) {
    Fields fields(context, *entry.value, fmt::format("goal \"{}\"", entry.key));
    GoalConfig goal;
    goal.id = entry.key;
    fields.require("title");
    fields.word("title", goal.title);
    fields.word("type", goal.type);
    fields.word("horizon", goal.horizon);
    if (fields.word("owner", goal.owner)) {
        draft.refer(Reference::Kind::kOwner, goal.owner, context, fields.take("owner")->position);
    }
    std::uint64_t priority = 0;
    if (fields.count("priority", priority)) {
        goal.priority = static_cast<std::int64_t>(priority);
    }
    if (fields.word("parent", goal.parent)) {
        draft.refer(Reference::Kind::kGoal, goal.parent, context, fields.take("parent")->position);
    }
    fields.finish();
    return goal;
}

}  // namespace

void decode_owners(Draft& draft, Context& context, const YamlNode& node) {
    for_each_id(context, node, "owners", [&](const YamlEntry& entry) {
        draft.define(draft.owners, "owner", entry.key, context, entry.position);
        OwnerConfig owner = decode_owner(draft, context, entry);
        draft.config.owners.insert_or_assign(entry.key, std::move(owner));
    });
}

void decode_goals(Draft& draft, Context& context, const YamlNode& node) {
    for_each_id(context, node, "goals", [&](const YamlEntry& entry) {
        draft.define(draft.goals, "goal", entry.key, context, entry.position);
        GoalConfig goal = decode_goal(draft, context, entry);
        draft.config.goals.insert_or_assign(entry.key, std::move(goal));
    });
}

}  // namespace kpid::config
