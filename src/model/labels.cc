#include "kpid/model/labels.h"

#include "kpid/base/hash.h"

#include <algorithm>

namespace kpid::model {
namespace {

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

template <class Range>
auto find_name(Range& labels, std::string_view name) {
    return std::lower_bound(labels.begin(), labels.end(), name,
                            [](const Label& label, std::string_view n) { return label.name < n; });
}

// Sorted, no name twice, no value empty: as most senders give them.
bool is_label_set(const std::vector<Label>& labels) {
    const Label* before = nullptr;
    for (const Label& label : labels) {
        if (label.value.empty() || (before != nullptr && before->name >= label.name)) {
            return false;
        }
        before = &label;
    }
    return true;
}

}  // namespace

std::shared_ptr<const Labels::Rep> Labels::make_rep(std::vector<Label> sorted) {
    std::size_t size = 0;
    for (const Label& label : sorted) {
        size += label.name.size() + label.value.size() + 2;
    }
    std::string bytes;
    bytes.reserve(size);
    for (const Label& label : sorted) {
        // 0xff cannot stand in UTF-8, so that no two sets share these bytes.
        bytes.append(label.name).push_back('\xff');
        bytes.append(label.value).push_back('\xff');
    }
    auto rep = std::make_shared<Rep>();
    rep->labels = std::move(sorted);
    rep->hash = hash_bytes(bytes);
    return rep;
}

Labels::Labels() {
    static const std::shared_ptr<const Rep> kEmpty = make_rep({});
    rep_ = kEmpty;
}

Labels::Labels(std::initializer_list<std::pair<std::string_view, std::string_view>> labels) {
    LabelsBuilder builder;
    for (const auto& [name, value] : labels) {
        builder.set(name, value);
    }
    *this = builder.build();
}

Labels Labels::from(std::vector<Label> labels) {
    if (is_label_set(labels)) {
        return labels.empty() ? Labels() : Labels(make_rep(std::move(labels)));
    }
    std::stable_sort(labels.begin(), labels.end(),
                     [](const Label& a, const Label& b) { return a.name < b.name; });
    std::vector<Label> unique;
    unique.reserve(labels.size());
    for (Label& label : labels) {
        if (!unique.empty() && unique.back().name == label.name) {
            unique.back() = std::move(label);
        } else {
            unique.push_back(std::move(label));
        }
    }
    std::erase_if(unique, [](const Label& label) { return label.value.empty(); });
    return unique.empty() ? Labels() : Labels(make_rep(std::move(unique)));
}

Labels Labels::copy_of(std::span<const LabelView> labels) {
    std::vector<Label> owned;
    owned.reserve(labels.size());
    for (const LabelView& label : labels) {
        owned.push_back({std::string(label.name), std::string(label.value)});
    }
    return from(std::move(owned));
}

std::string_view Labels::get(std::string_view name) const {
    const auto found = find_name(rep_->labels, name);
    return found != end() && found->name == name ? std::string_view(found->value)
                                                 : std::string_view();
}

bool Labels::has(std::string_view name) const {
    return !get(name).empty();
}

Labels Labels::without(std::string_view name) const {
    return has(name) ? LabelsBuilder(*this).erase(name).build() : *this;
}

Labels Labels::with(std::string_view name, std::string_view value) const {
    return LabelsBuilder(*this).set(name, value).build();
}

std::string Labels::to_string() const {
    std::string_view name = metric_name();
    const bool classic = is_classic_metric_name(name);
    std::string text = classic ? std::string(name) : "";
    std::string inner = !name.empty() && !classic ? quote_label_value(name) : "";
    for (const Label& label : *this) {
        if (label.name == kMetricName) {
            continue;
        }
        if (!inner.empty()) {
            inner += ", ";
        }
        inner += is_classic_label_name(label.name) ? label.name : quote_label_value(label.name);
        inner += '=';
        inner += quote_label_value(label.value);
    }
    if (inner.empty() && !text.empty()) {
        return text;
    }
    return text + '{' + inner + '}';
}

bool Labels::operator==(const Labels& other) const {
    return rep_ == other.rep_ ||
           (rep_->hash == other.rep_->hash && rep_->labels == other.rep_->labels);
}

std::strong_ordering Labels::operator<=>(const Labels& other) const {
    return std::lexicographical_compare_three_way(begin(), end(), other.begin(), other.end());
}

LabelsBuilder& LabelsBuilder::set(std::string_view name, std::string_view value) {
    if (value.empty()) {
        return erase(name);
    }
    const auto found = find_name(labels_, name);
    if (found != labels_.end() && found->name == name) {
        found->value = value;
    } else {
        labels_.insert(found, Label{std::string(name), std::string(value)});
    }
    return *this;
}

LabelsBuilder& LabelsBuilder::erase(std::string_view name) {
    const auto found = find_name(labels_, name);
    if (found != labels_.end() && found->name == name) {
        labels_.erase(found);
    }
    return *this;
}

std::string_view LabelsBuilder::get(std::string_view name) const {
    const auto found = find_name(labels_, name);
    return found != labels_.end() && found->name == name ? std::string_view(found->value)
                                                         : std::string_view();
}

Labels LabelsBuilder::build() const {
    return labels_.empty() ? Labels() : Labels(Labels::make_rep(labels_));
}

bool is_classic_metric_name(std::string_view name) {
    if (name.empty() || is_digit(name.front())) {
        return false;
    }
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == ':'; });
}

bool is_classic_label_name(std::string_view name) {
    return is_classic_metric_name(name) && name.find(':') == std::string_view::npos;
}

std::string quote_label_value(std::string_view value) {
    std::string text = "\"";
    for (const char c : value) {
        if (c == '\\' || c == '"') {
            text += '\\';
            text += c;
        } else if (c == '\n') {
            text += "\\n";
        } else {
            text += c;
        }
    }
    return text + '"';
}

}  // namespace kpid::model
