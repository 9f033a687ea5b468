#include "kpid/storage/storage.h"

#include "kpid/base/assert.h"
#include "storage/storage_core.h"

#include <fmt/format.h>

#include <algorithm>

namespace kpid::storage {
namespace {

Result<void> check_options(const StorageOptions& options) {
    if (options.path.empty()) {
        return invalid_argument("the storage has no path (--storage.path)");
    }
    if (options.retention < std::chrono::minutes(1)) {
        return invalid_argument("storage.retention is less than a minute");
    }
    if (options.retention_recorded < std::chrono::minutes(1)) {
        return invalid_argument("storage.retention_kpis is less than a minute");
    }
    if (options.out_of_order_window < Duration::zero() ||
        options.out_of_order_window > options.retention) {
        return invalid_argument("storage.out_of_order_window is not between 0 and the retention");
    }
    if (options.future_tolerance < Duration::zero()) {
        return invalid_argument("storage.future_tolerance is negative");
    }
    const std::size_t smallest = std::min(
        {options.series_max, options.label_name_bytes_max, options.label_value_bytes_max,
         options.labels_per_series_max, options.queue_batches_max, options.queue_samples_max});
    if (smallest == 0) {
        return invalid_argument("a limit of the storage is 0");
    }
    return {};
}

}  // namespace

Storage::Storage(std::unique_ptr<Core> core) : core_(std::move(core)) {
}

Storage::~Storage() = default;

Result<std::unique_ptr<Storage>> Storage::open(const StorageOptions& options,
                                               const LogOpener& open_log) {
    KPID_CHECK_OK(check_options(options));
    KPID_TRY(std::unique_ptr<Log> log, open_log(options.path));
    auto core = std::make_unique<Core>(options, std::move(log));
    if (auto replayed = core->work.replay(); !replayed) {
        Error why = replayed.error().with_context(
            fmt::format("cannot read the storage at {} (--storage.path)", options.path));
        if (why.code == Code::kDataLoss) {
            why.message += "; put back the whole folder from a snapshot or a backup";
        }
        return why;
    }
    core->first_kept_record = core->work.first_kept();
    const StoreMeta& meta = core->work.meta();
    core->floors.raise(std::max(meta.floor, meta.size_floor),
                       std::max(meta.long_kept_floor, meta.size_floor));
    core->size_floor_ms = meta.size_floor.ms();
    core->set_drop_rule();
    core->committer = std::make_unique<Committer>(core->options, core->work);
    return std::unique_ptr<Storage>(new Storage(std::move(core)));
}

void Storage::add_observer(model::AppendObserver* observer) {
    core_->observers.push_back(observer);
}

Result<model::AppendResult> Storage::append(const model::AppendBatch& batch) {
    KPID_CHECK_OK(StateTable::check(batch.state));
    PreparedBatch prepared =
        prepare(batch, core_->index, core_->rules, Timestamp(core_->size_floor_ms));
    KPID_CHECK_OK(core_->committer->commit(prepared));
    if (!batch.handles.empty()) {
        prepared.fill_in_handles();
    }
    if (!prepared.refused) {
        for (model::AppendObserver* observer : core_->observers) {
            observer->on_append(batch, prepared.result);
        }
    }
    return std::move(prepared.result);
}

void Storage::declare_kinds(const model::MetricKinds& kinds) {
    const Result<void> declared = core_->committer->run_alone([&]() -> Result<void> {
        core_->work.declare_kinds(kinds);
        return {};
    });
    KPID_ASSERT(declared.has_value());  // Tasks are not refused, and this one does not fail.
}

Result<void> Storage::write(std::span<const model::StateWrite> writes) {
    KPID_CHECK_OK(StateTable::check(writes));
    PreparedBatch prepared{.state = writes};
    return core_->committer->commit(prepared);
}

Result<std::optional<std::string>> Storage::get(std::string_view key) const {
    return core_->state.get(key);
}

Result<std::vector<std::pair<std::string, std::string>>> Storage::scan(std::string_view prefix,
                                                                       std::size_t limit) const {
    return core_->state.scan(prefix, limit);
}

Result<void> Storage::maintain(Timestamp now) {
    return core_->maintain(now);
}

void Storage::stop_maintenance() {
    core_->is_stopping = true;
}

Result<void> Storage::checkpoint(Timestamp now) {
    return core_->checkpoint(now);
}

std::vector<std::string> Storage::take_damage_reports() {
    std::vector<std::string> reports = core_->log->take_damage_reports();
    for (std::string& report : core_->work.take_damage_reports()) {
        reports.push_back(std::move(report));
    }
    return reports;
}

Result<void> Storage::health() const {
    return core_->committer->health();
}

StorageStats Storage::stats() const {
    const Counters& counters = core_->counters;
    StorageStats stats;
    stats.series = core_->index.size();
    stats.series_max = core_->options.series_max;
    stats.series_created_total = counters.series_created;
    stats.series_removed_total = counters.series_removed;
    stats.samples_in_memory = counters.samples_in_memory;
    stats.sample_bytes_in_memory = counters.sample_bytes_in_memory;
    stats.sealed_bytes_in_memory = counters.sealed_bytes_in_memory;
    stats.index_bytes_in_memory = core_->index.bytes();
    stats.size_floor = Timestamp(core_->size_floor_ms);
    stats.newest_sample = Timestamp(counters.newest_ms);
    stats.state_entries = core_->state.size();
    stats.samples_appended_total = counters.samples_appended;
    stats.samples_repeated_total = counters.samples_repeated;
    stats.samples_replaced_total = counters.samples_replaced;
    stats.samples_late_total = counters.samples_late;
    stats.events_appended_total = counters.events_appended;
    stats.series_deleted_total = core_->series_deleted;
    for (std::size_t i = 0; i < stats.rejected_total.size(); ++i) {
        stats.rejected_total[i] = counters.rejected[i];
    }
    stats.commits_total = counters.commits;
    stats.commit_seconds_total =
        std::chrono::duration<double>(core_->committer->commit_time()).count();
    stats.log_bytes_total = counters.log_bytes;
    stats.write_failures_total = counters.write_failures;
    stats.queue_refusals_total = core_->committer->queue_refusals();
    const Committer::Waiting waiting = core_->committer->waiting();
    stats.queued_batches = waiting.batches;
    stats.queued_samples = waiting.samples;
    stats.queue_batches_max = core_->options.queue_batches_max;
    stats.queue_samples_max = core_->options.queue_samples_max;
    stats.log_sequence = counters.log_sequence;
    const std::uint64_t first_unsaved = counters.first_unsaved_sequence;
    stats.unsaved_records =
        stats.log_sequence >= first_unsaved ? stats.log_sequence - first_unsaved + 1 : 0;
    stats.checkpoints_total = counters.checkpoints;
    stats.chunks_saved_total = counters.chunks_saved;
    stats.read_failures_total = counters.read_failures;
    stats.quarantined_total = counters.quarantined;
    stats.log = core_->log->stats();
    return stats;
}

}  // namespace kpid::storage
