// Selection and relabelling.
#include "notify/remote_samples.h"

#include "kpid/model/relabel.h"

#include <utility>

namespace kpid::notify {

RemoteSamples::RemoteSamples(const config::RemoteWriteConfig& config, model::Labels external_labels)
    : send_(config.send),
      age_limit_(config.queue.sample_age_limit),
      rules_(config.write_relabel_configs),
      external_labels_(std::move(external_labels)) {
}

bool RemoteSamples::is_wanted(model::AppendOrigin origin) const {
    switch (send_) {
        case config::RemoteWriteSend::kRecorded:
            return origin == model::AppendOrigin::kRecorded;
        case config::RemoteWriteSend::kIngested:
            return origin == model::AppendOrigin::kExternal;
        case config::RemoteWriteSend::kAll:
            return true;
    }
    return true;
}

std::optional<model::Labels> RemoteSamples::make_labels(const model::Labels& labels) const {
    model::LabelsBuilder builder(labels);
    for (const model::Label& label : external_labels_) {
        if (builder.get(label.name).empty()) {
            builder.set(label.name, label.value);
        }
    }
    std::optional<model::Labels> sent = model::relabel(builder.build(), rules_);
    return sent && !sent->empty() ? sent : std::nullopt;
}

std::optional<model::Labels> RemoteSamples::sent_labels(const model::Labels& labels) {
    if (rules_.empty() && external_labels_.empty()) {
        return labels;
    }
    if (const auto found = known_.find(labels); found != known_.end()) {
        return found->second;
    }
    if (known_.size() >= kSeriesMax) {
        known_.clear();
    }
    return known_.emplace(labels, make_labels(labels)).first->second;
}

RemoteSamples::Prepared RemoteSamples::prepare(const model::LogPiece& piece, Timestamp now) {
    Prepared out{.next = piece.next, .lost = piece.lost};
    out.samples.reserve(piece.samples.size());
    for (const model::LoggedSample& logged : piece.samples) {
        if (!is_wanted(logged.origin)) {
            continue;
        }
        if (age_limit_ > Duration(0) && logged.sample.time < now - age_limit_) {
            ++out.too_old;
            continue;
        }
        std::optional<model::Labels> labels = sent_labels(logged.labels);
        if (!labels) {
            ++out.relabelled;
            continue;
        }
        out.samples.push_back({*std::move(labels), logged.sample.time, logged.sample.value});
    }
    return out;
}

}  // namespace kpid::notify
