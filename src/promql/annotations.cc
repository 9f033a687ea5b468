// Annotations as the API shows them.

#include "promql/annotations.h"

#include "kpid/promql/parser.h"

#include <fmt/format.h>

namespace kpid::promql {

std::vector<std::string> Annotations::render(std::string_view prefix, const Entries& entries,
                                             std::string_view text) {
    std::vector<std::string> answer;
    answer.reserve(entries.size());
    for (const auto& [message, offset] : entries) {
        const std::string place =
            text.empty() ? fmt::format("1:{}", offset + 1) : line_and_column(text, offset);
        answer.push_back(fmt::format("{}{} ({})", prefix, message, place));
    }
    return answer;
}

}  // namespace kpid::promql
