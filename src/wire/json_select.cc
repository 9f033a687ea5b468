#include "kpid/wire/json_select.h"

#include "kpid/base/number.h"

#include <fmt/format.h>

#include <cmath>

namespace kpid::wire {
namespace {

using Kind = JsonValue::Kind;

Result<JsonPointer> pointer_of(std::string_view text, std::string_view metric,
                               std::string_view what) {
    Result<JsonPointer> pointer = JsonPointer::parse(text);
    if (!pointer) {
        return pointer.error().with_context(fmt::format("metric {}: {}", metric, what));
    }
    return pointer;
}

Result<double> number_of(JsonValue value) {
    switch (value.kind()) {
        case Kind::kNumber:
            return std::isfinite(value.number())
                       ? Result<double>(value.number())
                       : Result<double>(invalid_argument("the value is out of range"));
        case Kind::kTrue:
            return 1.0;
        case Kind::kFalse:
            return 0.0;
        case Kind::kString:
            return parse_float(value.string());
        case Kind::kNull:
        case Kind::kArray:
        case Kind::kObject:
            break;
    }
    return invalid_argument("the value is not a number");
}

Result<Timestamp> time_of(JsonValue value) {
    if (value.kind() == Kind::kNumber) {
        return timestamp_from_seconds(value.number());
    }
    if (value.kind() != Kind::kString) {
        return invalid_argument("the time is neither text nor a number");
    }
    constexpr std::size_t kDateLength = 10;  // "2026-05-12"
    const std::string text(value.string());
    return text.size() == kDateLength && text[4] == '-' ? parse_rfc3339(text + "T00:00:00Z")
                                                        : parse_time(text);
}

Result<std::string> label_of(JsonValue value) {
    switch (value.kind()) {
        case Kind::kString:
            return std::string(value.string());
        case Kind::kNumber:
            if (!std::isfinite(value.number())) {
                return invalid_argument("it is a number out of range");
            }
            return format_float(value.number());
        case Kind::kTrue:
            return std::string("true");
        case Kind::kFalse:
            return std::string("false");
        case Kind::kNull:
            return std::string();
        case Kind::kArray:
        case Kind::kObject:
            break;
    }
    return invalid_argument("it is neither text nor a number");
}

}  // namespace

Result<JsonSelector> JsonSelector::make(const JsonSelectSpec& spec) {
    JsonSelector selector;
    if (spec.items) {
        Result<JsonPointer> items = JsonPointer::parse(*spec.items);
        if (!items) {
            return items.error().with_context("items");
        }
        selector.items_ = *std::move(items);
    }
    for (const JsonMetricSpec& metric : spec.metrics) {
        Metric made{.name = metric.metric, .value = {}, .scale = metric.scale};
        KPID_TRY(made.value, pointer_of(metric.value, metric.metric, "value"));
        if (metric.time) {
            KPID_TRY(made.time, pointer_of(*metric.time, metric.metric, "time"));
        }
        for (const auto& [name, text] : metric.labels) {
            if (name.empty() || name == model::kMetricName) {
                return invalid_argument(
                    fmt::format("metric {}: bad label name \"{}\"", metric.metric, name));
            }
            KPID_TRY(JsonPointer pointer,
                     pointer_of(text, metric.metric, fmt::format("label {}", name)));
            made.labels.emplace_back(name, std::move(pointer));
        }
        selector.metrics_.push_back(std::move(made));
    }
    return selector;
}

Result<JsonSelection> JsonSelector::select(std::string_view document, Timestamp now) const {
    KPID_TRY(const JsonDocument parsed, JsonDocument::parse(document));
    JsonSelection selection;
    if (!items_) {
        select_item(metrics_, parsed.root(), now, selection);
        return selection;
    }
    const std::optional<JsonValue> items = parsed.root().at(*items_);
    if (!items || (items->kind() != Kind::kArray && items->kind() != Kind::kObject)) {
        return invalid_argument("items names no array or object in the document");
    }
    if (items->size() > kItemsMax) {
        return resource_exhausted(
            fmt::format("{} items: at most {} are allowed", items->size(), kItemsMax));
    }
    items->for_each(
        [&](std::string_view, JsonValue item) { select_item(metrics_, item, now, selection); });
    return selection;
}

void JsonSelector::select_item(const std::vector<Metric>& metrics, JsonValue item, Timestamp now,
                               JsonSelection& out) {
    for (const Metric& metric : metrics) {
        Result<std::optional<model::SeriesSample>> sample = read_metric(metric, item, now);
        if (!sample) {
            ++out.error_count;
            if (out.errors.size() < kErrorsMax) {
                out.errors.push_back({out.item_count, metric.name, sample.error().message});
            }
        } else if (*sample) {
            out.samples.push_back(**std::move(sample));
        }
    }
    ++out.item_count;
}

Result<std::optional<model::SeriesSample>> JsonSelector::read_metric(const Metric& metric,
                                                                     JsonValue item,
                                                                     Timestamp now) {
    const std::optional<JsonValue> value = item.at(metric.value);
    if (!value) {
        return invalid_argument("the value is absent");
    }
    if (value->kind() == Kind::kNull) {
        return std::optional<model::SeriesSample>();
    }
    KPID_TRY(const double number, number_of(*value));
    Timestamp time = now;
    if (metric.time) {
        const std::optional<JsonValue> place = item.at(*metric.time);
        if (!place) {
            return invalid_argument("the time is absent");
        }
        KPID_TRY(time, time_of(*place));
    }
    std::vector<model::Label> labels;
    labels.push_back({std::string(model::kMetricName), metric.name});
    for (const auto& [name, pointer] : metric.labels) {
        const std::optional<JsonValue> place = item.at(pointer);
        if (!place) {
            return invalid_argument(fmt::format("label {} is absent", name));
        }
        Result<std::string> text = label_of(*place);
        if (!text) {
            return text.error().with_context(fmt::format("label {}", name));
        }
        labels.push_back({name, *std::move(text)});
    }
    const double scaled = metric.scale == 1 ? number : number * metric.scale;
    return std::optional(model::SeriesSample{
        model::Labels::from(std::move(labels)), time,
        std::isnan(scaled) ? std::bit_cast<double>(model::kNormalNanBits) : scaled});
}

}  // namespace kpid::wire
