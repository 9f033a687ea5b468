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
    if (type == "bad_data" || type == "400") {
        code = Code::kInvalidArgument;
    } else if (type == "execution" || type == "422") {
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

Error too_many(std::size_t count, std::string_view what, std::size_t max) {
    return resource_exhausted(
        fmt::format("{} {} in one answer: at most {} are allowed", count, what, max));
}

// Calls `read` with each series that has no histogram in place of `key`, until one fails.
template <class Read>
Result<void> for_each_series(const JsonValue& list, std::string_view key,
                             std::string_view histogram_key, QueryNotes& notes, const Read& read) {
    if (list.kind() != Kind::kArray) {
        return malformed("the result is not an array");
    }
    if (list.size() > QueryResult::kSeriesMax) {
        return too_many(list.size(), "series", QueryResult::kSeriesMax);
    }
    std::optional<Error> problem;
    std::size_t histograms = 0;
    list.for_each([&](std::string_view, JsonValue series) {
        if (problem) {
            return;
        }
        if (series.member(histogram_key) && !series.member(key)) {
            ++histograms;
            return;
        }
        Result<void> done = read(series);
        if (!done) {
            problem = std::move(done).error();
        }
    });
    if (problem) {
        return *std::move(problem);
    }
    if (histograms > 0) {
        notes.warnings.push_back(fmt::format("{} native histograms were left out", histograms));
    }
    return {};
}

Result<void> read_vector(const JsonValue& list, QueryResult& result) {
    return for_each_series(
        list, "value", "histogram", result.notes, [&](JsonValue series) -> Result<void> {
            KPID_TRY(model::Labels labels, read_labels(series.member("metric")));
            KPID_TRY(const model::Sample sample, read_pair(series.member("value")));
            result.samples.push_back({std::move(labels), sample.time, sample.value});
            return {};
        });
}

Result<void> read_points(const JsonValue& points, model::SeriesColumns& columns) {
    std::optional<Error> problem;
    columns.times.reserve(points.size());
    columns.values.reserve(points.size());
    points.for_each([&](std::string_view, JsonValue point) {
        if (problem) {
            return;
        }
        const Result<model::Sample> sample = read_pair(point);
        if (!sample) {
            problem = sample.error();
        } else if (!columns.times.empty() && sample->time <= columns.times.back()) {
            problem = malformed("the points of a series are not in order of time");
        } else {
            columns.times.push_back(sample->time);
            columns.values.push_back(sample->value);
        }
    });
    if (problem) {
        return *std::move(problem);
    }
    return {};
}

Result<void> read_matrix(const JsonValue& list, QueryMatrix& matrix) {
    std::size_t points_count = 0;
    return for_each_series(list, "values", "histograms", matrix.notes,
                           [&](JsonValue series) -> Result<void> {
                               model::SeriesColumns columns;
                               KPID_TRY(columns.labels, read_labels(series.member("metric")));
                               const std::optional<JsonValue> points = series.member("values");
                               if (!points || points->kind() != Kind::kArray) {
                                   return malformed("a series has no values");
                               }
                               points_count += points->size();
                               if (points_count > QueryMatrix::kPointsMax) {
                                   return too_many(points_count, "points", QueryMatrix::kPointsMax);
                               }
                               KPID_CHECK_OK(read_points(*points, columns));
                               matrix.series.push_back(std::move(columns));
                               return {};
                           });
}

void read_texts(const std::optional<JsonValue>& list, std::vector<std::string>& texts) {
    if (!list || list->kind() != Kind::kArray) {
        return;
    }
    list->for_each([&](std::string_view, JsonValue text) {
        if (text.kind() == Kind::kString && texts.size() < QueryNotes::kNotesMax) {
            texts.emplace_back(text.string());
        }
    });
}

QueryNotes read_notes(const JsonValue& root) {
    QueryNotes notes;
    read_texts(root.member("warnings"), notes.warnings);
    read_texts(root.member("infos"), notes.infos);
    const std::optional<JsonValue> partial = root.member("isPartial");
    notes.is_partial = partial && partial->kind() == Kind::kTrue;
    return notes;
}

// What every answer has; it borrows from the document.
struct Answer {
    std::string_view type;
    JsonValue values;
    QueryNotes notes;
};

Result<Answer> read_answer(const JsonValue& root) {
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
    return Answer{type, *values, read_notes(root)};
}

Result<JsonDocument> parse_answer(std::string_view body) {
    Result<JsonDocument> document = JsonDocument::parse(body);
    if (!document) {
        return document.error().with_context("not a Prometheus answer");
    }
    return document;
}

}  // namespace

Result<QueryResult> decode_query_result(std::string_view body) {
    KPID_TRY(const JsonDocument document, parse_answer(body));
    KPID_TRY(Answer answer, read_answer(document.root()));
    QueryResult result;
    result.notes = std::move(answer.notes);
    if (answer.type == "vector") {
        KPID_CHECK_OK(read_vector(answer.values, result));
        return result;
    }
    if (answer.type == "scalar") {
        result.type = QueryResultType::kScalar;
        KPID_TRY(const model::Sample sample, read_pair(answer.values));
        result.samples.push_back({model::Labels(), sample.time, sample.value});
        return result;
    }
    return unsupported(
        fmt::format("the query's result is a {}, not a vector or scalar", answer.type));
}

Result<QueryMatrix> decode_query_matrix(std::string_view body) {
    KPID_TRY(const JsonDocument document, parse_answer(body));
    KPID_TRY(Answer answer, read_answer(document.root()));
    if (answer.type != "matrix") {
        return unsupported(fmt::format("the query's result is a {}, not a matrix", answer.type));
    }
    QueryMatrix matrix;
    matrix.notes = std::move(answer.notes);
    KPID_CHECK_OK(read_matrix(answer.values, matrix));
    return matrix;
}

}  // namespace kpid::wire
