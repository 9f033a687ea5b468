// Remote write: decode, append, answer.
#include "ingest/remote_write_sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace kpid::ingest {
namespace {

using Answer = RemoteWriteOutcome::Answer;
using model::RejectReason;

constexpr std::size_t kNoSeries = std::numeric_limits<std::size_t>::max();

// The refusals of one request, and the first of them in the sender's order.
class Refusals {
public:
    void add(std::size_t series, std::size_t samples, const std::string& message) {
        count_ += samples;
        if (series < first_series_) {
            first_series_ = series;
            first_message_ = &message;
        }
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::string text(std::size_t all) const {
        return fmt::format("{} of {} samples were not stored; the first: {}", count_, all,
                           *first_message_);
    }

private:
    std::size_t count_ = 0;
    std::size_t first_series_ = kNoSeries;
    const std::string* first_message_ = nullptr;
};

std::string histograms_text(const wire::RemoteWriteRequest& request) {
    const auto first = std::find_if(
        request.series.begin(), request.series.end(),
        [](const wire::RemoteWriteSeries& series) { return series.native_histograms > 0; });
    std::vector<wire::LabelView> labels;
    std::string_view name;
    if (first != request.series.end() && wire::read_labels(first->label_bytes, labels)) {
        for (const wire::LabelView& label : labels) {
            name = label.name == model::kMetricName ? label.value : name;
        }
    }
    return fmt::format(
        "{} native histograms were not stored, since kpid does not take them; the first: series {} "
        "of the request ({})",
        request.native_histograms, first - request.series.begin() + 1, name);
}

}  // namespace

// A decoder taken from the idle ones, given back when it dies.
class RemoteWriteSink::Decoder {
public:
    explicit Decoder(RemoteWriteSink& sink) : sink_(sink) {
        const MutexLock lock(sink_.mutex_);
        if (!sink_.idle_.empty()) {
            decoder_ = std::move(sink_.idle_.back());
            sink_.idle_.pop_back();
        }
    }
    ~Decoder() {
        if (decoder_ != nullptr) {
            const MutexLock lock(sink_.mutex_);
            sink_.idle_.push_back(std::move(decoder_));
        }
    }
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;

    wire::RemoteWriteDecoder& get() {
        if (decoder_ == nullptr) {
            decoder_ = std::make_unique<wire::RemoteWriteDecoder>();
        }
        return *decoder_;
    }

private:
    RemoteWriteSink& sink_;
    std::unique_ptr<wire::RemoteWriteDecoder> decoder_;
};

RemoteWriteSink::RemoteWriteSink(model::Appender& appender, MetadataTable& metadata,
                                 const Clock& clock, Metrics& metrics)
    : appender_(appender), metadata_(metadata), clock_(clock), metrics_(metrics) {
}

Result<RemoteWriteOutcome> RemoteWriteSink::write(std::string_view body,
                                                  wire::RemoteWriteVersion version) {
    Decoder decoder(*this);
    const Result<wire::RemoteWriteRequest> request = decoder.get().decode(body, version);
    if (!request) {
        metrics_.of(Protocol::kRemoteWrite).count_malformed(1);
        const bool is_too_large = request.error().code == Code::kResourceExhausted;
        return RemoteWriteOutcome{.answer = is_too_large ? Answer::kTooLarge : Answer::kUndecodable,
                                  .error = request.error().message};
    }
    return store(*request);
}

Result<RemoteWriteOutcome> RemoteWriteSink::store(const wire::RemoteWriteRequest& request) {
    ProtocolCounters& counters = metrics_.of(Protocol::kRemoteWrite);
    RemoteWriteOutcome outcome;
    const wire::RemoteWriteSamples decoded = wire::series_samples(request);
    model::AppendResult stored;
    if (!decoded.samples.empty()) {
        Result<model::AppendResult> appended =
            appender_.append({.samples = decoded.samples, .now = clock_.wall_now()});
        if (!appended) {
            metrics_.store_failures.Increment();
            return appended.error();
        }
        stored = *std::move(appended);
    }
    counters.count(stored);
    outcome.samples_written = stored.accepted;
    metrics_.metadata_dropped.Increment(static_cast<double>(metadata_.put(request.metadata)));
    metrics_.exemplars_dropped.Increment(static_cast<double>(request.exemplars));
    metrics_.histograms_refused.Increment(static_cast<double>(request.native_histograms));

    Refusals refusals;
    for (const wire::RemoteWriteRefusal& refusal : decoded.refused) {
        refusals.add(refusal.series, refusal.samples, refusal.message);
        counters.count_rejected(RejectReason::kInvalidLabels, refusal.samples);
    }
    bool is_limited = false;
    for (const model::Rejection& rejection : stored.rejected) {
        if (rejection.reason != RejectReason::kReserved) {
            refusals.add(decoded.series[rejection.index], 1, rejection.message);
            is_limited = is_limited || rejection.reason == RejectReason::kLimit;
        }
    }
    if (!refusals.empty()) {
        outcome.error = refusals.text(request.samples);
    }
    if (request.native_histograms > 0) {
        outcome.error += outcome.error.empty() ? "" : "; ";
        outcome.error += histograms_text(request);
    }
    if (is_limited) {
        outcome.answer = Answer::kLimited;
    } else if (!outcome.error.empty()) {
        outcome.answer = Answer::kRefused;
    }
    return outcome;
}

}  // namespace kpid::ingest
