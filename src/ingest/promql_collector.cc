// The promql source: queries of another Prometheus-compatible server.
#include "ingest/collectors.h"
#include "ingest/promql_history.h"
#include "ingest/promql_peer.h"
#include "ingest/target_labels.h"
#include "net/run_all.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace kpid::ingest {
namespace {

// Requests of one round under way at once.
constexpr std::size_t kInFlightMax = 8;
// What is left of the timeout when a query is not even begun.
constexpr Duration kTimeoutMin = std::chrono::milliseconds(1);

using Query = config::PromqlSource::Query;

// What is asked in each round. A source of periods alone asks whether the server answers.
std::vector<Query> queries_of_rounds(const config::PromqlSource& promql) {
    std::vector<Query> queries;
    std::copy_if(promql.queries.begin(), promql.queries.end(), std::back_inserter(queries),
                 [](const Query& query) { return !query.per; });
    if (queries.empty()) {
        queries.push_back({.metric = "", .expr = "1"});
    }
    return queries;
}

class PromqlCollector final : public Collector {
public:
    PromqlCollector(const config::SourceConfig& source, const config::PromqlSource& promql,
                    const model::Labels& labels, Environment& environment)
        : environment_(environment),
          timeout_(source.timeout),
          queries_(queries_of_rounds(promql)),
          peer_(source.id, promql, environment),
          history_(source, promql, labels, peer_, environment) {}

    net::Task<Result<Collected>> collect(Timestamp at) override {
        Round round{.at = at, .deadline = environment_.timers.after(timeout_)};
        round.answers.resize(queries_.size());
        std::vector<net::Task<>> lanes;
        for (std::size_t i = 0; i < std::min(kInFlightMax, queries_.size()); ++i) {
            lanes.push_back(ask_lane(&round));
        }
        co_await net::run_all(std::move(lanes));
        Result<Collected> collected =
            co_await net::offload(environment_.workers, [this, &round] { return gather(round); });
        co_return collected;
    }

    net::Task<> run_beside() override { return history_.run(); }

    SourceNotes notes() const override {
        SourceNotes notes = history_.state();
        notes.notes = peer_.notes();
        return notes;
    }

private:
    struct Round {
        Timestamp at;
        MonoTime deadline;
        std::size_t next = 0;
        std::vector<std::optional<Result<wire::QueryResult>>> answers = {};  // one for each query
    };

    net::Task<> ask_lane(Round* round) {
        while (round->next < queries_.size()) {
            const std::size_t index = round->next++;
            const MonoTime now = environment_.timers.clock().mono_now();
            if (now >= round->deadline) {
                round->answers[index] =
                    Error{Code::kDeadlineExceeded, "the queries before it took the whole timeout"};
                continue;
            }
            const auto left = std::chrono::duration_cast<Duration>(round->deadline - now);
            Result<wire::QueryResult> answer =
                co_await peer_.ask({.query = &queries_[index],
                                    .at = round->at,
                                    .timeout = std::max(left, kTimeoutMin)});
            round->answers[index] = std::move(answer);
        }
    }

    // On a worker. Results are the values at our time, whatever the server's clock says.
    Result<Collected> gather(const Round& round) const {
        Collected collected;
        std::size_t failed = 0;
        for (std::size_t i = 0; i < queries_.size(); ++i) {
            const std::string& metric = queries_[i].metric;
            const Result<wire::QueryResult>& answer = *round.answers[i];
            if (!answer) {
                if (answer.error().code == Code::kCancelled) {
                    return answer.error();
                }
                ++failed;
                if (!collected.error) {
                    collected.error =
                        metric.empty()
                            ? answer.error()
                            : answer.error().with_context(fmt::format("query of {}", metric));
                }
                continue;
            }
            for (const model::SeriesSample& sample :
                 metric.empty() ? std::vector<model::SeriesSample>() : answer->samples) {
                collected.samples.push_back({named(metric, sample.labels), round.at, sample.value});
            }
        }
        if (failed > 0 && failed == queries_.size()) {
            return *collected.error;
        }
        if (!collected.error) {
            collected.error = history_.error();
        }
        return collected;
    }

    Environment& environment_;
    const Duration timeout_;
    const std::vector<Query> queries_;
    PromqlPeer peer_;
    PromqlHistory history_;
};

}  // namespace

std::unique_ptr<Collector> make_promql_collector(const config::SourceConfig& source,
                                                 const config::PromqlSource& promql,
                                                 const model::Labels& labels,
                                                 Environment& environment) {
    return std::make_unique<PromqlCollector>(source, promql, labels, environment);
}

}  // namespace kpid::ingest
