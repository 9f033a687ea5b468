#pragma once
// Plain text tables.

#include <string>
#include <vector>

namespace kpid::ctl {

/// Rows of cells, columns aligned by width in code points, two blanks between them; the first row
/// is the head.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace kpid::ctl
