// Starts, reloads, positions.
#include "notify/remote_writer.h"

#include "kpid/base/hash.h"
#include "notify/state_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace kpid::notify {
namespace {

constexpr std::uint64_t kForget = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kKeysMax = 10'000;
/// Cancelled tasks end at once, work on a worker when it is done.
constexpr Duration kQueueEnds = std::chrono::hours(1);

// A URL may hold a password, and a name anything.
std::string key_of(const config::RemoteWriteConfig& remote) {
    return fmt::format("{}{:016x}", kRemoteWritePrefix, hash_bytes(remote.identity()));
}

std::optional<std::uint64_t> parse_position(std::string_view text) {
    std::uint64_t position = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), position);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(position)
                                                                    : std::nullopt;
}

}  // namespace

RemoteWriter::RemoteWriter(net::Strand strand, RemoteWriterDependencies needs)
    : needs_(std::move(needs)),
      log_(needs_.logger),
      metrics_(needs_.registry),
      queue_needs_{.log = needs_.log,
                   .client = needs_.client,
                   .timers = needs_.timers,
                   .workers = needs_.workers,
                   .metrics = metrics_,
                   .metadata = needs_.metadata,
                   .logger = needs_.logger,
                   .seed = needs_.seed},
      strand_(strand),
      changes_(strand, needs_.logger),
      loops_(strand, needs_.logger),
      tasks_(std::move(strand), needs_.logger) {
}

RemoteWriter::~RemoteWriter() = default;

Result<void> RemoteWriter::start(const config::Config& config) {
    KPID_TRY(auto starts, load_starts(config, {}));
    std::set<std::string> gone;
    KPID_TRY(const auto stored, needs_.state.scan(kRemoteWritePrefix, kKeysMax));
    for (const auto& [key, value] : stored) {
        if (!starts.contains(key)) {
            gone.insert(key);
        }
    }
    std::vector<model::StateWrite> writes;
    writes.reserve(gone.size());
    for (const std::string& key : gone) {
        writes.push_back({key, std::nullopt});
    }
    if (!writes.empty()) {
        KPID_CHECK_OK(needs_.state.write(writes));
    }
    want(config, std::move(starts));
    loops_.spawn("remote write positions", save_loop());
    return {};
}

void RemoteWriter::reconfigure(const config::Config& config) {
    std::set<std::string> known;
    {
        const MutexLock lock(mutex_);
        known = known_;
    }
    Result<std::map<std::string, RemoteStart>> starts = load_starts(config, known);
    if (!starts) {
        log_.error("positions of remotes cannot be read, new ones begin at the log's end",
                   {{"error", starts.error().message}});
        starts.emplace();
    }
    want(config, *std::move(starts));
}

Result<std::uint64_t> RemoteWriter::load_position(const std::string& key) {
    const std::uint64_t end = needs_.log.log_end();
    KPID_TRY(const std::optional<std::string> stored, needs_.state.get(key));
    if (stored) {
        const std::optional<std::uint64_t> position = parse_position(*stored);
        if (position && *position <= end) {
            return *position;
        }
        log_.error("a remote's position does not fit the log, it begins at the log's end",
                   {{"position", *stored}, {"log_end", std::to_string(end)}});
    }
    const model::StateWrite write{key, std::to_string(end)};
    KPID_CHECK_OK(needs_.state.write({&write, 1}));
    return end;
}

Result<std::map<std::string, RemoteStart>> RemoteWriter::load_starts(
    const config::Config& config, const std::set<std::string>& known) {
    std::map<std::string, RemoteStart> starts;
    for (const config::RemoteWriteConfig& remote : config.remote_writes) {
        const std::string key = key_of(remote);
        if (known.contains(key)) {
            continue;
        }
        KPID_TRY(const std::uint64_t position, load_position(key));
        needs_.log.hold_log(key, position);
        starts[key] = {.position = position, .repeated_until = needs_.log.log_end()};
    }
    return starts;
}

void RemoteWriter::want(const config::Config& config, std::map<std::string, RemoteStart> starts) {
    const MutexLock lock(mutex_);
    if (wanted_) {
        starts.merge(wanted_->starts);
    }
    wanted_ = Wanted{.remotes = config.remote_writes,
                     .external_labels = config.global.external_labels,
                     .starts = std::move(starts)};
    known_.clear();
    for (const config::RemoteWriteConfig& remote : config.remote_writes) {
        known_.insert(key_of(remote));
    }
    if (!applying_) {
        applying_ = changes_.spawn("remote write change", apply());
    }
}

net::Task<> RemoteWriter::apply() {
    for (;;) {
        const auto wanted = std::make_shared<Wanted>();
        {
            const MutexLock lock(mutex_);
            if (!wanted_) {
                applying_ = false;
                co_return;
            }
            *wanted = std::move(*wanted_);
            wanted_.reset();
        }
        co_await apply_one(wanted);
    }
}

net::Task<> RemoteWriter::apply_one(std::shared_ptr<Wanted> wanted) {
    co_await stop_others(wanted);
    start_missing(*wanted);
    std::vector<HighestIn> highest_in;
    highest_in.reserve(queues_.size());
    for (const auto& [key, queue] : queues_) {
        highest_in.push_back({queue->config().send, &queue->series().highest_in});
    }
    const MutexLock lock(mutex_);
    highest_in_ = std::move(highest_in);
}

// Ends the queues that do not stay as they are; their successors begin where they were.
net::Task<> RemoteWriter::stop_others(std::shared_ptr<Wanted> wanted) {
    std::map<std::string, const config::RemoteWriteConfig*> by_key;
    for (const config::RemoteWriteConfig& remote : wanted->remotes) {
        by_key[key_of(remote)] = &remote;
    }
    std::vector<std::string> ending;
    for (const auto& [key, queue] : queues_) {
        const auto found = by_key.find(key);
        if (found == by_key.end() || !(*found->second == queue->config()) ||
            !(wanted->external_labels == queue->external_labels())) {
            queue->stop();
            ending.push_back(key);
        }
    }
    for (const std::string& key : ending) {
        RemoteQueue& queue = *queues_.at(key);
        const bool joined = co_await queue.join(needs_.timers.after(kQueueEnds));
        static_cast<void>(joined);
        if (by_key.contains(key)) {
            wanted->starts[key] = {.position = queue.settled(),
                                   .repeated_until = queue.read_until()};
        } else {
            forgotten_.insert(key);
        }
        queues_.erase(key);
    }
}

void RemoteWriter::start_missing(const Wanted& wanted) {
    for (const config::RemoteWriteConfig& remote : wanted.remotes) {
        const std::string key = key_of(remote);
        forgotten_.erase(key);
        if (queues_.contains(key)) {
            continue;
        }
        const auto found = wanted.starts.find(key);
        const RemoteStart start = found != wanted.starts.end() ? found->second : RemoteStart();
        auto queue = std::make_unique<RemoteQueue>(strand_, queue_needs_, remote,
                                                   wanted.external_labels, start);
        queue->start();
        queues_.emplace(key, std::move(queue));
    }
}

net::Task<> RemoteWriter::save_loop() {
    for (;;) {
        const Result<void> slept =
            co_await needs_.timers.sleep_until(needs_.timers.after(kSaveInterval));
        if (!slept) {
            co_return;
        }
        co_await save();
    }
}

net::Task<> RemoteWriter::save() {
    std::map<std::string, std::uint64_t> positions;
    for (const auto& [key, queue] : queues_) {
        const auto known = saved_.find(key);
        if (known == saved_.end() || known->second != queue->settled()) {
            positions[key] = queue->settled();
        }
    }
    for (const std::string& key : forgotten_) {
        positions[key] = kForget;
    }
    if (positions.empty()) {
        co_return;
    }
    const auto work = [this, positions]() -> Result<void> {
        std::vector<model::StateWrite> writes;
        writes.reserve(positions.size());
        for (const auto& [key, position] : positions) {
            writes.push_back({key, position == kForget ? std::nullopt
                                                       : std::optional(std::to_string(position))});
        }
        KPID_CHECK_OK(needs_.state.write(writes));
        for (const auto& [key, position] : positions) {
            needs_.log.hold_log(key, position);
        }
        return {};
    };
    const Result<void> saved = co_await net::offload(needs_.workers, work);
    if (!saved) {
        log_.warn("positions of remotes were not saved, it is tried again",
                  {{"error", saved.error().message}});
        co_return;
    }
    for (const auto& [key, position] : positions) {
        if (position == kForget) {
            forgotten_.erase(key);
            saved_.erase(key);
        } else {
            saved_[key] = position;
        }
    }
}

void RemoteWriter::stop(MonoTime deadline) {
    loops_.stop();
    changes_.close();
    tasks_.spawn("remote write stop", stop_task(deadline));
}

net::Task<> RemoteWriter::stop_task(MonoTime deadline) {
    // A change that began is brought to its end: there is one queue a remote, and it runs.
    const bool changed = co_await changes_.join(needs_.timers, deadline);
    const bool ended = co_await loops_.join(needs_.timers, deadline);
    if (!changed || !ended) {
        log_.warn("remote write is not ready to end");
    }
    const MonoTime drained = std::min(deadline, needs_.timers.after(kDrainMax));
    for (const auto& [key, queue] : queues_) {
        queue->begin_drain();
    }
    for (const auto& [key, queue] : queues_) {
        co_await queue->drained(drained);
    }
    for (const auto& [key, queue] : queues_) {
        queue->stop();
    }
    for (const auto& [key, queue] : queues_) {
        const bool joined = co_await queue->join(needs_.timers.after(kQueueEnds));
        static_cast<void>(joined);
    }
    co_await save();
}

net::Task<bool> RemoteWriter::join(MonoTime deadline) {
    const bool joined = co_await tasks_.join(needs_.timers, deadline);
    co_return joined;
}

void RemoteWriter::refresh_metrics() {
    const std::int64_t external = newest_.external_ms();
    const std::int64_t recorded = newest_.recorded_ms();
    const MutexLock lock(mutex_);
    for (const HighestIn& one : highest_in_) {
        const std::int64_t newest = one.send == config::RemoteWriteSend::kRecorded ? recorded
                                    : one.send == config::RemoteWriteSend::kIngested
                                        ? external
                                        : std::max(recorded, external);
        if (newest != NewestAppend::kNone) {
            one.gauge->Set(Timestamp(newest).seconds());
        }
    }
}

}  // namespace kpid::notify
