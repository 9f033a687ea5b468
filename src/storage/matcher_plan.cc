#include "storage/matcher_plan.h"

#include <algorithm>

namespace kpid::storage {
namespace {

using Rest = model::RegexShape::Rest;
using Values = ValueCondition::Values;

bool is_regexp(const model::Matcher& matcher) {
    return matcher.type() == model::MatchType::kRegexp ||
           matcher.type() == model::MatchType::kNotRegexp;
}

bool is_negative(const model::Matcher& matcher) {
    return matcher.type() == model::MatchType::kNotEqual ||
           matcher.type() == model::MatchType::kNotRegexp;
}

// The values that the matcher names, whichever way it then uses them. `.*` and `.+` are the same
// here: a value that a label has is not empty.
void name_values(ValueCondition& condition) {
    const model::Matcher& matcher = *condition.matcher;
    if (!is_regexp(matcher)) {
        condition.list = {matcher.value()};
        return;
    }
    condition.shape = model::regex_shape(matcher.value());
    if (condition.shape.literals) {
        condition.list = *std::exchange(condition.shape.literals, std::nullopt);
    } else if (condition.shape.prefix.empty() && condition.shape.rest != Rest::kOther) {
        condition.values = Values::kAllOthers;
    } else {
        condition.values = Values::kTested;
    }
}

ValueCondition plan(const model::Matcher& matcher) {
    ValueCondition condition{.name = matcher.name(), .matcher = &matcher};
    condition.keeps = !matcher.matches("");
    name_values(condition);
    std::erase(condition.list, "");
    // The named values are those that the matcher accepts, or, negated, those that it refuses. What
    // is wanted are the accepted ones to keep, the refused ones to drop.
    const bool named_are_wanted = is_negative(matcher) != condition.keeps;
    if (!named_are_wanted && condition.values != Values::kTested) {
        condition.values =
            condition.values == Values::kListed ? Values::kAllOthers : Values::kListed;
    }
    return condition;
}

}  // namespace

bool ValueCondition::selects(std::string_view value) const {
    bool accepted = false;
    if (is_regexp(*matcher) && !value.starts_with(shape.prefix)) {
        accepted = is_negative(*matcher);
    } else if (is_regexp(*matcher) && shape.rest != Rest::kOther) {
        const bool matches = shape.rest == Rest::kAnything || value.size() > shape.prefix.size();
        accepted = matches != is_negative(*matcher);
    } else {
        accepted = matcher->matches(value);
    }
    return accepted == keeps;
}

std::vector<ValueCondition> plan_matchers(std::span<const model::Matcher> matchers) {
    std::vector<ValueCondition> plans;
    for (const model::Matcher& matcher : matchers) {
        ValueCondition condition = plan(matcher);
        const bool always =
            !condition.keeps && condition.values == Values::kListed && condition.list.empty();
        if (!always) {
            plans.push_back(std::move(condition));
        }
    }
    return plans;
}

}  // namespace kpid::storage
