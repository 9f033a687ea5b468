// What the storage says about itself, as metrics.
#include "app/storage_metrics.h"

#include "kpid/model/appender.h"

#include <string>
#include <utility>

namespace kpid::app {
namespace {

using storage::LogTable;
using storage::StorageStats;

double number(std::uint64_t count) {
    return static_cast<double>(count);
}

double number(double value) {
    return value;
}

}  // namespace

StorageMetrics::StorageMetrics(prometheus::Registry& registry)
    : registry_(registry),
      healthy_(prometheus::BuildGauge()
                   .Name("kpid_storage_healthy")
                   .Help("1 while what is appended can be written.")
                   .Register(registry)
                   .Add({})) {
    add_gauges();
    add_counters();
    add_log();
}

void StorageMetrics::add_gauge(const char* name, const char* help, Read read) {
    gauges_.push_back({&prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add({}),
                       std::move(read)});
}

void StorageMetrics::add_counter(const char* name, const char* help, Read read) {
    counters_.push_back(
        {&prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add({}),
         std::move(read)});
}

void StorageMetrics::add_gauges() {
    add_gauge("kpid_storage_series", "Series known now.",
              [](const StorageStats& stats) { return number(stats.series); });
    add_gauge("kpid_storage_series_limit", "How many series there may be: limits.series.",
              [](const StorageStats& stats) { return number(stats.series_max); });
    add_gauge("kpid_storage_samples", "Samples in memory.",
              [](const StorageStats& stats) { return number(stats.samples_in_memory); });
    add_gauge("kpid_storage_queue_batches", "Appends that wait to be written.",
              [](const StorageStats& stats) { return number(stats.queued_batches); });
    add_gauge("kpid_storage_queue_batches_limit", "How many appends may wait.",
              [](const StorageStats& stats) { return number(stats.queue_batches_max); });
    add_gauge("kpid_storage_queue_samples", "Samples that wait to be written.",
              [](const StorageStats& stats) { return number(stats.queued_samples); });
    add_gauge("kpid_storage_queue_samples_limit", "How many samples may wait.",
              [](const StorageStats& stats) { return number(stats.queue_samples_max); });
    add_gauge("kpid_storage_unsaved_records", "Log records that a start would read again.",
              [](const StorageStats& stats) { return number(stats.unsaved_records); });
    auto& memory = prometheus::BuildGauge()
                       .Name("kpid_storage_memory_bytes")
                       .Help(
                           "Memory of open and sealed chunks, of the index of series, and of the "
                           "log's buffers and caches, estimated.")
                       .Register(registry_);
    gauges_.push_back({&memory.Add({{"part", "open"}}), [](const StorageStats& stats) {
                           return number(stats.sample_bytes_in_memory) -
                                  number(stats.sealed_bytes_in_memory);
                       }});
    gauges_.push_back({&memory.Add({{"part", "sealed"}}), [](const StorageStats& stats) {
                           return number(stats.sealed_bytes_in_memory);
                       }});
    gauges_.push_back({&memory.Add({{"part", "index"}}), [](const StorageStats& stats) {
                           return number(stats.index_bytes_in_memory);
                       }});
    gauges_.push_back({&memory.Add({{"part", "log"}}),
                       [](const StorageStats& stats) { return number(stats.log.memory_bytes); }});
}

void StorageMetrics::add_counters() {
    add_counter("kpid_storage_series_created_total", "Series that were new.",
                [](const StorageStats& stats) { return number(stats.series_created_total); });
    add_counter("kpid_storage_series_removed_total",
                "Series forgotten, since nothing of them was kept.",
                [](const StorageStats& stats) { return number(stats.series_removed_total); });
    add_counter("kpid_storage_series_deleted_total", "Series that an operator deleted samples of.",
                [](const StorageStats& stats) { return number(stats.series_deleted_total); });
    add_counter("kpid_storage_samples_appended_total", "Samples stored.",
                [](const StorageStats& stats) { return number(stats.samples_appended_total); });
    add_counter("kpid_storage_samples_repeated_total", "Samples that were stored already.",
                [](const StorageStats& stats) { return number(stats.samples_repeated_total); });
    add_counter("kpid_storage_samples_replaced_total",
                "Values of totals that took the place of others.",
                [](const StorageStats& stats) { return number(stats.samples_replaced_total); });
    add_counter("kpid_storage_samples_late_total",
                "Samples that came after newer ones of their series.",
                [](const StorageStats& stats) { return number(stats.samples_late_total); });
    add_counter("kpid_storage_events_total", "Events stored.",
                [](const StorageStats& stats) { return number(stats.events_appended_total); });
    add_counter("kpid_storage_commits_total", "Groups of appends written.",
                [](const StorageStats& stats) { return number(stats.commits_total); });
    add_counter("kpid_storage_commit_seconds_total",
                "Time that judging and writing groups of appends took.",
                [](const StorageStats& stats) { return number(stats.commit_seconds_total); });
    add_counter("kpid_storage_log_bytes_total", "Bytes written to the log.",
                [](const StorageStats& stats) { return number(stats.log_bytes_total); });
    add_counter("kpid_storage_write_failures_total", "Groups of appends that the disk refused.",
                [](const StorageStats& stats) { return number(stats.write_failures_total); });
    add_counter("kpid_storage_read_failures_total", "Damaged entries that readers met.",
                [](const StorageStats& stats) { return number(stats.read_failures_total); });
    add_counter("kpid_storage_quarantined_total", "Damaged entries that were set aside.",
                [](const StorageStats& stats) { return number(stats.quarantined_total); });
    add_counter("kpid_storage_queue_refusals_total", "Appends refused since too many waited.",
                [](const StorageStats& stats) { return number(stats.queue_refusals_total); });
    add_counter("kpid_storage_checkpoints_total",
                "Times that chunks were written and the log was shortened.",
                [](const StorageStats& stats) { return number(stats.checkpoints_total); });
    add_counter("kpid_storage_chunks_saved_total", "Sealed chunks written to the disk.",
                [](const StorageStats& stats) { return number(stats.chunks_saved_total); });
    auto& rejected = prometheus::BuildCounter()
                         .Name("kpid_storage_samples_rejected_total")
                         .Help("Samples refused, by reason.")
                         .Register(registry_);
    for (const model::RejectReason reason : storage::kRejectReasons) {
        counters_.push_back(
            {&rejected.Add({{"reason", std::string(model::to_string(reason))}}),
             [reason](const StorageStats& stats) { return number(stats.rejected(reason)); }});
    }
}

void StorageMetrics::add_log() {
    auto& disk = prometheus::BuildGauge()
                     .Name("kpid_storage_disk_bytes")
                     .Help("Files on the disk: each table's, and those of what was written last.")
                     .Register(registry_);
    for (const LogTable table : storage::kLogTables) {
        gauges_.push_back({&disk.Add({{"part", std::string(to_string(table))}}),
                           [table](const StorageStats& stats) {
                               return number(
                                   stats.log.table_bytes[static_cast<std::size_t>(table)]);
                           }});
    }
    gauges_.push_back({&disk.Add({{"part", "write_ahead"}}), [](const StorageStats& stats) {
                           return number(stats.log.write_ahead_bytes);
                       }});
    add_gauge("kpid_storage_compactions_running", "Compactions at work.",
              [](const StorageStats& stats) { return number(stats.log.compactions_running); });
    add_gauge("kpid_storage_compaction_pending_bytes", "What compactions have before them.",
              [](const StorageStats& stats) { return number(stats.log.compaction_pending_bytes); });
    add_counter(
        "kpid_storage_compaction_written_bytes_total", "Bytes that compactions wrote.",
        [](const StorageStats& stats) { return number(stats.log.compaction_written_bytes_total); });
    add_counter(
        "kpid_storage_background_errors_total", "Failed compactions and flushes.",
        [](const StorageStats& stats) { return number(stats.log.background_errors_total); });
    constexpr double kMsPerSecond = 1000;
    add_gauge("kpid_storage_newest_sample_timestamp_seconds", "Time of the newest sample.",
              [](const StorageStats& stats) {
                  return stats.newest_sample == Timestamp::min()
                             ? 0.0
                             : static_cast<double>(stats.newest_sample.ms()) / kMsPerSecond;
              });
}

void StorageMetrics::update(const StorageStats& stats, bool is_healthy) {
    healthy_.Set(is_healthy ? 1 : 0);
    for (const Gauge& gauge : gauges_) {
        gauge.gauge->Set(gauge.read(stats));
    }
    for (Counter& counter : counters_) {
        const double now = counter.read(stats);
        counter.counter->Increment(now - std::exchange(counter.seen, now));
    }
}

}  // namespace kpid::app
