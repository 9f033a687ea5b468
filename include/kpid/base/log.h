#pragma once
// Structured log lines: logfmt or JSON, one line an event.

#include "kpid/base/clock.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

/// "debug", "info", "warn", "error"; an error for other words.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

/// Where finished lines go. Thread-safe.
class LogSink {
public:
    virtual ~LogSink() = default;
    virtual void write(std::string_view line) = 0;
};

/// Standard error, by spdlog.
[[nodiscard]] std::shared_ptr<LogSink> make_stderr_log_sink();

/// A room's named log. Cheap to copy, thread-safe. A line that repeats (same room
/// and message) more than kRepeatMax times in ten seconds is dropped; when it next appears,
/// it carries suppressed=N.
///
///     Logger log = root.named("ingest");
///     log.warn("scrape failed", {{"source", id}, {"error", error.message}});
class Logger {
public:
    static constexpr int kRepeatMax = 10;

    /// Drops everything: for tests.
    Logger();
    Logger(std::shared_ptr<LogSink> sink, const Clock& clock, LogLevel level, LogFormat format);
    /// The same log under a room's name.
    [[nodiscard]] Logger named(std::string_view room) const;

    void debug(std::string_view message, const LogFields& fields = {}) const;
    void info(std::string_view message, const LogFields& fields = {}) const;
    void warn(std::string_view message, const LogFields& fields = {}) const;
    void error(std::string_view message, const LogFields& fields = {}) const;

private:
    struct Core;
    void write(LogLevel level, std::string_view message, const LogFields& fields) const;

    std::shared_ptr<Core> core_;
    std::string room_;
};

}  // namespace kpid
