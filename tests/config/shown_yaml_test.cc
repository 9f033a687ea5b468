// What may be shown of a configuration: all of it but its secrets.

#include "config/shown_yaml.h"

#include "config/findings.h"

#include <gtest/gtest.h>

namespace kpid::config {
namespace {

std::string shown(std::string text) {
    ErrorList errors;
    const auto document = read_yaml("kpid.yaml", std::move(text), errors);
    EXPECT_NE(document, nullptr);
    return document != nullptr ? shown_yaml(*document->root) : "";
}

TEST(ShownYaml, WritesTheTreeInBlocks) {
    EXPECT_EQ(shown("global: {scrape_interval: 5s, labels: {}}\n"
                    "rule_files: [a.yaml, \"b *.yaml\"]\n"
                    "kpis:\n  e:\n    warning:\n    expr: |\n      a\n      + b\n"
                    "    nested: [[1, 2], {a: 1, \"b c\": []}]\n"),
              "global:\n  scrape_interval: 5s\n  labels: {}\n"
              "rule_files:\n  - a.yaml\n  - \"b *.yaml\"\n"
              "kpis:\n  e:\n    warning: null\n    expr: \"a\\n+ b\\n\"\n"
              "    nested:\n      - - 1\n        - 2\n      - a: 1\n        \"b c\": []\n");
}

TEST(ShownYaml, ReadsBackAsTheSame) {
    const std::string text = shown("a: [[1, [2]], {b: {c: [x]}}, null]\nd: \"y: z\"\n");
    EXPECT_EQ(shown(text), text);
}

TEST(ShownYaml, HidesSecrets) {
    const std::string text = shown(
        "basic_auth: {username: u, password: hush, password_file: /p}\n"
        "authorization: {credentials: \"hush\"}\n"
        "bearer_token: hush\n"
        "http_headers: {X-Key: {values: [hush], secrets: [hush]}}\n"
        "headers: {X-Scope: hush}\n"
        "params: {token: [hush]}\n"
        "remote: {url: \"http://u:hush@host:1/p?key=hush\"}\n"
        "receivers: [{webhook_configs: [{url: http://host/hush, secret: hush}]}]\n"
        "slack_api_url: http://host/ok\n"
        "more: {secret: \"${HUSH:-hush}\", api_key: \"${NAME}\"}\n");
    EXPECT_EQ(text.find("hush"), std::string::npos) << text;
    EXPECT_NE(text.find("password_file: /p"), std::string::npos) << text;
    EXPECT_NE(text.find("url: \"http://<secret>@host:1/p?<secret>\""), std::string::npos) << text;
    EXPECT_NE(text.find("api_key: \"${NAME}\""), std::string::npos) << text;
}

}  // namespace
}  // namespace kpid::config
