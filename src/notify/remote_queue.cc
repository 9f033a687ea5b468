// Reading the log and spreading it over the shards.
#include "notify/remote_queue.h"

#include "notify/remote_shard.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace kpid::notify {
namespace {

constexpr std::uint64_t kNoPiece = std::numeric_limits<std::uint64_t>::max();

double seconds_of(MonoTime::duration span) {
    return std::chrono::duration<double>(span).count();
}

}  // namespace

RemoteQueue::RemoteQueue(net::Strand strand, const RemoteDependencies& needs,
                         config::RemoteWriteConfig config, model::Labels external_labels,
                         RemoteStart start)
    : needs_(needs),
      config_(std::move(config)),
      external_labels_(std::move(external_labels)),
      name_(config_.shown_name()),
      url_(config_.shown_url()),
      repeated_until_(start.repeated_until),
      series_(needs.metrics.series(name_, url_)),
      log_(needs.logger),
      strand_(strand),
      position_(start.position),
      progress_(start.position),
      first_new_piece_(start.position < start.repeated_until ? kNoPiece : 0),
      wanted_shards_(static_cast<std::size_t>(config_.queue.min_shards)),
      load_since_(needs.timers.clock().mono_now()),
      highest_sent_ms_(std::numeric_limits<std::int64_t>::min()),
      random_(needs.seed ^ std::hash<std::string>()(name_)),
      reader_(strand),
      drained_(strand),
      samples_(config_, external_labels_),
      tasks_(std::move(strand), needs.logger) {
}

RemoteQueue::~RemoteQueue() = default;

void RemoteQueue::start() {
    load_since_ = needs_.timers.clock().mono_now();
    tasks_.spawn("remote write read", read_loop());
    if (config_.queue.min_shards < config_.queue.max_shards) {
        tasks_.spawn("remote write shards", reshard_loop());
    }
    // Metadata is of what others send: kpid's own recordings have none.
    if (config_.metadata_send && needs_.metadata &&
        config_.send != config::RemoteWriteSend::kRecorded) {
        tasks_.spawn("remote write metadata", metadata_loop());
    }
}

void RemoteQueue::stop() {
    tasks_.stop();
    series_.pending.Set(0);
    series_.shards.Set(0);
}

net::Task<bool> RemoteQueue::join(MonoTime deadline) {
    const bool joined = co_await tasks_.join(needs_.timers, deadline);
    co_return joined;
}

void RemoteQueue::begin_drain() {
    draining_ = true;
    flushing_ = true;
    caught_up_ = false;
    signal_shards();
    reader_.signal();
}

net::Task<> RemoteQueue::drained(MonoTime deadline) {
    while (!failing_ && !(caught_up_ && progress_.outstanding() == 0)) {
        const std::shared_ptr<net::Completion> armed = drained_.arm();
        const Result<void> woken = co_await wait_until(needs_.timers, deadline, armed);
        if (!woken) {
            co_return;
        }
    }
}

std::size_t RemoteQueue::room() const {
    const std::uint64_t wanted = config_.queue.capacity * std::max<std::size_t>(shards_.size(), 1);
    return static_cast<std::size_t>(std::min<std::uint64_t>(wanted, kPendingMax));
}

Duration RemoteQueue::poll_interval() const {
    return std::clamp(config_.queue.batch_send_deadline / 4, kPollMin, kPollMax);
}

void RemoteQueue::signal_shards() {
    for (const std::shared_ptr<Shard>& shard : shards_) {
        shard->wake.signal();
    }
}

net::Task<> RemoteQueue::read_loop() {
    for (;;) {
        co_await wait_for_room();
        co_await set_shards();
        const std::size_t most =
            std::clamp<std::size_t>(room() - progress_.outstanding(), 1, kReadSamplesMax);
        Result<RemoteSamples::Prepared> prepared = co_await read(position_, most);
        if (!prepared) {
            log_.warn("the log of samples cannot be read",
                      {{"remote", name_}, {"error", prepared.error().message}});
            const Result<void> slept =
                co_await needs_.timers.sleep_until(needs_.timers.after(kReadRetry));
            static_cast<void>(slept);
            continue;
        }
        const bool is_new = prepared->next != position_;
        accept(*std::move(prepared));
        if (is_new) {
            continue;
        }
        caught_up_ = draining_;
        drained_.signal();
        const std::shared_ptr<net::Completion> armed = reader_.arm();
        const Result<void> woken =
            co_await wait_until(needs_.timers, needs_.timers.after(poll_interval()), armed);
        static_cast<void>(woken);
    }
}

net::Task<Result<RemoteSamples::Prepared>> RemoteQueue::read(std::uint64_t position,
                                                             std::size_t most) {
    const auto work = [this, position, most]() -> Result<RemoteSamples::Prepared> {
        KPID_TRY(const model::LogPiece piece, needs_.log.read_log(position, most));
        return samples_.prepare(piece, needs_.timers.clock().wall_now());
    };
    Result<RemoteSamples::Prepared> prepared = co_await net::offload(needs_.workers, work);
    co_return prepared;
}

net::Task<> RemoteQueue::wait_for_room() {
    while (progress_.outstanding() >= room()) {
        const MonoTime since = needs_.timers.clock().mono_now();
        const std::shared_ptr<net::Completion> armed = reader_.arm();
        const bool woken = co_await armed->wait();
        static_cast<void>(woken);
        load_.held_up += seconds_of(needs_.timers.clock().mono_now() - since);
    }
}

net::Task<> RemoteQueue::set_shards() {
    if (shards_.size() == wanted_shards_) {
        co_return;
    }
    // A series may change its shard only while none of its samples are on their way.
    flushing_ = true;
    signal_shards();
    while (progress_.outstanding() > 0) {
        const std::shared_ptr<net::Completion> armed = reader_.arm();
        const bool woken = co_await armed->wait();
        static_cast<void>(woken);
    }
    flushing_ = draining_;
    while (shards_.size() > wanted_shards_) {
        shards_.back()->retired = true;
        shards_.back()->wake.signal();
        shards_.pop_back();
    }
    while (shards_.size() < wanted_shards_) {
        shards_.push_back(std::make_shared<Shard>(strand_));
        tasks_.spawn("remote write shard", send_loop(shards_.back()));
    }
    series_.shards.Set(static_cast<double>(shards_.size()));
}

void RemoteQueue::accept(RemoteSamples::Prepared prepared) {
    if (prepared.lost > 0) {
        series_.lost_records.Increment(static_cast<double>(prepared.lost));
        log_.error("samples were gone from the log before they could be sent",
                   {{"remote", name_}, {"url", url_}, {"records", std::to_string(prepared.lost)}});
    }
    series_.relabelled.Increment(static_cast<double>(prepared.relabelled));
    series_.too_old.Increment(static_cast<double>(prepared.too_old));
    if (first_new_piece_ == kNoPiece && position_ >= repeated_until_) {
        first_new_piece_ = progress_.next_piece();
    }
    position_ = prepared.next;
    const std::uint64_t piece = progress_.add(prepared.next, prepared.samples.size());
    if (prepared.samples.empty()) {
        return;
    }
    const MonoTime now = needs_.timers.clock().mono_now();
    for (model::SeriesSample& sample : prepared.samples) {
        Shard& shard = *shards_[static_cast<std::size_t>(sample.labels.hash() % shards_.size())];
        if (shard.queue.empty()) {
            shard.oldest = now;
        }
        shard.queue.push_back({std::move(sample), piece});
    }
    series_.pending.Set(static_cast<double>(progress_.outstanding()));
    signal_shards();
}

net::Task<> RemoteQueue::reshard_loop() {
    for (;;) {
        const Result<void> slept =
            co_await needs_.timers.sleep_until(needs_.timers.after(kReshardInterval));
        if (!slept) {
            co_return;
        }
        const std::size_t wanted = wanted_shards(shards_.size(), config_.queue, take_load());
        if (wanted != wanted_shards_) {
            log_.debug("shards", {{"remote", name_}, {"shards", std::to_string(wanted)}});
        }
        wanted_shards_ = wanted;
    }
}

ShardLoad RemoteQueue::take_load() {
    const MonoTime now = needs_.timers.clock().mono_now();
    const double elapsed = std::max(seconds_of(now - load_since_), 0.001);
    const auto shards = static_cast<double>(std::max<std::size_t>(shards_.size(), 1));
    load_since_ = now;
    ShardLoad load = std::exchange(load_, ShardLoad());
    load.held_up /= elapsed;
    // A request that has not ended yet is not in `busy`.
    load.busy = std::max(load.busy / (elapsed * shards), static_cast<double>(running_) / shards);
    return load;
}

}  // namespace kpid::notify
