// Judges samples as the storage has to.

#include "storage/storage_model.h"

namespace kpid::storage {

// Samples are judged in order of time, those that came raw after the others.
std::vector<std::size_t> StorageModel::order_of(const Batch& batch) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
        order.push_back(i);
    }
    const auto by_time = [&batch](std::size_t a, std::size_t b) {
        return batch.samples[a].time < batch.samples[b].time;
    };
    const auto plain = order.begin() + static_cast<std::ptrdiff_t>(batch.plain);
    std::stable_sort(order.begin(), plain, by_time);
    for (auto begin = plain; begin != order.end();) {
        const model::Labels& labels = batch.samples[*begin].labels;
        const auto end = std::find_if(
            begin, order.end(), [&](std::size_t i) { return batch.samples[i].labels != labels; });
        std::stable_sort(begin, end, by_time);
        begin = end;
    }
    return order;
}

StorageModel::Verdicts StorageModel::append_all(const Batch& batch, const Verdicts* store,
                                                bool& is_sure) {
    Verdicts refused;
    for (const std::size_t i : order_of(batch)) {
        const model::SeriesSample& sample = batch.samples[i];
        std::vector<model::LabelView> views;
        for (const model::Label& label : sample.labels) {
            views.push_back({label.name, label.value});
        }
        if (auto origin = rules_.check_origin(sample.labels.metric_name(), batch.origin)) {
            refused[i] = origin->reason;
        } else if (auto labels = rules_.check_labels(views)) {
            refused[i] = labels->reason;
        } else if (const auto age = age_problem(sample, batch.now)) {
            refused[i] = *age;
        } else {
            const auto said = store != nullptr ? store->find(i) : Verdicts::const_iterator();
            std::optional<bool> store_refused;
            if (store != nullptr) {
                store_refused = said != store->end();
            }
            if (const auto reason = judge(batch, sample, store_refused, is_sure)) {
                refused[i] = *reason;
            }
        }
    }
    return refused;
}

std::optional<model::RejectReason> StorageModel::age_problem(const model::SeriesSample& sample,
                                                             Timestamp now) const {
    const Timestamp time = sample.time;
    if (time <
        now - (is_recorded(sample.labels) ? options_.retention_recorded : options_.retention)) {
        return model::RejectReason::kTooOld;
    }
    return time > now + options_.future_tolerance
               ? std::optional(model::RejectReason::kTooFarInFuture)
               : std::nullopt;
}

std::optional<model::RejectReason> StorageModel::judge(const Batch& batch,
                                                       const model::SeriesSample& sample,
                                                       std::optional<bool> store_refused,
                                                       bool& is_sure) {
    Series& one = series[sample.labels];
    one.is_recorded = is_recorded(sample.labels);
    const auto declared = kinds.find(sample.labels.metric_name());
    const model::MetricKind kind = declared == kinds.end() ? batch.kind : declared->second;
    const auto found = one.instants.find(sample.time);
    const bool is_stored = found != one.instants.end();
    const bool is_event = kind == model::MetricKind::kEvent;
    const bool has_rows = is_event || kind == model::MetricKind::kTotal;
    if (is_stored && !is_event && same_value(found->second.newest, sample.value)) {
        return std::nullopt;  // A repetition.
    }
    if (is_stored && !has_rows) {
        return model::RejectReason::kDuplicateTimestamp;
    }
    if (!is_stored && !has_rows &&
        is_refused_as_late(one, batch, sample.time, store_refused, is_sure)) {
        return model::RejectReason::kOutOfOrder;
    }
    Instant& instant = one.instants[sample.time];
    if (has_rows) {
        if (is_stored && instant.rows.empty()) {
            instant.rows.push_back({sample.time, instant.newest, is_event});
        }
        instant.rows.push_back({batch.now, sample.value, is_event});
    }
    instant.newest = sample.value;
    one.newest_low = std::max(one.newest_low.value_or(sample.time), sample.time);
    one.newest_high = std::max(one.newest_high.value_or(sample.time), sample.time);
    log.push_back({sample.labels, sample.time, sample.value, batch.origin});
    return std::nullopt;
}

bool StorageModel::is_refused_as_late(const Series& one, const Batch& batch, Timestamp time,
                                      std::optional<bool> store_refused, bool& is_sure) const {
    const auto refuses = [&](std::optional<Timestamp> newest) {
        return newest && !rules_.is_in_order(time, *newest, batch.window);
    };
    const bool low = refuses(one.newest_low);
    if (low == refuses(one.newest_high)) {
        return low;
    }
    is_sure = is_sure && store_refused.has_value();
    return store_refused.value_or(low);
}

}  // namespace kpid::storage
