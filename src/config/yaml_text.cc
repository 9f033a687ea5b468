// Lines, columns and bytes of a text.

#include "config/yaml_text.h"

#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::config {
namespace {

bool is_forbidden_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7f;
}

}  // namespace

Position position_of(std::string_view text, std::size_t offset) {
    Position position{1, 1};
    for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
        if (text[i] == '\n') {
            ++position.line;
            position.column = 1;
        } else {
            ++position.column;
        }
    }
    return position;
}

std::size_t offset_of(std::string_view text, Position position) {
    std::size_t start = 0;
    for (int line = 1; line < position.line; ++line) {
        const std::size_t end = text.find('\n', start);
        if (end == std::string_view::npos) {
            return text.size();
        }
        start = end + 1;
    }
    const std::size_t offset = start + static_cast<std::size_t>(std::max(position.column, 1) - 1);
    return std::min(offset, text.size());
}

std::string_view line_at(std::string_view text, int line) {
    const std::size_t start = offset_of(text, Position{line, 1});
    const std::size_t end = std::min(text.find('\n', start), text.size());
    return line < 1 ? std::string_view() : text.substr(start, end - start);
}

std::optional<TextProblem> find_text_problem(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const std::size_t length = utf8_sequence_length(text.substr(i));
        if (length == 0) {
            return TextProblem{position_of(text, i), "utf8", "not valid UTF-8"};
        }
        if (length == 1 && is_forbidden_control(text[i])) {
            const auto byte = static_cast<unsigned char>(text[i]);
            return TextProblem{position_of(text, i), "control-character",
                               fmt::format("control character 0x{:02x}", byte)};
        }
        i += length;
    }
    return std::nullopt;
}

}  // namespace kpid::config
