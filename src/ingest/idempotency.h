#pragma once
// Remembers the requests that came with an Idempotency-Key, and what they were answered.

#include "ingest/push_outcome.h"
#include "kpid/base/mutex.h"
#include "kpid/base/time.h"
#include "kpid/model/state_store.h"

#include <cstddef>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::ingest {

/// State entries "ingest/idempotency/<key>" hold time and outcome as JSON. At most kKeysMax keys
/// are kept: beyond it the oldest is forgotten before its day is over. Thread-safe; blocks for the
/// store.
class IdempotencyKeys {
public:
    static constexpr std::size_t kKeysMax = 100'000;
    /// Refusals kept of one outcome; an answer given again names no more.
    static constexpr std::size_t kRefusalsMax = 1000;
    /// Entries erased by one write of the sweep.
    static constexpr std::size_t kSweepBatchMax = 1000;

    IdempotencyKeys(model::StateStore& state, Duration retention)
        : state_(state), retention_(retention) {}

    /// Holds a key while its request is worked on: the same key again waits meanwhile.
    class Claim {
    public:
        Claim(IdempotencyKeys& keys, std::string key);
        ~Claim();
        Claim(const Claim&) = delete;
        Claim& operator=(const Claim&) = delete;

    private:
        IdempotencyKeys& keys_;
        const std::string key_;
    };

    /// The outcome of the request that had this key, when that is not too long ago.
    [[nodiscard]] Result<std::optional<PushOutcome>> find(const std::string& key, Timestamp now);
    /// What to write together with the request's samples.
    [[nodiscard]] Result<std::vector<model::StateWrite>> make_writes(const std::string& key,
                                                                     Timestamp now,
                                                                     const PushOutcome& outcome);
    /// They were written.
    void written(const std::string& key, Timestamp now);
    /// Forgets what is too old.
    [[nodiscard]] Result<void> sweep(Timestamp now);

private:
    using Entry = std::pair<Timestamp, std::string>;

    [[nodiscard]] Result<void> load() KPID_REQUIRES(mutex_);

    model::StateStore& state_;
    const Duration retention_;

    Mutex mutex_;
    CondVar released_;
    std::set<std::string> claimed_ KPID_GUARDED_BY(mutex_);
    bool loaded_ KPID_GUARDED_BY(mutex_) = false;
    std::deque<Entry> by_age_ KPID_GUARDED_BY(mutex_);  // oldest first
};

}  // namespace kpid::ingest
