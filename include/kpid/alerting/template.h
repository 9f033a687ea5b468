#pragma once
// Templates of labels and annotations: Go's text/template with the functions of Prometheus' rules.

#include "kpid/alerting/template_value.h"
#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/unit.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::alerting {

/// One series of a query's answer.
struct TemplateSample {
    model::Labels labels;
    double value = 0;
};

struct TemplateOptions {
    /// Stands in errors: `template: <name>:1:3: …`.
    std::string name = "template";
    /// Names (without `$`) that the data defines: a use of any other undeclared variable is a parse
    /// error.
    std::vector<std::string> variables;
    /// A field that is absent is an error, not `<no value>`.
    bool missing_key_is_error = false;
};

/// What a template sees beside its data. Borrowed for the call.
struct TemplateEnvironment {
    Timestamp now;
    std::string external_url;  ///< Without a slash at its end; `pathPrefix` is its path.
    /// Evaluates an instant query at `now`; absent: `query` is an error.
    std::function<Result<std::vector<TemplateSample>>(std::string_view expression)> query;
    /// The unit of `inUnit`; absent: the number as it is.
    std::optional<model::Unit> unit;
};

/// `.` and the variables, by name without `$`.
struct TemplateData {
    TemplateValue dot;
    std::map<std::string, TemplateValue, std::less<>> variables;
};

/// The text of a rendering. When it failed, `text` is `<error expanding template: …>`, to be shown
/// where the text would have stood, and `error` says why, to be counted and logged.
struct TemplateOutput {
    std::string text;
    std::optional<Error> error;
};

/// A compiled template. Immutable, cheap to copy, thread-safe.
///
///     KPID_TRY(auto text, Template::parse("{{ $labels.shop }} is at {{ $value }}",
///     rule_template_options("r"))); TemplateOutput out = text.render(rule_template_data(labels,
///     external_labels, url, 4.5), environment);
///
/// Not supported: methods other than those of times and spans, channels, complex numbers, function
/// values, HTML escaping.
class Template {
public:
    static constexpr std::size_t kTextBytesMax = 256 * 1024;
    static constexpr std::size_t kOutputBytesMax = 1024 * 1024;
    /// Nested blocks, parentheses and template calls.
    static constexpr std::size_t kDepthMax = 100;
    /// Nodes executed in one rendering: bounds loops and recursion together.
    static constexpr std::size_t kStepsMax = 1'000'000;

    /// The error's message has the position: `template: <name>:<line>: …`, as Go words it.
    [[nodiscard]] static Result<Template> parse(std::string_view text,
                                                TemplateOptions options = {});
    /// Never fails otherwise than by TemplateOutput::error.
    [[nodiscard]] TemplateOutput render(const TemplateData& data,
                                        const TemplateEnvironment& environment = {}) const;

private:
    struct Rep;
    explicit Template(std::shared_ptr<const Rep> rep) : rep_(std::move(rep)) {}

    std::shared_ptr<const Rep> rep_;  // never null
};

/// What rule files know: $labels, $externalLabels, $externalURL, $value, and the same as fields of
/// `.`.
[[nodiscard]] TemplateOptions rule_template_options(std::string name);
[[nodiscard]] TemplateData rule_template_data(const model::Labels& labels,
                                              const model::Labels& external_labels,
                                              std::string_view external_url, double value);

/// What annotations of KPIs know: $labels, $value, $kpi, $target, $threshold, $status, $previous,
/// $since.
[[nodiscard]] TemplateOptions kpi_template_options(std::string name);
struct KpiTemplateFacts {
    model::Labels labels;
    std::optional<double> value;
    std::map<std::string, TemplateValue, std::less<>> kpi;  ///< id, title, owner, goal, unit, …
    TemplateValue target;                                   ///< Usually text: `at least 4.5`.
    TemplateValue threshold;                                ///< Of the condition that fires.
    std::string status;
    std::string previous;  ///< The status before this one.
    Timestamp since;
};
[[nodiscard]] TemplateData kpi_template_data(KpiTemplateFacts facts);

}  // namespace kpid::alerting
