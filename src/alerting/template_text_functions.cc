// Prometheus' functions about texts, labels and queries.
#include "alerting/go_text.h"
#include "alerting/template_functions.h"
#include "alerting/url_text.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace kpid::alerting {
namespace {

using Arguments = FunctionArguments;
using Answer = Result<TemplateValue>;

Answer call_query(const FunctionContext& context, Arguments arguments) {
    KPID_TRY(const std::string expression, expect_text(arguments[0]));
    if (!context.environment.query) {
        return unsupported("queries are not possible here");
    }
    KPID_TRY(const auto samples, context.environment.query(expression));
    TemplateValue::List list;
    for (const TemplateSample& sample : samples) {
        list.push_back(TemplateValue::sample(sample.labels, sample.value));
    }
    return TemplateValue::list(std::move(list));
}

Result<const TemplateValue::List*> expect_list(const TemplateValue& value) {
    if (value.as_list() == nullptr) {
        return invalid_argument(fmt::format(
            "wrong type for value; expected template.queryResult; got {}", value.type_name()));
    }
    return value.as_list();
}

Answer call_first(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const TemplateValue::List* list, expect_list(arguments[0]));
    if (list->empty()) {
        return invalid_argument("first() called on vector with no elements");
    }
    return list->front();
}

Answer member(const TemplateValue& value, std::string_view name) {
    const TemplateValue::Map* map = value.as_map();
    const auto found = map == nullptr ? decltype(map->entries.end())() : map->entries.find(name);
    if (map == nullptr || found == map->entries.end()) {
        return invalid_argument(fmt::format(
            "wrong type for value; expected *template.sample; got {}", value.type_name()));
    }
    return found->second;
}

Result<std::string> label_of(const TemplateValue& sample, std::string_view name) {
    KPID_TRY(const TemplateValue labels, member(sample, "Labels"));
    const TemplateValue::Map* map = labels.as_map();
    if (map == nullptr) {
        return std::string();
    }
    const auto found = map->entries.find(name);
    return found == map->entries.end() ? std::string() : found->second.to_string();
}

Answer call_value(const FunctionContext&, Arguments arguments) {
    return member(arguments[0], "Value");
}

Answer call_label(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const std::string name, expect_text(arguments[0]));
    KPID_TRY(std::string value, label_of(arguments[1], name));
    return TemplateValue(std::move(value));
}

Answer call_strvalue(const FunctionContext&, Arguments arguments) {
    KPID_TRY(std::string value, label_of(arguments[0], "__value__"));
    return TemplateValue(std::move(value));
}

Answer call_sort_by_label(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const std::string name, expect_text(arguments[0]));
    KPID_TRY(const TemplateValue::List* list, expect_list(arguments[1]));
    std::vector<std::pair<std::string, TemplateValue>> keyed;
    for (const TemplateValue& sample : *list) {
        KPID_TRY(std::string key, label_of(sample, name));
        keyed.emplace_back(std::move(key), sample);
    }
    std::stable_sort(keyed.begin(), keyed.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    TemplateValue::List sorted;
    for (auto& [key, sample] : keyed) {
        sorted.push_back(std::move(sample));
    }
    return TemplateValue::list(std::move(sorted));
}

// Values in `value`, itself included, counted up to `limit`: maps share their parts and could print
// endlessly.
std::size_t count_values(const TemplateValue& value, std::size_t limit) {
    std::size_t count = 1;
    if (const auto* map = value.as_map()) {
        for (const auto& [key, item] : map->entries) {
            if (count >= limit) {
                break;
            }
            count += count_values(item, limit - count);
        }
    }
    return count;
}

Answer call_args(const FunctionContext&, Arguments arguments) {
    std::map<std::string, TemplateValue, std::less<>> map;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        map.emplace(fmt::format("arg{}", i), arguments[i]);
    }
    constexpr std::size_t kValuesMax = 1'000;
    if (count_values(TemplateValue::map(map), kValuesMax) >= kValuesMax) {
        return invalid_argument(fmt::format("more than {} values", kValuesMax));
    }
    return TemplateValue::map(std::move(map));
}

Answer call_tmpl(const FunctionContext& context, Arguments arguments) {
    KPID_TRY(const std::string name, expect_text(arguments[0]));
    KPID_TRY(std::string text, context.expand(name, arguments[1]));
    return TemplateValue(std::move(text));
}

// Patterns here are not anchored, as Go's are not.
Result<std::unique_ptr<re2::RE2>> compile(std::string_view pattern) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto re = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!re->ok()) {
        return invalid_argument(fmt::format("error parsing regexp: {}", re->error()));
    }
    return re;
}

Answer call_match(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const std::string pattern, expect_text(arguments[0]));
    KPID_TRY(const std::string text, expect_text(arguments[1]));
    KPID_TRY(const auto re, compile(pattern));
    return TemplateValue(re2::RE2::PartialMatch(text, *re));
}

// Appends `replacement` with its `$1`, `${name}`, `$$` filled in.
void expand_groups(std::string_view replacement, const re2::RE2& re,
                   const std::vector<re2::StringPiece>& groups, std::string& out) {
    while (!replacement.empty()) {
        const std::size_t dollar = std::min(replacement.find('$'), replacement.size());
        out += replacement.substr(0, dollar);
        replacement.remove_prefix(std::min(dollar + 1, replacement.size()));
        if (replacement.empty()) {
            out += dollar < replacement.size() ? "$" : "";
            return;
        }
        if (replacement[0] == '$') {
            out += '$';
            replacement.remove_prefix(1);
            continue;
        }
        const bool braced = replacement[0] == '{';
        std::size_t length = braced ? 1 : 0;
        const auto is_word = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_';
        };
        while (length < replacement.size() && is_word(replacement[length])) {
            ++length;
        }
        const std::string name(replacement.substr(braced ? 1 : 0, length - (braced ? 1 : 0)));
        if (name.empty() || (braced && replacement.substr(length, 1) != "}")) {
            out += '$';
            continue;
        }
        replacement.remove_prefix(length + (braced ? 1 : 0));
        std::size_t index = groups.size();
        if (std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
            index = name.size() < 6 ? std::stoul(name) : index;
        } else if (const auto found = re.NamedCapturingGroups().find(name);
                   found != re.NamedCapturingGroups().end()) {
            index = static_cast<std::size_t>(found->second);
        }
        if (index < groups.size() && groups[index].data() != nullptr) {
            out.append(groups[index].data(), groups[index].size());
        }
    }
}

Answer call_replace_all(const FunctionContext&, Arguments arguments) {
    KPID_TRY(const std::string pattern, expect_text(arguments[0]));
    KPID_TRY(const std::string replacement, expect_text(arguments[1]));
    KPID_TRY(const std::string text, expect_text(arguments[2]));
    KPID_TRY(const auto re, compile(pattern));
    const int count = re->NumberOfCapturingGroups() + 1;
    std::vector<re2::StringPiece> groups(static_cast<std::size_t>(count));
    std::string out;
    std::size_t position = 0;
    std::size_t copied = 0;
    // Each round moves on by at least one byte, and the output is bounded.
    while (position <= text.size() && out.size() <= Template::kOutputBytesMax) {
        if (!re->Match(text, position, text.size(), re2::RE2::UNANCHORED, groups.data(), count)) {
            break;
        }
        const auto start = static_cast<std::size_t>(groups[0].data() - text.data());
        const std::size_t end = start + groups[0].size();
        // An empty match right behind the last match does not count.
        if (!(groups[0].empty() && start == copied && start > 0 && position > start)) {
            out.append(text, copied, start - copied);
            expand_groups(replacement, *re, groups, out);
            copied = end;
        }
        position = end;
        if (groups[0].empty()) {
            position +=
                start < text.size() ? decode_utf8(std::string_view(text).substr(start)).length : 1;
        }
    }
    if (copied < text.size()) {
        out.append(text, copied, text.size() - copied);
    }
    return TemplateValue(std::move(out));
}

template <class Change>
Answer change_letters(const TemplateValue& value, Change change) {
    KPID_TRY(const std::string text, expect_text(value));
    std::string out;
    char32_t before = ' ';
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = decode_utf8(std::string_view(text).substr(i));
        append_utf8(out, change(before, c.value));
        before = c.value;
        i += c.length;
    }
    return TemplateValue(std::move(out));
}

Answer call_title(const FunctionContext&, Arguments arguments) {
    return change_letters(arguments[0], [](char32_t before, char32_t c) {
        const bool inside = is_letter(before) || (before >= '0' && before <= '9') ||
                            before == '_' || before == '\'';
        return inside ? c : to_upper(c);
    });
}

Answer call_to_upper(const FunctionContext&, Arguments arguments) {
    return change_letters(arguments[0], [](char32_t, char32_t c) { return to_upper(c); });
}

Answer call_to_lower(const FunctionContext&, Arguments arguments) {
    return change_letters(arguments[0], [](char32_t, char32_t c) { return to_lower(c); });
}

Answer call_safe_html(const FunctionContext&, Arguments arguments) {
    KPID_TRY(std::string text, expect_text(arguments[0]));
    return TemplateValue(std::move(text));
}

Answer call_strip_port(const FunctionContext&, Arguments arguments) {
    KPID_TRY(std::string text, expect_text(arguments[0]));
    const auto parts = split_host_port(text);
    return TemplateValue(parts ? parts->first : text);
}

Answer call_strip_domain(const FunctionContext&, Arguments arguments) {
    KPID_TRY(std::string text, expect_text(arguments[0]));
    const auto parts = split_host_port(text);
    const std::string host = parts ? parts->first : text;
    if (is_ip_address(host)) {
        return TemplateValue(std::move(text));
    }
    const std::string name = host.substr(0, host.find('.'));
    return TemplateValue(parts && !parts->second.empty() ? name + ":" + parts->second : name);
}

Answer call_path_prefix(const FunctionContext& context, Arguments) {
    return TemplateValue(path_of_url(context.environment.external_url));
}

Answer call_external_url(const FunctionContext& context, Arguments) {
    return TemplateValue(context.environment.external_url);
}

Answer link(const TemplateValue& expression, int tab) {
    KPID_TRY(const std::string text, expect_text(expression));
    return TemplateValue(fmt::format("/graph?g0.expr={}&g0.tab={}", escape_query(text), tab));
}

Answer call_table_link(const FunctionContext&, Arguments arguments) {
    return link(arguments[0], 1);
}

Answer call_graph_link(const FunctionContext&, Arguments arguments) {
    return link(arguments[0], 0);
}

constexpr TemplateFunction kFunctions[] = {
    {"query", 1, 1, call_query},
    {"first", 1, 1, call_first},
    {"value", 1, 1, call_value},
    {"label", 2, 2, call_label},
    {"strvalue", 1, 1, call_strvalue},
    {"sortByLabel", 2, 2, call_sort_by_label},
    {"args", 0, kAnyCount, call_args},
    {"tmpl", 2, 2, call_tmpl},
    {"match", 2, 2, call_match},
    {"reReplaceAll", 3, 3, call_replace_all},
    {"title", 1, 1, call_title},
    {"toUpper", 1, 1, call_to_upper},
    {"toLower", 1, 1, call_to_lower},
    {"safeHtml", 1, 1, call_safe_html},
    {"stripPort", 1, 1, call_strip_port},
    {"stripDomain", 1, 1, call_strip_domain},
    {"pathPrefix", 0, 0, call_path_prefix},
    {"externalURL", 0, 0, call_external_url},
    {"tableLink", 1, 1, call_table_link},
    {"graphLink", 1, 1, call_graph_link},
};

}  // namespace

std::span<const TemplateFunction> text_functions() {
    return kFunctions;
}

const TemplateFunction* find_template_function(std::string_view name) {
    for (const auto functions : {builtin_functions(), text_functions(), number_functions()}) {
        for (const TemplateFunction& function : functions) {
            if (function.name == name) {
                return &function;
            }
        }
    }
    return nullptr;
}

Result<std::string> expect_text(const TemplateValue& value) {
    if (const auto* text = value.get_if<std::string>()) {
        return *text;
    }
    return invalid_argument(
        fmt::format("wrong type for value; expected string; got {}", value.type_name()));
}

}  // namespace kpid::alerting
