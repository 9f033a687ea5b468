#pragma once
// The past of a promql source: closed periods, and what was there before its first start.

#include "config/sources.h"
#include "ingest/history_plan.h"
#include "ingest/poll_task.h"
#include "ingest/promql_peer.h"
#include "kpid/base/mutex.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace kpid::ingest {

/// Operation: run() looks what is due, asks for it with several requests under way, stores the
/// answers together with how far it is, so that nothing is asked twice over restarts, and sleeps
/// until there is more. Of each query a closed period is asked for at its end and stamped with its
/// start, the newest first; the past of a query without a period is asked for in pieces, from the
/// first sample that the store has of it back. What fails is tried again later and later, and holds
/// up only its own query; a period that the server refuses again and again is given up. A partial
/// answer is stored for now and asked for again.
class PromqlHistory {
public:
    /// Requests under way at once.
    static constexpr std::size_t kInFlightMax = 4;
    /// Requests between two times that answers are stored.
    static constexpr std::size_t kJobsMax = 64;
    /// Points that are held before they are stored: no further request is begun beyond.
    static constexpr std::size_t kPointsHeldMax = 1'000'000;
    /// Samples of one append.
    static constexpr std::size_t kAppendSamplesMax = 50'000;
    /// Times that a period is asked for which the server refuses, or answers in part.
    static constexpr int kTriesMax = 8;
    /// How long a query waits after its first failure, and at most; each time twice as long.
    static constexpr Duration kWaitMin = std::chrono::seconds(5);
    static constexpr Duration kWaitMax = std::chrono::minutes(2);
    /// The same after a refusal, which is likely to come again.
    static constexpr Duration kRefusalWaitMin = std::chrono::minutes(1);
    static constexpr Duration kRefusalWaitMax = std::chrono::hours(1);
    /// The longest sleep: clocks are set.
    static constexpr Duration kSleepMax = std::chrono::minutes(5);
    /// Pending periods of one query that are counted.
    static constexpr std::size_t kPendingCountMax = 1'000;

    /// What it is made from outlives it. `labels` are those of every series of the source.
    PromqlHistory(const config::SourceConfig& source, const config::PromqlSource& promql,
                  model::Labels labels, PromqlPeer& peer, Environment& environment);
    ~PromqlHistory();
    PromqlHistory(const PromqlHistory&) = delete;
    PromqlHistory& operator=(const PromqlHistory&) = delete;

    /// Ends when there is nothing more to do ever, or by being cancelled.
    [[nodiscard]] net::Task<> run();
    /// Why the newest request for a period failed, while none was answered since: a past that
    /// cannot be filled is no failure of the source. From any thread.
    [[nodiscard]] std::optional<Error> error() const;
    /// All but the notes. From any thread.
    [[nodiscard]] SourceNotes state() const;

private:
    struct Item;
    struct Job;
    struct Pass;
    struct Batch;

    [[nodiscard]] Result<void> load(Timestamp now);
    [[nodiscard]] Result<Pass> plan(Timestamp now);
    void plan_periods(Item& item, Timestamp now, std::size_t count_max, Pass& pass) const;
    [[nodiscard]] Result<void> plan_backfill(Item& item, Timestamp now, Pass& pass) const;
    [[nodiscard]] Result<Timestamp> find_top(const Item& item, Timestamp now) const;
    [[nodiscard]] net::Task<> ask(Pass* pass);
    [[nodiscard]] net::Task<> ask_lane(Pass* pass);
    [[nodiscard]] net::Task<> ask_one(Job* job);
    [[nodiscard]] Result<void> settle(Pass& pass, Timestamp now);
    void settle_period(Job& job, Timestamp now, Batch& batch);
    void settle_piece(Job& job, Timestamp now, Batch& batch);
    void settle_failure(Job& job, Timestamp now, Batch& batch);
    void give_up(Item& item, Timestamp start, const Error& why, Batch& batch);
    [[nodiscard]] Result<void> store_batch(const Batch& batch, Timestamp now);
    [[nodiscard]] Result<void> append(std::span<const model::SeriesSample> samples,
                                      model::MetricKind kind, Duration window);
    [[nodiscard]] Timestamp next_look(Timestamp now) const;
    [[nodiscard]] bool is_finished() const;
    void publish(Timestamp now);

    Environment& environment_;
    const std::string source_;
    const model::Labels labels_;
    const Duration timeout_;
    PromqlPeer& peer_;

    // Of run(): its strand, or the worker that it waits for.
    std::vector<Item> items_;
    std::size_t given_up_ = 0;
    std::size_t first_item_ = 0;  // of the next pass, so that each has its turn

    mutable Mutex mutex_;
    SourceNotes state_ KPID_GUARDED_BY(mutex_);
    std::optional<Error> error_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::ingest
