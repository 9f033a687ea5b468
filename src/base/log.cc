#include "kpid/base/log.h"

#include "kpid/base/hash.h"
#include "kpid/base/json_writer.h"
#include "kpid/base/mutex.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace kpid {
namespace {

constexpr std::size_t kRepeatKeysMax = 1024;
constexpr std::chrono::seconds kRepeatWindow{10};

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return "debug";
        case LogLevel::kInfo:
            return "info";
        case LogLevel::kWarn:
            return "warn";
        case LogLevel::kError:
            return "error";
    }
    return "error";
}

bool needs_quotes(std::string_view text) {
    if (text.empty()) {
        return true;
    }
    for (const char c : text) {
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) {
            return true;
        }
    }
    return !is_valid_utf8(text);
}

std::string quoted(std::string_view text) {
    JsonWriter writer;
    writer.string(text);
    return std::move(writer).take();
}

std::string format_line(LogFormat format, const LogFields& fields) {
    if (format == LogFormat::kJson) {
        JsonWriter writer;
        writer.begin_object();
        for (const auto& [name, value] : fields) {
            writer.key(name).string(value);
        }
        writer.end_object();
        return std::move(writer).take();
    }
    std::string line;
    for (const auto& [name, value] : fields) {
        if (!line.empty()) {
            line += ' ';
        }
        line += name;
        line += '=';
        line += needs_quotes(value) ? quoted(value) : value;
    }
    return line;
}

class StderrSink final : public LogSink {
public:
    StderrSink() : logger_("kpid", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
        logger_.set_pattern("%v");
        logger_.flush_on(spdlog::level::trace);
    }
    void write(std::string_view line) override {
        logger_.info(spdlog::string_view_t(line.data(), line.size()));
    }

private:
    spdlog::logger logger_;
};

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
    for (const LogLevel level :
         {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
        if (text == level_name(level)) {
            return level;
        }
    }
    return invalid_argument(
        fmt::format("unknown log level \"{}\": debug, info, warn or error", text));
}

std::shared_ptr<LogSink> make_stderr_log_sink() {
    return std::make_shared<StderrSink>();
}

struct Logger::Core {
    Core(std::shared_ptr<LogSink> the_sink, const Clock& the_clock, LogLevel the_level,
         LogFormat the_format)
        : sink(std::move(the_sink)), clock(the_clock), level(the_level), format(the_format) {}

    std::shared_ptr<LogSink> sink;
    const Clock& clock;
    LogLevel level;
    LogFormat format;

    struct Repeat {
        MonoTime window_start;
        int count = 0;
        std::uint64_t suppressed = 0;
    };
    Mutex mutex;
    StringMap<Repeat> repeats KPID_GUARDED_BY(mutex);
};

Logger::Logger() = default;

Logger::Logger(std::shared_ptr<LogSink> sink, const Clock& clock, LogLevel level, LogFormat format)
    : core_(std::make_shared<Core>(std::move(sink), clock, level, format)) {
}

Logger Logger::named(std::string_view room) const {
    Logger copy = *this;
    copy.room_ = room;
    return copy;
}

void Logger::debug(std::string_view message, const LogFields& fields) const {
    write(LogLevel::kDebug, message, fields);
}
void Logger::info(std::string_view message, const LogFields& fields) const {
    write(LogLevel::kInfo, message, fields);
}
void Logger::warn(std::string_view message, const LogFields& fields) const {
    write(LogLevel::kWarn, message, fields);
}
void Logger::error(std::string_view message, const LogFields& fields) const {
    write(LogLevel::kError, message, fields);
}

void Logger::write(LogLevel level, std::string_view message, const LogFields& fields) const {
    if (core_ == nullptr || level < core_->level) {
        return;
    }
    std::uint64_t suppressed = 0;
    {
        const MutexLock lock(core_->mutex);
        if (core_->repeats.size() >= kRepeatKeysMax) {
            core_->repeats.clear();
        }
        Core::Repeat& repeat = core_->repeats[room_ + '\n' + std::string(message)];
        const MonoTime now = core_->clock.mono_now();
        if (now - repeat.window_start > kRepeatWindow || repeat.count == 0) {
            suppressed = std::exchange(repeat.suppressed, 0);
            repeat.window_start = now;
            repeat.count = 0;
        }
        if (++repeat.count > kRepeatMax) {
            ++repeat.suppressed;
            return;
        }
    }
    LogFields all{{"time", format_rfc3339(core_->clock.wall_now())},
                  {"level", std::string(level_name(level))}};
    if (!room_.empty()) {
        all.emplace_back("room", room_);
    }
    all.emplace_back("msg", std::string(message));
    all.insert(all.end(), fields.begin(), fields.end());
    if (suppressed > 0) {
        all.emplace_back("suppressed", std::to_string(suppressed));
    }
    core_->sink->write(format_line(core_->format, all));
}

}  // namespace kpid
