#include "kpid/model/appender.h"

#include <algorithm>

namespace kpid::model {

std::string_view to_string(RejectReason reason) {
    switch (reason) {
        case RejectReason::kOutOfOrder:
            return "out_of_order";
        case RejectReason::kDuplicateTimestamp:
            return "duplicate_timestamp";
        case RejectReason::kTooOld:
            return "too_old";
        case RejectReason::kTooFarInFuture:
            return "too_far_in_future";
        case RejectReason::kInvalidLabels:
            return "invalid_labels";
        case RejectReason::kReserved:
            return "reserved";
        case RejectReason::kLimit:
            return "limit";
    }
    return "invalid_labels";
}

bool LabelReader::reads_as(std::string_view bytes, std::span<const LabelView> labels) const {
    std::vector<LabelView> own;
    return read(bytes, own).has_value() && std::ranges::equal(own, labels);
}

std::vector<SeriesSample> flatten(const AppendBatch& batch) {
    std::vector<SeriesSample> samples(batch.samples.begin(), batch.samples.end());
    std::vector<LabelView> views;
    for (const RawSeries& series : batch.raw) {
        const Result<void> read = batch.label_reader->read(series.label_bytes, views);
        const Labels labels = read ? Labels::copy_of(views) : Labels();
        for (const Sample& sample : series.samples) {
            samples.push_back({labels, sample.time, sample.value});
        }
    }
    return samples;
}

}  // namespace kpid::model
