#pragma once
// Renders the syntax tree of a template.

#include "alerting/template_node.h"

namespace kpid::alerting {

/// What a rendering needs of its template. Borrowed.
struct TemplateProgram {
    std::string_view text;  ///< For positions in errors.
    const TemplateOptions& options;
    const NodeMap& templates;
};

/// The rendered text; the error is worded as Prometheus words it.
[[nodiscard]] Result<std::string> execute_template(const TemplateProgram& program,
                                                   const TemplateData& data,
                                                   const TemplateEnvironment& environment);

}  // namespace kpid::alerting
