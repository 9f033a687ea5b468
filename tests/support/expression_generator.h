#pragma once
// Random PromQL expressions over a known set of metrics: types are respected, so that nearly all of
// them parse, and labels are chosen so that many find something.
//
// Metrics (their labels; what the series should be like):
//   temperature{host, room}      a gauge of halves, one room for each host
//   requests_total{host, room}   a counter, with resets
//   latency_bucket{host, le}     classic buckets 0.1, 0.5, 1, +Inf
//   sparse{host}                 a gauge with gaps and stale markers
//   odd{host}                    NaN and infinities among its values
//   weight{room}                 one series for each room
//   limit                        one series

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace kpid::testing {

struct ExpressionOptions {
    /// Leaves out what Prometheus learnt after 2.42, and what it does in another way since: `atan2`
    /// drops names, rates of gauges go back to zero otherwise, predict_linear looks at a pinned
    /// window at every step, windows are open on the left (samples must stand at a fraction of a
    /// second, and queries at another). Also what tiny differences decide: ties, jumps and waves
    /// over values that only rounding tells apart. And two places where Prometheus is odd: dates of
    /// NaN, and timestamp() of a selector with both `@` and `offset`.
    bool as_prometheus_2 = false;
    /// How many operators and calls stand within each other.
    std::size_t depth_max = 4;
};

/// Makes expressions as long as it is asked. One thread at a time.
class ExpressionGenerator {
public:
    /// A number below its argument, which is above 0: all randomness comes from here.
    using Choose = std::function<std::size_t(std::size_t)>;
    ExpressionGenerator(Choose choose, const ExpressionOptions& options)
        : choose_(std::move(choose)), options_(options) {}

    /// An instant vector or a scalar.
    [[nodiscard]] std::string next();

private:
    // A part of an expression.
    struct Piece {
        std::string text;
        /// Its values come out the same whatever the order of the arithmetic is.
        bool exact = true;
        /// It needs no parentheses as an operand.
        bool closed = true;
    };

    [[nodiscard]] Piece vector(std::size_t depth);
    [[nodiscard]] Piece scalar(std::size_t depth);
    [[nodiscard]] Piece range(std::size_t depth);
    [[nodiscard]] Piece selector();
    [[nodiscard]] Piece composed(std::size_t depth);
    [[nodiscard]] Piece with_scalar(std::size_t depth);
    [[nodiscard]] Piece joined(std::size_t depth);
    [[nodiscard]] Piece set_operation(std::size_t depth);
    [[nodiscard]] Piece aggregation(std::size_t depth);
    [[nodiscard]] Piece selection(std::size_t depth);
    [[nodiscard]] Piece function_of_values(std::size_t depth);
    [[nodiscard]] Piece function_of_range(std::size_t depth);
    [[nodiscard]] Piece quantile_of_buckets(std::size_t depth);
    [[nodiscard]] Piece relabelled(std::size_t depth);
    [[nodiscard]] Piece other_function(std::size_t depth);

    [[nodiscard]] Piece exact_vector(std::size_t depth);
    [[nodiscard]] std::string operand(const Piece& piece);
    [[nodiscard]] std::string modifiers();
    [[nodiscard]] std::string grouping();
    [[nodiscard]] std::string number();
    template <std::size_t Count>
    std::string_view one_of(const std::string_view (&texts)[Count]) {
        return texts[choose_(Count)];
    }
    /// True once in `n` times.
    bool once_in(std::size_t n) { return choose_(n) == 0; }

    Choose choose_;
    ExpressionOptions options_;
};

}  // namespace kpid::testing
