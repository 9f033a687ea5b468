#include "kpid/wire/query_result.h"

#include "kpid/base/number.h"
#include "kpid/wire/json_document.h"

#include <fmt/format.h>

#include <cmath>

namespace kpid::wire {
namespace {

using Kind = JsonValue::Kind;

std::string_view text_of(const std::optional<JsonValue>& value) {
    return value && value->kind() == Kind::kString ? value->string() : std::string_view();
}

Error malformed(std::string_view what) {
    return invalid_argument(fmt::format("not a Prometheus answer: {}", what));
}

Error error_answer(JsonValue root) {
    const std::string_view type = text_of(root.member("errorType"));
    const std::string_view text = text_of(root.member("error"));
    Code code = Code::kUnavailable;
    if (type == "bad_data") {
        code = Code::kInvalidArgument;
    } else if (type == "execution") {
        code = Code::kUnprocessable;
    } else if (type == "timeout") {
        code = Code::kDeadlineExceeded;
    } else if (type == "not_found") {
        code = Code::kNotFound;
    }
    return Error{code, fmt::format("{}: {}", type, text)};
}

// `[1435781451.781, "1"]`.
Result<model::Sample> read_pair(const std::optional<JsonValue>& pair) {
    if (!pair || pair->kind() != Kind::kArray || pair->size() != 2) {
        return malformed("a sample is not a pair");
    }
    std::optional<JsonValue> time;
    std::optional<JsonValue> value;
    pair->for_each([&](std::string_view, JsonValue entry) { (time ? value : time) = entry; });
    if (time->kind() != Kind::kNumber || value->kind() != Kind::kString) {
        return malformed("a sample is not a time and a text");
    }
    KPID_TRY(const Timestamp at, timestamp_from_seconds(time->number()));
    KPID_TRY(const double number, parse_float(value->string()));
    return model::Sample{
        at, std::isnan(number) ? std::bit_cast<double>(model::kNormalNanBits) : number};
}

Result<model::Labels> read_labels(const std::optional<JsonValue>& metric) {
    if (!metric || metric->kind() != Kind::kObject) {
        return malformed("a series has no metric");
    }
    std::vector<model::Label> labels;
    bool good = true;
    metric->for_each([&](std::string_view name, JsonValue value) {
        good = good && !name.empty() && value.kind() == Kind::kString;
        if (good) {
            labels.push_back({std::string(name), std::string(value.string())});
        }
    });
    if (!good) {
        return malformed("a label is not a text");
    }
    return model::Labels::from(std::move(labels));
}

Result<void> read_vector(JsonValue series_list, QueryResult& result) {
    if (series_list.kind() != Kind::kArray) {
        return malformed("the result is not an array");
    }
    if (series_list.size() > QueryResult::kSeriesMax) {
        return resource_exhausted(fmt::format("{} series in one answer: at most {} are allowed",
                                              series_list.size(), QueryResult::kSeriesMax));
    }
    std::optional<Error> problem;
    std::size_t histograms = 0;
    const auto read_series = [&](JsonValue series) -> Result<void> {
        if (series.member("histogram") && !series.member("value")) {
            ++histograms;
            return {};
        }
        KPID_TRY(model::Labels labels, read_labels(series.member("metric")));
        KPID_TRY(const model::Sample sample, read_pair(series.member("value")));
        result.samples.push_back({std::move(labels), sample.time, sample.value});
        return {};
    };
    series_list.for_each([&](std::string_view, JsonValue series) {
        if (problem) {
            return;
        }
        Result<void> read = read_series(series);
        if (!read) {
            problem = std::move(read).error();
        }
    });
    if (problem) {
        return *std::move(problem);
    }
    if (histograms > 0) {
        result.warnings.push_back(fmt::format("{} native histograms were left out", histograms));
    }
    return {};
}

void read_warnings(const std::optional<JsonValue>& list, QueryResult& result) {
    if (!list || list->kind() != Kind::kArray) {
        return;
    }
    list->for_each([&](std::string_view, JsonValue warning) {
        if (warning.kind() == Kind::kString) {
            result.warnings.emplace_back(warning.string());
        }
    });
}

}  // namespace

Result<QueryResult> decode_query_result(std::string_view body) {
    Result<JsonDocument> document = JsonDocument::parse(body);
    if (!document) {
        return document.error().with_context("not a Prometheus answer");
    }
    const JsonValue root = document->root();
    const std::string_view status = text_of(root.member("status"));
    if (status == "error") {
        return error_answer(root);
    }
    const std::optional<JsonValue> data = root.member("data");
    if (status != "success" || !data) {
        return malformed("neither status nor data");
    }
    const std::string_view type = text_of(data->member("resultType"));
    const std::optional<JsonValue> values = data->member("result");
    if (type.empty() || !values) {
        return malformed("no result");
    }
    QueryResult result;
    read_warnings(root.member("warnings"), result);
    read_warnings(root.member("infos"), result);
    if (type == "vector") {
        KPID_CHECK_OK(read_vector(*values, result));
        return result;
    }
    if (type == "scalar") {
        result.type = QueryResultType::kScalar;
        KPID_TRY(const model::Sample sample, read_pair(values));
        result.samples.push_back({model::Labels(), sample.time, sample.value});
        return result;
    }
    return unsupported(fmt::format("the query's result is a {}, not a vector or scalar", type));
}

}  // namespace kpid::wire
