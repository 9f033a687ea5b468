// Alertmanager's two matcher grammars, and the choice between them.

#include "kpid/alerting/matcher_parser.h"

#include "alerting/go_text.h"
#include "alerting/matcher_lexer.h"
#include "kpid/base/json_writer.h"

#include <fmt/format.h>

#include <optional>

namespace kpid::alerting {
namespace {

using Kind = MatcherToken::Kind;

constexpr std::string_view kNoLabelName = "expected label name";
constexpr std::string_view kNoOperator = "expected an operator such as '=', '!=', '=~' or '!~'";
constexpr std::string_view kNoLabelValue = "expected label value";
constexpr std::string_view kNoCommaOrBrace = "expected a comma or close brace";

bool is_text(const MatcherToken& token) {
    return token.kind == Kind::kQuoted || token.kind == Kind::kUnquoted;
}

// Recursive descent over the grammar of matcher/parse: `{`? matcher (`,` matcher)* `,`? `}`?
class Utf8Parser {
public:
    explicit Utf8Parser(std::string_view text) : text_(text), lexer_(text) {}

    Result<std::vector<model::Matcher>> parse() {
        KPID_CHECK_OK(advance());
        const bool braced = token_.kind == Kind::kOpenBrace;
        if (braced) {
            KPID_CHECK_OK(advance());
        }
        while (token_.kind != Kind::kEnd && token_.kind != Kind::kCloseBrace) {
            if (matchers_.size() == kMatchersMax) {
                return invalid_argument(fmt::format("more than {} matchers", kMatchersMax));
            }
            KPID_CHECK_OK(parse_one());
            if (token_.kind == Kind::kComma) {
                KPID_CHECK_OK(advance());
            } else if (token_.kind != Kind::kEnd && token_.kind != Kind::kCloseBrace) {
                return unexpected(kNoCommaOrBrace);
            }
        }
        if (braced && token_.kind == Kind::kEnd) {
            return at_end("expected close brace");
        }
        if (!braced && token_.kind == Kind::kCloseBrace) {
            return invalid_argument(fmt::format("0:{}: }}: expected opening brace", text_.size()));
        }
        if (braced) {
            KPID_CHECK_OK(advance());
        }
        if (token_.kind != Kind::kEnd) {
            return invalid_argument(fmt::format("{}:{}: {}: expected end of input", token_.start,
                                                token_.end, token_.text));
        }
        return std::move(matchers_);
    }

private:
    Result<void> advance() {
        auto next = lexer_.next();
        if (!next) {
            Error error = std::move(next).error();
            if (!matchers_.empty() && after_matcher_) {
                error.message += fmt::format(": {}", kNoCommaOrBrace);
            }
            return error;
        }
        token_ = *next;
        return {};
    }

    Error at_end(std::string_view expected) const {
        return invalid_argument(fmt::format("0:{}: end of input: {}", text_.size(), expected));
    }
    Error unexpected(std::string_view expected) const {
        if (token_.kind == Kind::kEnd) {
            return at_end(expected);
        }
        return invalid_argument(fmt::format("{}:{}: unexpected {}: {}", token_.start, token_.end,
                                            token_.text, expected));
    }

    Result<std::string> take_text(std::string_view expected) {
        if (!is_text(token_)) {
            return unexpected(expected);
        }
        std::string text(token_.text);
        if (token_.kind == Kind::kQuoted) {
            auto unquoted = go_unquote(token_.text);
            if (!unquoted || !is_valid_utf8(*unquoted)) {
                return invalid_argument(
                    fmt::format("{}:{}: {}: invalid input", token_.start, token_.end, token_.text));
            }
            text = *std::move(unquoted);
        }
        return text;
    }

    Result<void> parse_one() {
        after_matcher_ = false;
        KPID_TRY(const std::string name, take_text(kNoLabelName));
        KPID_CHECK_OK(advance());
        if (token_.kind != Kind::kOperator) {
            return unexpected(kNoOperator);
        }
        const model::MatchType type = token_.type;
        KPID_CHECK_OK(advance());
        KPID_TRY(const std::string value, take_text(kNoLabelValue));
        auto matcher = model::Matcher::make(type, name, value);
        if (!matcher) {
            return std::move(matcher).error().with_context("failed to create matcher");
        }
        matchers_.push_back(*std::move(matcher));
        after_matcher_ = true;
        return advance();
    }

    std::string_view text_;
    MatcherLexer lexer_;
    MatcherToken token_;
    std::vector<model::Matcher> matchers_;
    bool after_matcher_ = false;
};

std::string_view trim(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The value of a classic matcher with its quotes and escapes taken off; nothing when a quote is
// misplaced.
std::optional<std::string> unescape_classic(std::string_view raw) {
    const bool quoted = raw.starts_with('"');
    if (quoted) {
        raw.remove_prefix(1);
    }
    std::string value;
    bool closed = !quoted;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        const char c = raw[i];
        const bool last = i + 1 == raw.size();
        if (c == '"') {
            if (closed || !last) {
                return std::nullopt;
            }
            closed = true;
        } else if (c == '\\' && !last) {
            const char next = raw[++i];
            if (next == 'n') {
                value += '\n';
            } else {
                if (next != '"' && next != '\\') {
                    value += '\\';
                }
                value += next;
            }
        } else {
            value += c;
        }
    }
    return closed ? std::optional<std::string>(std::move(value)) : std::nullopt;
}

Result<model::Matcher> parse_classic(std::string_view text) {
    const std::string_view whole = trim(text);
    const auto bad = [&] { return invalid_argument(fmt::format("bad matcher format: {}", text)); };
    const auto is_name = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == ':';
    };
    std::size_t length = 0;
    while (length < whole.size() && is_name(whole[length])) {
        ++length;
    }
    if (length == 0 || (whole[0] >= '0' && whole[0] <= '9')) {
        return bad();
    }
    const std::string_view name = whole.substr(0, length);
    std::string_view rest = trim(whole.substr(length));
    const auto type = take_match_operator(rest);
    if (!type) {
        return bad();
    }
    rest = trim(rest);
    if (!is_valid_utf8(rest)) {
        return invalid_argument("matcher value not valid UTF-8");
    }
    const auto value = unescape_classic(rest);
    if (!value) {
        return invalid_argument(
            fmt::format("matcher value contains unescaped double quote: {}", rest));
    }
    return model::Matcher::make(*type, name, *value);
}

Result<std::vector<model::Matcher>> parse_classic_list(std::string_view text) {
    if (text.starts_with('{')) {
        text.remove_prefix(1);
    }
    if (text.ends_with('}')) {
        text.remove_suffix(1);
    }
    std::vector<std::string_view> parts;
    bool quoted = false;
    bool escaped = false;
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == ',' && !quoted) {
            parts.push_back(text.substr(start, i - start));
            start = i + 1;
        } else if (c == '"' && !escaped) {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
    }
    if (const std::string_view last = trim(text.substr(start)); !last.empty()) {
        parts.push_back(last);
    }
    if (parts.size() > kMatchersMax) {
        return invalid_argument(fmt::format("more than {} matchers", kMatchersMax));
    }
    std::vector<model::Matcher> matchers;
    for (const std::string_view part : parts) {
        KPID_TRY(auto matcher, parse_classic(part));
        matchers.push_back(std::move(matcher));
    }
    return matchers;
}

Result<model::Matcher> parse_utf8_one(std::string_view text) {
    KPID_TRY(auto matchers, Utf8Parser(text).parse());
    if (matchers.empty()) {
        return invalid_argument("no matchers");
    }
    if (matchers.size() > 1) {
        return invalid_argument(fmt::format("expected 1 matcher, found {}", matchers.size()));
    }
    return std::move(matchers.front());
}

Result<void> check_size(std::string_view text) {
    if (text.size() > kMatcherTextBytesMax) {
        return invalid_argument(fmt::format("matchers of {} bytes: at most {} are allowed",
                                            text.size(), kMatcherTextBytesMax));
    }
    return {};
}

// Of two readings of one text the classic one wins, as configurations that stand were written for
// it.
template <class T>
Result<T> choose(Result<T> utf8, Result<T> classic) {
    if (classic || !utf8) {
        return classic;
    }
    return utf8;
}

}  // namespace

Result<model::Matcher> parse_matcher(std::string_view text, MatcherSyntax syntax) {
    KPID_CHECK_OK(check_size(text));
    if (syntax == MatcherSyntax::kClassic) {
        return parse_classic(text);
    }
    const bool braced = text.starts_with('{') || text.ends_with('}');
    if (syntax == MatcherSyntax::kUtf8 || braced) {
        return parse_utf8_one(text);
    }
    return choose(parse_utf8_one(text), parse_classic(text));
}

Result<std::vector<model::Matcher>> parse_matchers(std::string_view text, MatcherSyntax syntax) {
    KPID_CHECK_OK(check_size(text));
    switch (syntax) {
        case MatcherSyntax::kClassic:
            return parse_classic_list(text);
        case MatcherSyntax::kUtf8:
            return Utf8Parser(text).parse();
        case MatcherSyntax::kFallback:
            break;
    }
    return choose(Utf8Parser(text).parse(), parse_classic_list(text));
}

std::string format_matcher(const model::Matcher& matcher) {
    const std::string& name = matcher.name();
    if (name.empty() || has_reserved_character(name)) {
        return fmt::format("{}{}{}", go_quote(name), model::to_string(matcher.type()),
                           go_quote(matcher.value()));
    }
    return fmt::format("{}{}{}", name, model::to_string(matcher.type()),
                       model::quote_label_value(matcher.value()));
}

std::string format_matchers(const std::vector<model::Matcher>& matchers) {
    std::string text = "{";
    for (const model::Matcher& matcher : matchers) {
        if (text.size() > 1) {
            text += ',';
        }
        text += format_matcher(matcher);
    }
    return text + '}';
}

}  // namespace kpid::alerting
