// Escapes names with underscores.

#include "kpid/model/classic_names.h"

#include <algorithm>

namespace kpid::model {
namespace {

// A byte of a UTF-8 character other than its first.
bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::string escape(std::string_view name, bool (*is_classic)(std::string_view)) {
    std::string text;
    for (const char c : name) {
        const std::string_view one(&c, 1);
        const bool is_digit = c >= '0' && c <= '9';
        if (is_classic(one) || (is_digit && !text.empty())) {
            text += c;
        } else if (!is_continuation(c)) {
            text += '_';
        }
    }
    return text.empty() ? "_" : text;
}

}  // namespace

std::string to_classic_metric_name(std::string_view name) {
    return escape(name, is_classic_metric_name);
}

std::string to_classic_label_name(std::string_view name) {
    return escape(name, is_classic_label_name);
}

Labels with_classic_names(const Labels& labels) {
    const auto classic = [](const Label& label) { return is_classic_label_name(label.name); };
    if (std::all_of(labels.begin(), labels.end(), classic)) {
        return labels;
    }
    LabelsBuilder builder(labels);
    for (const Label& label : labels) {
        if (classic(label)) {
            continue;
        }
        std::string name = to_classic_label_name(label.name);
        while (!builder.get(name).empty()) {
            name += '_';
        }
        builder.erase(label.name).set(name, label.value);
    }
    return builder.build();
}

}  // namespace kpid::model
