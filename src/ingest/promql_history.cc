// When the past of a promql source is asked for.
#include "ingest/promql_history.h"

#include "ingest/promql_history_parts.h"
#include "ingest/utc_periods.h"
#include "kpid/base/hash.h"
#include "net/run_all.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

// What is asked: another question has another past.
std::string question_of(const config::PromqlSource::Query& query, const model::Labels& labels) {
    const std::string per = query.per ? fmt::format("{}", static_cast<int>(*query.per)) : "";
    return fmt::format("{:016x}", hash_bytes(query.expr + '\n' + per + '\n' + labels.to_string()));
}

}  // namespace

PromqlHistory::PromqlHistory(const config::SourceConfig& source, const config::PromqlSource& promql,
                             model::Labels labels, PromqlPeer& peer, Environment& environment)
    : environment_(environment),
      source_(source.id),
      labels_(std::move(labels)),
      timeout_(source.timeout),
      peer_(peer) {
    for (const config::PromqlSource::Query& query : promql.queries) {
        Item item;
        item.query = query;
        item.key = fmt::format("ingest/promql/{}/{}", source_, query.metric);
        item.progress.of = question_of(query, labels_);
        if (query.per) {
            item.periods = PeriodPlan{.period = *query.per, .backfill = promql.backfill_periods};
            ++state_.periods_pending;  // Until the first look says how many.
        } else if (promql.backfill_samples > Duration(0)) {
            item.backfill =
                BackfillPlan{.interval = source.interval, .backfill = promql.backfill_samples};
            ++state_.backfills_pending;
        } else {
            continue;
        }
        items_.push_back(std::move(item));
    }
    state_.has_history = !items_.empty();
    if (std::any_of(items_.begin(), items_.end(),
                    [](const Item& item) { return item.periods.has_value(); })) {
        environment_.metrics.periods_pending.Add({{"source", source_}});
        environment_.metrics.periods_given_up.Add({{"source", source_}});
    }
}

PromqlHistory::~PromqlHistory() = default;

std::optional<Error> PromqlHistory::error() const {
    const MutexLock lock(mutex_);
    return error_;
}

SourceNotes PromqlHistory::state() const {
    const MutexLock lock(mutex_);
    return state_;
}

net::Task<> PromqlHistory::run() {
    const Clock& clock = environment_.timers.clock();
    bool is_loaded = items_.empty();
    while (!is_finished()) {
        const Timestamp now = clock.wall_now();
        Result<Pass> pass =
            co_await net::offload(environment_.workers, [this, now, is_loaded]() -> Result<Pass> {
                if (!is_loaded) {
                    KPID_CHECK_OK(load(now));
                }
                return plan(now);
            });
        Result<void> done = pass ? Result<void>() : pass.error();
        is_loaded = is_loaded || pass.has_value();
        if (pass && !pass->jobs.empty()) {
            co_await ask(&*pass);
            done = co_await net::offload(environment_.workers,
                                         [this, &pass, now] { return settle(*pass, now); });
            if (done) {
                continue;
            }
        }
        if (!done) {
            environment_.log.warn("the past of a source cannot be stored",
                                  {{"source", source_}, {"error", done.error().message}});
        }
        publish(now);
        const Timestamp look = done ? next_look(now) : now + kWaitMin;
        const MonoTime wake = environment_.timers.after(look - now);
        const Result<void> slept = co_await environment_.timers.sleep_until(wake);
        if (!slept) {
            co_return;
        }
    }
    publish(clock.wall_now());
}

// On a worker. What was asked for before another question was put counts for nothing.
Result<void> PromqlHistory::load(Timestamp now) {
    std::vector<model::StateWrite> writes;
    for (Item& item : items_) {
        KPID_TRY(const std::optional<std::string> stored, environment_.state.get(item.key));
        std::optional<HistoryProgress> known = stored ? decode_progress(*stored) : std::nullopt;
        if (known && known->of == item.progress.of) {
            item.progress = *std::move(known);
        } else {
            item.progress.since = now;
            writes.push_back({item.key, encode_progress(item.progress)});
        }
    }
    KPID_CHECK_OK(writes.empty() ? Result<void>() : environment_.state.write(writes));
    publish(now);
    return {};
}

bool PromqlHistory::is_finished() const {
    return std::none_of(items_.begin(), items_.end(),
                        [](const Item& item) { return item.periods || item.is_filling(); });
}

// On a worker.
Result<PromqlHistory::Pass> PromqlHistory::plan(Timestamp now) {
    Pass pass;
    const std::size_t share = std::max<std::size_t>(kJobsMax / items_.size(), 1);
    for (std::size_t i = 0; i < items_.size() && pass.jobs.size() < kJobsMax; ++i) {
        Item& item = items_[(first_item_ + i) % items_.size()];
        if (item.retry_at > now) {
            continue;
        }
        if (item.periods) {
            plan_periods(item, now, item.is_suspect ? 1 : share, pass);
        } else {
            KPID_CHECK_OK(plan_backfill(item, now, pass));
        }
    }
    first_item_ = (first_item_ + 1) % items_.size();
    return pass;
}

// The newest first, but those that were refused last.
void PromqlHistory::plan_periods(Item& item, Timestamp now, std::size_t count_max,
                                 Pass& pass) const {
    std::vector<Timestamp> starts =
        item.periods->due(item.progress, now, count_max + item.tries.size());
    const auto tries = [&item](Timestamp start) {
        const auto known = item.tries.find(start);
        return known == item.tries.end() ? 0 : known->second;
    };
    std::stable_sort(starts.begin(), starts.end(),
                     [&tries](Timestamp a, Timestamp b) { return tries(a) < tries(b); });
    starts.resize(std::min(starts.size(), count_max));
    for (const Timestamp start : starts) {
        pass.jobs.push_back(
            {.item = &item, .start = start, .end = period_end(item.periods->period, start)});
    }
}

Result<void> PromqlHistory::plan_backfill(Item& item, Timestamp now, Pass& pass) const {
    if (item.is_given_up) {
        return {};
    }
    if (!item.top) {
        KPID_TRY(item.top, find_top(item, now));
    }
    const std::optional<BackfillPlan::Piece> piece =
        item.backfill->next(item.progress, *item.top, item.points);
    if (piece) {
        pass.jobs.push_back(
            {.item = &item, .start = piece->from, .end = piece->until, .piece = piece});
    }
    return {};
}

// Where the past begins: what was filled goes before all, else the oldest sample of the store,
// which is found by halving.
Result<Timestamp> PromqlHistory::find_top(const Item& item, Timestamp now) const {
    if (!item.progress.done.empty()) {
        return item.progress.done.spans().back().until;
    }
    std::vector<model::Matcher> matchers{
        model::Matcher::equal(model::kMetricName, item.query.metric)};
    for (const model::Label& label : labels_) {
        matchers.push_back(model::Matcher::equal(label.name, label.value));
    }
    const Timestamp first = item.backfill->align(item.progress.since - item.backfill->backfill);
    std::int64_t low = 0;
    std::int64_t high = (item.backfill->align(now) - first) / item.backfill->interval;
    // The least number of steps after `first` before which the store has a sample.
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        const Timestamp until = first + middle * item.backfill->interval;
        KPID_TRY(const std::vector<model::Labels> known,
                 environment_.reader.series(matchers, {Timestamp::min(), until}));
        if (known.empty()) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return first + low * item.backfill->interval;
}

net::Task<> PromqlHistory::ask(Pass* pass) {
    std::vector<net::Task<>> lanes;
    for (std::size_t i = 0; i < std::min(kInFlightMax, pass->jobs.size()); ++i) {
        lanes.push_back(ask_lane(pass));
    }
    co_await net::run_all(std::move(lanes));
}

net::Task<> PromqlHistory::ask_lane(Pass* pass) {
    while (pass->next < pass->jobs.size() && !pass->is_down && pass->points < kPointsHeldMax) {
        Job& job = pass->jobs[pass->next++];
        co_await ask_one(&job);
        if (job.answer && *job.answer) {
            pass->points += (*job.answer)->samples.size();
        }
        if (job.matrix && *job.matrix) {
            for (const model::SeriesColumns& series : (*job.matrix)->series) {
                pass->points += series.times.size();
            }
        }
        const Error* error = job.error();
        pass->is_down = pass->is_down || (error != nullptr && error->code == Code::kUnavailable);
    }
}

net::Task<> PromqlHistory::ask_one(Job* job) {
    const config::PromqlSource::Query* query = &job->item->query;
    if (job->piece) {
        Result<wire::QueryMatrix> matrix =
            co_await peer_.ask_range({.query = query,
                                      .from = job->piece->from,
                                      .last = job->piece->last,
                                      .step = job->item->backfill->interval,
                                      .timeout = timeout_});
        job->matrix = std::move(matrix);
        co_return;
    }
    Result<wire::QueryResult> answer =
        co_await peer_.ask({.query = query, .at = job->end, .timeout = timeout_, .is_past = true});
    job->answer = std::move(answer);
}

Timestamp PromqlHistory::next_look(Timestamp now) const {
    // Clocks are set, and nothing is looked for all the time.
    Timestamp look = now + kSleepMax;
    for (const Item& item : items_) {
        const bool is_waiting =
            item.periods ? !item.periods->due(item.progress, now, 1).empty() : item.is_filling();
        if (is_waiting) {
            look = std::min(look, item.retry_at);
        } else if (item.periods) {
            look = std::min(look, item.periods->next_after(now));
        }
    }
    return std::max(look, now + Duration(std::chrono::seconds(1)));
}

void PromqlHistory::publish(Timestamp now) {
    SourceNotes state{.has_history = !items_.empty(), .periods_given_up = given_up_};
    std::optional<Error> of_periods;
    bool has_periods = false;
    for (const Item& item : items_) {
        if (item.periods) {
            has_periods = true;
            state.periods_pending += item.periods->due(item.progress, now, kPendingCountMax).size();
        } else if (item.is_filling()) {
            ++state.backfills_pending;
        }
        if (!item.error) {
            continue;
        }
        const Error error = item.error->with_context(fmt::format("query of {}", item.query.metric));
        if (state.history_error.empty()) {
            state.history_error = error.message;
        }
        if (item.periods && !of_periods) {
            of_periods = error;
        }
    }
    if (has_periods) {
        environment_.metrics.periods_pending.Add({{"source", source_}})
            .Set(static_cast<double>(state.periods_pending));
    }
    const MutexLock lock(mutex_);
    state_ = std::move(state);
    error_ = std::move(of_periods);
}

}  // namespace kpid::ingest
