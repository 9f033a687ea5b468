#include "kpid/storage/storage.h"

#include "kpid/base/mutex.h"
#include "storage/committer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace kpid::storage {
namespace {

// So much of the log is read again at a start, about. Shorter writes open chunks more often.
constexpr Duration kCheckpointInterval = std::chrono::minutes(15);
// Series of one write of a checkpoint: appends wait for it.
constexpr std::size_t kCheckpointSeries = 256;

Result<void> check_options(const StorageOptions& options) {
    if (options.path.empty()) {
        return invalid_argument("the storage has no path (--storage.path)");
    }
    if (options.retention < std::chrono::minutes(1)) {
        return invalid_argument("storage.retention is less than a minute");
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

bool in_order_of_time(const std::vector<PreparedBatch::Place>& places,
                      std::span<const model::SeriesSample> samples) {
    return std::is_sorted(places.begin(), places.end(),
                          [samples](const PreparedBatch::Place& a, const PreparedBatch::Place& b) {
                              return samples[a.index].time < samples[b.index].time;
                          });
}

}  // namespace

/// Everything behind the interface.
class Storage::Core {
public:
    Core(const StorageOptions& options_in, std::unique_ptr<Log> log_in)
        : options(options_in),
          rules(options),
          log(std::move(log_in)),
          work(options, rules, *log, index, state, counters) {}

    [[nodiscard]] PreparedBatch prepare(const model::AppendBatch& batch) const;
    /// Writes the chunks and erases the records behind them, when it is time.
    [[nodiscard]] Result<void> checkpoint(Timestamp now) KPID_EXCLUDES(checkpoint_mutex);

    // Constant after construction.
    const StorageOptions options;
    const SampleRules rules;
    std::vector<model::AppendObserver*> observers;

    // Synchronise themselves.
    SeriesIndex index;
    StateTable state;
    Counters counters;

    // One checkpoint at a time.
    Mutex checkpoint_mutex;
    std::optional<Timestamp> last_checkpoint KPID_GUARDED_BY(checkpoint_mutex);

    // Owned by the committer's thread once it runs.
    std::unique_ptr<Log> log;
    GroupCommitter work;

    std::unique_ptr<Committer> committer;  // last: its thread uses all of the above
};

PreparedBatch Storage::Core::prepare(const model::AppendBatch& batch) const {
    PreparedBatch prepared{.samples = batch.samples, .state = batch.state};
    prepared.all_or_nothing = batch.all_or_nothing;
    std::vector<SeriesPointer> known = index.find_all(batch.samples);
    prepared.places.reserve(batch.samples.size());
    for (std::size_t i = 0; i < batch.samples.size(); ++i) {
        const model::SeriesSample& sample = batch.samples[i];
        auto refusal = rules.check_origin(sample.labels, batch.origin);
        if (!refusal && known[i] == nullptr) {
            refusal = rules.check_labels(sample.labels);
        }
        if (!refusal) {
            refusal = rules.check_age(sample, batch.now);
        }
        if (refusal) {
            prepared.result.rejected.push_back({i, refusal->reason, std::move(refusal->message)});
        } else {
            prepared.places.push_back({i, std::move(known[i])});
        }
    }
    if (!in_order_of_time(prepared.places, batch.samples)) {
        std::stable_sort(prepared.places.begin(), prepared.places.end(),
                         [&batch](const PreparedBatch::Place& a, const PreparedBatch::Place& b) {
                             return batch.samples[a.index].time < batch.samples[b.index].time;
                         });
    }
    return prepared;
}

Result<void> Storage::Core::checkpoint(Timestamp now) {
    const MutexLock lock(checkpoint_mutex);
    // Whatever the wall clock does, not much later than it should.
    if (last_checkpoint && now >= *last_checkpoint &&
        now - *last_checkpoint < kCheckpointInterval) {
        return {};
    }
    std::uint64_t sequence = 0;
    KPID_CHECK_OK(committer->run_alone([&]() -> Result<void> {
        sequence = work.last_sequence();
        return {};
    }));
    std::vector<SeriesPointer> unsaved = index.select({}).series;
    std::erase_if(unsaved, [](const SeriesPointer& series) { return !series->has_unsaved(); });
    for (std::size_t begin = 0; begin < unsaved.size(); begin += kCheckpointSeries) {
        const auto slice =
            std::span(unsaved).subspan(begin, std::min(kCheckpointSeries, unsaved.size() - begin));
        KPID_CHECK_OK(committer->run_alone([&] { return work.save_chunks(slice); }));
    }
    KPID_CHECK_OK(committer->run_alone([&] { return work.trim_records(sequence); }));
    last_checkpoint = now;
    return {};
}

Storage::Storage(std::unique_ptr<Core> core) : core_(std::move(core)) {
}

Storage::~Storage() = default;

Result<std::unique_ptr<Storage>> Storage::open(const StorageOptions& options,
                                               const LogOpener& open_log) {
    KPID_CHECK_OK(check_options(options));
    KPID_TRY(std::unique_ptr<Log> log, open_log(options.path));
    auto core = std::make_unique<Core>(options, std::move(log));
    if (auto replayed = core->work.replay(); !replayed) {
        return replayed.error().with_context(
            fmt::format("cannot read the storage at {} (--storage.path)", options.path));
    }
    core->committer = std::make_unique<Committer>(core->options, core->work);
    return std::unique_ptr<Storage>(new Storage(std::move(core)));
}

void Storage::add_observer(model::AppendObserver* observer) {
    core_->observers.push_back(observer);
}

Result<model::AppendResult> Storage::append(const model::AppendBatch& batch) {
    KPID_CHECK_OK(StateTable::check(batch.state));
    const std::vector<model::SeriesSample> samples = model::flatten(batch);
    model::AppendBatch flat = batch;
    flat.samples = samples;
    flat.raw = {};
    PreparedBatch prepared = core_->prepare(flat);
    KPID_CHECK_OK(core_->committer->commit(prepared));
    if (!prepared.refused) {
        for (model::AppendObserver* observer : core_->observers) {
            observer->on_append(batch, prepared.result);
        }
    }
    return std::move(prepared.result);
}

void Storage::declare_kinds(const model::MetricKinds& /*kinds*/) {
}

Result<std::vector<model::SeriesColumns>> Storage::select(std::span<const model::Matcher> matchers,
                                                          model::TimeRange range,
                                                          const model::ReadOptions& options) const {
    std::vector<model::SeriesColumns> answer;
    std::size_t rest = options.samples_max;
    const SeriesIndex::Selection selection = core_->index.select(matchers);
    for (const SeriesPointer& series : selection.series) {
        model::SeriesColumns columns;
        if (!series->copy(range, rest, columns)) {
            return resource_exhausted(
                fmt::format("the selection touches more than {} samples", options.samples_max));
        }
        rest -= columns.times.size();
        if (!columns.times.empty()) {
            columns.labels = core_->index.labels(*series);
            answer.push_back(std::move(columns));
        }
    }
    std::sort(answer.begin(), answer.end(),
              [](const model::SeriesColumns& a, const model::SeriesColumns& b) {
                  return a.labels < b.labels;
              });
    return answer;
}

Result<std::vector<model::Labels>> Storage::series(std::span<const model::Matcher> matchers,
                                                   model::TimeRange range) const {
    std::vector<model::Labels> answer;
    const SeriesIndex::Selection selection = core_->index.select(matchers);
    for (const SeriesPointer& series : selection.series) {
        if (series->has_samples_in(range)) {
            answer.push_back(core_->index.labels(*series));
        }
    }
    std::sort(answer.begin(), answer.end());
    return answer;
}

Result<std::vector<std::string>> Storage::label_names(std::span<const model::Matcher> matchers,
                                                      model::TimeRange range) const {
    std::set<std::string, std::less<>> names;
    const SeriesIndex::Selection selection = core_->index.select(matchers);
    for (const SeriesPointer& series : selection.series) {
        if (!series->has_samples_in(range)) {
            continue;
        }
        core_->index.visit_labels(*series, [&names](const StoredLabels& labels) {
            for (std::size_t i = 0; i < labels.size(); ++i) {
                if (!names.contains(labels.name(i))) {
                    names.emplace(labels.name(i));
                }
            }
        });
    }
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> Storage::label_values(std::string_view name,
                                                       std::span<const model::Matcher> matchers,
                                                       model::TimeRange range) const {
    std::set<std::string, std::less<>> values;
    const SeriesIndex::Selection selection = core_->index.select(matchers);
    for (const SeriesPointer& series : selection.series) {
        if (!series->has_samples_in(range)) {
            continue;
        }
        core_->index.visit_labels(*series, [&values, name](const StoredLabels& labels) {
            const std::string_view value = labels.get(name);
            if (!value.empty() && !values.contains(value)) {
                values.emplace(value);
            }
        });
    }
    return std::vector<std::string>(values.begin(), values.end());
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
    const Timestamp cutoff = core_->rules.oldest_kept(now);
    std::vector<SeriesPointer> empty;
    {
        // Let go of before the committer removes series, so that their numbers are free at once.
        const SeriesIndex::Selection selection = core_->index.select({});
        for (const SeriesPointer& series : selection.series) {
            core_->counters.add(series->drop_before(cutoff));
            if (series->is_empty()) {
                empty.push_back(series);
            }
        }
    }
    KPID_CHECK_OK(core_->checkpoint(now));
    return core_->committer->run_alone([&] { return core_->work.forget(cutoff, empty); });
}

Result<void> Storage::health() const {
    return core_->committer->health();
}

StorageStats Storage::stats() const {
    const Counters& counters = core_->counters;
    StorageStats stats;
    stats.series = core_->index.size();
    stats.samples_in_memory = counters.samples_in_memory;
    stats.bytes_in_memory = counters.sample_bytes_in_memory + core_->index.bytes();
    stats.state_entries = core_->state.size();
    stats.samples_appended_total = counters.samples_appended;
    stats.samples_repeated_total = counters.samples_repeated;
    for (std::size_t i = 0; i < stats.rejected_total.size(); ++i) {
        stats.rejected_total[i] = counters.rejected[i];
    }
    stats.commits_total = counters.commits;
    stats.log_bytes_total = counters.log_bytes;
    stats.write_failures_total = counters.write_failures;
    stats.queue_refusals_total = core_->committer->queue_refusals();
    stats.log_sequence = counters.log_sequence;
    return stats;
}

}  // namespace kpid::storage
