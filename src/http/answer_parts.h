#pragma once
// The lists of the API's answers as JSON, a little at a time.

#include "http/answer_stream.h"
#include "kpid/model/labels.h"
#include "kpid/promql/value.h"

#include <memory>
#include <string>
#include <vector>

namespace kpid::http {

/// What stands behind `"result":`; a scalar and a string too.
[[nodiscard]] std::unique_ptr<AnswerPart> result_part(promql::Value value);
/// `[{…},{…}]`.
[[nodiscard]] std::unique_ptr<AnswerPart> series_part(std::vector<model::Labels> series);
/// `["a","b"]`.
[[nodiscard]] std::unique_ptr<AnswerPart> strings_part(std::vector<std::string> strings);

/// Warnings and infos of an answer; those that are there are written.
struct Annotations {
    std::vector<std::string> warnings = {};
    std::vector<std::string> infos = {};
};

/// Prometheus' envelope around `data_head`, the part and `data_tail`, which are `data` together.
[[nodiscard]] PiecewiseText enveloped(std::string_view data_head, std::unique_ptr<AnswerPart> part,
                                      std::string_view data_tail, const Annotations& annotations);

}  // namespace kpid::http
