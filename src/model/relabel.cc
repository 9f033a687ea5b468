#include "kpid/model/relabel.h"

#include "kpid/base/json_writer.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace kpid::model {
namespace {

struct ActionName {
    std::string_view name;
    RelabelAction action;
};
constexpr ActionName kActions[] = {
    {"replace", RelabelAction::kReplace},     {"keep", RelabelAction::kKeep},
    {"drop", RelabelAction::kDrop},           {"keepequal", RelabelAction::kKeepEqual},
    {"dropequal", RelabelAction::kDropEqual}, {"hashmod", RelabelAction::kHashMod},
    {"labelmap", RelabelAction::kLabelMap},   {"labeldrop", RelabelAction::kLabelDrop},
    {"labelkeep", RelabelAction::kLabelKeep}, {"lowercase", RelabelAction::kLowercase},
    {"uppercase", RelabelAction::kUppercase},
};

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return result;
}

std::string upper(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return result;
}

bool is_label_name(std::string_view name) {
    return !name.empty() && is_valid_utf8(name);
}

// The last eight bytes of the MD5 of the text, big endian.
std::uint64_t md5_tail(std::string_view text) {
    constexpr unsigned kDigestBytes = 16;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_md5(), nullptr) != 1 ||
        length != kDigestBytes) {
        return 0;
    }
    std::uint64_t value = 0;
    for (std::size_t i = kDigestBytes / 2; i < kDigestBytes; ++i) {
        value = value << 8U | digest[i];
    }
    return value;
}

bool needs_target(RelabelAction action) {
    switch (action) {
        case RelabelAction::kReplace:
        case RelabelAction::kHashMod:
        case RelabelAction::kLowercase:
        case RelabelAction::kUppercase:
        case RelabelAction::kKeepEqual:
        case RelabelAction::kDropEqual:
            return true;
        case RelabelAction::kKeep:
        case RelabelAction::kDrop:
        case RelabelAction::kLabelMap:
        case RelabelAction::kLabelDrop:
        case RelabelAction::kLabelKeep:
            return false;
    }
    return false;
}

// Fields that an action does not take must stand at their defaults.
Result<void> check_foreign_fields(const RelabelRule& rule) {
    const RelabelRule defaults;
    const RelabelAction action = rule.action;
    const bool equal = action == RelabelAction::kKeepEqual || action == RelabelAction::kDropEqual;
    const bool names = action == RelabelAction::kLabelDrop || action == RelabelAction::kLabelKeep;
    const bool letters = action == RelabelAction::kLowercase || action == RelabelAction::kUppercase;
    const bool others_default = rule.modulus == defaults.modulus &&
                                rule.separator == defaults.separator &&
                                rule.replacement == defaults.replacement;
    if (letters && rule.replacement != defaults.replacement) {
        return invalid_argument(
            fmt::format("'replacement' can not be set for {} action", to_string(action)));
    }
    if (equal && (rule.regex != defaults.regex || !others_default)) {
        return invalid_argument(fmt::format(
            "{} action requires only 'source_labels' and `target_label`, and no other fields",
            to_string(action)));
    }
    if (names && (!rule.source_labels.empty() || !rule.target_label.empty() || !others_default)) {
        return invalid_argument(
            fmt::format("{} action requires only 'regex', and no other fields", to_string(action)));
    }
    return {};
}

Result<void> check(const RelabelRule& rule) {
    const std::string_view action = to_string(rule.action);
    if (rule.action == RelabelAction::kHashMod && rule.modulus == 0) {
        return invalid_argument("relabel configuration for hashmod requires non-zero modulus");
    }
    if (needs_target(rule.action)) {
        if (rule.target_label.empty()) {
            return invalid_argument(fmt::format(
                "relabel configuration for {} action requires 'target_label' value", action));
        }
        if (!is_label_name(rule.target_label)) {
            return invalid_argument(fmt::format("\"{}\" is invalid 'target_label' for {} action",
                                                rule.target_label, action));
        }
    }
    if (rule.action == RelabelAction::kLabelMap && !is_label_name(rule.replacement)) {
        return invalid_argument(
            fmt::format("\"{}\" is invalid 'replacement' for {} action", rule.replacement, action));
    }
    return check_foreign_fields(rule);
}

std::string joined(const RelabelRule& rule, const LabelsBuilder& labels) {
    std::string value;
    for (std::size_t i = 0; i < rule.source_labels.size(); ++i) {
        if (i > 0) {
            value += rule.separator;
        }
        value += labels.get(rule.source_labels[i]);
    }
    return value;
}

void replace(const RelabelConfig& config, const std::string& value, LabelsBuilder& labels) {
    std::string target;
    std::string replacement;
    if (!config.regex().expand(value, config.rule().target_label, target) ||
        !config.regex().expand(value, config.rule().replacement, replacement)) {
        return;
    }
    if (is_label_name(target)) {
        labels.set(target, replacement);
    }
}

void rename_labels(const RelabelConfig& config, LabelsBuilder& labels) {
    const std::vector<Label> before = labels.labels();
    std::string name;
    for (const Label& label : before) {
        switch (config.rule().action) {
            case RelabelAction::kLabelMap:
                if (config.regex().expand(label.name, config.rule().replacement, name) &&
                    is_label_name(name)) {
                    labels.set(name, label.value);
                }
                break;
            case RelabelAction::kLabelDrop:
                if (config.regex().full_match(label.name)) {
                    labels.erase(label.name);
                }
                break;
            default:  // kLabelKeep
                if (!config.regex().full_match(label.name)) {
                    labels.erase(label.name);
                }
                break;
        }
    }
}

// False when the rule drops the set.
bool apply(const RelabelConfig& config, LabelsBuilder& labels) {
    const RelabelRule& rule = config.rule();
    const std::string value = joined(rule, labels);
    switch (rule.action) {
        case RelabelAction::kKeep:
            return config.regex().full_match(value);
        case RelabelAction::kDrop:
            return !config.regex().full_match(value);
        case RelabelAction::kKeepEqual:
            return labels.get(rule.target_label) == value;
        case RelabelAction::kDropEqual:
            return labels.get(rule.target_label) != value;
        case RelabelAction::kReplace:
            replace(config, value, labels);
            return true;
        case RelabelAction::kLowercase:
            labels.set(rule.target_label, lower(value));
            return true;
        case RelabelAction::kUppercase:
            labels.set(rule.target_label, upper(value));
            return true;
        case RelabelAction::kHashMod:
            labels.set(rule.target_label, fmt::format("{}", md5_tail(value) % rule.modulus));
            return true;
        case RelabelAction::kLabelMap:
        case RelabelAction::kLabelDrop:
        case RelabelAction::kLabelKeep:
            rename_labels(config, labels);
            return true;
    }
    return true;
}

}  // namespace

std::string_view to_string(RelabelAction action) {
    for (const ActionName& entry : kActions) {
        if (entry.action == action) {
            return entry.name;
        }
    }
    return "replace";
}

Result<RelabelAction> parse_relabel_action(std::string_view text) {
    const std::string name = lower(text);
    for (const ActionName& entry : kActions) {
        if (entry.name == name) {
            return entry.action;
        }
    }
    return invalid_argument(fmt::format("unknown relabel action \"{}\"", text));
}

Result<RelabelConfig> RelabelConfig::make(RelabelRule rule) {
    KPID_CHECK_OK(check(rule));
    KPID_TRY(Regex regex, Regex::compile(rule.regex));
    return RelabelConfig(std::move(rule), std::move(regex));
}

std::optional<Labels> relabel(const Labels& labels, std::span<const RelabelConfig> rules) {
    if (rules.empty()) {
        return labels;
    }
    LabelsBuilder builder(labels);
    for (const RelabelConfig& rule : rules) {
        if (!apply(rule, builder)) {
            return std::nullopt;
        }
    }
    return builder.build();
}

}  // namespace kpid::model
