// Arithmetic and comparison of two vectors: one-to-one, many-to-one, one-to-many.

#include "promql/binary_operation.h"
#include "promql/evaluator.h"
#include "promql/signatures.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace kpid::promql {
namespace {

constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

Error failed(std::string message) {
    return Error{Code::kUnprocessable, std::move(message)};
}

// One series of the answer, and when it was last given a pair.
struct Output {
    Row row;
    std::size_t step = kNever;
    std::size_t signature = 0;
    std::size_t many = kNever;  // The first row of the "many" side that gave it a value.
};

class Matching {
public:
    Matching(Evaluator& evaluator, const BinaryExpr& binary, const Rows& lhs, const Rows& rhs)
        : evaluator_(evaluator),
          binary_(binary),
          matching_(*binary.matching),
          swapped_(matching_.cardinality == MatchCardinality::kOneToMany),
          many_(swapped_ ? rhs.rows : lhs.rows),
          one_(swapped_ ? lhs.rows : rhs.rows),
          signatures_(matching_),
          many_numbers_(signatures_.number(many_)),
          one_numbers_(signatures_.number(one_)),
          one_of_(signatures_.count(), kNever),
          matched_step_(signatures_.count(), kNever),
          grown_(evaluator.budget()) {}

    Result<void> run_step(std::size_t step) {
        const auto has_value = [step](const Row& row) { return !is_absent(row.at(step)); };
        if (std::none_of(many_.begin(), many_.end(), has_value)) {
            return {};  // Nothing to match: what the other side has is not looked at.
        }
        KPID_CHECK_OK(find_one_side(step));
        for (std::size_t m = 0; m < many_.size(); ++m) {
            const double value = many_[m].at(step);
            const std::size_t one = one_of_[many_numbers_[m]];
            if (is_absent(value) || one == kNever) {
                continue;
            }
            KPID_CHECK_OK(match(step, m, one, value));
        }
        for (const std::size_t number : one_numbers_) {
            one_of_[number] = kNever;
        }
        return {};
    }

    Result<Rows> finish() {
        grown_ = Charge(evaluator_.budget());  // The rows are paid for one by one from here on.
        // In the order of the series that they come from, as at each step alone.
        std::stable_sort(outputs_.begin(), outputs_.end(),
                         [](const Output& a, const Output& b) { return a.many < b.many; });
        Rows rows = evaluator_.new_rows();
        for (Output& output : outputs_) {
            KPID_CHECK_OK(rows.push(std::move(output.row)));
        }
        KPID_CHECK_OK(merge_same_labels(rows.rows));
        return rows;
    }

private:
    // Which row of the "one" side has each signature at this step.
    Result<void> find_one_side(std::size_t step) {
        for (std::size_t r = 0; r < one_.size(); ++r) {
            if (is_absent(one_[r].at(step))) {
                continue;
            }
            std::size_t& place = one_of_[one_numbers_[r]];
            if (place != kNever) {
                return duplicate_error(one_[place].labels, one_[r].labels);
            }
            place = r;
        }
        return {};
    }

    [[nodiscard]] Error duplicate_error(const model::Labels& first,
                                        const model::Labels& second) const {
        std::string a = brace_string(first);
        std::string b = brace_string(second);
        if (b < a) {
            std::swap(a, b);
        }
        return failed(fmt::format(
            "found duplicate series for the match group {} on the {} hand-side of the operation: "
            "[{}, "
            "{}];many-to-many matching not allowed: matching labels must be unique on one side",
            brace_string(signatures_.labels_of(first)), swapped_ ? "left" : "right", a, b));
    }

    Result<void> match(std::size_t step, std::size_t many, std::size_t one, double many_value) {
        const std::size_t number = many_numbers_[many];
        if (matching_.cardinality == MatchCardinality::kOneToOne) {
            if (matched_step_[number] == step) {
                return failed(
                    "multiple matches for labels: many-to-one matching must be explicit "
                    "(group_left/group_right)");
            }
            matched_step_[number] = step;
        }
        Output& output = outputs_[output_of(many, one)];
        if (output.step == step && output.signature == number) {
            return failed(
                "multiple matches for labels: grouping labels must ensure unique matches");
        }
        const bool value_there = output.step == step && !is_absent(output.row.at(step));
        output.step = step;
        output.signature = number;
        const double one_value = one_[one].at(step);
        const double value =
            swapped_ ? combine(one_value, many_value) : combine(many_value, one_value);
        if (is_absent(value)) {
            return {};
        }
        if (value_there) {
            return same_labelset();
        }
        const std::size_t size_before = output.row.values.size();
        output.row.append(step, value);
        return grown_.add(output.row.values.size() - size_before);
    }

    // With the operands as they stand in the text; a comparison gives the left one.
    [[nodiscard]] double combine(double lhs, double rhs) const {
        if (!is_comparison(binary_.op)) {
            return apply_arithmetic(binary_.op, lhs, rhs);
        }
        const bool holds = apply_comparison(binary_.op, lhs, rhs);
        if (binary_.return_bool) {
            return holds ? 1.0 : 0.0;
        }
        return holds ? lhs : absent();
    }

    // The index of the series that this pair makes.
    std::size_t output_of(std::size_t many, std::size_t one) {
        const auto [pair, fresh_pair] = output_of_pair_.try_emplace(many * one_.size() + one, 0);
        if (fresh_pair) {
            Row row;
            row.labels = result_labels(many_[many].labels, one_[one].labels);
            row.drop_name = binary_.return_bool && evaluator_.delayed_name_removal();
            const auto [place, fresh] = output_of_labels_.try_emplace(row.labels, outputs_.size());
            if (fresh) {
                outputs_.push_back({std::move(row)});
            }
            pair->second = place->second;
            Output& output = outputs_[place->second];
            output.many = std::min(output.many, many);
        }
        return pair->second;
    }

    [[nodiscard]] model::Labels result_labels(const model::Labels& many,
                                              const model::Labels& one) const {
        const bool drop = !is_comparison(binary_.op) ||
                          (binary_.return_bool && !evaluator_.delayed_name_removal());
        model::Labels labels = drop ? without_metadata(many) : many;
        if (matching_.cardinality == MatchCardinality::kOneToOne) {
            return matching_.on ? only_names(labels, signatures_.names())
                                : without_names(labels, signatures_.names(), false);
        }
        if (matching_.include.empty()) {
            return labels;
        }
        model::LabelsBuilder builder(labels);
        for (const std::string& name : matching_.include) {
            builder.set(name, one.get(name));
        }
        return builder.build();
    }

    Evaluator& evaluator_;
    const BinaryExpr& binary_;
    const VectorMatching& matching_;
    const bool swapped_;  // The "one" side is the left one.
    const std::vector<Row>& many_;
    const std::vector<Row>& one_;
    Signatures signatures_;
    const std::vector<std::size_t> many_numbers_;
    const std::vector<std::size_t> one_numbers_;

    std::vector<std::size_t> one_of_;  // By signature: the row of the "one" side at this step.
    std::vector<std::size_t> matched_step_;  // By signature: the last step with a match.
    std::vector<Output> outputs_;
    boost::unordered_flat_map<std::size_t, std::size_t> output_of_pair_;
    boost::unordered_flat_map<model::Labels, std::size_t, model::LabelsHash> output_of_labels_;
    Charge grown_;
};

}  // namespace

Result<Rows> eval_vector_matching(Evaluator& evaluator, const BinaryExpr& binary, Rows lhs,
                                  Rows rhs, const Steps& steps) {
    if (lhs.rows.empty() || rhs.rows.empty()) {
        return evaluator.new_rows();
    }
    Matching matching(evaluator, binary, lhs, rhs);
    for (std::size_t step = 0; step < steps.count; ++step) {
        KPID_CHECK_OK(evaluator.check_stop());
        KPID_CHECK_OK(matching.run_step(step));
    }
    return matching.finish();
}

}  // namespace kpid::promql
