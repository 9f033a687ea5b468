// Calls: from the name to the handler.

#include "promql/function_table.h"

#include <fmt/format.h>

#include <array>

namespace kpid::promql {

Result<Evaluated> eval_call(Evaluator& evaluator, const Call& call, const Steps& steps) {
    const std::array families = {math_functions(),  range_functions(), vector_functions(),
                                 label_functions(), time_functions(),  histogram_functions()};
    for (const std::span<const FunctionEntry> family : families) {
        for (const FunctionEntry& entry : family) {
            if (entry.name == call.function->name) {
                return entry.handler(evaluator, call, steps);
            }
        }
    }
    return unsupported(fmt::format("function \"{}\" is not supported yet", call.function->name));
}

}  // namespace kpid::promql
