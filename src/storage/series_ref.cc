#include "storage/series_ref.h"

#include "kpid/base/hash.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace kpid::storage {

std::vector<LabelView> views_of(const model::Labels& labels) {
    std::vector<LabelView> views;
    views.reserve(labels.size());
    for (const model::Label& label : labels) {
        views.push_back({label.name, label.value});
    }
    return views;
}

std::string_view metric_name_of(std::span<const LabelView> labels) {
    const auto found = std::find_if(labels.begin(), labels.end(), [](const LabelView& label) {
        return label.name == model::kMetricName;
    });
    return found == labels.end() ? std::string_view() : found->value;
}

std::uint64_t hash_labels(std::span<const LabelView> labels) {
    constexpr std::size_t kStackBytes = 1024;
    std::size_t size = 0;
    for (const LabelView& label : labels) {
        size += label.name.size() + label.value.size() + 2;
    }
    std::array<char, kStackBytes> stack;  // Written before it is read.
    std::string heap;
    char* const bytes = size <= kStackBytes ? stack.data() : (heap.resize(size), heap.data());
    char* end = bytes;
    const auto put = [&end](std::string_view text) {
        std::memcpy(end, text.data(), text.size());
        end += text.size();
        *end++ = '\xff';
    };
    for (const LabelView& label : labels) {
        put(label.name);
        put(label.value);
    }
    return hash_bytes({bytes, size});
}

}  // namespace kpid::storage
