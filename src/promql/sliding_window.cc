#include "promql/sliding_window.h"

#include "promql/compensated_sum.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>

namespace kpid::promql {
namespace {

// Sums and squares of this many of these stay finite.
constexpr double kTameMax = 1e140;

bool are_tame(std::span<const double> values) {
    return std::all_of(values.begin(), values.end(),
                       [](double value) { return std::abs(value) < kTameMax; });
}

struct SumState {
    CompensatedSum sum;

    static SumState of(double value) { return {{value, 0}}; }
    void merge(const SumState& later) {
        sum.add(later.sum.sum);
        sum.compensation += later.sum.compensation;
    }
};

// Count, mean and the sum of squared distances from it (T. F. Chan, G. H. Golub, R. J. LeVeque,
// "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
struct VarianceState {
    double count = 0;
    double mean = 0;
    double squares = 0;

    static VarianceState of(double value) { return {1, value, 0}; }
    void merge(const VarianceState& later) {
        if (count == 0 || later.count == 0) {
            *this = count == 0 ? later : *this;
            return;
        }
        const double all = count + later.count;
        const double delta = later.mean - mean;
        mean += delta * (later.count / all);
        squares += later.squares + delta * delta * (count * later.count / all);
        count = all;
    }
};

// A queue as two stacks: what was merged from each sample of the older part up to the part's end,
// and all of the newer part merged. The older part is made anew when it is used up.
template <class State>
class MergingQueue {
public:
    explicit MergingQueue(std::span<const double> values) : values_(values) {}

    [[nodiscard]] State merged(const WindowBounds& window) {
        if (window.low >= middle_) {
            make_older(window);
        }
        for (; high_ < window.high; ++high_) {
            newer_.merge(State::of(values_[high_]));
        }
        State all = older_[window.low - older_begin_];
        all.merge(newer_);
        return all;
    }

private:
    void make_older(const WindowBounds& window) {
        older_begin_ = window.low;
        middle_ = window.high;
        high_ = window.high;
        older_.resize(middle_ - older_begin_);
        State state;
        for (std::size_t i = middle_; i-- > older_begin_;) {
            State one = State::of(values_[i]);
            one.merge(state);
            state = one;
            older_[i - older_begin_] = state;
        }
        newer_ = State();
    }

    const std::span<const double> values_;
    std::vector<State> older_;  // From each sample of [older_begin_, middle_) to middle_.
    State newer_;               // Of [middle_, high_).
    std::size_t older_begin_ = 0;
    std::size_t middle_ = 0;
    std::size_t high_ = 0;
};

template <class State, class Answer>
void slide_merged(std::span<const double> values, std::span<const WindowBounds> windows,
                  std::vector<double>& answers, const Answer& answer) {
    MergingQueue<State> queue(values);
    for (const WindowBounds& window : windows) {
        answers.push_back(answer(queue.merged(window), window));
    }
}

// The distance to the first value is as good as the value, and keeps the digits of values that are
// far from zero and close together.
void slide_variance(std::span<const double> values, std::span<const WindowBounds> windows,
                    std::vector<double>& answers) {
    std::vector<double> distances(values.begin(), values.end());
    for (double& distance : distances) {
        distance -= values.front();
    }
    slide_merged<VarianceState>(distances, windows, answers,
                                [](const VarianceState& state, const WindowBounds&) {
                                    return state.squares / state.count;
                                });
}

// Of the samples in the window those that no later one beats, in order: the first is the answer.
template <class Beats>
void slide_extreme(std::span<const double> values, std::span<const WindowBounds> windows,
                   std::vector<double>& answers, const Beats& beats) {
    std::vector<std::size_t> candidates;
    std::size_t first = 0;
    std::size_t high = 0;
    for (const WindowBounds& window : windows) {
        for (high = std::max(high, window.low); high < window.high; ++high) {
            while (candidates.size() > first && !beats(values[candidates.back()], values[high])) {
                candidates.pop_back();
            }
            candidates.push_back(high);
        }
        while (candidates[first] < window.low) {
            ++first;
        }
        answers.push_back(values[candidates[first]]);
    }
}

// How many samples of a window stand so to the one before them, which is in it too.
template <class Stands>
void slide_count(std::span<const double> values, std::span<const WindowBounds> windows,
                 std::vector<double>& answers, const Stands& stands) {
    std::vector<std::uint32_t> counts(values.size());  // Up to each sample.
    for (std::size_t i = 1; i < values.size(); ++i) {
        counts[i] = counts[i - 1] + (stands(values[i], values[i - 1]) ? 1U : 0U);
    }
    for (const WindowBounds& window : windows) {
        answers.push_back(counts[window.high - 1] - counts[window.low]);
    }
}

double size_of(const WindowBounds& window) {
    return static_cast<double>(window.high - window.low);
}

}  // namespace

SlidingKind sliding_kind(WindowFunction function) {
    static constexpr std::pair<WindowFunction, SlidingKind> kKinds[] = {
        {window_sum, SlidingKind::kSum},         {window_avg, SlidingKind::kAvg},
        {window_min, SlidingKind::kMin},         {window_max, SlidingKind::kMax},
        {window_stdvar, SlidingKind::kStdvar},   {window_stddev, SlidingKind::kStddev},
        {window_changes, SlidingKind::kChanges}, {window_resets, SlidingKind::kResets}};
    const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                    [function](const auto& one) { return one.first == function; });
    return found == std::end(kKinds) ? SlidingKind::kNone : found->second;
}

bool slide(SlidingKind kind, std::span<const double> values, std::span<const WindowBounds> windows,
           std::vector<double>& answers) {
    if (kind == SlidingKind::kNone || !are_tame(values)) {
        return false;
    }
    answers.clear();
    answers.reserve(windows.size());
    switch (kind) {
        case SlidingKind::kSum:
            slide_merged<SumState>(
                values, windows, answers,
                [](const SumState& state, const WindowBounds&) { return state.sum.value(); });
            break;
        case SlidingKind::kAvg:
            slide_merged<SumState>(values, windows, answers,
                                   [](const SumState& state, const WindowBounds& window) {
                                       const double n = size_of(window);
                                       return state.sum.sum / n + state.sum.compensation / n;
                                   });
            break;
        case SlidingKind::kStdvar:
        case SlidingKind::kStddev:
            slide_variance(values, windows, answers);
            if (kind == SlidingKind::kStddev) {
                std::transform(answers.begin(), answers.end(), answers.begin(),
                               [](double variance) { return std::sqrt(variance); });
            }
            break;
        case SlidingKind::kMin:
            slide_extreme(values, windows, answers, std::less_equal<>());
            break;
        case SlidingKind::kMax:
            slide_extreme(values, windows, answers, std::greater_equal<>());
            break;
        case SlidingKind::kChanges:
            slide_count(values, windows, answers, std::not_equal_to<>());
            break;
        default:
            slide_count(values, windows, answers, std::less<>());
            break;
    }
    return true;
}

}  // namespace kpid::promql
