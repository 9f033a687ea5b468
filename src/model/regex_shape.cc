// Reads the part of RE2's syntax that stands for literals; gives up at everything else.

#include "kpid/model/regex_shape.h"

#include <algorithm>

namespace kpid::model {
namespace {

constexpr int kDepthMax = 100;

// The language of a piece: `texts` when they are few, else a prefix and what may follow it.
struct Piece {
    bool finite = true;
    std::vector<std::string> texts;
    std::string prefix;
    RegexShape::Rest rest = RegexShape::Rest::kOther;
};

Piece unknown() {
    return {.finite = false};
}

std::string common_prefix(std::string_view a, std::string_view b) {
    const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return {a.begin(), end};
}

std::string prefix_of(const Piece& piece) {
    if (!piece.finite) {
        return piece.prefix;
    }
    std::string prefix = piece.texts.empty() ? "" : piece.texts.front();
    for (const std::string& text : piece.texts) {
        prefix = common_prefix(prefix, text);
    }
    return prefix;
}

bool is_small(const std::vector<std::string>& texts) {
    std::size_t bytes = 0;
    for (const std::string& text : texts) {
        bytes += text.size();
    }
    return texts.size() <= RegexShape::kLiteralsMax && bytes <= RegexShape::kLiteralBytesMax;
}

// `first` and then `second`.
Piece joined(Piece first, const Piece& second) {
    if (!first.finite) {
        // What follows narrows the rest, unless it is nothing at all.
        const bool nothing =
            second.finite && second.texts.size() == 1 && second.texts.front().empty();
        first.rest = nothing ? first.rest : RegexShape::Rest::kOther;
        return first;
    }
    if (!second.finite) {
        Piece whole = unknown();
        whole.prefix = prefix_of(first);
        if (first.texts.size() == 1) {
            whole.prefix += second.prefix;
            whole.rest = second.rest;
        }
        return whole;
    }
    if (second.texts.size() == 1) {
        for (std::string& text : first.texts) {
            text += second.texts.front();
        }
    } else if (first.texts.size() * second.texts.size() <= RegexShape::kLiteralsMax) {
        std::vector<std::string> texts;
        for (const std::string& text : first.texts) {
            for (const std::string& end : second.texts) {
                texts.push_back(text + end);
            }
        }
        first.texts = std::move(texts);
    } else {
        Piece whole = unknown();
        whole.prefix = prefix_of(first);
        return whole;
    }
    return first;
}

Piece either(Piece first, Piece second) {
    if (first.finite && second.finite) {
        first.texts.insert(first.texts.end(), second.texts.begin(), second.texts.end());
        if (is_small(first.texts)) {
            return first;
        }
    }
    for (const Piece& piece : {first, second}) {
        if (!piece.finite && piece.prefix.empty() && piece.rest == RegexShape::Rest::kAnything) {
            return piece;
        }
    }
    Piece whole = unknown();
    whole.prefix = common_prefix(prefix_of(first), prefix_of(second));
    return whole;
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

class ShapeParser {
public:
    explicit ShapeParser(std::string_view pattern) : rest_(pattern) {}

    Piece parse() {
        Piece piece = alternation(0);
        return understood_ && rest_.empty() ? piece : unknown();
    }

private:
    Piece give_up() {
        understood_ = false;
        return unknown();
    }
    [[nodiscard]] bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
    bool take(char c) {
        const bool taken = next_is(c);
        rest_.remove_prefix(taken ? 1 : 0);
        return taken;
    }

    Piece alternation(int depth) {
        if (depth > kDepthMax) {
            return give_up();
        }
        Piece whole = sequence(depth);
        while (understood_ && take('|')) {
            whole = either(std::move(whole), sequence(depth));
        }
        return whole;
    }

    Piece sequence(int depth) {
        Piece whole{.texts = {""}};
        while (understood_ && !rest_.empty() && !next_is('|') && !next_is(')')) {
            const bool is_dot = next_is('.');
            Piece piece = quantified(atom(depth), is_dot);
            whole = joined(std::move(whole), piece);
            if (whole.finite && !is_small(whole.texts)) {
                std::string prefix = prefix_of(whole);
                whole = unknown();
                whole.prefix = std::move(prefix);
            }
        }
        return whole;
    }

    Piece quantified(Piece piece, bool is_dot) {
        if (!understood_ || rest_.empty()) {
            return piece;
        }
        const char quantifier = rest_.front();
        if (quantifier == '{') {
            return give_up();
        }
        if (quantifier != '*' && quantifier != '+' && quantifier != '?') {
            return piece;
        }
        rest_.remove_prefix(1);
        take('?');  // Greedy or not, the same texts match.
        if (quantifier == '?') {
            return piece.finite ? either(std::move(piece), {.texts = {""}}) : unknown();
        }
        Piece repeated = unknown();
        if (is_dot) {
            repeated.rest =
                quantifier == '*' ? RegexShape::Rest::kAnything : RegexShape::Rest::kSomething;
        } else if (quantifier == '+') {
            repeated.prefix = prefix_of(piece);
        }
        return repeated;
    }

    Piece atom(int depth) {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        switch (c) {
            case '(':
                return group(depth);
            case '[':
                return character_class();
            case '.':
                return unknown();
            case '\\':
                return escape();
            case '^':
            case '$':
            case '*':
            case '+':
            case '?':
            case '{':
                return give_up();
            default:
                return character(c);
        }
    }

    Piece group(int depth) {
        if (next_is('?')) {
            if (!rest_.starts_with("?:")) {
                return give_up();  // Flags and names.
            }
            rest_.remove_prefix(2);
        }
        Piece inner = alternation(depth + 1);
        return understood_ && take(')') ? inner : give_up();
    }

    // Letters, digits and what needs no escape; the rest of the classes is left to RE2.
    Piece character_class() {
        const bool negated = take('^');
        Piece piece{.texts = {}};
        while (!rest_.empty() && rest_.front() != ']') {
            const char first = rest_.front();
            const bool plain = is_alphanumeric(first) || first == '_' || first == '.';
            if (!plain) {
                return give_up();
            }
            rest_.remove_prefix(1);
            char last = first;
            if (take('-')) {
                if (rest_.empty() || !is_alphanumeric(rest_.front()) || rest_.front() < first) {
                    return give_up();
                }
                last = rest_.front();
                rest_.remove_prefix(1);
            }
            for (char c = first; c <= last; ++c) {
                piece.texts.emplace_back(1, c);
            }
        }
        if (piece.texts.empty() || !take(']')) {
            return give_up();
        }
        return negated ? unknown() : piece;
    }

    Piece escape() {
        if (rest_.empty() || is_alphanumeric(rest_.front()) ||
            static_cast<unsigned char>(rest_.front()) >= 0x80) {
            return give_up();
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return {.texts = {std::string(1, c)}};
    }

    // One character of UTF-8, whole, since a quantifier behind it means all its bytes.
    Piece character(char first) {
        std::string text(1, first);
        while (!rest_.empty() && (static_cast<unsigned char>(rest_.front()) & 0xc0) == 0x80) {
            text += rest_.front();
            rest_.remove_prefix(1);
        }
        return {.texts = {std::move(text)}};
    }

    std::string_view rest_;
    bool understood_ = true;
};

}  // namespace

RegexShape regex_shape(std::string_view pattern) {
    Piece piece = ShapeParser(pattern).parse();
    if (!piece.finite) {
        return {.prefix = std::move(piece.prefix), .rest = piece.rest};
    }
    std::sort(piece.texts.begin(), piece.texts.end());
    piece.texts.erase(std::unique(piece.texts.begin(), piece.texts.end()), piece.texts.end());
    return {.literals = std::move(piece.texts)};
}

}  // namespace kpid::model
