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

// The metric's name as far as it can be told, fit for a message.
std::string name_of(const wire::RemoteWriteSeries& series) {
    constexpr std::size_t kExcerptBytes = 64;
    std::vector<wire::LabelView> labels;
    static_cast<void>(wire::read_labels(series.label_bytes, labels));
    std::string name;
    for (const wire::LabelView& label : labels) {
        if (label.name == model::kMetricName) {
            name = label.value.substr(0, kExcerptBytes);
        }
    }
    std::replace_if(name.begin(), name.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return name.empty() ? "without a metric name" : name;
}

// The refusals of one request, and the first of them in the sender's order.
class Refusals {
public:
    void add(std::size_t series, std::size_t samples, std::string_view message) {
        count_ += samples;
        if (series < first_series_) {
            first_series_ = series;
            first_message_ = message;
        }
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::string text(const wire::RemoteWriteRequest& request) const {
        return fmt::format(
            "{} of {} samples were not stored; the first: series {} of the request ({}): {}",
            count_, request.samples, first_series_ + 1, name_of(request.series[first_series_]),
            first_message_);
    }

private:
    std::size_t count_ = 0;
    std::size_t first_series_ = kNoSeries;
    std::string_view first_message_;  // borrowed
};

// The series of a request that the store can be asked to take.
struct Usable {
    std::vector<model::RawSeries> series;
    std::vector<std::size_t> numbers;        // in the request, by place in `series`
    std::vector<std::size_t> first_samples;  // of `series`, as an append counts samples
    std::vector<std::size_t> with_problems;  // numbers of those that cannot be read

    // The number in the request of the series with this sample of the append.
    [[nodiscard]] std::size_t series_of(std::size_t sample) const {
        const auto next = std::upper_bound(first_samples.begin(), first_samples.end(), sample);
        return numbers[static_cast<std::size_t>(next - first_samples.begin()) - 1];
    }
};

Usable usable_series(const wire::RemoteWriteRequest& request) {
    Usable usable;
    usable.series.reserve(request.series.size());
    usable.numbers.reserve(request.series.size());
    usable.first_samples.reserve(request.series.size());
    std::size_t samples = 0;
    for (std::size_t i = 0; i < request.series.size(); ++i) {
        const wire::RemoteWriteSeries& series = request.series[i];
        if (series.samples.empty()) {
            continue;
        }
        if (!series.problem.empty()) {
            usable.with_problems.push_back(i);
            continue;
        }
        usable.series.push_back({series.label_bytes, series.samples});
        usable.numbers.push_back(i);
        usable.first_samples.push_back(samples);
        samples += series.samples.size();
    }
    return usable;
}

std::string histograms_text(const wire::RemoteWriteRequest& request) {
    const auto first = std::find_if(
        request.series.begin(), request.series.end(),
        [](const wire::RemoteWriteSeries& series) { return series.native_histograms > 0; });
    return fmt::format(
        "{} native histograms were not stored, since kpid does not take them; the first: series {} "
        "of the request ({})",
        request.native_histograms, first - request.series.begin() + 1,
        first == request.series.end() ? "" : name_of(*first));
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

RemoteWriteSink::RemoteWriteSink(const Dependencies& dependencies)
    : appender_(dependencies.appender),
      metadata_(dependencies.metadata),
      exemplars_(dependencies.exemplars),
      clock_(dependencies.clock),
      metrics_(dependencies.metrics) {
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

std::size_t RemoteWriteSink::keep_exemplars(const wire::RemoteWriteRequest& request) {
    const Timestamp now = clock_.wall_now();
    std::size_t kept = 0;
    for (const wire::RemoteWriteSeries& series : request.series) {
        if (!series.exemplars.empty()) {
            kept += keep_exemplars_of(series, now);
        }
    }
    return kept;
}

std::size_t RemoteWriteSink::keep_exemplars_of(const wire::RemoteWriteSeries& series,
                                               Timestamp now) {
    ExemplarCounters& counters = metrics_.exemplars_of(Protocol::kRemoteWrite);
    const wire::RemoteWriteLabelReader reader;
    std::vector<wire::LabelView> labels;
    if (!series.problem.empty() || !reader.read(series.label_bytes, labels)) {
        counters.count_dropped(ExemplarDrop::kInvalidLabels, series.exemplars.size());
        return 0;
    }
    const model::Labels owner = model::Labels::copy_of(labels);
    std::size_t kept = 0;
    for (const wire::RemoteWriteExemplar& exemplar : series.exemplars) {
        if (!exemplar.problem.empty() || !reader.read(exemplar.label_bytes, labels)) {
            counters.count_dropped(ExemplarDrop::kInvalidLabels);
            continue;
        }
        const bool is_kept = exemplars_.add(Protocol::kRemoteWrite, owner,
                                            {.labels = model::Labels::copy_of(labels),
                                             .value = exemplar.value,
                                             .time = exemplar.time},
                                            now);
        kept += is_kept ? 1 : 0;
    }
    return kept;
}

Result<RemoteWriteOutcome> RemoteWriteSink::store(const wire::RemoteWriteRequest& request) {
    ProtocolCounters& counters = metrics_.of(Protocol::kRemoteWrite);
    RemoteWriteOutcome outcome;
    const Usable usable = usable_series(request);
    model::AppendResult stored;
    if (!usable.series.empty()) {
        const wire::RemoteWriteLabelReader reader;
        Result<model::AppendResult> appended = appender_.append(
            {.raw = usable.series, .label_reader = &reader, .now = clock_.wall_now()});
        if (!appended) {
            metrics_.store_failures.Increment();
            return appended.error();
        }
        stored = *std::move(appended);
    }
    counters.count(stored);
    outcome.samples_written = stored.accepted;
    metrics_.metadata_dropped.Increment(static_cast<double>(metadata_.put(request.metadata)));
    outcome.exemplars_written = request.exemplars > 0 ? keep_exemplars(request) : 0;
    metrics_.histograms_refused.Increment(static_cast<double>(request.native_histograms));

    Refusals refusals;
    for (const std::size_t series : usable.with_problems) {
        const std::size_t samples = request.series[series].samples.size();
        refusals.add(series, samples, request.series[series].problem);
        counters.count_rejected(RejectReason::kInvalidLabels, samples);
    }
    bool is_limited = false;
    for (const model::Rejection& rejection : stored.rejected) {
        if (rejection.reason != RejectReason::kReserved) {
            refusals.add(usable.series_of(rejection.index), 1, rejection.message);
            is_limited = is_limited || rejection.reason == RejectReason::kLimit;
        }
    }
    if (!refusals.empty()) {
        outcome.error = refusals.text(request);
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
