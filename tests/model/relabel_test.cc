// Relabelling: each action, what validation refuses, and Prometheus' own table.

#include "kpid/model/relabel.h"

#include "support/conformance.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace kpid::model {
namespace {

std::optional<Labels> relabelled(const Labels& labels, std::vector<RelabelRule> rules) {
    std::vector<RelabelConfig> configs;
    for (RelabelRule& rule : rules) {
        auto config = RelabelConfig::make(std::move(rule));
        EXPECT_TRUE(config) << config.error().message;
        if (config) {
            configs.push_back(*std::move(config));
        }
    }
    return relabel(labels, configs);
}

std::string shown(const std::optional<Labels>& labels) {
    return labels ? labels->to_string() : "dropped";
}

const Labels kInput{{"a", "foo"}, {"b", "Bar"}, {"__meta_zone", "eu"}};

TEST(Relabel, WithoutRulesChangesNothing) {
    EXPECT_EQ(shown(relabel(kInput, {})), kInput.to_string());
}

TEST(Relabel, AppliesEachAction) {
    struct Case {
        std::string_view name;
        RelabelRule rule;
        std::string want;
    };
    const Case cases[] = {
        {"replace",
         {.source_labels = {"a", "b"},
          .target_label = "c",
          .regex = "(f.*);(.*)",
          .replacement = "$2-$1"},
         R"({__meta_zone="eu", a="foo", b="Bar", c="Bar-foo"})"},
        {"replace with the defaults copies",
         {.source_labels = {"a"}, .target_label = "c"},
         R"({__meta_zone="eu", a="foo", b="Bar", c="foo"})"},
        {"replace by nothing erases",
         {.source_labels = {"a"}, .target_label = "b", .replacement = ""},
         R"({__meta_zone="eu", a="foo"})"},
        {"replace that does not match",
         {.source_labels = {"a"}, .target_label = "b", .regex = "x"},
         R"({__meta_zone="eu", a="foo", b="Bar"})"},
        {"keep",
         {.source_labels = {"a"}, .regex = "fo", .action = RelabelAction::kKeep},
         "dropped"},
        {"drop",
         {.source_labels = {"a"}, .regex = "fo.", .action = RelabelAction::kDrop},
         "dropped"},
        {"keepequal",
         {.source_labels = {"a"}, .target_label = "b", .action = RelabelAction::kKeepEqual},
         "dropped"},
        {"dropequal",
         {.source_labels = {"a"}, .target_label = "a", .action = RelabelAction::kDropEqual},
         "dropped"},
        {"labelmap",
         {.regex = "__meta_(.*)", .action = RelabelAction::kLabelMap},
         R"({__meta_zone="eu", a="foo", b="Bar", zone="eu"})"},
        {"labeldrop",
         {.regex = "__.*", .action = RelabelAction::kLabelDrop},
         R"({a="foo", b="Bar"})"},
        {"labelkeep", {.regex = "a", .action = RelabelAction::kLabelKeep}, R"({a="foo"})"},
        {"lowercase",
         {.source_labels = {"b"}, .target_label = "b", .action = RelabelAction::kLowercase},
         R"({__meta_zone="eu", a="foo", b="bar"})"},
        {"uppercase",
         {.source_labels = {"a"}, .target_label = "a", .action = RelabelAction::kUppercase},
         R"({__meta_zone="eu", a="FOO", b="Bar"})"},
        // md5("foo") is acbd18db4cc2f85cedef654fccc4a4d8.
        {"hashmod",
         {.source_labels = {"a"},
          .target_label = "h",
          .modulus = 10,
          .action = RelabelAction::kHashMod},
         R"({__meta_zone="eu", a="foo", b="Bar", h="6"})"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(shown(relabelled(kInput, {c.rule})), c.want);
    }
}

TEST(Relabel, LaterRulesSeeWhatEarlierOnesDid) {
    EXPECT_EQ(
        shown(relabelled(Labels{{"a", "x"}},
                         {{.source_labels = {"a"}, .target_label = "b"},
                          {.source_labels = {"b"}, .regex = "x", .action = RelabelAction::kDrop}})),
        "dropped");
}

TEST(Relabel, RefusesRulesThatCannotWork) {
    struct Case {
        RelabelRule rule;
        std::string_view want;
    };
    const Case cases[] = {
        {{}, "relabel configuration for replace action requires 'target_label' value"},
        {{.target_label = "a", .action = RelabelAction::kHashMod},
         "relabel configuration for hashmod requires non-zero modulus"},
        {{.target_label = "a", .regex = "("}, "error parsing regexp"},
        {{.target_label = "\xff"}, "is invalid 'target_label' for replace action"},
        {{.replacement = "", .action = RelabelAction::kLabelMap},
         "is invalid 'replacement' for labelmap action"},
        {{.target_label = "a", .replacement = "x", .action = RelabelAction::kLowercase},
         "'replacement' can not be set for lowercase action"},
        {{.target_label = "a", .regex = "x", .action = RelabelAction::kKeepEqual},
         "keepequal action requires only 'source_labels' and `target_label`, and no other fields"},
        {{.source_labels = {"a"}, .action = RelabelAction::kLabelDrop},
         "labeldrop action requires only 'regex', and no other fields"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.want);
        const auto made = RelabelConfig::make(c.rule);
        ASSERT_FALSE(made);
        EXPECT_NE(made.error().message.find(c.want), std::string::npos) << made.error().message;
    }
}

TEST(Relabel, ReadsActionsInAnyCase) {
    EXPECT_EQ(*parse_relabel_action("LabelMap"), RelabelAction::kLabelMap);
    EXPECT_FALSE(parse_relabel_action("move"));
    for (const auto action : {RelabelAction::kReplace, RelabelAction::kUppercase}) {
        EXPECT_EQ(*parse_relabel_action(to_string(action)), action);
    }
}

// The table writes maps as calls with a "_type" beside the entries.
Labels labels_of(simdjson::dom::element call) {
    std::vector<Label> labels;
    for (const auto entry : call["_args"].at(0).get_object()) {
        if (entry.key != "_type") {
            labels.push_back(
                {std::string(entry.key), std::string(entry.value.get_string().value())});
        }
    }
    return Labels::from(std::move(labels));
}

RelabelRule rule_of(simdjson::dom::element object) {
    RelabelRule rule;
    for (const auto entry : object.get_object()) {
        if (entry.key == "SourceLabels") {
            for (const auto name : entry.value.get_array()) {
                rule.source_labels.emplace_back(name.get_string().value());
            }
        } else if (entry.key == "Separator") {
            rule.separator = entry.value.get_string().value();
        } else if (entry.key == "TargetLabel") {
            rule.target_label = entry.value.get_string().value();
        } else if (entry.key == "Replacement") {
            rule.replacement = entry.value.get_string().value();
        } else if (entry.key == "Modulus") {
            rule.modulus = entry.value.get_uint64().value();
        } else if (entry.key == "Regex") {
            rule.regex = entry.value["_args"].at(0).get_string().value();
        } else if (entry.key == "Action") {
            rule.action = *parse_relabel_action(entry.value["_id"].get_string().value());
        }
    }
    return rule;
}

TEST(Relabel, AgreesWithPrometheus) {
    const auto folder = testing::conformance_dir("prom-config");
    if (!folder) {
        return;
    }
    simdjson::dom::parser parser;
    const simdjson::dom::element table =
        parser.load((*folder / "relabel-TestRelabel.json").string());
    std::size_t index = 0;
    for (const auto entry : table["cases"].get_array()) {
        SCOPED_TRACE("case " + std::to_string(index++));
        std::vector<RelabelRule> rules;
        for (const auto rule : entry["relabel"].get_array()) {
            rules.push_back(rule_of(rule));
        }
        const auto got = relabelled(labels_of(entry["input"]), std::move(rules));
        bool drop = false;
        if (entry["drop"].get(drop) == simdjson::SUCCESS && drop) {
            EXPECT_EQ(shown(got), "dropped");
        } else {
            EXPECT_EQ(shown(got), labels_of(entry["output"]).to_string());
        }
    }
    EXPECT_GT(index, 20U);
}

}  // namespace
}  // namespace kpid::model
