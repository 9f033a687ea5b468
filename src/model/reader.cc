#include "kpid/model/reader.h"

namespace kpid::model {

Result<void> Reader::visit(std::span<const Matcher> matchers, TimeRange range,
                           const ReadOptions& options, const SeriesVisitor& take) const {
    ReadOptions unbounded = options;
    unbounded.samples_max = ReadOptions().samples_max;
    KPID_TRY(std::vector<SeriesColumns> selected, select(matchers, range, unbounded));
    for (SeriesColumns& series : selected) {
        if (series.times.size() > options.samples_max) {
            return resource_exhausted("a series has more samples than the selection may touch");
        }
        KPID_CHECK_OK(take(series));
    }
    return {};
}

}  // namespace kpid::model
