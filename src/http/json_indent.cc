// Breaks lines between tokens.
#include "http/json_indent.h"

#include <cstddef>

namespace kpid::http {
namespace {

constexpr std::size_t kIndent = 2;

}  // namespace

std::string indent_json(std::string_view json) {
    std::string text;
    std::size_t depth = 0;
    bool in_string = false;
    const auto break_line = [&] {
        text += '\n';
        text.append(depth * kIndent, ' ');
    };
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        const char next = i + 1 < json.size() ? json[i + 1] : '\0';
        if (in_string) {
            text += c;
            if (c == '\\' && next != '\0') {
                text += next;
                ++i;
            }
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
            text += c;
            text += next;
            ++i;
        } else if (c == '{' || c == '[') {
            text += c;
            ++depth;
            break_line();
        } else if (c == '}' || c == ']') {
            depth -= depth > 0 ? 1 : 0;
            break_line();
            text += c;
        } else {
            text += c;
            if (c == ',') {
                break_line();
            } else if (c == ':') {
                text += ' ';
            }
        }
    }
    return text;
}

}  // namespace kpid::http
