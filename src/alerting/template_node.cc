// Constants and the texts of nodes in errors.

#include "alerting/template_node.h"

#include "alerting/go_text.h"
#include "kpid/base/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace kpid::alerting {

std::optional<TemplateValue> read_number_constant(std::string_view text) {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
                 [](char c) { return c != '_'; });
    const bool negative = digits.starts_with('-');
    std::string_view magnitude = digits;
    if (negative || digits.starts_with('+')) {
        magnitude.remove_prefix(1);
    }
    int base = 10;
    if (magnitude.size() > 1 && magnitude[0] == '0') {
        const char kind = magnitude[1];
        const bool prefixed = std::string_view("xXoObB").find(kind) != std::string_view::npos;
        base = kind == 'x' || kind == 'X' ? 16 : kind == 'b' || kind == 'B' ? 2 : 8;
        if (magnitude.find_first_of(".eE") != std::string_view::npos && base == 8) {
            base = 10;
        } else {
            magnitude.remove_prefix(prefixed ? 2 : 1);
        }
    }
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(magnitude.data(), magnitude.data() + magnitude.size(), value, base);
    if (error == std::errc{} && end == magnitude.data() + magnitude.size()) {
        constexpr std::uint64_t kSignedMax = std::uint64_t{1} << 63U;
        if (negative) {
            return value > kSignedMax ? std::optional<TemplateValue>()
                                      : TemplateValue(static_cast<std::int64_t>(~value + 1));
        }
        return value < kSignedMax ? TemplateValue(static_cast<std::int64_t>(value))
                                  : TemplateValue(value);
    }
    const auto number = parse_float(digits);
    // "Inf" and the like begin with a letter and are no numbers here.
    return number && base == 10 ? std::optional<TemplateValue>(*number) : std::nullopt;
}

std::string describe(const Node& node) {
    std::string text;
    const auto join = [&](std::string_view separator) {
        for (const std::unique_ptr<Node>& child : node.children) {
            text += child == node.children.front() ? "" : separator;
            const bool group = child->kind == NodeKind::kPipe;
            text += group ? "(" + describe(*child) + ")" : describe(*child);
        }
    };
    switch (node.kind) {
        case NodeKind::kPipe:
            if (!node.names.empty()) {
                text =
                    fmt::format("{} {} ", fmt::join(node.names, ", "), node.assigns ? "=" : ":=");
            }
            join(" | ");
            return text;
        case NodeKind::kCommand:
            join(" ");
            return text;
        case NodeKind::kField:
            return fmt::format(".{}", fmt::join(node.names, "."));
        case NodeKind::kVariable:
            return fmt::format("{}", fmt::join(node.names, "."));
        case NodeKind::kChain:
            join("");
            return fmt::format("{}.{}", text, fmt::join(node.names, "."));
        case NodeKind::kDot:
            return ".";
        case NodeKind::kNil:
            return "nil";
        case NodeKind::kTemplate:
            return fmt::format("{{{{template {}}}}}", go_quote(node.text));
        case NodeKind::kAction:
        case NodeKind::kIf:
        case NodeKind::kWith:
        case NodeKind::kRange:
            return node.pipe ? describe(*node.pipe) : "";
        default:
            return node.text;
    }
}

}  // namespace kpid::alerting
