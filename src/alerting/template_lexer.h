#pragma once
// The tokens of templates.

#include "kpid/base/result.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::alerting {

struct TemplateToken {
    enum class Kind {
        kText,        ///< Outside of actions, trimmed.
        kLeft,        ///< `{{`
        kRight,       ///< `}}`
        kIdentifier,  ///< Functions, keywords, true, false, nil.
        kField,       ///< `.name`
        kVariable,    ///< `$name` or `$`
        kDot,
        kNumber,
        kCharacter,
        kString,
        kPipe,
        kDeclare,  ///< `:=`
        kAssign,   ///< `=`
        kComma,
        kOpen,
        kClose,
        kEnd,
    };
    Kind kind = Kind::kEnd;
    std::string_view text;
    std::size_t position = 0;
    bool space_before = false;
};

/// A failure and where it is.
struct TemplateFault {
    std::size_t position = 0;
    std::string message;
};

/// All tokens of a text, the last one kEnd. `text` outlives them. On a failure `fault` is set and
/// the tokens end before it.
[[nodiscard]] std::vector<TemplateToken> lex_template(std::string_view text, TemplateFault& fault);

/// The number of the line of a byte, from 1, and the byte's place in it, from 0.
struct LinePlace {
    std::size_t line = 1;
    std::size_t column = 0;
};
[[nodiscard]] LinePlace place_in(std::string_view text, std::size_t position);

}  // namespace kpid::alerting
