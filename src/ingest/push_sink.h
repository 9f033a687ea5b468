#pragma once
// What is pushed over HTTP: JSON and text.

#include "ingest/idempotency.h"
#include "ingest/metrics.h"
#include "ingest/push_outcome.h"
#include "kpid/base/clock.h"
#include "kpid/base/log.h"
#include "kpid/model/appender.h"
#include "kpid/model/state_store.h"
#include "kpid/wire/exposition.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace kpid::ingest {

/// Decodes and stores pushes. Thread-safe; blocks for the store: worker threads only.
class PushSink {
public:
    /// How long an Idempotency-Key is remembered, and how many bytes it may have.
    static constexpr Duration kIdempotencyRetention = std::chrono::hours(24);
    static constexpr std::size_t kIdempotencyKeyBytesMax = 256;

    PushSink(model::Appender& appender, model::StateStore& state, const Clock& clock,
             Metrics& metrics);

    /// POST /api/v1/push. kInvalidArgument for JSON that does not parse (with the offset) or a bad
    /// key. A request whose key was seen within a day adds nothing and has the first one's outcome;
    /// key and samples are stored in one write. kResourceExhausted when the store's limits let none
    /// of it in; the key is free then.
    [[nodiscard]] Result<PushOutcome> push_json(std::string_view body,
                                                std::string_view idempotency_key);
    /// POST /api/v1/import/prometheus. kInvalidArgument with the line, and nothing stored, for a
    /// bad text or one with samples that storage refuses (too old, another value at that time);
    /// kResourceExhausted when a limit of the store does.
    /// OpenMetrics' _created samples are left out, as in scrapes.
    [[nodiscard]] Result<void> import_text(
        std::string_view body, wire::ExpositionFormat format = wire::ExpositionFormat::kText);
    /// Forgets keys older than a day; to be called now and then.
    [[nodiscard]] Result<void> sweep_idempotency_keys();

private:
    [[nodiscard]] Result<PushOutcome> push_once(std::string_view text, Timestamp now,
                                                const std::string& key);

    model::Appender& appender_;
    model::StateStore& state_;
    const Clock& clock_;
    Metrics& metrics_;
    IdempotencyKeys keys_;
};

}  // namespace kpid::ingest
