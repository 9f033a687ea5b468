// The push body: nothing crashes, and every item is either a sample or an error.

#include "kpid/base/assert.h"
#include "kpid/base/json_writer.h"
#include "kpid/wire/push_json.h"
#include "kpid/wire/query_result.h"

#include <cstdint>
#include <string_view>

using namespace kpid::wire;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto body = decode_push_json(text, kpid::Timestamp(1000));
    if (body) {
        KPID_ASSERT(body->samples.size() == body->indexes.size());
        KPID_ASSERT(body->samples.size() + body->errors.size() == body->item_count);
        for (const auto& sample : body->samples) {
            KPID_ASSERT(!sample.labels.metric_name().empty());
            for (const auto& label : sample.labels) {
                KPID_ASSERT(kpid::is_valid_utf8(label.name));
                KPID_ASSERT(kpid::is_valid_utf8(label.value));
            }
        }
    }
    static_cast<void>(decode_query_result(text));
    const auto matrix = decode_query_matrix(text);
    for (const auto& series : matrix ? matrix->series : std::vector<kpid::model::SeriesColumns>()) {
        KPID_ASSERT(series.times.size() == series.values.size());
    }
    return 0;
}
