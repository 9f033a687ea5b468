#include "kpid/wire/push_json.h"

#include "kpid/wire/json_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace kpid::wire {
namespace {

using Kind = JsonValue::Kind;

// One item on its way to a sample.
struct Item {
    std::optional<JsonValue> metric;
    std::optional<JsonValue> labels;
    std::optional<JsonValue> value;
    std::optional<JsonValue> timestamp;
};

Result<Item> read_members(JsonValue object) {
    Item item;
    std::string problem;
    object.for_each([&](std::string_view name, JsonValue value) {
        std::optional<JsonValue>* const place = name == "metric"      ? &item.metric
                                                : name == "labels"    ? &item.labels
                                                : name == "value"     ? &item.value
                                                : name == "timestamp" ? &item.timestamp
                                                                      : nullptr;
        if (!problem.empty()) {
            return;
        }
        if (place == nullptr) {
            problem = fmt::format("unknown key \"{}\"", name.substr(0, 64));
        } else if (place->has_value()) {
            problem = fmt::format("duplicate key \"{}\"", name);
        }
        if (place != nullptr) {
            *place = value;
        }
    });
    if (!problem.empty()) {
        return invalid_argument(std::move(problem));
    }
    return item;
}

Result<double> read_value(const std::optional<JsonValue>& value) {
    if (!value) {
        return invalid_argument("no value");
    }
    if (value->kind() == Kind::kNumber) {
        if (!std::isfinite(value->number())) {
            return invalid_argument("value is out of range");
        }
        return value->number();
    }
    if (value->kind() == Kind::kString) {
        constexpr double kInfinity = std::numeric_limits<double>::infinity();
        const std::string_view text = value->string();
        if (text == "NaN") {
            return std::bit_cast<double>(model::kNormalNanBits);
        }
        if (text == "+Inf") {
            return kInfinity;
        }
        if (text == "-Inf") {
            return -kInfinity;
        }
    }
    return invalid_argument("value must be a number, \"NaN\", \"+Inf\" or \"-Inf\"");
}

Result<Timestamp> read_time(const std::optional<JsonValue>& time, Timestamp now) {
    if (!time) {
        return now;
    }
    Result<Timestamp> read = invalid_argument("must be RFC 3339 or Unix seconds");
    if (time->kind() == Kind::kNumber) {
        read = timestamp_from_seconds(time->number());
    } else if (time->kind() == Kind::kString) {
        read = parse_rfc3339(time->string());
    }
    return read ? std::move(read) : Result<Timestamp>(read.error().with_context("timestamp"));
}

Result<void> read_labels(JsonValue object, std::vector<model::Label>& labels) {
    if (object.kind() != Kind::kObject) {
        return invalid_argument("labels must be an object");
    }
    if (object.size() > PushLimits::kLabelsMax) {
        return invalid_argument(fmt::format("more than {} labels", PushLimits::kLabelsMax));
    }
    std::string problem;
    object.for_each([&](std::string_view name, JsonValue value) {
        if (name.empty()) {
            problem = "a label's name is empty";
        } else if (name == model::kMetricName) {
            problem = "label __name__ is not allowed: use metric";
        } else if (value.kind() != Kind::kString) {
            problem = fmt::format("label \"{}\" is not a string", name.substr(0, 64));
        } else {
            labels.push_back({std::string(name), std::string(value.string())});
        }
    });
    std::sort(labels.begin(), labels.end());
    const auto twice =
        std::adjacent_find(labels.begin(), labels.end(),
                           [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != labels.end()) {
        problem = fmt::format("duplicate label \"{}\"", twice->name);
    }
    if (!problem.empty()) {
        return invalid_argument(std::move(problem));
    }
    return {};
}

Result<model::SeriesSample> read_item(JsonValue object, Timestamp now) {
    if (object.kind() != Kind::kObject) {
        return invalid_argument("not an object");
    }
    KPID_TRY(const Item item, read_members(object));
    if (!item.metric || item.metric->kind() != Kind::kString || item.metric->string().empty()) {
        return invalid_argument("metric must be a string that is not empty");
    }
    std::vector<model::Label> labels;
    if (item.labels) {
        KPID_CHECK_OK(read_labels(*item.labels, labels));
    }
    labels.push_back({std::string(model::kMetricName), std::string(item.metric->string())});
    KPID_TRY(const double value, read_value(item.value));
    KPID_TRY(const Timestamp time, read_time(item.timestamp, now));
    return model::SeriesSample{model::Labels::from(std::move(labels)), time, value};
}

}  // namespace

Result<PushBody> decode_push_json(std::string_view body, Timestamp now) {
    KPID_TRY(const JsonDocument document,
             JsonDocument::parse(body, {.depth_max = PushLimits::kDepthMax}));
    const JsonValue root = document.root();
    PushBody result;
    const auto take = [&](JsonValue value) {
        Result<model::SeriesSample> sample = read_item(value, now);
        if (sample) {
            result.samples.push_back(*std::move(sample));
            result.indexes.push_back(result.item_count);
        } else {
            result.errors.push_back({result.item_count, std::move(sample).error().message});
        }
        ++result.item_count;
    };
    if (root.kind() == Kind::kObject) {
        take(root);
        return result;
    }
    if (root.kind() != Kind::kArray) {
        return invalid_argument("the body must be an object or an array of objects");
    }
    if (root.size() > PushLimits::kItemsMax) {
        return resource_exhausted(fmt::format("{} items in one request: at most {} are allowed",
                                              root.size(), PushLimits::kItemsMax));
    }
    result.samples.reserve(root.size());
    result.indexes.reserve(root.size());
    root.for_each([&](std::string_view, JsonValue value) { take(value); });
    return result;
}

}  // namespace kpid::wire
