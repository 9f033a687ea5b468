#include "storage/sample_rules.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"
#include "storage/series_ref.h"

#include <fmt/format.h>

namespace kpid::storage {
namespace {

using model::RejectReason;

// No further than the ends of time.
Timestamp earlier(Timestamp t, Duration d) {
    return t.ms() < Timestamp::min().ms() + d.count() ? Timestamp::min() : t - d;
}

Timestamp later(Timestamp t, Duration d) {
    return t.ms() > Timestamp::max().ms() - d.count() ? Timestamp::max() : t + d;
}

std::string value_text(double value) {
    return model::is_stale_marker(value) ? std::string("the stale marker") : format_float(value);
}

Refusal invalid(std::string message) {
    return {RejectReason::kInvalidLabels, std::move(message)};
}

// The front of a text that may be long or not UTF-8, fit for a message.
std::string excerpt(std::string_view text) {
    constexpr std::size_t kExcerptBytes = 40;
    std::string out;
    for (const char c : text.substr(0, kExcerptBytes)) {
        out.push_back(c >= ' ' && c <= '~' ? c : '?');
    }
    return text.size() > kExcerptBytes ? out + "..." : out;
}

}  // namespace

bool is_reserved_name(std::string_view metric_name) {
    return metric_name.starts_with("kpid_") || metric_name == "ALERTS" ||
           metric_name == "ALERTS_FOR_STATE";
}

std::optional<Refusal> SampleRules::check_origin(std::string_view metric_name,
                                                 model::AppendOrigin origin) const {
    if (origin == model::AppendOrigin::kRecorded || !is_reserved_name(metric_name)) {
        return std::nullopt;
    }
    return Refusal{RejectReason::kReserved, fmt::format("the name {} is reserved for kpid's own "
                                                        "series",
                                                        excerpt(metric_name))};
}

std::optional<Refusal> SampleRules::check_labels(std::span<const model::LabelView> labels) const {
    const std::string_view metric_name = metric_name_of(labels);
    if (metric_name.empty()) {
        return invalid("the series has no metric name");
    }
    if (labels.size() > options_.labels_per_series_max) {
        return invalid(fmt::format("the series {} has {} labels; the limit is {}",
                                   excerpt(metric_name), labels.size(),
                                   options_.labels_per_series_max));
    }
    for (const model::LabelView& label : labels) {
        if (label.name.empty()) {
            return invalid(fmt::format("a label of {} has no name", excerpt(metric_name)));
        }
        if (label.name.size() > options_.label_name_bytes_max) {
            return invalid(fmt::format("the label name {} has {} bytes; the limit is {}",
                                       excerpt(label.name), label.name.size(),
                                       options_.label_name_bytes_max));
        }
        if (label.value.size() > options_.label_value_bytes_max) {
            return invalid(fmt::format("the value of label {} has {} bytes; the limit is {}",
                                       excerpt(label.name), label.value.size(),
                                       options_.label_value_bytes_max));
        }
        if (!is_valid_utf8(label.name)) {
            return invalid(
                fmt::format("the label name {} is not valid UTF-8", excerpt(label.name)));
        }
        if (!is_valid_utf8(label.value)) {
            return invalid(
                fmt::format("the value of label {} is not valid UTF-8", excerpt(label.name)));
        }
    }
    return std::nullopt;
}

model::TimeRange SampleRules::accepted(Timestamp now, bool is_long_kept) const {
    return {is_long_kept ? oldest_kept_recorded(now) : oldest_kept(now),
            later(now, options_.future_tolerance)};
}

Refusal SampleRules::age_refusal(const model::Labels& labels, Timestamp time, Timestamp now,
                                 bool is_long_kept) const {
    if (time < accepted(now, is_long_kept).start) {
        return {RejectReason::kTooOld,
                fmt::format("{} at {} is older than the retention of {}", labels.to_string(),
                            format_rfc3339(time),
                            format_duration(is_long_kept ? options_.retention_recorded
                                                         : options_.retention))};
    }
    return {RejectReason::kTooFarInFuture,
            fmt::format("{} at {} is more than {} ahead of now, {}", labels.to_string(),
                        format_rfc3339(time), format_duration(options_.future_tolerance),
                        format_rfc3339(now))};
}

Refusal SampleRules::room_refusal(const model::Labels& labels, Timestamp time,
                                  Timestamp floor) const {
    return {RejectReason::kTooOld,
            fmt::format("{} at {} is before {}: older samples have no room (retention_size is {} "
                        "bytes)",
                        labels.to_string(), format_rfc3339(time), format_rfc3339(floor),
                        options_.retention_bytes)};
}

bool SampleRules::is_in_order(Timestamp time, Timestamp newest,
                              std::optional<Duration> window) const {
    return time >= earlier(newest, window.value_or(options_.out_of_order_window));
}

Refusal SampleRules::order_refusal(const model::Labels& labels, Timestamp time, Timestamp newest,
                                   std::optional<Duration> window) const {
    return {RejectReason::kOutOfOrder,
            fmt::format("{} at {} is more than {} behind its newest sample, {}", labels.to_string(),
                        format_rfc3339(time),
                        format_duration(window.value_or(options_.out_of_order_window)),
                        format_rfc3339(newest))};
}

Refusal SampleRules::duplicate(const model::Labels& labels, Timestamp time, double stored,
                               double refused) {
    return {RejectReason::kDuplicateTimestamp,
            fmt::format("{} has the value {} at {} already; refused {}", labels.to_string(),
                        value_text(stored), format_rfc3339(time), value_text(refused))};
}

Timestamp SampleRules::oldest_kept(Timestamp now) const {
    return earlier(now, options_.retention);
}

Timestamp SampleRules::oldest_kept_recorded(Timestamp now) const {
    return earlier(now, options_.retention_recorded);
}

}  // namespace kpid::storage
