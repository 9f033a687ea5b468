#pragma once
// Reads the JSON tables of the PromQL conformance data.

#include "support/conformance.h"

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {

/// The text of a JSON string, or of {"base64": …} where the bytes are no UTF-8.
inline std::string json_text(simdjson::dom::element value) {
    if (value.is_string()) {
        return std::string(std::string_view(value));
    }
    const std::string_view encoded = value["base64"];
    std::string bytes;
    unsigned buffer = 0;
    unsigned bits = 0;
    for (const char c : encoded) {
        static constexpr std::string_view kDigits =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const std::size_t digit = kDigits.find(c);
        if (digit == std::string_view::npos) {
            break;
        }
        buffer = (buffer << 6) | static_cast<unsigned>(digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>((buffer >> bits) & 0xff);
        }
    }
    return bytes;
}

/// One entry of a table; keeps the document alive.
struct ConformanceCase {
    std::shared_ptr<simdjson::dom::parser> document;
    simdjson::dom::element value;

    [[nodiscard]] std::string text() const { return json_text(value); }
    [[nodiscard]] std::string text(std::size_t index) const {
        return json_text(simdjson::dom::array(value).at(index));
    }
    [[nodiscard]] bool has(std::string_view key) const {
        return value[key].error() == simdjson::SUCCESS;
    }
};

/// The entries of one table, or none when the data is absent.
inline std::vector<ConformanceCase> conformance_cases(std::string_view file) {
    const auto folder = kpid::testing::conformance_dir("promql");
    std::vector<ConformanceCase> cases;
    if (!folder) {
        return cases;
    }
    auto parser = std::make_shared<simdjson::dom::parser>();
    const simdjson::dom::element root = parser->load((*folder / file).string());
    for (const simdjson::dom::element entry : simdjson::dom::array(root["cases"])) {
        cases.push_back({parser, entry});
    }
    return cases;
}

}  // namespace kpid::promql
