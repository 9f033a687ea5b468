#pragma once
// What expressions evaluate to inside the engine: series as columns over the steps of the query.

#include "kpid/base/result.h"
#include "kpid/model/labels.h"
#include "kpid/model/sample.h"
#include "promql/budget.h"
#include "promql/steps.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::promql {

/// "No value at this step". The stale marker serves: selectors never let one through and arithmetic
/// never makes one, since it is a signalling NaN.
[[nodiscard]] inline double absent() {
    return model::stale_marker();
}
[[nodiscard]] inline bool is_absent(double value) {
    return model::is_stale_marker(value);
}

/// Which series of a kept selection (model::KeptSelection).
struct SeriesPlace {
    std::uint64_t generation = 0;  ///< 0: of none.
    std::size_t number = 0;

    [[nodiscard]] bool is_known() const { return generation != 0; }
};

/// One series over the steps. values[i] belongs to step first + i; steps outside have no value.
struct Row {
    model::Labels labels;
    /// The name goes away at the end of the query (delayed name removal).
    bool drop_name = false;
    /// A streamed row only: its name is to go before anyone looks at the labels
    /// (Evaluator::drop_name).
    bool name_goes = false;
    /// A streamed row only: its series' place in a kept selection.
    SeriesPlace place;
    std::size_t first = 0;
    std::vector<double> values;

    [[nodiscard]] double at(std::size_t step) const {
        const std::size_t index = step - first;  // Wraps to a huge index before `first`.
        return index < values.size() ? values[index] : absent();
    }
    /// Sets the value of a step behind all that have one.
    void append(std::size_t step, double value) {
        if (values.empty()) {
            first = step;
        }
        values.resize(step - first, absent());
        values.push_back(value);
    }
    /// Whether any step has a value.
    [[nodiscard]] bool any() const;
};

/// The rows of one vector-valued expression, paid for from the query's budget.
class Rows {
public:
    explicit Rows(Budget& budget) : charge_(budget) {}

    /// Takes a row; one without values is left out.
    [[nodiscard]] Result<void> push(Row row) {
        if (row.values.empty()) {
            return {};
        }
        KPID_CHECK_OK(charge_.add(row.values.size()));
        row.place = SeriesPlace();  // What follows may change the labels.
        rows.push_back(std::move(row));
        return {};
    }
    /// Pays for this many bytes of labels that an expression makes beside the rows themselves.
    [[nodiscard]] Result<void> pay_labels(std::size_t bytes) {
        constexpr std::size_t kBytesPerSample = 16;
        return charge_.add(bytes / kBytesPerSample);
    }
    [[nodiscard]] Budget& budget() const { return charge_.budget(); }

    std::vector<Row> rows;

private:
    Charge charge_;
};

/// Adds what `from` has to `into` (same labels); an error when both have a value at one step.
[[nodiscard]] Result<void> merge_row(Row& into, const Row& from);

/// Makes label sets unique: rows with equal labels become one. Prometheus' error when two of them
/// have a value at the same step.
[[nodiscard]] Result<void> merge_same_labels(std::vector<Row>& rows);

/// "vector cannot contain metrics with the same labelset".
[[nodiscard]] Error same_labelset();

/// True for the labels that describe the metric as such and go when an operation makes another
/// metric of it: the name, __type__, __unit__.
[[nodiscard]] bool is_metadata_label(std::string_view name);
/// Without these.
[[nodiscard]] model::Labels without_metadata(const model::Labels& labels);
/// Names of labels to look up, however many an expression lists. Borrows them.
class NameSet {
public:
    explicit NameSet(const std::vector<std::string>& names);
    [[nodiscard]] bool contains(std::string_view name) const {
        return std::binary_search(names_.begin(), names_.end(), name);
    }

private:
    std::vector<std::string_view> names_;  // Sorted.
};
/// Without the given names; with `name_too` also without the metric's name.
[[nodiscard]] model::Labels without_names(const model::Labels& labels, const NameSet& names,
                                          bool name_too);
/// Only the given names.
[[nodiscard]] model::Labels only_names(const model::Labels& labels, const NameSet& names);
/// `{__name__="x", a="b"}`, as error messages print a label set.
[[nodiscard]] std::string brace_string(const model::Labels& labels);

}  // namespace kpid::promql
