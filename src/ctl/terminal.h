#pragma once
// The terminal that kpictl prints to.

#include <cstddef>

namespace kpid::ctl {

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t lines = 24;
};

/// Of standard output, else of COLUMNS and LINES, else 80 by 24.
[[nodiscard]] TerminalSize terminal_size();
/// Standard output is a terminal that shows colours, and NO_COLOR is not set.
[[nodiscard]] bool terminal_has_color();

}  // namespace kpid::ctl
