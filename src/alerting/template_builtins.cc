// Go's own functions of text/template.
#include "alerting/go_format.h"
#include "alerting/go_text.h"
#include "alerting/template_functions.h"
#include "alerting/url_text.h"

#include <fmt/format.h>

#include <cmath>
#include <compare>

namespace kpid::alerting {
namespace {

Error incompatible() {
    return invalid_argument("incompatible types for comparison");
}

bool is_integer(const TemplateValue& v) {
    return v.get_if<std::int64_t>() != nullptr || v.get_if<std::uint64_t>() != nullptr;
}

std::partial_ordering compare_integers(const TemplateValue& a, const TemplateValue& b) {
    const auto* a_signed = a.get_if<std::int64_t>();
    const auto* b_signed = b.get_if<std::int64_t>();
    if (a_signed != nullptr && b_signed != nullptr) {
        return *a_signed <=> *b_signed;
    }
    if (a_signed != nullptr && *a_signed < 0) {
        return std::partial_ordering::less;
    }
    if (b_signed != nullptr && *b_signed < 0) {
        return std::partial_ordering::greater;
    }
    const auto natural = [](const TemplateValue& v) {
        const auto* value = v.get_if<std::int64_t>();
        return value != nullptr ? static_cast<std::uint64_t>(*value) : *v.get_if<std::uint64_t>();
    };
    return natural(a) <=> natural(b);
}

// Integers and floats compare by value, where Go refuses: `gt $value 4` is what people write.
Result<std::partial_ordering> compare(const TemplateValue& a, const TemplateValue& b) {
    if (is_integer(a) && is_integer(b)) {
        return compare_integers(a, b);
    }
    const auto is_number = [](const TemplateValue& v) {
        return is_integer(v) || v.get_if<double>() != nullptr;
    };
    if (is_number(a) && is_number(b)) {
        KPID_TRY(const double left, to_number(a));
        KPID_TRY(const double right, to_number(b));
        return left <=> right;
    }
    const auto* left = a.get_if<std::string>();
    const auto* right = b.get_if<std::string>();
    if (left != nullptr && right != nullptr) {
        return std::partial_ordering(left->compare(*right) <=> 0);
    }
    return incompatible();
}

Result<bool> equal(const TemplateValue& a, const TemplateValue& b) {
    const auto* left = a.get_if<bool>();
    const auto* right = b.get_if<bool>();
    if (left != nullptr && right != nullptr) {
        return *left == *right;
    }
    if (a.is_nothing() || b.is_nothing()) {
        return a.is_nothing() && b.is_nothing();
    }
    KPID_TRY(const std::partial_ordering order, compare(a, b));
    return order == std::partial_ordering::equivalent;
}

Result<TemplateValue> call_eq(const FunctionContext&, FunctionArguments arguments) {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        KPID_TRY(const bool same, equal(arguments[0], arguments[i]));
        if (same) {
            return TemplateValue(true);
        }
    }
    return TemplateValue(false);
}

Result<TemplateValue> call_ne(const FunctionContext&, FunctionArguments arguments) {
    KPID_TRY(const bool same, equal(arguments[0], arguments[1]));
    return TemplateValue(!same);
}

template <auto holds>
Result<TemplateValue> call_order(const FunctionContext&, FunctionArguments arguments) {
    KPID_TRY(const std::partial_ordering order, compare(arguments[0], arguments[1]));
    return TemplateValue(holds(order));
}

Result<TemplateValue> call_not(const FunctionContext&, FunctionArguments arguments) {
    return TemplateValue(!arguments[0].truth());
}

Result<TemplateValue> call_and(const FunctionContext&, FunctionArguments arguments) {
    for (const TemplateValue& argument : arguments) {
        if (!argument.truth()) {
            return argument;
        }
    }
    return arguments.back();
}

Result<TemplateValue> call_or(const FunctionContext&, FunctionArguments arguments) {
    for (const TemplateValue& argument : arguments) {
        if (argument.truth()) {
            return argument;
        }
    }
    return arguments.back();
}

Result<TemplateValue> call_len(const FunctionContext&, FunctionArguments arguments) {
    const TemplateValue& value = arguments[0];
    std::size_t size = 0;
    if (const auto* text = value.get_if<std::string>()) {
        size = text->size();
    } else if (const auto* list = value.as_list()) {
        size = list->size();
    } else if (const auto* map = value.as_map()) {
        size = map->entries.size();
    } else {
        return invalid_argument(fmt::format("len of type {}", value.type_name()));
    }
    return TemplateValue(static_cast<std::int64_t>(size));
}

Result<std::size_t> to_index(const TemplateValue& value, std::size_t size) {
    const auto* index = value.get_if<std::int64_t>();
    if (index == nullptr) {
        return invalid_argument(
            fmt::format("cannot index slice/array with type {}", value.type_name()));
    }
    if (*index < 0 || static_cast<std::size_t>(*index) > size) {
        return invalid_argument(fmt::format("index out of range: {}", *index));
    }
    return static_cast<std::size_t>(*index);
}

Result<TemplateValue> index_one(const TemplateValue& value, const TemplateValue& key) {
    if (const auto* map = value.as_map()) {
        KPID_TRY(const std::string name, expect_text(key));
        const auto found = map->entries.find(name);
        if (found != map->entries.end()) {
            return found->second;
        }
        return map->of_text ? TemplateValue("") : TemplateValue();
    }
    const auto* list = value.as_list();
    const auto* text = value.get_if<std::string>();
    if (list == nullptr && text == nullptr) {
        return invalid_argument(fmt::format("can't index item of type {}", value.type_name()));
    }
    const std::size_t size = list != nullptr ? list->size() : text->size();
    KPID_TRY(const std::size_t index, to_index(key, size));
    if (index == size) {
        return invalid_argument(fmt::format("index out of range: {}", index));
    }
    return list != nullptr
               ? (*list)[index]
               : TemplateValue(std::uint64_t{static_cast<unsigned char>((*text)[index])});
}

Result<TemplateValue> call_index(const FunctionContext&, FunctionArguments arguments) {
    TemplateValue value = arguments[0];
    for (const TemplateValue& key : arguments.subspan(1)) {
        KPID_TRY(value, index_one(value, key));
    }
    return value;
}

Result<TemplateValue> call_slice(const FunctionContext&, FunctionArguments arguments) {
    const auto* list = arguments[0].as_list();
    const auto* text = arguments[0].get_if<std::string>();
    if (list == nullptr && text == nullptr) {
        return invalid_argument(
            fmt::format("can't slice item of type {}", arguments[0].type_name()));
    }
    const std::size_t size = list != nullptr ? list->size() : text->size();
    std::size_t first = 0;
    std::size_t last = size;
    if (arguments.size() > 1) {
        KPID_TRY(first, to_index(arguments[1], size));
    }
    if (arguments.size() > 2) {
        KPID_TRY(last, to_index(arguments[2], size));
    }
    if (first > last) {
        return invalid_argument(fmt::format("invalid slice index: {} > {}", first, last));
    }
    if (text != nullptr) {
        return TemplateValue(text->substr(first, last - first));
    }
    const auto begin = list->begin();
    return TemplateValue::list(TemplateValue::List(begin + static_cast<std::ptrdiff_t>(first),
                                                   begin + static_cast<std::ptrdiff_t>(last)));
}

Result<TemplateValue> call_print(const FunctionContext&, FunctionArguments arguments) {
    return TemplateValue(go_sprint(arguments));
}

Result<TemplateValue> call_println(const FunctionContext&, FunctionArguments arguments) {
    return TemplateValue(go_sprintln(arguments));
}

Result<TemplateValue> call_printf(const FunctionContext&, FunctionArguments arguments) {
    KPID_TRY(const std::string format, expect_text(arguments[0]));
    return TemplateValue(go_sprintf(format, arguments.subspan(1)));
}

Result<TemplateValue> call_html(const FunctionContext&, FunctionArguments arguments) {
    std::string out;
    for (const char c : go_sprint(arguments)) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '\'':
                out += "&#39;";
                break;
            case '"':
                out += "&#34;";
                break;
            default:
                out += c;
        }
    }
    return TemplateValue(std::move(out));
}

Result<TemplateValue> call_js(const FunctionContext&, FunctionArguments arguments) {
    std::string out;
    for (const char c : go_sprint(arguments)) {
        if (std::string_view("\\'\"").find(c) != std::string_view::npos) {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20 ||
                   std::string_view("<>&=").find(c) != std::string_view::npos) {
            out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        } else {
            out += c;
        }
    }
    return TemplateValue(std::move(out));
}

Result<TemplateValue> call_url_query(const FunctionContext&, FunctionArguments arguments) {
    return TemplateValue(escape_query(go_sprint(arguments)));
}

constexpr TemplateFunction kFunctions[] = {
    {"and", 1, kAnyCount, call_and},
    {"or", 1, kAnyCount, call_or},
    {"not", 1, 1, call_not},
    {"eq", 2, kAnyCount, call_eq},
    {"ne", 2, 2, call_ne},
    {"lt", 2, 2, call_order<std::is_lt>},
    {"le", 2, 2, call_order<std::is_lteq>},
    {"gt", 2, 2, call_order<std::is_gt>},
    {"ge", 2, 2, call_order<std::is_gteq>},
    {"len", 1, 1, call_len},
    {"index", 1, kAnyCount, call_index},
    {"slice", 1, 3, call_slice},
    {"print", 0, kAnyCount, call_print},
    {"println", 0, kAnyCount, call_println},
    {"printf", 1, kAnyCount, call_printf},
    {"html", 0, kAnyCount, call_html},
    {"js", 0, kAnyCount, call_js},
    {"urlquery", 0, kAnyCount, call_url_query},
    {"urlQueryEscape", 1, 1, call_url_query},
};

}  // namespace

std::span<const TemplateFunction> builtin_functions() {
    return kFunctions;
}

}  // namespace kpid::alerting
