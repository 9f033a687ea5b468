#include "storage/sample_rules.h"

#include "kpid/base/json_writer.h"
#include "kpid/base/number.h"

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

std::optional<Refusal> SampleRules::check_origin(const model::Labels& labels,
                                                 model::AppendOrigin origin) const {
    if (origin == model::AppendOrigin::kRecorded || !is_reserved_name(labels.metric_name())) {
        return std::nullopt;
    }
    return Refusal{RejectReason::kReserved,
                   fmt::format("the name {} is reserved for kpid's own series",
                               excerpt(labels.metric_name()))};
}

std::optional<Refusal> SampleRules::check_labels(const model::Labels& labels) const {
    if (labels.metric_name().empty()) {
        return invalid("the series has no metric name");
    }
    if (labels.size() > options_.labels_per_series_max) {
        return invalid(fmt::format("the series {} has {} labels; the limit is {}",
                                   excerpt(labels.metric_name()), labels.size(),
                                   options_.labels_per_series_max));
    }
    for (const model::Label& label : labels) {
        if (label.name.empty()) {
            return invalid(fmt::format("a label of {} has no name", excerpt(labels.metric_name())));
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

std::optional<Refusal> SampleRules::check_age(const model::SeriesSample& sample,
                                              Timestamp now) const {
    if (sample.time < oldest_kept(now)) {
        return Refusal{
            RejectReason::kTooOld,
            fmt::format("{} at {} is older than the retention of {}", sample.labels.to_string(),
                        format_rfc3339(sample.time), format_duration(options_.retention))};
    }
    if (sample.time > later(now, options_.future_tolerance)) {
        return Refusal{
            RejectReason::kTooFarInFuture,
            fmt::format("{} at {} is more than {} ahead of now, {}", sample.labels.to_string(),
                        format_rfc3339(sample.time), format_duration(options_.future_tolerance),
                        format_rfc3339(now))};
    }
    return std::nullopt;
}

std::optional<Refusal> SampleRules::check_order(const model::SeriesSample& sample,
                                                Timestamp newest) const {
    if (sample.time >= earlier(newest, options_.out_of_order_window)) {
        return std::nullopt;
    }
    return Refusal{
        RejectReason::kOutOfOrder,
        fmt::format("{} at {} is more than {} behind its newest sample, {}",
                    sample.labels.to_string(), format_rfc3339(sample.time),
                    format_duration(options_.out_of_order_window), format_rfc3339(newest))};
}

Refusal SampleRules::duplicate(const model::SeriesSample& sample, double stored) {
    return {RejectReason::kDuplicateTimestamp,
            fmt::format("{} has the value {} at {} already; refused {}", sample.labels.to_string(),
                        value_text(stored), format_rfc3339(sample.time), value_text(sample.value))};
}

Timestamp SampleRules::oldest_kept(Timestamp now) const {
    return earlier(now, options_.retention);
}

}  // namespace kpid::storage
