#pragma once
// Label matchers: how a selector names series.

#include "kpid/base/result.h"
#include "kpid/model/labels.h"
#include "kpid/model/regex.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kpid::model {

enum class MatchType { kEqual, kNotEqual, kRegexp, kNotRegexp };

/// "=", "!=", "=~", "!~".
[[nodiscard]] std::string_view to_string(MatchType type);

/// One condition on one label. An absent label is "". Immutable, cheap to copy, thread-safe.
class Matcher {
public:
    /// Fails when the value of a regexp matcher does not compile.
    [[nodiscard]] static Result<Matcher> make(MatchType type, std::string_view name,
                                              std::string_view value);
    [[nodiscard]] static Matcher equal(std::string_view name, std::string_view value);

    [[nodiscard]] MatchType type() const { return type_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& value() const { return value_; }
    [[nodiscard]] bool matches(std::string_view label_value) const;
    [[nodiscard]] bool matches(const Labels& labels) const { return matches(labels.get(name_)); }
    /// `name="value"`, as PromQL writes it.
    [[nodiscard]] std::string to_string() const;
    bool operator==(const Matcher& other) const {
        return type_ == other.type_ && name_ == other.name_ && value_ == other.value_;
    }

private:
    Matcher(MatchType type, std::string_view name, std::string_view value,
            std::optional<Regex> regex);

    MatchType type_;
    std::string name_;
    std::string value_;
    std::optional<Regex> regex_;
};

/// True when every matcher matches.
[[nodiscard]] bool matches_all(std::span<const Matcher> matchers, const Labels& labels);

}  // namespace kpid::model
