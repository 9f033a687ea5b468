#include "kpid/model/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <charconv>

namespace kpid::model {
namespace {

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The group a template reference names, or -1.
int group_index(const re2::RE2& re, std::string_view name) {
    int index = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
    if (error == std::errc{} && end == name.data() + name.size()) {
        return index;
    }
    const auto& names = re.NamedCapturingGroups();
    const auto found = names.find(std::string(name));
    return found == names.end() ? -1 : found->second;
}

// Reads the reference behind a '$' at the start of `rest` and removes it; empty when there is none.
std::string_view take_reference(std::string_view& rest) {
    if (!rest.empty() && rest.front() == '{') {
        const std::size_t close = rest.find('}');
        if (close == std::string_view::npos) {
            return {};
        }
        const std::string_view name = rest.substr(1, close - 1);
        rest.remove_prefix(close + 1);
        return name;
    }
    std::size_t length = 0;
    while (length < rest.size() && is_word(rest[length])) {
        ++length;
    }
    const std::string_view name = rest.substr(0, length);
    rest.remove_prefix(length);
    return name;
}

// Go also reads `(?<name>…)`, which this RE2 knows only as `(?P<name>…)`.
std::string with_old_group_names(std::string_view pattern) {
    std::string text;
    bool in_class = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const std::string_view rest = pattern.substr(i);
        if (rest.size() > 1 && rest[0] == '\\') {
            text += rest.substr(0, 2);
            ++i;
            continue;
        }
        if (!in_class && rest.size() > 3 && rest.starts_with("(?<") && rest[3] != '=' &&
            rest[3] != '!') {
            text += "(?P<";
            i += 2;
            continue;
        }
        in_class = in_class ? rest[0] != ']' : rest[0] == '[';
        text += rest[0];
    }
    return text;
}

// What is wrong with a pattern, as Go says it.
std::string_view go_words(re2::RE2::ErrorCode code) {
    switch (code) {
        case re2::RE2::ErrorBadEscape:
            return "invalid escape sequence";
        case re2::RE2::ErrorBadCharClass:
            return "invalid character class";
        case re2::RE2::ErrorBadCharRange:
            return "invalid character class range";
        case re2::RE2::ErrorMissingBracket:
            return "missing closing ]";
        case re2::RE2::ErrorMissingParen:
            return "missing closing )";
        case re2::RE2::ErrorUnexpectedParen:
            return "unexpected )";
        case re2::RE2::ErrorTrailingBackslash:
            return "trailing backslash at end of expression";
        case re2::RE2::ErrorRepeatArgument:
            return "missing argument to repetition operator";
        case re2::RE2::ErrorRepeatSize:
            return "invalid repeat count";
        case re2::RE2::ErrorRepeatOp:
            return "invalid nested repetition operator";
        case re2::RE2::ErrorBadPerlOp:
            return "invalid or unsupported Perl syntax";
        case re2::RE2::ErrorBadUTF8:
            return "invalid UTF-8";
        case re2::RE2::ErrorBadNamedCapture:
            return "invalid named capture";
        case re2::RE2::ErrorPatternTooLarge:
            return "expression too large";
        default:
            return "internal error";
    }
}

}  // namespace

Regex::Regex(std::string pattern, std::shared_ptr<const re2::RE2> re)
    : pattern_(std::move(pattern)), re_(std::move(re)) {
}

Result<Regex> Regex::compile(std::string_view pattern) {
    if (pattern.size() > kPatternBytesMax) {
        return invalid_argument(
            fmt::format("regular expression of {} bytes: at most {} are allowed", pattern.size(),
                        kPatternBytesMax));
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    const std::string text = with_old_group_names(pattern);
    auto re = std::make_shared<re2::RE2>(text, options);
    if (!re->ok()) {
        return invalid_argument(fmt::format("error parsing regexp: {}: `{}`",
                                            go_words(re->error_code()), re->error_arg()));
    }
    return Regex(std::string(pattern), std::move(re));
}

bool Regex::full_match(std::string_view text) const {
    return re2::RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *re_);
}

bool Regex::expand(std::string_view text, std::string_view replacement, std::string& out) const {
    const re2::StringPiece piece(text.data(), text.size());
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(re_->NumberOfCapturingGroups()) +
                                         1);
    if (!re_->Match(piece, 0, piece.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                    static_cast<int>(groups.size()))) {
        return false;
    }
    out.clear();
    std::string_view rest = replacement;
    while (!rest.empty()) {
        const std::size_t dollar = rest.find('$');
        out += rest.substr(0, dollar);
        if (dollar == std::string_view::npos) {
            break;
        }
        rest.remove_prefix(dollar + 1);
        if (!rest.empty() && rest.front() == '$') {
            out += '$';
            rest.remove_prefix(1);
            continue;
        }
        const std::string_view name = take_reference(rest);
        if (name.empty()) {
            out += '$';  // Not a reference: Go keeps the dollar of a malformed one.
            continue;
        }
        const int index = group_index(*re_, name);
        if (index >= 0 && static_cast<std::size_t>(index) < groups.size()) {
            const re2::StringPiece& group = groups[static_cast<std::size_t>(index)];
            out.append(group.data() == nullptr ? "" : group.data(), group.size());
        }
    }
    return true;
}

}  // namespace kpid::model
