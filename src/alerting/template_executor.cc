// Walks the tree of a template and writes its text.

#include "alerting/template_executor.h"

#include "alerting/go_text.h"
#include "alerting/template_functions.h"
#include "alerting/template_lexer.h"

#include <fmt/format.h>

namespace kpid::alerting {
namespace {

// Nested walks and evaluations, over all template calls: bounds the stack.
constexpr std::size_t kNestingMax = 500;
// Rounds of a range over an integer.
constexpr std::int64_t kCountMax = 100'000;

// How a list ended.
enum class Flow { kGoOn, kBreak, kContinue };

class Executor {
public:
    Executor(const TemplateProgram& program, const TemplateEnvironment& environment)
        : program_(program),
          context_{environment, [this](const std::string& name, const TemplateValue& dot) {
                       return expand(name, dot);
                   }} {}

    Result<std::string> run(const TemplateData& data) {
        name_ = program_.options.name;
        variables_.emplace_back("$", data.dot);
        for (const std::string& name : program_.options.variables) {
            const auto found = data.variables.find(name);
            variables_.emplace_back(
                "$" + name, found == data.variables.end() ? TemplateValue() : found->second);
        }
        KPID_TRY(const Flow flow, walk(*program_.templates.find(name_)->second, data.dot));
        static_cast<void>(flow);
        return std::move(out_);
    }

private:
    Error fail(std::string_view message) const {
        const LinePlace place = place_in(program_.text, at_ == nullptr ? 0 : at_->position);
        return Error{
            Code::kUnprocessable,
            fmt::format("error executing template {}: template: {}:{}:{}: executing {} at "
                        "<{}>: {}",
                        program_.options.name, program_.options.name, place.line, place.column,
                        go_quote(name_), at_ == nullptr ? "" : describe(*at_), message)};
    }

    // Counts one level of nesting while it lives.
    class Level {
    public:
        explicit Level(std::size_t& count) : count_(++count) {}
        ~Level() { --count_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

    private:
        std::size_t& count_;
    };

    Result<void> step() {
        if (nesting_ > kNestingMax) {
            return fail("nested too deeply");
        }
        if (++steps_ > Template::kStepsMax) {
            return fail(fmt::format("more than {} steps", Template::kStepsMax));
        }
        return {};
    }

    Result<void> put(std::string_view text) {
        if (out_.size() + text.size() > Template::kOutputBytesMax) {
            return fail(fmt::format("the text is longer than {} bytes", Template::kOutputBytesMax));
        }
        out_ += text;
        return {};
    }

    Result<Flow> walk(const Node& node, const TemplateValue& dot) {
        const Level level(nesting_);
        KPID_CHECK_OK(step());
        at_ = &node;
        switch (node.kind) {
            case NodeKind::kList: {
                for (const auto& child : node.children) {
                    KPID_TRY(const Flow flow, walk(*child, dot));
                    if (flow != Flow::kGoOn) {
                        return flow;
                    }
                }
                return Flow::kGoOn;
            }
            case NodeKind::kText:
                KPID_CHECK_OK(put(node.text));
                return Flow::kGoOn;
            case NodeKind::kAction: {
                KPID_TRY(const TemplateValue value, evaluate_pipe(*node.pipe, dot));
                if (node.pipe->names.empty()) {
                    at_ = &node;
                    KPID_CHECK_OK(put(value.to_string()));
                }
                return Flow::kGoOn;
            }
            case NodeKind::kIf:
            case NodeKind::kWith:
                return walk_condition(node, dot);
            case NodeKind::kRange:
                return walk_range(node, dot);
            case NodeKind::kTemplate:
                return walk_template(node, dot);
            case NodeKind::kBreak:
                return Flow::kBreak;
            default:
                return Flow::kContinue;
        }
    }

    Result<Flow> walk_condition(const Node& node, const TemplateValue& dot) {
        const std::size_t scope = variables_.size();
        KPID_TRY(const TemplateValue value, evaluate_pipe(*node.pipe, dot));
        Result<Flow> flow = Flow::kGoOn;
        if (value.truth()) {
            flow = walk(*node.body, node.kind == NodeKind::kWith ? value : dot);
        } else if (node.otherwise) {
            flow = walk(*node.otherwise, dot);
        }
        variables_.resize(scope);
        return flow;
    }

    // The elements of a value with their keys; an integer counts.
    Result<std::vector<std::pair<TemplateValue, TemplateValue>>> elements(
        const TemplateValue& value) {
        std::vector<std::pair<TemplateValue, TemplateValue>> pairs;
        if (const auto* list = value.as_list()) {
            for (std::size_t i = 0; i < list->size(); ++i) {
                pairs.emplace_back(static_cast<std::int64_t>(i), (*list)[i]);
            }
        } else if (const auto* map = value.as_map(); map != nullptr && !map->closed) {
            for (const auto& [key, item] : map->entries) {
                pairs.emplace_back(key, item);
            }
        } else if (const auto* count = value.get_if<std::int64_t>()) {
            if (*count > kCountMax) {
                return fail(fmt::format("range over more than {}", kCountMax));
            }
            for (std::int64_t i = 0; i < *count; ++i) {
                pairs.emplace_back(i, i);
            }
        } else if (!value.is_nothing()) {
            return fail(fmt::format("range can't iterate over {}", value.to_string()));
        }
        return pairs;
    }

    Result<Flow> walk_range(const Node& node, const TemplateValue& dot) {
        const std::size_t scope = variables_.size();
        KPID_TRY(const TemplateValue value, evaluate_pipe(*node.pipe, dot));
        at_ = &node;
        KPID_TRY(const auto pairs, elements(value));
        const std::vector<std::string>& names = node.pipe->names;
        const std::size_t inner = variables_.size();
        for (const auto& [key, item] : pairs) {
            if (names.size() == 1) {
                assign(names[0], item);
            } else if (names.size() == 2) {
                assign(names[0], key);
                assign(names[1], item);
            }
            KPID_TRY(const Flow flow, walk(*node.body, item));
            variables_.resize(inner);
            if (flow == Flow::kBreak) {
                break;
            }
        }
        Result<Flow> flow = Flow::kGoOn;
        if (pairs.empty() && node.otherwise) {
            flow = walk(*node.otherwise, dot);
        }
        variables_.resize(scope);
        return flow;
    }

    Result<void> invoke(const std::string& name, const TemplateValue& dot) {
        const auto found = program_.templates.find(name);
        if (found == program_.templates.end()) {
            return fail(fmt::format("template {} not defined", go_quote(name)));
        }
        if (++depth_ > Template::kDepthMax) {
            return fail("exceeded maximum template depth");
        }
        auto outer_variables =
            std::exchange(variables_, std::vector<std::pair<std::string, TemplateValue>>());
        variables_.emplace_back("$", dot);
        const std::string outer_name = std::exchange(name_, name);
        KPID_TRY(const Flow flow, walk(*found->second, dot));
        static_cast<void>(flow);
        name_ = outer_name;
        variables_ = std::move(outer_variables);
        --depth_;
        return {};
    }

    Result<Flow> walk_template(const Node& node, const TemplateValue& dot) {
        TemplateValue value;
        if (node.pipe) {
            KPID_TRY(value, evaluate_pipe(*node.pipe, dot));
        }
        at_ = &node;
        KPID_CHECK_OK(invoke(node.text, value));
        return Flow::kGoOn;
    }

    Result<std::string> expand(const std::string& name, const TemplateValue& dot) {
        std::string outer = std::exchange(out_, {});
        KPID_CHECK_OK(invoke(name, dot));
        return std::exchange(out_, std::move(outer));
    }

    void assign(const std::string& name, const TemplateValue& value) {
        for (std::size_t i = variables_.size(); i > 0; --i) {
            if (variables_[i - 1].first == name) {
                variables_[i - 1].second = value;
                return;
            }
        }
    }

    Result<TemplateValue> evaluate_pipe(const Node& pipe, const TemplateValue& dot) {
        const Level level(nesting_);
        KPID_CHECK_OK(step());
        at_ = &pipe;
        std::optional<TemplateValue> value;
        for (const auto& command : pipe.children) {
            KPID_TRY(value, evaluate_command(*command, dot, value));
        }
        for (const std::string& name : pipe.names) {
            if (pipe.assigns) {
                assign(name, *value);
            } else {
                variables_.emplace_back(name, *value);
            }
        }
        return *std::move(value);
    }

    Result<TemplateValue> evaluate_command(const Node& command, const TemplateValue& dot,
                                           const std::optional<TemplateValue>& piped) {
        const Node& first = *command.children.front();
        switch (first.kind) {
            case NodeKind::kFunction:
                return evaluate_function(command, dot, piped);
            case NodeKind::kField:
            case NodeKind::kVariable:
            case NodeKind::kChain:
                return evaluate_fields(first, &command, dot, piped);
            default:
                break;
        }
        at_ = &first;
        if (command.children.size() > 1 || piped) {
            return fail(fmt::format("can't give argument to non-function {}", describe(first)));
        }
        if (first.kind == NodeKind::kNil) {
            return fail("nil is not a command");
        }
        return evaluate_argument(first, dot);
    }

    Result<TemplateValue> evaluate_argument(const Node& node, const TemplateValue& dot) {
        const Level level(nesting_);
        KPID_CHECK_OK(step());
        at_ = &node;
        switch (node.kind) {
            case NodeKind::kDot:
                return dot;
            case NodeKind::kNil:
                return TemplateValue();
            case NodeKind::kConstant:
                return node.value;
            case NodeKind::kPipe:
                return evaluate_pipe(node, dot);
            case NodeKind::kFunction: {
                return call(node, node, {});
            }
            default:
                return evaluate_fields(node, nullptr, dot, std::nullopt);
        }
    }

    Result<std::vector<TemplateValue>> evaluate_arguments(
        const Node& command, const TemplateValue& dot, const std::optional<TemplateValue>& piped) {
        std::vector<TemplateValue> arguments;
        for (std::size_t i = 1; i < command.children.size(); ++i) {
            KPID_TRY(TemplateValue argument, evaluate_argument(*command.children[i], dot));
            arguments.push_back(std::move(argument));
        }
        if (piped) {
            arguments.push_back(*piped);
        }
        return arguments;
    }

    Result<TemplateValue> evaluate_function(const Node& command, const TemplateValue& dot,
                                            const std::optional<TemplateValue>& piped) {
        const Node& first = *command.children.front();
        at_ = &first;
        if (first.text == "and" || first.text == "or") {
            // Arguments behind the deciding one are not evaluated.
            const bool decides = first.text == "or";
            for (std::size_t i = 1; i < command.children.size(); ++i) {
                KPID_TRY(TemplateValue value, evaluate_argument(*command.children[i], dot));
                const bool last = i + 1 == command.children.size() && !piped;
                if (value.truth() == decides || last) {
                    return value;
                }
            }
            if (piped) {
                return *piped;
            }
        }
        KPID_TRY(const auto arguments, evaluate_arguments(command, dot, piped));
        return call(command, first, arguments);
    }

    Result<TemplateValue> call(const Node& shown, const Node& function_node,
                               FunctionArguments arguments) {
        const TemplateFunction& function = *find_template_function(function_node.text);
        if (arguments.size() < function.arguments_min ||
            arguments.size() > function.arguments_max) {
            at_ = &function_node;
            return fail(fmt::format("wrong number of args for {}: want {}{} got {}", function.name,
                                    function.arguments_max == kAnyCount ? "at least " : "",
                                    function.arguments_min, arguments.size()));
        }
        auto value = function.call(context_, arguments);
        if (!value) {
            if (value.error().message.starts_with("error executing template")) {
                return value;
            }
            at_ = &shown;
            return fail(fmt::format("error calling {}: {}", function.name, value.error().message));
        }
        if (const auto* text = value->get_if<std::string>();
            text != nullptr && text->size() > Template::kOutputBytesMax) {
            return fail(fmt::format("the text is longer than {} bytes", Template::kOutputBytesMax));
        }
        return value;
    }

    // The value of `.a.b`, `$x.a`, `(…).a`; the words of `command` are arguments of the last field.
    Result<TemplateValue> evaluate_fields(const Node& node, const Node* command,
                                          const TemplateValue& dot,
                                          const std::optional<TemplateValue>& piped) {
        at_ = &node;
        std::size_t first_field = 0;
        TemplateValue value = dot;
        if (node.kind == NodeKind::kVariable) {
            value = variable(node.names[0]);
            first_field = 1;
        } else if (node.kind == NodeKind::kChain) {
            KPID_TRY(value, evaluate_argument(*node.children.front(), dot));
        }
        const bool has_arguments =
            piped.has_value() || (command != nullptr && command->children.size() > 1);
        if (first_field == node.names.size() && has_arguments) {
            return fail(fmt::format("can't give argument to non-function {}", describe(node)));
        }
        for (std::size_t i = first_field; i < node.names.size(); ++i) {
            std::vector<TemplateValue> arguments;
            if (i + 1 == node.names.size() && command != nullptr) {
                KPID_TRY(arguments, evaluate_arguments(*command, dot, piped));
            }
            KPID_TRY(value, field(value, node.names[i], arguments));
        }
        return value;
    }

    const TemplateValue& variable(const std::string& name) const {
        for (std::size_t i = variables_.size(); i > 1; --i) {
            if (variables_[i - 1].first == name) {
                return variables_[i - 1].second;
            }
        }
        return variables_.front().second;
    }

    Result<TemplateValue> field(const TemplateValue& value, const std::string& name,
                                FunctionArguments arguments) {
        if (value.is_nothing()) {
            if (program_.options.missing_key_is_error) {
                return fail(fmt::format("nil data; no entry for key {}", go_quote(name)));
            }
            return TemplateValue();
        }
        const TemplateValue::Map* map = value.as_map();
        if (map == nullptr) {
            auto answer = call_method(value, name, arguments);
            return answer ? answer : Result<TemplateValue>(fail(answer.error().message));
        }
        if (!arguments.empty()) {
            return fail(fmt::format("{} is not a method but has arguments", name));
        }
        const auto found = map->entries.find(name);
        if (found != map->entries.end()) {
            return found->second;
        }
        if (map->closed) {
            return fail(fmt::format("can't evaluate field {} in type {}", name, value.type_name()));
        }
        if (program_.options.missing_key_is_error) {
            return fail(fmt::format("map has no entry for key {}", go_quote(name)));
        }
        return map->of_text ? TemplateValue("") : TemplateValue();
    }

    const TemplateProgram& program_;
    FunctionContext context_;
    std::string name_;
    std::string out_;
    std::vector<std::pair<std::string, TemplateValue>> variables_;
    std::size_t steps_ = 0;
    std::size_t depth_ = 0;
    std::size_t nesting_ = 0;
    const Node* at_ = nullptr;
};

}  // namespace

Result<std::string> execute_template(const TemplateProgram& program, const TemplateData& data,
                                     const TemplateEnvironment& environment) {
    return Executor(program, environment).run(data);
}

}  // namespace kpid::alerting
