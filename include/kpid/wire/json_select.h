#pragma once
// Picks samples out of any JSON document by JSON Pointers: what an `http_json` source answers.

#include "kpid/base/result.h"
#include "kpid/model/sample.h"
#include "kpid/wire/json_document.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::wire {

/// One metric: pointers (RFC 6901) from the item.
struct JsonMetricSpec {
    std::string metric;
    std::string value;  ///< To a number, a boolean (0 or 1) or a string that holds a number.
    double scale = 1;   ///< The value is multiplied by it: 0.01 for cents.
    /// To RFC 3339 text, a date ("2026-05-12": its midnight in UTC) or Unix seconds. Absent: the
    /// time given.
    std::optional<std::string> time;
    std::vector<std::pair<std::string, std::string>>
        labels;  ///< Name and pointer to text, number or boolean.
};

struct JsonSelectSpec {
    /// To an array or an object whose entries are the items. Absent: the document is the one item.
    std::optional<std::string> items;
    std::vector<JsonMetricSpec> metrics;
};

struct JsonItemError {
    std::size_t item = 0;
    std::string metric;
    std::string error;
};

struct JsonSelection {
    std::vector<model::SeriesSample> samples;
    std::size_t error_count = 0;
    std::vector<JsonItemError> errors;  ///< The first kErrorsMax of them.
    std::size_t item_count = 0;
};

/// A checked specification. Immutable, thread-safe.
class JsonSelector {
public:
    static constexpr std::size_t kItemsMax = 500'000;
    static constexpr std::size_t kErrorsMax = 20;

    /// Fails on a bad pointer, naming it.
    [[nodiscard]] static Result<JsonSelector> make(const JsonSelectSpec& spec);
    /// Samples of every item and metric. A value or label that is absent or of the wrong kind is an
    /// error of that item only; a `null` value is skipped without one. The whole fails when the
    /// text is not JSON or `items` names nothing.
    [[nodiscard]] Result<JsonSelection> select(std::string_view document, Timestamp now) const;

private:
    struct Metric {
        std::string name;
        JsonPointer value;
        double scale = 1;
        std::optional<JsonPointer> time;
        std::vector<std::pair<std::string, JsonPointer>> labels;
    };
    JsonSelector() = default;
    static void select_item(const std::vector<Metric>& metrics, JsonValue item, Timestamp now,
                            JsonSelection& out);
    static Result<std::optional<model::SeriesSample>> read_metric(const Metric& metric,
                                                                  JsonValue item, Timestamp now);

    std::optional<JsonPointer> items_;
    std::vector<Metric> metrics_;
};

}  // namespace kpid::wire
