// Natural order of texts.

#include "promql/natural_order.h"

#include <algorithm>

namespace kpid::promql {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Cuts the run of digits from the front.
std::string_view take_digits(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto length = static_cast<std::size_t>(end - text.begin());
    std::string_view digits = text.substr(0, length);
    text.remove_prefix(length);
    digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
    return digits;
}

}  // namespace

int compare_naturally(std::string_view a, std::string_view b) {
    std::string_view left = a;
    std::string_view right = b;
    while (!left.empty() && !right.empty()) {
        if (is_digit(left.front()) && is_digit(right.front())) {
            const std::string_view left_digits = take_digits(left);
            const std::string_view right_digits = take_digits(right);
            if (left_digits.size() != right_digits.size()) {
                return left_digits.size() < right_digits.size() ? -1 : 1;
            }
            if (const int order = left_digits.compare(right_digits); order != 0) {
                return order;
            }
            continue;
        }
        if (left.front() != right.front()) {
            return static_cast<unsigned char>(left.front()) <
                           static_cast<unsigned char>(right.front())
                       ? -1
                       : 1;
        }
        left.remove_prefix(1);
        right.remove_prefix(1);
    }
    if (left.empty() != right.empty()) {
        return left.empty() ? -1 : 1;
    }
    return a.compare(b);
}

}  // namespace kpid::promql
