#pragma once
// Relabelling: Prometheus' rules that change or drop label sets.

#include "kpid/base/result.h"
#include "kpid/model/labels.h"
#include "kpid/model/regex.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::model {

enum class RelabelAction {
    kReplace,
    kKeep,
    kDrop,
    kKeepEqual,
    kDropEqual,
    kHashMod,
    kLabelMap,
    kLabelDrop,
    kLabelKeep,
    kLowercase,
    kUppercase,
};
/// "replace", "keepequal", …
[[nodiscard]] std::string_view to_string(RelabelAction action);
/// Any case, as Prometheus reads it.
[[nodiscard]] Result<RelabelAction> parse_relabel_action(std::string_view text);

/// One rule as it is written, with Prometheus' defaults.
struct RelabelRule {
    std::vector<std::string> source_labels;
    std::string separator = ";";
    std::string target_label;
    std::string regex = "(.*)";
    std::uint64_t modulus = 0;
    std::string replacement = "$1";
    RelabelAction action = RelabelAction::kReplace;
    bool operator==(const RelabelRule&) const = default;
};

/// A checked rule. Immutable, cheap to copy, thread-safe.
class RelabelConfig {
public:
    /// Fails with Prometheus' words on a bad regexp and on fields that the action lacks or does not
    /// take.
    [[nodiscard]] static Result<RelabelConfig> make(RelabelRule rule);
    [[nodiscard]] const RelabelRule& rule() const { return rule_; }
    [[nodiscard]] const Regex& regex() const { return regex_; }
    bool operator==(const RelabelConfig& other) const { return rule_ == other.rule_; }

private:
    RelabelConfig(RelabelRule rule, Regex regex)
        : rule_(std::move(rule)), regex_(std::move(regex)) {}

    RelabelRule rule_;
    Regex regex_;
};

/// Applies the rules in order; nothing when one drops the set.
[[nodiscard]] std::optional<Labels> relabel(const Labels& labels,
                                            std::span<const RelabelConfig> rules);

}  // namespace kpid::model
