// Natural order of texts.

#include "promql/natural_order.h"

#include <algorithm>

namespace kpid::promql {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Cuts a run from the front: all digits, or none.
std::string_view take_run(std::string_view& text) {
    const bool digits = is_digit(text.front());
    const auto end =
        std::find_if(text.begin(), text.end(), [digits](char c) { return is_digit(c) != digits; });
    const auto length = static_cast<std::size_t>(end - text.begin());
    const std::string_view run = text.substr(0, length);
    text.remove_prefix(length);
    return run;
}

std::string_view without_zeros(std::string_view digits) {
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
}

// Numbers by their value, everything else by its bytes.
int compare_runs(std::string_view a, std::string_view b) {
    if (!is_digit(a.front()) || !is_digit(b.front())) {
        return a.compare(b);
    }
    a = without_zeros(a);
    b = without_zeros(b);
    return a.size() != b.size() ? (a.size() < b.size() ? -1 : 1) : a.compare(b);
}

}  // namespace

int compare_naturally(std::string_view a, std::string_view b) {
    std::string_view left = a;
    std::string_view right = b;
    while (!left.empty() && !right.empty()) {
        if (const int order = compare_runs(take_run(left), take_run(right)); order != 0) {
            return order;
        }
    }
    if (left.empty() != right.empty()) {
        return left.empty() ? -1 : 1;
    }
    return a.compare(b);
}

}  // namespace kpid::promql
