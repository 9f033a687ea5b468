// Annotations as the API shows them.

#include "promql/annotations.h"

#include "kpid/promql/parser.h"
#include "promql/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kpid::promql {
namespace {

// Whole seconds, as Prometheus names steps: `1970-01-01T00:50:00Z`.
std::string whole_seconds(Timestamp time) {
    constexpr std::size_t kFractionBytes = 5;  // `.123Z`
    std::string text = format_rfc3339(time);
    text.resize(text.size() - kFractionBytes);
    return text + "Z";
}

std::string describe(const ForcedMonotonicity& details) {
    return fmt::format(
        ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
        go_number(details.bucket_min), go_number(details.bucket_max),
        std::isinf(details.difference_max) ? go_number(details.difference_max)
                                           : fmt::format("{:.2g}", details.difference_max),
        details.samples, whole_seconds(details.first), whole_seconds(details.last));
}

}  // namespace

void ForcedMonotonicity::merge(const ForcedMonotonicity& other) {
    first = std::min(first, other.first);
    last = std::max(last, other.last);
    bucket_min = std::min(bucket_min, other.bucket_min);
    bucket_max = std::max(bucket_max, other.bucket_max);
    difference_max = std::max(difference_max, other.difference_max);
    samples += other.samples;
}

Annotations::Entry* Annotations::keep(Entries& entries, std::string message, Position where) {
    if (const auto known = entries.find(message); known != entries.end()) {
        known->second.offset = where.start;
        return &known->second;
    }
    if (entries.size() == kAnnotationsMax) {
        return nullptr;
    }
    return &entries.emplace(std::move(message), Entry{where.start, {}}).first->second;
}

void Annotations::info(std::string message, Position where, const ForcedMonotonicity& details) {
    ++said_;
    if (const auto known = infos_.find(message); known != infos_.end() && known->second.details) {
        known->second.details->merge(details);
        return;
    }
    if (Entry* entry = keep(infos_, std::move(message), where); entry != nullptr) {
        entry->details = details;
    }
}

std::vector<std::string> Annotations::render(std::string_view prefix, const Entries& entries,
                                             std::string_view text) {
    std::vector<std::string> answer;
    answer.reserve(entries.size());
    for (const auto& [message, entry] : entries) {
        const std::string place = text.empty() ? fmt::format("1:{}", entry.offset + 1)
                                               : line_and_column(text, entry.offset);
        answer.push_back(fmt::format("{}{}{} ({})", prefix, message,
                                     entry.details ? describe(*entry.details) : "", place));
    }
    return answer;
}

}  // namespace kpid::promql
