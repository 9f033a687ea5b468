// label_replace and label_join.

#include "kpid/model/regex.h"
#include "promql/function_table.h"
#include "promql/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace kpid::promql {
namespace {

Error failed(std::string message) {
    return Error{Code::kUnprocessable, std::move(message)};
}

// A value that a function makes is at most this long: calls within each other may multiply it.
constexpr std::size_t kLabelValueBytesMax = 1024 * 1024;

Error too_long(std::string_view function) {
    return failed(fmt::format("{}(): a label value would be longer than {} bytes", function,
                              kLabelValueBytesMax));
}

// A name that was written on purpose stays.
Result<void> set_label(Rows& rows, Row& row, const std::string& name, const std::string& value) {
    KPID_CHECK_OK(rows.pay_labels(value.size()));
    row.labels = row.labels.with(name, value);
    if (name == model::kMetricName) {
        row.drop_name = false;
    }
    return {};
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
    const auto references =
        static_cast<std::size_t>(std::count(replacement.begin(), replacement.end(), '$'));
    std::string value;
    for (Row& row : rows.rows) {
        KPID_CHECK_OK(evaluator.check_stop());
        const std::string_view text = row.labels.get(source);
        // Each reference gives the whole text at most.
        if (references * text.size() + replacement.size() > kLabelValueBytesMax) {
            return too_long("label_replace");
        }
        value.clear();
        if (regex->expand(text, replacement, value)) {
            KPID_CHECK_OK(set_label(rows, row, target, value));
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
            if (value.size() > kLabelValueBytesMax) {
                return too_long("label_join");
            }
        }
        KPID_CHECK_OK(set_label(rows, row, target, value));
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
