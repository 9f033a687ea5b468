#include "kpid/model/matcher.h"

#include <algorithm>

namespace kpid::model {

std::string_view to_string(MatchType type) {
    switch (type) {
        case MatchType::kEqual:
            return "=";
        case MatchType::kNotEqual:
            return "!=";
        case MatchType::kRegexp:
            return "=~";
        case MatchType::kNotRegexp:
            return "!~";
    }
    return "=";
}

Matcher::Matcher(MatchType type, std::string_view name, std::string_view value,
                 std::optional<Regex> regex)
    : type_(type), name_(name), value_(value), regex_(std::move(regex)) {
}

Result<Matcher> Matcher::make(MatchType type, std::string_view name, std::string_view value) {
    if (type == MatchType::kEqual || type == MatchType::kNotEqual) {
        return Matcher(type, name, value, std::nullopt);
    }
    KPID_TRY(Regex regex, Regex::compile(value));
    return Matcher(type, name, value, std::move(regex));
}

Matcher Matcher::equal(std::string_view name, std::string_view value) {
    return Matcher(MatchType::kEqual, name, value, std::nullopt);
}

bool Matcher::matches(std::string_view label_value) const {
    switch (type_) {
        case MatchType::kEqual:
            return label_value == value_;
        case MatchType::kNotEqual:
            return label_value != value_;
        case MatchType::kRegexp:
            return regex_->full_match(label_value);
        case MatchType::kNotRegexp:
            return !regex_->full_match(label_value);
    }
    return false;
}

std::string Matcher::to_string() const {
    std::string text = is_classic_label_name(name_) ? name_ : quote_label_value(name_);
    text += model::to_string(type_);
    return text + quote_label_value(value_);
}

bool matches_all(std::span<const Matcher> matchers, const Labels& labels) {
    return std::all_of(matchers.begin(), matchers.end(),
                       [&](const Matcher& matcher) { return matcher.matches(labels); });
}

}  // namespace kpid::model
