#pragma once
// The syntax tree of templates.

#include "kpid/alerting/template.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace kpid::alerting {

enum class NodeKind {
    // What stands in a list.
    kList,
    kText,
    kAction,
    kIf,
    kWith,
    kRange,
    kTemplate,
    kBreak,
    kContinue,
    // What stands in a pipeline.
    kPipe,
    kCommand,
    kFunction,
    kField,
    kVariable,
    kChain,
    kDot,
    kNil,
    kConstant,
};

struct Node {
    NodeKind kind = NodeKind::kList;
    std::size_t position = 0;  ///< Byte in the source.
    std::string text;  ///< Text to put out; a template's, function's name; a constant as written.
    /// Fields of a field, chain or variable (whose first entry is `$name`); variables a pipe
    /// declares.
    std::vector<std::string> names;
    bool assigns = false;  ///< The pipe says `=`, not `:=`.
    TemplateValue value;   ///< Of a constant.
    /// Nodes of a list, commands of a pipe, words of a command, the one operand of a chain.
    std::vector<std::unique_ptr<Node>> children;
    std::unique_ptr<Node> pipe;
    std::unique_ptr<Node> body;
    std::unique_ptr<Node> otherwise;
};

/// The expression as Go shows it in errors.
[[nodiscard]] std::string describe(const Node& node);

/// An integer in any of Go's spellings, or a float; nothing when it is neither.
[[nodiscard]] std::optional<TemplateValue> read_number_constant(std::string_view text);

using NodeMap = std::map<std::string, std::unique_ptr<Node>, std::less<>>;

/// Reads a text into named templates; the text itself is the one named `options.name`.
[[nodiscard]] Result<NodeMap> parse_template_text(std::string_view text,
                                                  const TemplateOptions& options);

}  // namespace kpid::alerting
