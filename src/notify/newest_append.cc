// The greatest time seen.
#include "notify/newest_append.h"

#include <algorithm>

namespace kpid::notify {

void NewestAppend::on_append(const model::AppendBatch& batch,
                             const model::AppendResult& result) noexcept {
    if (result.accepted == 0 || !result.rejected.empty()) {
        return;
    }
    std::int64_t newest = kNone;
    for (const model::SeriesSample& sample : batch.samples) {
        newest = std::max(newest, sample.time.ms());
    }
    for (const model::RawSeries& series : batch.raw) {
        if (!series.samples.empty()) {
            newest = std::max(newest, series.samples.back().time.ms());
        }
    }
    std::atomic<std::int64_t>& known =
        batch.origin == model::AppendOrigin::kRecorded ? recorded_ : external_;
    std::int64_t before = known.load(std::memory_order_relaxed);
    while (before < newest &&
           !known.compare_exchange_weak(before, newest, std::memory_order_relaxed)) {
    }
}

}  // namespace kpid::notify
