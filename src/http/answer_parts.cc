// Lists as JSON: the hot loop of large range queries.
#include "http/answer_parts.h"

#include "http/api_json.h"
#include "kpid/base/json_writer.h"

#include <algorithm>
#include <utility>

namespace kpid::http {
namespace {

// How many points are written before the piece's size is looked at.
constexpr std::size_t kPointsAtOnce = 256;

// The opening bracket or a comma.
void begin_item(std::size_t index, std::string& out) {
    out += index == 0 ? '[' : ',';
}

// One item a step.
template <class T>
class ListPart final : public AnswerPart {
public:
    using Write = void (*)(const T& item, std::string& out);
    ListPart(std::vector<T> items, Write write) : items_(std::move(items)), write_(write) {}

    bool write_some(std::string& out) override {
        if (at_ > items_.size()) {
            return false;
        }
        if (at_ < items_.size()) {
            begin_item(at_, out);
            write_(items_[at_], out);
            items_[at_] = T{};
        } else {
            out += items_.empty() ? "[]" : "]";
        }
        ++at_;
        return true;
    }

private:
    std::vector<T> items_;
    Write write_;
    std::size_t at_ = 0;
};

void write_sample(const promql::VectorSample& sample, std::string& out) {
    out += R"({"metric":)";
    append_labels(out, sample.labels);
    out += R"(,"value":)";
    append_point(out, sample.time, sample.value);
    out += '}';
}

class MatrixPart final : public AnswerPart {
public:
    explicit MatrixPart(promql::Matrix matrix) : matrix_(std::move(matrix)) {}

    bool write_some(std::string& out) override {
        if (series_at_ < matrix_.size()) {
            write_points(matrix_[series_at_], out);
            return true;
        }
        if (!ended_) {
            out += matrix_.empty() ? "[]" : "]";
            ended_ = true;
            return true;
        }
        return false;
    }

private:
    void write_points(promql::MatrixSeries& series, std::string& out) {
        if (point_at_ == 0) {
            begin_item(series_at_, out);
            out += R"({"metric":)";
            append_labels(out, series.labels);
            out += R"(,"values":[)";
        }
        const std::size_t end = std::min(point_at_ + kPointsAtOnce, series.points.size());
        for (; point_at_ < end; ++point_at_) {
            if (point_at_ != 0) {
                out += ',';
            }
            append_point(out, series.points[point_at_].time, series.points[point_at_].value);
        }
        if (point_at_ == series.points.size()) {
            out += "]}";
            series = {};
            ++series_at_;
            point_at_ = 0;
        }
    }

    promql::Matrix matrix_;
    std::size_t series_at_ = 0;
    std::size_t point_at_ = 0;
    bool ended_ = false;
};

// A text that is there already.
class ShortPart final : public AnswerPart {
public:
    explicit ShortPart(std::string text) : text_(std::move(text)) {}

    bool write_some(std::string& out) override {
        out += text_;
        return !std::exchange(text_, {}).empty();
    }

private:
    std::string text_;
};

void add_notes(std::string& out, std::string_view key, const std::vector<std::string>& notes) {
    if (!notes.empty()) {
        JsonWriter json;
        write_strings(json, notes);
        out.append(",\"").append(key).append("\":").append(json.text());
    }
}

}  // namespace

std::unique_ptr<AnswerPart> result_part(promql::Value value) {
    if (auto* matrix = std::get_if<promql::Matrix>(&value)) {
        return std::make_unique<MatrixPart>(std::move(*matrix));
    }
    if (auto* vector = std::get_if<promql::Vector>(&value)) {
        return std::make_unique<ListPart<promql::VectorSample>>(std::move(*vector), &write_sample);
    }
    std::string text;
    if (const auto* scalar = std::get_if<promql::Scalar>(&value)) {
        append_point(text, scalar->time, scalar->value);
    } else {
        const auto& string = std::get<promql::String>(value);
        text.append("[").append(sample_time(string.time)).append(",");
        append_json_string(text, string.value);
        text += ']';
    }
    return std::make_unique<ShortPart>(std::move(text));
}

std::unique_ptr<AnswerPart> series_part(std::vector<model::Labels> series) {
    return std::make_unique<ListPart<model::Labels>>(
        std::move(series),
        [](const model::Labels& labels, std::string& out) { append_labels(out, labels); });
}

std::unique_ptr<AnswerPart> strings_part(std::vector<std::string> strings) {
    return std::make_unique<ListPart<std::string>>(
        std::move(strings),
        [](const std::string& text, std::string& out) { append_json_string(out, text); });
}

PiecewiseText enveloped(std::string_view data_head, std::unique_ptr<AnswerPart> part,
                        std::string_view data_tail, const Annotations& annotations) {
    std::string head = R"({"status":"success","data":)";
    head += data_head;
    std::string tail(data_tail);
    add_notes(tail, "warnings", annotations.warnings);
    add_notes(tail, "infos", annotations.infos);
    tail += '}';
    return {std::move(head), std::move(part), std::move(tail)};
}

}  // namespace kpid::http
