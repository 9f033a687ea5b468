// Asks the terminal and the environment.
#include "ctl/terminal.h"

#include <charconv>
#include <cstdlib>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace kpid::ctl {
namespace {

// The program has one thread when it asks.
std::string_view environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    return value == nullptr ? std::string_view() : value;
}

void read_number(const char* name, std::size_t& out) {
    const std::string_view text = environment(name);
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number > 0) {
        out = number;
    }
}

}  // namespace

TerminalSize terminal_size() {
    TerminalSize size;
    read_number("COLUMNS", size.columns);
    read_number("LINES", size.lines);
    winsize window{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): the interface of the system.
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0) {
        size = {.columns = window.ws_col, .lines = window.ws_row};
    }
    return size;
}

bool terminal_has_color() {
    return isatty(STDOUT_FILENO) == 1 && environment("NO_COLOR").empty() &&
           environment("TERM") != "dumb" && !environment("TERM").empty();
}

}  // namespace kpid::ctl
