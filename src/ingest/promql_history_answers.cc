// What becomes of answers about the past.
#include "ingest/promql_history_parts.h"
#include "ingest/target_labels.h"
#include "ingest/utc_periods.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

// How much further back than its age a sample may lie behind its series' newest.
constexpr Duration kWindowSlack = std::chrono::hours(1);

// The server answers, and says no; to ask again at once would be of no use.
bool is_refusal(Code code) {
    return code == Code::kInvalidArgument || code == Code::kUnprocessable ||
           code == Code::kUnsupported || code == Code::kResourceExhausted ||
           code == Code::kNotFound;
}

// The piece's samples, and a stale marker where a series is absent after it was there.
void add_series(const model::SeriesColumns& series, const model::Labels& labels,
                const BackfillPlan::Piece& piece, Duration interval,
                std::vector<model::SeriesSample>& samples) {
    for (std::size_t i = 0; i < series.times.size(); ++i) {
        const Timestamp at = series.times[i];
        if (at < piece.until) {
            samples.push_back({labels, at, series.values[i]});
        }
        const Timestamp next = at + interval;
        const bool goes_on = i + 1 < series.times.size() && series.times[i + 1] <= next;
        if (!goes_on && next <= piece.last) {
            samples.push_back({labels, next, model::stale_marker()});
        }
    }
}

// A partial answer counts as one at last. True when it is to be asked for again.
template <class Item>
bool asks_again(Item& item, Timestamp start, bool is_partial, int tries_max) {
    return is_partial && ++item.tries[start] < tries_max;
}

}  // namespace

// On a worker.
Result<void> PromqlHistory::settle(Pass& pass, Timestamp now) {
    Batch batch;
    for (Job& job : pass.jobs) {
        if (job.answer && *job.answer) {
            settle_period(job, now, batch);
        } else if (job.matrix && *job.matrix) {
            settle_piece(job, now, batch);
        }
    }
    // Last, so that a failure beside good answers is remembered.
    for (Job& job : pass.jobs) {
        const Error* error = job.error();
        if (error != nullptr && error->code != Code::kCancelled) {
            settle_failure(job, now, batch);
        }
    }
    KPID_CHECK_OK(store_batch(batch, now));
    for (auto& [item, progress] : batch.progress) {
        const bool was_filling = item->is_filling();
        item->progress = std::move(progress);
        if (was_filling && !item->is_filling()) {
            environment_.log.info("the past of a query is filled",
                                  {{"source", source_}, {"metric", item->query.metric}});
        }
    }
    publish(now);
    return {};
}

void PromqlHistory::settle_period(Job& job, Timestamp now, Batch& batch) {
    Item& item = *job.item;
    const wire::QueryResult& answer = **job.answer;
    for (const model::SeriesSample& sample : answer.samples) {
        batch.totals.push_back(
            {join_labels(named(item.query.metric, sample.labels), labels_, LabelClash::kSourceWins),
             job.start, sample.value});
    }
    item.is_suspect = false;
    item.error.reset();
    if (asks_again(item, job.start, answer.notes.is_partial, kTriesMax)) {
        item.wait = std::clamp(2 * item.wait, kWaitMin, kWaitMax);
        item.retry_at = now + item.wait;
        return;
    }
    item.wait = Duration(0);
    item.tries.erase(job.start);
    batch.progress_of(item).done.add(job.start, job.end);
}

// The value of an instant cannot be replaced later: a partial answer is waited out.
void PromqlHistory::settle_piece(Job& job, Timestamp now, Batch& batch) {
    Item& item = *job.item;
    const wire::QueryMatrix& matrix = **job.matrix;
    item.error.reset();
    if (asks_again(item, job.start, matrix.notes.is_partial, kTriesMax)) {
        item.wait = std::clamp(2 * item.wait, kWaitMin, kWaitMax);
        item.retry_at = now + item.wait;
        return;
    }
    for (const model::SeriesColumns& series : matrix.series) {
        const model::Labels labels =
            join_labels(named(item.query.metric, series.labels), labels_, LabelClash::kSourceWins);
        add_series(series, labels, *job.piece, item.backfill->interval, batch.samples);
    }
    item.wait = Duration(0);
    item.tries.clear();
    batch.oldest = std::min(batch.oldest, job.start);
    batch.progress_of(item).done.add(job.start, job.end);
}

void PromqlHistory::settle_failure(Job& job, Timestamp now, Batch& batch) {
    Item& item = *job.item;
    const Error error = *job.error();
    const bool refused = is_refusal(error.code);
    const bool is_known = item.error && item.error->message == error.message;
    item.error = error;
    if (job.piece && (refused || error.code == Code::kDeadlineExceeded) &&
        item.points > BackfillPlan::kPointsMin) {
        // Too much at once, perhaps.
        item.points = std::max(item.points / 2, BackfillPlan::kPointsMin);
        return;
    }
    if (!is_known) {
        environment_.log.warn(
            "a query was not answered for the past",
            {{"source", source_}, {"metric", item.query.metric}, {"error", error.message}});
    }
    const Duration least = refused ? kRefusalWaitMin : kWaitMin;
    item.wait = std::clamp(2 * item.wait, least, refused ? kRefusalWaitMax : kWaitMax);
    item.retry_at = now + item.wait;
    if (!refused) {
        return;
    }
    item.is_suspect = true;
    if (++item.tries[job.start] >= kTriesMax) {
        give_up(item, job.start, error, batch);
    }
}

void PromqlHistory::give_up(Item& item, Timestamp start, const Error& why, Batch& batch) {
    item.tries.erase(start);
    environment_.log.warn(item.periods ? "a period was given up" : "a back-fill was given up",
                          {{"source", source_},
                           {"metric", item.query.metric},
                           {"start", format_rfc3339(start)},
                           {"error", why.message}});
    if (!item.periods) {
        item.is_given_up = true;  // Until the next start.
        return;
    }
    item.error.reset();
    ++given_up_;
    environment_.metrics.periods_given_up.Add({{"source", source_}}).Increment();
    batch.progress_of(item).done.add(start, period_end(item.periods->period, start));
}

Result<void> PromqlHistory::store_batch(const Batch& batch, Timestamp now) {
    KPID_CHECK_OK(append(batch.totals, model::MetricKind::kTotal, Duration(0)));
    const Duration age = batch.samples.empty() ? Duration(0) : now - batch.oldest;
    KPID_CHECK_OK(append(batch.samples, model::MetricKind::kGauge, age + kWindowSlack));
    if (batch.progress.empty()) {
        return {};
    }
    std::vector<model::StateWrite> writes;
    writes.reserve(batch.progress.size());
    for (const auto& [item, progress] : batch.progress) {
        writes.push_back({item->key, encode_progress(progress)});
    }
    return environment_.state.write(writes);
}

// What was stored before a failure is stored again, which changes nothing.
Result<void> PromqlHistory::append(std::span<const model::SeriesSample> samples,
                                   model::MetricKind kind, Duration window) {
    for (std::size_t from = 0; from < samples.size(); from += kAppendSamplesMax) {
        const auto piece =
            samples.subspan(from, std::min(kAppendSamplesMax, samples.size() - from));
        KPID_TRY(const model::AppendResult stored,
                 store(environment_, Protocol::kPromql, piece,
                       {.kind = kind, .out_of_order_window = window}));
        if (!stored.rejected.empty()) {
            const model::Rejection& first = stored.rejected.front();
            environment_.log.warn("samples of a source's past were dropped",
                                  {{"source", source_},
                                   {"dropped", fmt::format("{}", stored.rejected.size())},
                                   {"first", piece[first.index].labels.to_string()},
                                   {"error", first.message}});
        }
    }
    return {};
}

}  // namespace kpid::ingest
