// promql_random SEED COUNT: random expressions, one on each line, for comparisons with
// Prometheus 2.

#include "support/expression_generator.h"
#include "support/random_series.h"

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: promql_random SEED COUNT\n";
        return 2;
    }
    kpid::testing::Dice dice(std::strtoull(argv[1], nullptr, 10));
    kpid::testing::ExpressionGenerator generator([&](std::size_t n) { return dice.below(n); },
                                                 {.as_prometheus_2 = true});
    for (auto left = std::strtoull(argv[2], nullptr, 10); left > 0; --left) {
        std::cout << generator.next() << "\n";
    }
    return 0;
}
