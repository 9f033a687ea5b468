#pragma once
// What every evaluation works with.

#include "config/config.h"
#include "config/valid_for.h"
#include "evaluate/metrics.h"
#include "kpid/base/clock.h"
#include "kpid/base/log.h"
#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/model/state_store.h"
#include "kpid/promql/engine.h"
#include "notify/alert_sink.h"

#include <functional>
#include <memory>
#include <string_view>

namespace kpid::evaluate {

/// Which sources are polled, and whether they answered since this process started. Thread-safe
/// functions.
struct SourceHealth {
    /// True when series with this `job` come from a source that is polled.
    std::function<bool(std::string_view job)> is_polled;
    /// True when that source answered since the start.
    std::function<bool(std::string_view job)> answered_since_start;
    /// True when every polled source did.
    std::function<bool()> all_answered_since_start;
};

/// Borrowed by all units; everything in it is thread-safe and outlives them.
struct Context {
    const model::Reader& reader;
    model::Appender& appender;
    model::StateStore& state;
    notify::AlertSink& sink;
    const Clock& clock;
    Metrics& metrics;
    Logger log;
    SourceHealth sources;
    Timestamp started_at;  ///< When this process began.
};

/// What a reload swaps: the configuration and the engine made for it.
struct Snapshot {
    std::shared_ptr<const config::Config> config;
    std::shared_ptr<const promql::Engine> engine;
    /// How long values hold; null: all of them kValidForDefault. The engine has the same.
    std::shared_ptr<const config::ValidForRules> valid_for = {};
};

using config::kValidForDefault;

/// Appends what evaluation recorded; failures are counted and logged.
void record(const Context& context, std::span<const model::SeriesSample> samples);

}  // namespace kpid::evaluate
