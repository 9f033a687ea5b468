// One round of a source: collect, label, store, report.
#include "ingest/source_poll.h"

#include "ingest/target_labels.h"

#include <utility>
#include <vector>

namespace kpid::ingest {

SourcePoll::SourcePoll(Environment& environment, Protocol protocol, model::Labels labels,
                       std::unique_ptr<Collector> collector, SourceRules rules)
    : PollTask(environment),
      protocol_(protocol),
      labels_(std::move(labels)),
      up_labels_(named("up", labels_)),
      duration_labels_(named("scrape_duration_seconds", labels_)),
      collector_(std::move(collector)),
      rules_(std::move(rules)),
      rows_(rules_.kinds, model::MetricKind::kTotal) {
}

net::Task<Result<void>> SourcePoll::poll(Timestamp at) {
    const MonoTime started = environment_.timers.clock().mono_now();
    const Result<Collected> collected = co_await collector_->collect(at);
    if (!collected && collected.error().code == Code::kCancelled) {
        co_return collected.error();
    }
    const Result<void> taken = co_await net::offload(
        environment_.workers,
        [this, &collected, at, started] { return take(collected, at, started); });
    co_return taken;
}

// On a worker.
Result<void> SourcePoll::take(const Result<Collected>& collected, Timestamp at, MonoTime started) {
    std::vector<model::SeriesSample> samples;
    std::vector<SeriesBook::Series*> series;
    book_.begin_round();
    Result<void> outcome;
    if (collected) {
        KPID_CHECK_OK(take_rows(*collected, at));
        add_samples(*collected, at, samples, series);
        book_.commit(at, samples);
        environment_.metrics.of(protocol_).count_malformed(collected->malformed);
        if (collected->error) {
            outcome = *collected->error;
        }
    } else {
        book_.fail(at, samples);
        outcome = collected.error();
    }
    const std::chrono::duration<double> took = environment_.timers.clock().mono_now() - started;
    samples.push_back({up_labels_, at, outcome ? 1.0 : 0.0});
    samples.push_back({duration_labels_, at, took.count()});
    const Result<model::AppendResult> stored = store(
        environment_, protocol_, samples, {.out_of_order_window = rules_.out_of_order_window});
    if (!stored) {
        return stored.error();
    }
    tell_refusals(labels_.get("job"), *stored, samples, told_);
    for (const model::Rejection& rejection : stored->rejected) {
        if (rejection.index < series.size()) {
            SeriesBook::refuse(*series[rejection.index]);
        }
    }
    return outcome;
}

Result<void> SourcePoll::take_rows(const Collected& collected, Timestamp at) {
    if (collected.rows.empty()) {
        return {};
    }
    std::vector<model::SeriesSample> rows;
    rows.reserve(collected.rows.size());
    for (const model::SeriesSample& row : collected.rows) {
        rows.push_back(
            {join_labels(row.labels, labels_, LabelClash::kSourceWins), row.time, row.value});
    }
    KPID_CHECK_OK(recall_events(rows));
    const RowMemory::News news = rows_.begin(rows, at);
    environment_.metrics.of(protocol_).count_repeated(news.repeated);
    const Result<model::AppendResult> stored = store(
        environment_, protocol_, news.samples,
        {.kind = model::MetricKind::kTotal, .out_of_order_window = rules_.out_of_order_window});
    if (!stored) {
        rows_.undo();
        return stored.error();
    }
    rows_.commit(stored->rejected);
    tell_refusals(labels_.get("job"), *stored, news.samples, told_of_rows_);
    return {};
}

// After a start the store knows more than this source.
Result<void> SourcePoll::recall_events(std::span<const model::SeriesSample> rows) {
    for (const auto& [metric, range] : rows_.unknown_events(rows)) {
        std::vector<model::Matcher> matchers{model::Matcher::equal(model::kMetricName, metric)};
        for (const model::Label& label : labels_) {
            matchers.push_back(model::Matcher::equal(label.name, label.value));
        }
        KPID_TRY(const std::vector<model::SeriesColumns> stored,
                 environment_.reader.select(matchers, range, {.samples_max = RowMemory::kRowsMax}));
        rows_.recall(metric, stored);
    }
    return {};
}

void SourcePoll::add_samples(const Collected& collected, Timestamp at,
                             std::vector<model::SeriesSample>& samples,
                             std::vector<SeriesBook::Series*>& series) {
    std::size_t repeated = 0;
    for (const model::SeriesSample& sample : collected.samples) {
        const model::Labels labels = join_labels(sample.labels, labels_, LabelClash::kSourceWins);
        bool added = false;
        SeriesBook::Series& known = book_.enter(labels, added);
        const bool has_own_time = sample.time != at;
        // A series may have many samples at times of their own, but one at the round's.
        if (!book_.mark(known, !has_own_time) && !has_own_time) {
            ++repeated;
            continue;
        }
        samples.push_back({labels, sample.time, sample.value});
        series.push_back(&known);
    }
    environment_.metrics.of(protocol_).count_repeated(repeated);
}

void SourcePoll::take_over(PollTask& other) {
    PollTask::take_over(other);
    if (auto* source = dynamic_cast<SourcePoll*>(&other)) {
        rows_.take_over(source->rows_);
    }
}

Result<void> SourcePoll::end(Timestamp at) {
    book_.begin_round();
    std::vector<model::SeriesSample> markers;
    book_.fail(at, markers);
    markers.push_back({up_labels_, at, model::stale_marker()});
    markers.push_back({duration_labels_, at, model::stale_marker()});
    const Result<model::AppendResult> stored = store(environment_, protocol_, markers, {});
    if (!stored) {
        return stored.error();
    }
    return {};
}

}  // namespace kpid::ingest
