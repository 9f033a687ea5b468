#pragma once
// Reads the tables of the conformance data: JSON with bytes that are not UTF-8 as {"base64": …}.

#include "kpid/wire/json_document.h"
#include "support/conformance.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace kpid::wire {

inline std::string decode_base64(std::string_view text) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    unsigned buffer = 0;
    int bits = 0;
    for (const char c : text) {
        const std::size_t digit = kAlphabet.find(c);
        if (digit == std::string_view::npos) {
            break;
        }
        buffer = (buffer << 6U) | static_cast<unsigned>(digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>((buffer >> static_cast<unsigned>(bits)) & 0xffU);
        }
    }
    return bytes;
}

/// The text of a member, or "".
inline std::string text_of(const std::optional<JsonValue>& value) {
    if (!value) {
        return {};
    }
    if (const auto encoded = value->member("base64")) {
        return decode_base64(encoded->string());
    }
    return std::string(value->string());
}

/// One table; each(case, index) for its cases.
class ConformanceTable {
public:
    explicit ConformanceTable(const std::filesystem::path& path)
        : document_(JsonDocument::parse(testing::read_file(path))) {
        EXPECT_TRUE(document_) << path << ": " << (document_ ? "" : document_.error().message);
    }

    template <class Body>
    std::size_t for_each_case(Body&& body) const {
        std::size_t index = 0;
        const auto cases = document_ ? document_->root().member("cases") : std::nullopt;
        if (cases) {
            cases->for_each([&](std::string_view, JsonValue entry) {
                SCOPED_TRACE("case " + std::to_string(index++));
                body(entry);
            });
        }
        return index;
    }

private:
    Result<JsonDocument> document_;
};

}  // namespace kpid::wire
