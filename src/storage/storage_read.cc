// What the storage answers to readers of series and of the log.

#include "storage/kept_series.h"
#include "storage/storage_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

namespace kpid::storage {
namespace {

// Labels of series that are remembered for readers of the log.
constexpr std::size_t kLabelsKeptMax = 100'000;
// Of a selection that a deletion disturbs.
constexpr int kSelectAttemptsMax = 4;

}  // namespace

Error too_many_touched(std::size_t samples_max) {
    return resource_exhausted(
        fmt::format("the selection touches more than {} samples", samples_max));
}

model::TimeRange Storage::Core::range_of(MemorySeries::Traits traits, const model::Labels& labels,
                                         model::TimeRange range,
                                         const model::HistoryRules* history) const {
    if (history != nullptr) {
        const Duration further = history->further_back(labels);
        const bool is_there = range.start.ms() >= Timestamp::min().ms() + further.count();
        range.start = is_there ? range.start - further : Timestamp::min();
    }
    range.start = std::max(range.start, floors.of(traits));
    return range;
}

// Empty when there is nothing; else with labels.
Result<void> Storage::Core::read_series(const MemorySeries& series, model::TimeRange range,
                                        const model::ReadOptions& read, std::size_t limit,
                                        model::SeriesColumns& columns) const {
    columns.times.clear();
    columns.values.clear();
    if (read.history != nullptr) {
        columns.labels = index.labels(series);
    }
    range = range_of(series.traits, columns.labels, range, read.history);
    if (range.start > range.end) {
        return {};
    }
    const Result<void> found = reader.read(series, range, read.known_at, limit, columns);
    if (!found && found.error().code == Code::kResourceExhausted) {
        return too_many_touched(read.samples_max);
    }
    KPID_CHECK_OK(found);
    if (!columns.times.empty() && read.history == nullptr) {
        columns.labels = index.labels(series);
    }
    return {};
}

Result<std::vector<model::SeriesColumns>> Storage::Core::select(
    std::span<const model::Matcher> matchers, model::TimeRange range,
    const model::ReadOptions& read) const {
    std::vector<model::SeriesColumns> answer;
    std::size_t rest = read.samples_max;
    const SeriesIndex::Selection selection = index.select(matchers);
    for (const MemorySeries* series : selection.series) {
        model::SeriesColumns columns;
        KPID_CHECK_OK(read_series(*series, range, read, rest, columns));
        rest -= columns.times.size();
        if (!columns.times.empty()) {
            answer.push_back(std::move(columns));
        }
    }
    std::sort(answer.begin(), answer.end(),
              [](const model::SeriesColumns& a, const model::SeriesColumns& b) {
                  return a.labels < b.labels;
              });
    return answer;
}

Result<std::vector<model::SeriesColumns>> Storage::select(std::span<const model::Matcher> matchers,
                                                          model::TimeRange range,
                                                          const model::ReadOptions& options) const {
    for (int attempt = 1;; ++attempt) {
        const std::uint64_t deletions = core_->deletions;
        Result<std::vector<model::SeriesColumns>> answer = core_->select(matchers, range, options);
        if (core_->deletions == deletions || attempt == kSelectAttemptsMax) {
            return answer;
        }
    }
}

Result<void> Storage::visit(std::span<const model::Matcher> matchers, model::TimeRange range,
                            const model::ReadOptions& options,
                            const model::SeriesVisitor& take) const {
    return core_->visit(core_->index.select(matchers), range, options, take);
}

Result<void> Storage::Core::visit(const SeriesIndex::Selection& selection, model::TimeRange range,
                                  const model::ReadOptions& read,
                                  const model::SeriesVisitor& take) const {
    constexpr std::size_t kAhead = 4;
    model::SeriesColumns columns;
    for (std::size_t i = 0; i < selection.series.size(); ++i) {
        if (i + kAhead < selection.series.size()) {
            selection.series[i + kAhead]->prefetch();
        }
        for (int attempt = 1;; ++attempt) {
            const std::uint64_t before = deletions;
            KPID_CHECK_OK(
                read_series(*selection.series[i], range, read, read.samples_max, columns));
            if (deletions == before || attempt == kSelectAttemptsMax) {
                break;
            }
        }
        if (!columns.times.empty()) {
            KPID_CHECK_OK(take(columns));
        }
    }
    return {};
}

std::unique_ptr<model::KeptSelection> Storage::keep(std::vector<model::Matcher> matchers) const {
    return std::make_unique<KeptSeriesSelection>(*core_, std::move(matchers));
}

Result<std::vector<model::Labels>> Storage::series(std::span<const model::Matcher> matchers,
                                                   model::TimeRange range) const {
    std::vector<model::Labels> answer;
    core_->visit_series(matchers, range, [this, &answer](const MemorySeries& series) {
        answer.push_back(core_->index.labels(series));
    });
    std::sort(answer.begin(), answer.end());
    return answer;
}

Result<std::vector<std::string>> Storage::label_names(std::span<const model::Matcher> matchers,
                                                      model::TimeRange range) const {
    std::set<std::string, std::less<>> names;
    core_->visit_series(matchers, range, [this, &names](const MemorySeries& series) {
        core_->index.visit_labels(series, [&names](const StoredLabels& labels) {
            for (std::size_t i = 0; i < labels.size(); ++i) {
                if (!names.contains(labels.name(i))) {
                    names.emplace(labels.name(i));
                }
            }
        });
    });
    return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> Storage::label_values(std::string_view name,
                                                       std::span<const model::Matcher> matchers,
                                                       model::TimeRange range) const {
    std::set<std::string, std::less<>> values;
    core_->visit_series(matchers, range, [this, &values, name](const MemorySeries& series) {
        core_->index.visit_labels(series, [&values, name](const StoredLabels& labels) {
            const std::string_view value = labels.get(name);
            if (!value.empty() && !values.contains(value)) {
                values.emplace(value);
            }
        });
    });
    return std::vector<std::string>(values.begin(), values.end());
}

Result<Storage::Core::LogPart> Storage::Core::read_records(std::uint64_t position,
                                                           std::uint64_t end,
                                                           std::size_t samples_max) const {
    LogPart part;
    part.piece.next = position;
    const auto take = [&](std::string_view key, std::string_view value) -> Result<bool> {
        KPID_TRY(const std::uint64_t sequence, decode_key(key));
        KPID_TRY(const Record record, decode_record(value));
        part.piece.next = sequence + 1;
        const auto origin = record.kind == RecordKind::kRecorded ? model::AppendOrigin::kRecorded
                                                                 : model::AppendOrigin::kExternal;
        for (const RecordSample& sample : record.samples) {
            part.series.emplace_back(sample.series.value(), part.piece.samples.size());
            part.piece.samples.push_back({{}, {sample.time, sample.value}, origin});
        }
        return part.piece.samples.size() < samples_max;
    };
    Result<void> scanned =
        log->scan(LogTable::kSamples, encode_key(position), encode_key(end), take);
    if (scanned) {
        return part;
    }
    if (scanned.error().code != Code::kDataLoss) {
        return std::move(scanned).error();
    }
    if (part.piece.next > position) {
        return part;  // What comes before the damaged record; it is met at the next call.
    }
    // The record at the position alone: there may be none, or it is lost.
    const std::string key = encode_key(position);
    Result<std::optional<std::string>> value = log->get(LogTable::kSamples, key);
    if (!value && value.error().code != Code::kDataLoss) {
        return value.error();
    }
    const bool is_there = !value || value->has_value();
    if (is_there && (!value || !take(key, **value))) {
        part.piece.lost = 1;
        ++counters.read_failures;
    }
    part.piece.next = position + 1;
    return part;
}

Result<model::Labels> Storage::Core::defined_labels(std::uint64_t id) const {
    Result<std::optional<DefinitionBytes>> found = find_definitions(*log, SeriesId(id));
    if (!found && found.error().code == Code::kDataLoss) {
        found = find_definitions(*log, SeriesId(id));
    }
    if (!found && found.error().code != Code::kDataLoss) {
        return found.error();
    }
    DefinitionBlock block;
    if (!found || !*found || !decode_definitions((*found)->bytes, block)) {
        return model::Labels();
    }
    const std::uint64_t place = id - (*found)->first.value();
    return place < block.size()
               ? model::Labels::copy_of(block.labels(static_cast<std::size_t>(place)))
               : model::Labels();
}

Result<model::LogPiece> Storage::read_log(std::uint64_t position, std::size_t samples_max) const {
    KPID_TRY(Core::LogPart part, core_->read_records(position, log_end(), samples_max));
    model::LogPiece& piece = part.piece;
    const std::uint64_t first_kept = core_->first_kept_record;
    if (position < first_kept) {
        piece.lost = first_kept - std::max<std::uint64_t>(position, 1);  // The first is number 1.
        piece.next = std::max(piece.next, first_kept);
    }
    const MutexLock lock(core_->labels_mutex);
    auto& known = core_->labels_by_id;
    for (const auto& [id, place] : part.series) {
        auto found = known.find(id);
        if (found == known.end()) {
            if (known.size() >= kLabelsKeptMax) {
                known.clear();
            }
            KPID_TRY(model::Labels labels, core_->defined_labels(id));
            found = known.emplace(id, std::move(labels)).first;
        }
        piece.samples[place].labels = found->second;
    }
    // Of a series that was set aside, or whose definition is damaged, nothing can be said.
    std::erase_if(piece.samples,
                  [](const model::LoggedSample& sample) { return sample.labels.empty(); });
    return std::move(part.piece);
}

std::uint64_t Storage::log_end() const {
    return core_->counters.log_sequence + 1;
}

void Storage::hold_log(std::string_view reader, std::uint64_t position) {
    const MutexLock lock(core_->holds_mutex);
    if (position == std::numeric_limits<std::uint64_t>::max()) {
        core_->holds.erase(std::string(reader));
    } else {
        core_->holds[std::string(reader)] = position;
    }
}

}  // namespace kpid::storage
