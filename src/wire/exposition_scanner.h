#pragma once
// Walks over an exposition text: names, quoted strings, label blocks and numbers, for both formats.

#include "kpid/wire/exposition.h"

#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire::detail {

/// How a label block is written.
struct LabelGrammar {
    bool blanks = false;          ///< Blanks and tabs between tokens.
    bool trailing_comma = false;  ///< `{a="1",}`.
    bool metric_name = false;     ///< A quoted metric name among the labels.
    bool known_escapes = false;   ///< Escapes other than `\\`, `\"`, `\n` are refused.
    bool newlines = false;        ///< A raw newline within quotes.
};

/// One sample's name and labels, reused from line to line.
struct SampleParts {
    std::string_view name;
    bool name_has_escapes = false;
    std::vector<RawLabel> labels;
};

/// A cursor. Operations give false after the first failure, whose message error() has. Borrowed
/// text.
class ExpositionScanner {
public:
    explicit ExpositionScanner(std::string_view text)
        : at_(text.data()), end_(text.data() + text.size()), line_start_(at_) {}

    [[nodiscard]] bool at_end() const { return at_ == end_; }
    [[nodiscard]] bool looking_at(char c) const { return at_ != end_ && *at_ == c; }
    [[nodiscard]] const char* position() const { return at_; }
    [[nodiscard]] std::size_t line() const { return line_; }

    void skip_blanks() {
        while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) {
            ++at_;
        }
    }
    bool take(char c) {
        if (!looking_at(c)) {
            return false;
        }
        ++at_;
        return true;
    }
    bool take_word(std::string_view word);
    /// Takes a newline, and checks the length of the line that it ends.
    bool take_newline();
    /// [a-zA-Z_:][a-zA-Z0-9_:]*, or empty.
    std::string_view take_name();
    /// The bytes up to a blank, newline, or one of `stops`.
    std::string_view take_token(std::string_view stops);
    /// The bytes up to the newline or the end.
    std::string_view take_rest_of_line();
    /// A quoted string at the cursor, without its quotes.
    bool take_quoted(const LabelGrammar& grammar, std::string_view& inside, bool& has_escapes);
    /// A label block whose brace was taken, up to and with its closing brace.
    bool take_labels(const LabelGrammar& grammar, SampleParts& parts);

    bool fail(std::string message);
    /// fail("expected <what>, got <the character here>").
    bool fail_expected(std::string_view what);
    [[nodiscard]] Error error() const;

private:
    bool take_label(const LabelGrammar& grammar, SampleParts& parts);
    bool check_labels(const SampleParts& parts);

    const char* at_;
    const char* end_;
    const char* line_start_;
    std::size_t line_ = 1;
    std::string message_;
};

/// Reads a value; NaN becomes model::kNormalNanBits.
bool read_value(std::string_view token, double& value);
/// The bytes with `\\`, `\n` and, where `quotes`, `\"` resolved; other escapes stay as they are.
[[nodiscard]] std::string unescape(std::string_view raw, bool quotes);
/// Marks `le` or `quantile` where `type` gives them meaning.
void mark_bounds(model::MetricType type, std::vector<RawLabel>& labels);
/// What `name` has behind `family`, or nothing when it does not begin with it.
[[nodiscard]] std::optional<std::string_view> suffix_of(std::string_view name,
                                                        std::string_view family);
/// True when samples of a family of this type may carry this suffix.
[[nodiscard]] bool is_suffix_of_type(model::MetricType type, std::string_view suffix);

/// The two formats' readers.
Result<void> read_text(std::string_view text, Strictness strictness, ExpositionSink& sink);
Result<void> read_openmetrics(std::string_view text, Strictness strictness, ExpositionSink& sink);

}  // namespace kpid::wire::detail
