#pragma once
// Matchers as conditions on the values that a label has, for the postings.

#include "kpid/model/matcher.h"
#include "kpid/model/regex_shape.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// One matcher, turned so that no absent label needs looking at: `values` names a set of values of
/// the label `name`, and series that have one of them are kept, or dropped. A matcher that accepts
/// the empty value, and with it series without the label, drops the values it refuses; every other
/// keeps the values it accepts.
struct ValueCondition {
    enum class Values : std::uint8_t {
        kListed,     ///< Those in `list`.
        kAllOthers,  ///< All but those in `list`.
        kTested,     ///< Those that selects() accepts.
    };

    bool keeps = true;
    Values values = Values::kListed;
    std::string_view name;          ///< Borrowed from the matcher, as is the next.
    const model::Matcher* matcher;  ///< Never null.
    std::vector<std::string> list;  ///< Sorted, unique, no empty value.
    model::RegexShape shape;        ///< Of a regexp matcher.

    /// For kTested: whether this value is in the set.
    [[nodiscard]] bool selects(std::string_view value) const;
};

/// A condition for each matcher, in order, less those that every series fulfils. Borrows them.
[[nodiscard]] std::vector<ValueCondition> plan_matchers(std::span<const model::Matcher> matchers);

}  // namespace kpid::storage
