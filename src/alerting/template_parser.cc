// Recursive descent over the tokens of a template.

#include "alerting/go_text.h"
#include "alerting/template_functions.h"
#include "alerting/template_lexer.h"
#include "alerting/template_node.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::alerting {
namespace {

using Kind = TemplateToken::Kind;
using NodePtr = std::unique_ptr<Node>;

NodePtr make_node(NodeKind kind, std::size_t position) {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->position = position;
    return node;
}

class Parser {
public:
    Parser(std::string_view text, const TemplateOptions& options)
        : text_(text), options_(options), tokens_(lex_template(text, fault_)) {
        for (const std::string& name : options.variables) {
            variables_.push_back("$" + name);
        }
    }

    Result<NodeMap> run() {
        if (!fault_.message.empty()) {
            return error_at(fault_.position, fault_.message);
        }
        KPID_TRY(NodePtr list, parse_list(false));
        if (peek().kind != Kind::kEnd) {
            return error_at(peek().position, fmt::format("unexpected {{{{{}}}}}", keyword_));
        }
        templates_.insert_or_assign(options_.name, std::move(list));
        return std::move(templates_);
    }

private:
    Error error_at(std::size_t position, std::string_view message) const {
        return invalid_argument(fmt::format("error parsing template {}: template: {}:{}: {}",
                                            options_.name, options_.name,
                                            place_in(text_, position).line, message));
    }
    Error unexpected(const TemplateToken& token, std::string_view context) const {
        if (token.kind == Kind::kEnd) {
            return error_at(token.position, "unexpected EOF");
        }
        return error_at(token.position,
                        fmt::format("unexpected {} in {}", go_quote(token.text), context));
    }

    const TemplateToken& peek(std::size_t ahead = 0) const {
        return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
    }
    const TemplateToken& take() {
        const TemplateToken& token = peek();
        next_ = std::min(next_ + 1, tokens_.size() - 1);
        return token;
    }
    bool at_keyword(std::string_view word) const {
        return peek().kind == Kind::kIdentifier && peek().text == word;
    }
    Result<void> expect(Kind kind, std::string_view context) {
        if (peek().kind != kind) {
            return unexpected(peek(), context);
        }
        take();
        return {};
    }

    // Nodes up to {{end}}, {{else}} or the end of the text. The ending word is in keyword_ and its
    // action is left open behind that word.
    Result<NodePtr> parse_list(bool nested) {
        if (++depth_ > Template::kDepthMax) {
            return error_at(peek().position, "blocks are nested too deeply");
        }
        NodePtr list = make_node(NodeKind::kList, peek().position);
        while (peek().kind != Kind::kEnd) {
            const TemplateToken token = take();
            if (token.kind == Kind::kText) {
                NodePtr text = make_node(NodeKind::kText, token.position);
                text->text = token.text;
                list->children.push_back(std::move(text));
                continue;
            }
            if (at_keyword("end") || at_keyword("else")) {
                keyword_ = take().text;
                --depth_;
                if (!nested) {
                    return error_at(token.position, fmt::format("unexpected {{{{{}}}}}", keyword_));
                }
                return list;
            }
            KPID_TRY(NodePtr node, parse_action(nested));
            if (node) {
                list->children.push_back(std::move(node));
            }
        }
        --depth_;
        if (nested) {
            return error_at(peek().position, "unexpected EOF");
        }
        return list;
    }

    Result<NodePtr> parse_action(bool nested) {
        const std::size_t position = peek().position;
        if (peek().kind == Kind::kIdentifier) {
            const std::string_view word = peek().text;
            if (word == "define") {
                take();
                return nested ? Result<NodePtr>(unexpected(tokens_[next_ - 1], "command"))
                              : parse_define();
            }
            if (word == "if" || word == "with" || word == "range") {
                take();
                return parse_control(word, position);
            }
            if (word == "block" || word == "template") {
                take();
                return parse_invocation(word, position);
            }
            if (word == "break" || word == "continue") {
                take();
                return parse_jump(word, position);
            }
        }
        KPID_TRY(NodePtr pipe, parse_pipe("command", Kind::kRight));
        NodePtr action = make_node(NodeKind::kAction, position);
        action->pipe = std::move(pipe);
        return action;
    }

    Result<NodePtr> parse_jump(std::string_view word, std::size_t position) {
        if (range_depth_ == 0) {
            return error_at(position, fmt::format("{{{{{}}}}} outside {{{{range}}}}", word));
        }
        KPID_CHECK_OK(expect(Kind::kRight, word));
        return make_node(word == "break" ? NodeKind::kBreak : NodeKind::kContinue, position);
    }

    Result<std::string> parse_name(std::string_view context) {
        if (peek().kind != Kind::kString) {
            return unexpected(peek(), context);
        }
        const TemplateToken token = take();
        auto name = go_unquote(token.text);
        if (!name) {
            return error_at(token.position, "invalid syntax");
        }
        return *std::move(name);
    }

    // The body of a template of its own: it sees no variable but `$`.
    Result<NodePtr> parse_own_body() {
        std::vector<std::string> outer = std::exchange(variables_, {"$"});
        const std::size_t outer_ranges = std::exchange(range_depth_, 0);
        auto body = parse_list(true);
        variables_ = std::move(outer);
        range_depth_ = outer_ranges;
        if (!body) {
            return body;
        }
        if (keyword_ != "end") {
            return error_at(peek().position, "unexpected {{else}} in define clause");
        }
        KPID_CHECK_OK(expect(Kind::kRight, "end"));
        return body;
    }

    Result<NodePtr> parse_define() {
        KPID_TRY(const std::string name, parse_name("define clause"));
        KPID_CHECK_OK(expect(Kind::kRight, "define clause"));
        KPID_TRY(NodePtr body, parse_own_body());
        templates_.insert_or_assign(name, std::move(body));
        return NodePtr();
    }

    Result<NodePtr> parse_invocation(std::string_view word, std::size_t position) {
        NodePtr node = make_node(NodeKind::kTemplate, position);
        KPID_TRY(node->text, parse_name(fmt::format("{} clause", word)));
        if (peek().kind == Kind::kRight && word == "template") {
            take();
        } else {
            KPID_TRY(node->pipe, parse_pipe(word, Kind::kRight));
        }
        if (word == "block") {
            KPID_TRY(NodePtr body, parse_own_body());
            templates_.insert_or_assign(node->text, std::move(body));
        }
        return node;
    }

    Result<NodePtr> parse_control(std::string_view word, std::size_t position) {
        const std::size_t scope = variables_.size();
        NodePtr node = make_node(word == "if"     ? NodeKind::kIf
                                 : word == "with" ? NodeKind::kWith
                                                  : NodeKind::kRange,
                                 position);
        KPID_TRY(node->pipe, parse_pipe(word, Kind::kRight));
        const std::size_t ranges = word == "range" ? 1 : 0;
        range_depth_ += ranges;
        auto body = parse_list(true);
        range_depth_ -= ranges;
        if (!body) {
            return body;
        }
        node->body = *std::move(body);
        if (keyword_ == "else") {
            KPID_TRY(node->otherwise, parse_else(word));
        } else {
            KPID_CHECK_OK(expect(Kind::kRight, "end"));
        }
        variables_.resize(scope);
        return node;
    }

    // Behind `{{else`: a list up to {{end}}, or another if (or with) that shares its {{end}}.
    Result<NodePtr> parse_else(std::string_view word) {
        if (word != "range" && at_keyword(word)) {
            if (++depth_ > Template::kDepthMax) {
                return error_at(peek().position, "blocks are nested too deeply");
            }
            const std::size_t position = take().position;
            KPID_TRY(NodePtr inner, parse_control(word, position));
            --depth_;
            NodePtr list = make_node(NodeKind::kList, position);
            list->children.push_back(std::move(inner));
            return list;
        }
        KPID_CHECK_OK(expect(Kind::kRight, "else"));
        KPID_TRY(NodePtr list, parse_list(true));
        if (keyword_ != "end") {
            return error_at(peek().position, "expected end; found {{else}}");
        }
        KPID_CHECK_OK(expect(Kind::kRight, "end"));
        return list;
    }

    Result<NodePtr> parse_pipe(std::string_view context, Kind closing) {
        if (++depth_ > Template::kDepthMax) {
            return error_at(peek().position, "expressions are nested too deeply");
        }
        NodePtr pipe = make_node(NodeKind::kPipe, peek().position);
        KPID_CHECK_OK(parse_declarations(*pipe, context));
        while (true) {
            if (peek().kind == closing) {
                if (pipe->children.empty()) {
                    return error_at(peek().position, fmt::format("missing value for {}", context));
                }
                take();
                break;
            }
            KPID_TRY(NodePtr command, parse_command(context));
            pipe->children.push_back(std::move(command));
            if (peek().kind == Kind::kPipe) {
                const TemplateToken bar = take();
                if (peek().kind == closing) {
                    return error_at(bar.position, fmt::format("missing value for {}", context));
                }
            } else if (peek().kind != closing) {
                return unexpected(peek(), "operand");
            }
        }
        // Only the first command of a pipeline may be something that is not called.
        for (std::size_t i = 1; i < pipe->children.size(); ++i) {
            const NodeKind kind = pipe->children[i]->children.front()->kind;
            if (kind == NodeKind::kConstant || kind == NodeKind::kDot || kind == NodeKind::kNil) {
                return error_at(pipe->children[i]->position,
                                fmt::format("non executable command in pipeline stage {}", i + 1));
            }
        }
        for (const std::string& name : pipe->names) {
            if (!pipe->assigns) {
                variables_.push_back(name);
            }
        }
        --depth_;
        return pipe;
    }

    Result<void> parse_declarations(Node& pipe, std::string_view context) {
        const bool two = peek().kind == Kind::kVariable && peek(1).kind == Kind::kComma &&
                         peek(2).kind == Kind::kVariable;
        const TemplateToken& sign = peek(two ? 3 : 1);
        if (peek().kind != Kind::kVariable ||
            (sign.kind != Kind::kDeclare && sign.kind != Kind::kAssign)) {
            return {};
        }
        if (two && context != "range") {
            return error_at(peek().position, fmt::format("too many declarations in {}", context));
        }
        pipe.assigns = sign.kind == Kind::kAssign;
        for (const std::size_t ahead : {std::size_t{0}, std::size_t{2}}) {
            if (ahead == 2 && !two) {
                break;
            }
            if (pipe.assigns) {
                KPID_CHECK_OK(check_variable(peek(ahead)));
            }
            pipe.names.emplace_back(peek(ahead).text);
        }
        next_ += two ? 4 : 2;
        return {};
    }

    Result<void> check_variable(const TemplateToken& token) const {
        if (std::find(variables_.begin(), variables_.end(), token.text) == variables_.end()) {
            return error_at(token.position,
                            fmt::format("undefined variable {}", go_quote(token.text)));
        }
        return {};
    }

    Result<NodePtr> parse_command(std::string_view context) {
        NodePtr command = make_node(NodeKind::kCommand, peek().position);
        while (true) {
            const Kind kind = peek().kind;
            if (kind == Kind::kPipe || kind == Kind::kRight || kind == Kind::kClose) {
                break;
            }
            if (!command->children.empty() && !peek().space_before && kind != Kind::kOpen) {
                return unexpected(peek(), "operand");
            }
            KPID_TRY(NodePtr operand, parse_operand(context));
            command->children.push_back(std::move(operand));
        }
        if (command->children.empty()) {
            return error_at(command->position, "empty command");
        }
        return command;
    }

    bool at_attached_field() const { return peek().kind == Kind::kField && !peek().space_before; }

    Result<NodePtr> parse_operand(std::string_view context) {
        KPID_TRY(NodePtr node, parse_term(context));
        if (!at_attached_field()) {
            return node;
        }
        if (node->kind == NodeKind::kConstant || node->kind == NodeKind::kNil ||
            node->kind == NodeKind::kDot) {
            return error_at(peek().position,
                            fmt::format("unexpected . after term {}", go_quote(describe(*node))));
        }
        if (node->kind != NodeKind::kField && node->kind != NodeKind::kVariable) {
            NodePtr chain = make_node(NodeKind::kChain, peek().position);
            chain->children.push_back(std::move(node));
            node = std::move(chain);
        }
        while (at_attached_field()) {
            node->names.emplace_back(take().text.substr(1));
        }
        return node;
    }

    Result<NodePtr> parse_term(std::string_view context) {
        const TemplateToken token = take();
        switch (token.kind) {
            case Kind::kIdentifier:
                return parse_word(token);
            case Kind::kDot:
                return make_node(NodeKind::kDot, token.position);
            case Kind::kField: {
                NodePtr node = make_node(NodeKind::kField, token.position);
                node->names.emplace_back(token.text.substr(1));
                return node;
            }
            case Kind::kVariable: {
                KPID_CHECK_OK(check_variable(token));
                NodePtr node = make_node(NodeKind::kVariable, token.position);
                node->names.emplace_back(token.text);
                return node;
            }
            case Kind::kOpen:
                return parse_pipe("parenthesized pipeline", Kind::kClose);
            case Kind::kNumber:
            case Kind::kCharacter:
            case Kind::kString:
                return parse_constant(token);
            default:
                return unexpected(token, context);
        }
    }

    Result<NodePtr> parse_word(const TemplateToken& token) {
        NodePtr node = make_node(NodeKind::kFunction, token.position);
        node->text = token.text;
        if (token.text == "true" || token.text == "false") {
            node->kind = NodeKind::kConstant;
            node->value = TemplateValue(token.text == "true");
        } else if (token.text == "nil") {
            node->kind = NodeKind::kNil;
        } else if (find_template_function(token.text) == nullptr) {
            return error_at(token.position,
                            fmt::format("function {} not defined", go_quote(token.text)));
        }
        return node;
    }

    Result<NodePtr> parse_constant(const TemplateToken& token) {
        NodePtr node = make_node(NodeKind::kConstant, token.position);
        node->text = token.text;
        if (token.kind == Kind::kNumber) {
            auto value = read_number_constant(token.text);
            if (!value) {
                return error_at(token.position,
                                fmt::format("bad number syntax: {}", go_quote(token.text)));
            }
            node->value = *std::move(value);
            return node;
        }
        auto text = go_unquote(token.text);
        if (!text) {
            return error_at(token.position, "invalid syntax");
        }
        if (token.kind == Kind::kString) {
            node->value = TemplateValue(*std::move(text));
            return node;
        }
        if (text->empty() || decode_utf8(*text).length != text->size()) {
            return error_at(token.position,
                            fmt::format("malformed character constant: {}", token.text));
        }
        node->value = TemplateValue(static_cast<std::int64_t>(decode_utf8(*text).value));
        return node;
    }

    std::string_view text_;
    const TemplateOptions& options_;
    TemplateFault fault_;
    std::vector<TemplateToken> tokens_;
    std::size_t next_ = 0;
    std::size_t depth_ = 0;
    std::size_t range_depth_ = 0;
    std::string_view keyword_;
    std::vector<std::string> variables_ = {"$"};
    NodeMap templates_;
};

}  // namespace

Result<NodeMap> parse_template_text(std::string_view text, const TemplateOptions& options) {
    return Parser(text, options).run();
}

}  // namespace kpid::alerting
