#pragma once
// Exemplars: samples' examples, such as the trace of a request, by series.

#include "ingest/metrics.h"
#include "kpid/base/mutex.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/matcher.h"
#include "kpid/model/reader.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace kpid::ingest {

struct Exemplar {
    model::Labels labels;
    double value = 0;
    Timestamp time;
    /// False: `time` is its sample's. Then it repeats one with the same labels and value at any
    /// time.
    bool has_own_time = true;
};

/// The exemplars of one series, in order of time.
struct SeriesExemplars {
    model::Labels series;
    std::vector<Exemplar> exemplars;
};

/// The newest exemplars of all series, in memory: a restart forgets them. When it is full the one
/// that came first makes room, whatever its series. Thread-safe.
class ExemplarTable {
public:
    static constexpr std::size_t kExemplarsMax = 100'000;
    /// About what they and the labels of their series take.
    static constexpr std::size_t kBytesMax = std::size_t{64} << 20U;
    /// Names and values of an exemplar's labels together, in characters, as OpenMetrics has it.
    static constexpr std::size_t kCharactersMax = 128;
    /// One from further ahead would keep out all of its series that are told rightly.
    static constexpr Duration kAheadMax = std::chrono::minutes(5);

    /// `metrics` outlives this; every exemplar is counted there.
    explicit ExemplarTable(Metrics& metrics) : metrics_(metrics) {}

    /// True when it is kept, or repeats the newest of its series. Not kept are labels that are not
    /// UTF-8 or too long, and what lies before its series' newest (at the same instant: with a
    /// lower value, then with labels that sort lower), as in Prometheus.
    bool add(Protocol protocol, const model::Labels& series, Exemplar exemplar, Timestamp now);

    /// Of series that all matchers of one of the sets match, what lies in the range, both ends
    /// included; in order of the series' labels.
    [[nodiscard]] std::vector<SeriesExemplars> select(
        std::span<const std::vector<model::Matcher>> sets, model::TimeRange range) const;
    [[nodiscard]] std::size_t size() const;

private:
    // Counts exemplars from the first that was ever added.
    using Number = std::uint64_t;
    static constexpr Number kNone = std::numeric_limits<Number>::max();
    struct Ends {
        Number oldest = kNone;
        Number newest = kNone;
    };
    using Index = std::unordered_map<model::Labels, Ends, model::LabelsHash>;
    struct Slot {
        Exemplar exemplar;
        Index::value_type* series = nullptr;  // nodes of the index stay where they are
        Number next = kNone;                  // of the same series
    };

    [[nodiscard]] const Slot& slot(Number number) const KPID_REQUIRES(mutex_) {
        return slots_[static_cast<std::size_t>(number - first_)];
    }
    void append(Index::value_type& series, Exemplar exemplar) KPID_REQUIRES(mutex_);
    void drop_oldest() KPID_REQUIRES(mutex_);

    Metrics& metrics_;
    mutable Mutex mutex_;
    std::deque<Slot> slots_ KPID_GUARDED_BY(mutex_);  // in the order they came
    Number first_ KPID_GUARDED_BY(mutex_) = 0;        // that of slots_[0]
    Index index_ KPID_GUARDED_BY(mutex_);             // no series without an exemplar
    std::size_t bytes_ KPID_GUARDED_BY(mutex_) = 0;
};

}  // namespace kpid::ingest
