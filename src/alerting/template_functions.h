#pragma once
// The functions that templates call.

#include "kpid/alerting/template.h"

#include <functional>
#include <span>
#include <string_view>

namespace kpid::alerting {

/// What a function sees of the rendering it is called in. Borrowed for the call.
struct FunctionContext {
    const TemplateEnvironment& environment;
    /// Renders another template of the same text: `tmpl`.
    std::function<Result<std::string>(const std::string& name, const TemplateValue& dot)> expand;
};

using FunctionArguments = std::span<const TemplateValue>;

struct TemplateFunction {
    std::string_view name;
    std::size_t arguments_min = 0;
    std::size_t arguments_max = 0;
    Result<TemplateValue> (*call)(const FunctionContext&, FunctionArguments) = nullptr;
};

inline constexpr std::size_t kAnyCount = static_cast<std::size_t>(-1);

/// Null when there is none of this name. `and` and `or` are here too, though the executor evaluates
/// their arguments one by one.
[[nodiscard]] const TemplateFunction* find_template_function(std::string_view name);

/// The tables behind it, by file.
[[nodiscard]] std::span<const TemplateFunction> builtin_functions();
[[nodiscard]] std::span<const TemplateFunction> text_functions();
[[nodiscard]] std::span<const TemplateFunction> number_functions();

/// A method of an instant or a span: `Format`, `UnixMilli`, `Seconds`, …
[[nodiscard]] Result<TemplateValue> call_method(const TemplateValue& receiver,
                                                std::string_view name, FunctionArguments arguments);

/// A number, or a text that reads as one, as Prometheus converts arguments.
[[nodiscard]] Result<double> to_number(const TemplateValue& value);
/// The text, or an error that says what came instead.
[[nodiscard]] Result<std::string> expect_text(const TemplateValue& value);

}  // namespace kpid::alerting
