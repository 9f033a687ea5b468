// Finds "line:column:" in a message and points there.
#include "ctl/expression_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

namespace kpid::ctl {
namespace {

// What a line longer than that shows around the place.
constexpr std::size_t kBeforeMax = 60;
constexpr std::size_t kAfterMax = 40;

// A number and the colon after it, taken off the front.
std::optional<std::size_t> take_number(std::string_view& text) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto length = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || number == 0 || length >= text.size() || text[length] != ':') {
        return std::nullopt;
    }
    text.remove_prefix(length + 1);
    return number;
}

std::optional<std::string_view> line_of(std::string_view text, std::size_t number) {
    for (std::size_t line = 1; line < number; ++line) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find('\n'));
}

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

}  // namespace

std::string show_expression_error(std::string_view text, std::string_view message) {
    std::string shown = fmt::format("{}\n", message);
    std::string_view rest = message;
    const std::optional<std::size_t> number = take_number(rest);
    const std::optional<std::size_t> column = number ? take_number(rest) : std::nullopt;
    const std::optional<std::string_view> line = column ? line_of(text, *number) : std::nullopt;
    if (!line || *column > line->size() + 1) {
        return shown;
    }
    std::size_t begin = *column - 1 - std::min(*column - 1, kBeforeMax);
    while (begin > 0 && begin < line->size() && is_continuation((*line)[begin])) {
        --begin;
    }
    std::size_t end = std::min(line->size(), *column - 1 + kAfterMax);
    while (end < line->size() && is_continuation((*line)[end])) {
        ++end;
    }
    const bool is_cut = begin > 0;
    std::string pointer = is_cut ? "     " : "  ";
    for (const char c : line->substr(begin, *column - 1 - begin)) {
        // Tabs stay tabs, so that the caret stands where they put it.
        if (!is_continuation(c)) {
            pointer += c == '\t' ? '\t' : ' ';
        }
    }
    shown += fmt::format("  {}{}{}\n{}^\n", is_cut ? "..." : "", line->substr(begin, end - begin),
                         end < line->size() ? "..." : "", pointer);
    return shown;
}

}  // namespace kpid::ctl
