// Walks a scalar's source text beside its value, to say where a byte of the value stands.

#include "config/yaml_reader.h"
#include "config/yaml_text.h"

#include <algorithm>
#include <cstdint>

namespace kpid::config {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
bool is_break(char c) {
    return c == '\n' || c == '\r';
}

/// The byte behind anchor and tag, where the scalar itself begins.
std::size_t skip_properties(std::string_view text, std::size_t at) {
    while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
        while (at < text.size() && !is_blank(text[at]) && !is_break(text[at])) {
            ++at;
        }
        while (at < text.size() && (is_blank(text[at]) || is_break(text[at]))) {
            ++at;
        }
    }
    return at;
}

/// The UTF-8 size of a code point.
std::size_t utf8_size(std::uint32_t code) {
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

std::uint32_t read_hex(std::string_view digits) {
    std::uint32_t value = 0;
    for (const char c : digits) {
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : 0;
        value = value * 16 + static_cast<std::uint32_t>(digit);
    }
    return value;
}

/// The source bytes of an escape that begins at `at`, and the bytes it stands for.
struct Escape {
    std::size_t source = 2;
    std::size_t value = 1;
};

Escape read_escape(std::string_view text, std::size_t at) {
    const char c = at + 1 < text.size() ? text[at + 1] : '\0';
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits > 0) {
        return {2 + digits,
                utf8_size(read_hex(text.substr(std::min(at + 2, text.size()), digits)))};
    }
    switch (c) {
        case 'N':
        case '_':
            return {2, 2};
        case 'L':
        case 'P':
            return {2, 3};
        default:
            return {2, 1};
    }
}

/// Steps over one folded line break at `at` (blanks before it, blank lines and indentation behind
/// it); the value has one space for it, or one newline for each blank line.
void skip_fold(std::string_view text, std::size_t& at, std::size_t& value) {
    std::size_t breaks = 0;
    while (at < text.size() && (is_blank(text[at]) || is_break(text[at]))) {
        breaks += text[at] == '\n' ? 1U : 0U;
        ++at;
    }
    value += breaks > 1 ? breaks - 1 : 1;
}

/// True when only blanks stand between `at` and the end of its line.
bool line_ends_here(std::string_view text, std::size_t at) {
    while (at < text.size() && is_blank(text[at])) {
        ++at;
    }
    return at < text.size() && is_break(text[at]);
}

/// Plain and quoted scalars: the source offset of byte `wanted` of the value.
std::size_t walk_flow_scalar(std::string_view text, std::size_t at, std::size_t wanted) {
    const char quote = at < text.size() && (text[at] == '"' || text[at] == '\'') ? text[at] : '\0';
    at += quote != '\0' ? 1 : 0;
    std::size_t value = 0;
    while (at < text.size()) {
        // An escaped line break stands for nothing, so it is passed even where the wanted byte
        // comes next.
        const bool joins =
            quote == '"' && text[at] == '\\' && at + 1 < text.size() && is_break(text[at + 1]);
        if (joins) {
            std::size_t ignored = 0;
            ++at;
            skip_fold(text, at, ignored);
        } else if (value >= wanted) {
            break;
        } else if (quote == '"' && text[at] == '\\') {
            const Escape escape = read_escape(text, at);
            at += escape.source;
            value += escape.value;
        } else if (quote == '\'' && text[at] == '\'') {
            at += 2;
            ++value;
        } else if (line_ends_here(text, at)) {
            skip_fold(text, at, value);
        } else {
            ++at;
            ++value;
        }
    }
    return std::min(at, text.size());
}

/// Block scalars, line by line: the indentation is that of the first line with content.
std::size_t walk_block_scalar(std::string_view text, std::size_t at, std::size_t wanted) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) {
        return text.size();
    }
    ++at;
    std::size_t first = at;
    while (first < text.size() && (is_blank(text[first]) || is_break(text[first]))) {
        ++first;
    }
    const std::size_t line_start = text.rfind('\n', first) + 1;
    const std::size_t indent = first - line_start;
    std::size_t value = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::size_t skipped = std::min(indent, end - at);
        const std::size_t length = end - at - skipped;
        if (value + length >= wanted) {
            return at + skipped + (wanted - value);
        }
        value += length + 1;
        at = end + 1;
    }
    return text.size();
}

}  // namespace

Position position_in_scalar(const YamlDocument& document, const YamlNode& scalar,
                            std::size_t offset) {
    if (scalar.kind != YamlKind::kScalar || offset > scalar.text.size()) {
        return scalar.position;
    }
    const std::string_view text = document.text;
    const std::size_t at = skip_properties(text, offset_of(text, scalar.position));
    if (at >= text.size()) {
        return scalar.position;
    }
    const bool block = text[at] == '|' || text[at] == '>';
    return position_of(
        text, block ? walk_block_scalar(text, at, offset) : walk_flow_scalar(text, at, offset));
}

}  // namespace kpid::config
