// Splits a template into text and the tokens of its actions.

#include "alerting/template_lexer.h"

#include "alerting/go_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::alerting {
namespace {

using Kind = TemplateToken::Kind;

constexpr std::string_view kBlank = " \t\r\n";

bool is_blank(char c) {
    return kBlank.find(c) != std::string_view::npos;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class Lexer {
public:
    Lexer(std::string_view text, TemplateFault& fault) : text_(text), fault_(fault) {}

    std::vector<TemplateToken> run() {
        while (fault_.message.empty() && position_ < text_.size()) {
            lex_text();
        }
        if (fault_.message.empty()) {
            push(Kind::kEnd, text_.size(), 0);
        }
        return std::move(tokens_);
    }

private:
    std::string_view rest() const { return text_.substr(position_); }

    void push(Kind kind, std::size_t start, std::size_t length) {
        tokens_.push_back({kind, text_.substr(start, length), start, space_});
        space_ = false;
        position_ = start + length;
    }

    void fail(std::string message) {
        fault_.position = position_;
        fault_.message = std::move(message);
    }

    // Text up to the next action, then the action.
    void lex_text() {
        const std::size_t start = position_;
        const std::size_t open = std::min(text_.find("{{", start), text_.size());
        std::string_view piece = text_.substr(start, open - start);
        std::size_t offset = start;
        if (trim_next_) {
            const std::size_t skip = std::min(piece.find_first_not_of(kBlank), piece.size());
            piece.remove_prefix(skip);
            offset += skip;
        }
        trim_next_ = false;
        const std::string_view after = text_.substr(std::min(open + 2, text_.size()));
        const bool trims = after.size() >= 2 && after[0] == '-' && is_blank(after[1]);
        if (trims) {
            piece = piece.substr(0, piece.find_last_not_of(kBlank) + 1);
        }
        if (!piece.empty()) {
            push(Kind::kText, offset, piece.size());
        }
        position_ = open;
        if (open == text_.size()) {
            return;
        }
        const std::size_t marker = trims ? 4 : 2;
        if (text_.substr(open + marker, 2) == "/*") {
            lex_comment(open + marker);
            return;
        }
        push(Kind::kLeft, open, 2);
        position_ = open + marker;
        lex_action();
    }

    void lex_comment(std::size_t start) {
        const std::size_t close = text_.find("*/", start + 2);
        if (close == std::string_view::npos) {
            fail("unclosed comment");
            return;
        }
        position_ = close + 2;
        const std::string_view after = rest();
        if (!after.empty() && is_blank(after[0]) && after.substr(1, 3) == "-}}") {
            trim_next_ = true;
            position_ += 4;
        } else if (after.starts_with("}}")) {
            position_ += 2;
        } else {
            fail("comment ends before closing delimiter");
        }
    }

    void lex_action() {
        std::size_t open_parentheses = 0;
        while (fault_.message.empty()) {
            if (position_ >= text_.size()) {
                fail("unclosed action");
                return;
            }
            const std::string_view after = rest();
            const bool trims = is_blank(after[0]) && after.substr(1, 3) == "-}}";
            if (trims || after.starts_with("}}")) {
                if (open_parentheses > 0) {
                    fail("unclosed left paren");
                    return;
                }
                push(Kind::kRight, position_ + (trims ? 2 : 0), 2);
                trim_next_ = trims;
                return;
            }
            if (is_blank(after[0])) {
                space_ = true;
                ++position_;
                continue;
            }
            if (after[0] == '(') {
                ++open_parentheses;
            } else if (after[0] == ')') {
                if (open_parentheses == 0) {
                    fail("unexpected right paren");
                    return;
                }
                --open_parentheses;
            }
            lex_one(after);
        }
    }

    void lex_one(std::string_view after) {
        const char c = after[0];
        constexpr std::pair<char, Kind> kSigns[] = {{'(', Kind::kOpen},
                                                    {')', Kind::kClose},
                                                    {'|', Kind::kPipe},
                                                    {',', Kind::kComma},
                                                    {'=', Kind::kAssign}};
        for (const auto& [sign, kind] : kSigns) {
            if (c == sign) {
                push(kind, position_, 1);
                return;
            }
        }
        if (after.starts_with(":=")) {
            push(Kind::kDeclare, position_, 2);
        } else if (c == ':') {
            fail("expected :=");
        } else if (c == '"' || c == '\'' || c == '`') {
            lex_quoted(after);
        } else if (c == '.' && !(after.size() > 1 && is_digit(after[1]))) {
            lex_word(after, 1, Kind::kField);
        } else if (c == '$') {
            lex_word(after, 1, Kind::kVariable);
        } else if (c == '+' || c == '-' || c == '.' || is_digit(c)) {
            lex_number(after);
        } else if (word_length(after) > 0) {
            lex_word(after, 0, Kind::kIdentifier);
        } else {
            fail(fmt::format("unrecognized character in action: U+{:04X}",
                             static_cast<std::uint32_t>(decode_utf8(after).value)));
        }
    }

    static std::size_t word_length(std::string_view text) {
        std::size_t length = 0;
        while (length < text.size()) {
            const CodePoint c = decode_utf8(text.substr(length));
            const bool digit = c.value < 0x80 && is_digit(static_cast<char>(c.value));
            if (!c.valid || !(is_letter(c.value) || digit || c.value == '_')) {
                break;
            }
            length += c.length;
        }
        return length;
    }

    void lex_word(std::string_view after, std::size_t prefix, Kind kind) {
        const std::size_t length = prefix + word_length(after.substr(prefix));
        const std::string_view next = after.substr(length);
        if (kind == Kind::kField && length == 1) {
            push(Kind::kDot, position_, 1);
            return;
        }
        constexpr std::string_view kTerminators = " \t\r\n.,|:()=";
        if (!next.empty() && kTerminators.find(next[0]) == std::string_view::npos &&
            !next.starts_with("}}")) {
            position_ += length;
            fail(fmt::format("bad character U+{:04X}",
                             static_cast<std::uint32_t>(decode_utf8(next).value)));
            return;
        }
        push(kind, position_, length);
    }

    void lex_quoted(std::string_view after) {
        const char quote = after[0];
        for (std::size_t i = 1; i < after.size(); ++i) {
            if (after[i] == quote) {
                push(quote == '\'' ? Kind::kCharacter : Kind::kString, position_, i + 1);
                return;
            }
            if (quote != '`' && after[i] == '\n') {
                break;
            }
            if (quote != '`' && after[i] == '\\') {
                ++i;
            }
        }
        fail(quote == '`'   ? "unterminated raw quoted string"
             : quote == '"' ? "unterminated quoted string"
                            : "unterminated character constant");
    }

    void lex_number(std::string_view after) {
        std::size_t length = after[0] == '+' || after[0] == '-' ? 1 : 0;
        const bool hexadecimal = after.substr(length, 2) == "0x" || after.substr(length, 2) == "0X";
        const auto is_part = [&](char c) {
            return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                   c == '.';
        };
        while (length < after.size()) {
            const char c = after[length];
            const char before = length > 0 ? after[length - 1] : '\0';
            const bool exponent_sign =
                (c == '+' || c == '-') && !hexadecimal && (before == 'e' || before == 'E');
            if (!is_part(c) && !exponent_sign) {
                break;
            }
            ++length;
        }
        push(Kind::kNumber, position_, length);
    }

    std::string_view text_;
    TemplateFault& fault_;
    std::vector<TemplateToken> tokens_;
    std::size_t position_ = 0;
    bool trim_next_ = false;
    bool space_ = false;
};

}  // namespace

std::vector<TemplateToken> lex_template(std::string_view text, TemplateFault& fault) {
    return Lexer(text, fault).run();
}

LinePlace place_in(std::string_view text, std::size_t position) {
    const std::string_view before = text.substr(0, position);
    const std::size_t newline = before.rfind('\n');
    LinePlace place;
    place.line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    place.column = newline == std::string_view::npos ? position : position - newline - 1;
    return place;
}

}  // namespace kpid::alerting
