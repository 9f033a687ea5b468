// label_replace and label_join.

#include "kpid/model/regex.h"
#include "promql/function_table.h"
#include "promql/parameters.h"

#include <fmt/format.h>

#include <array>

namespace kpid::promql {
namespace {

Error failed(std::string message) {
    return Error{Code::kUnprocessable, std::move(message)};
}

// A name that was written on purpose stays.
void set_label(Row& row, const std::string& name, const std::string& value) {
    row.labels = row.labels.with(name, value);
    if (name == model::kMetricName) {
        row.drop_name = false;
    }
}

Result<Evaluated> label_replace(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const std::string target, evaluator.eval_string(*call.arguments[1]));
    KPID_TRY(const std::string replacement, evaluator.eval_string(*call.arguments[2]));
    KPID_TRY(const std::string source, evaluator.eval_string(*call.arguments[3]));
    KPID_TRY(const std::string pattern, evaluator.eval_string(*call.arguments[4]));
    const auto regex = model::Regex::compile(pattern);
    if (!regex) {
        return failed(fmt::format("invalid regular expression in label_replace(): {}", pattern));
    }
    if (!is_label_name(target)) {
        return failed(fmt::format("invalid destination label name in label_replace(): {}", target));
    }
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    std::string value;
    for (Row& row : rows.rows) {
        KPID_CHECK_OK(evaluator.check_stop());
        value.clear();
        if (regex->expand(row.labels.get(source), replacement, value)) {
            set_label(row, target, value);
        }
    }
    KPID_CHECK_OK(merge_same_labels(rows.rows));
    return Evaluated(std::move(rows));
}

Result<Evaluated> label_join(Evaluator& evaluator, const Call& call, const Steps& steps) {
    KPID_TRY(const std::string target, evaluator.eval_string(*call.arguments[1]));
    KPID_TRY(const std::string separator, evaluator.eval_string(*call.arguments[2]));
    std::vector<std::string> sources;
    for (std::size_t i = 3; i < call.arguments.size(); ++i) {
        KPID_TRY(std::string source, evaluator.eval_string(*call.arguments[i]));
        if (!is_label_name(source)) {
            return failed(fmt::format("invalid source label name in label_join(): {}", source));
        }
        sources.push_back(std::move(source));
    }
    if (!is_label_name(target)) {
        return failed(fmt::format("invalid destination label name in label_join(): {}", target));
    }
    KPID_TRY(Rows rows, evaluator.eval_vector(*call.arguments[0], steps));
    for (Row& row : rows.rows) {
        KPID_CHECK_OK(evaluator.check_stop());
        std::string value;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            value += i == 0 ? "" : separator;
            value += row.labels.get(sources[i]);
        }
        set_label(row, target, value);
    }
    KPID_CHECK_OK(merge_same_labels(rows.rows));
    return Evaluated(std::move(rows));
}

constexpr std::array<FunctionEntry, 2> kFunctions = {{
    {"label_join", label_join},
    {"label_replace", label_replace},
}};

}  // namespace

std::span<const FunctionEntry> label_functions() {
    return kFunctions;
}

}  // namespace kpid::promql
