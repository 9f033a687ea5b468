#pragma once
// What ingest says of itself.

#include "kpid/model/appender.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <string>

namespace kpid::ingest {

/// Values of the label `protocol`: one for each way in.
enum class Protocol {
    kScrape,
    kHost,
    kDemo,
    kHttpJson,
    kPromql,
    kStatsd,
    kPush,
    kText,
    kRemoteWrite,
    kImport
};
inline constexpr std::size_t kProtocolCount = 10;
/// "scrape", "host", "demo", "http_json", "promql", "statsd", "push", "text",
/// "remote_write", "import".
[[nodiscard]] const char* to_string(Protocol protocol);

/// Values of the label `reason` beside model::RejectReason's.
inline constexpr const char* kRejectedMalformed = "malformed";  ///< The item could not be read.
inline constexpr const char* kRejectedRepeated = "repeated";    ///< A second one in one scrape.
/// Only of remote write: kpid has no native histograms.
inline constexpr const char* kRejectedHistogram = "native_histogram";

/// The counters of one way in. Thread-safe.
class ProtocolCounters {
public:
    static constexpr std::size_t kReasonCount = 7;  ///< Of model::RejectReason.

    ProtocolCounters(prometheus::Family<prometheus::Counter>& samples,
                     prometheus::Family<prometheus::Counter>& rejected, Protocol protocol);

    void count_accepted(std::size_t samples) { samples_.Increment(static_cast<double>(samples)); }
    void count_rejected(model::RejectReason reason, std::size_t samples = 1) {
        reasons_[static_cast<std::size_t>(reason)]->Increment(static_cast<double>(samples));
    }
    void count_malformed(std::size_t items) { malformed_.Increment(static_cast<double>(items)); }
    void count_repeated(std::size_t samples) { repeated_.Increment(static_cast<double>(samples)); }
    /// All that an append accepted and refused.
    void count(const model::AppendResult& result);

private:
    prometheus::Counter& samples_;
    prometheus::Counter& malformed_;
    prometheus::Counter& repeated_;
    std::array<prometheus::Counter*, kReasonCount> reasons_{};
};

/// Why an exemplar is not kept: values of the label `reason`.
enum class ExemplarDrop { kInvalidLabels, kTooLong, kOutOfOrder, kTooFarInFuture };
[[nodiscard]] const char* to_string(ExemplarDrop reason);

/// The counters of exemplars of one way in. Thread-safe.
class ExemplarCounters {
public:
    static constexpr std::size_t kReasonCount = 4;  ///< Of ExemplarDrop.

    ExemplarCounters(prometheus::Family<prometheus::Counter>& kept,
                     prometheus::Family<prometheus::Counter>& dropped, Protocol protocol);

    void count_kept() { kept_.Increment(); }
    void count_dropped(ExemplarDrop reason, std::size_t exemplars = 1) {
        dropped_[static_cast<std::size_t>(reason)]->Increment(static_cast<double>(exemplars));
    }

private:
    prometheus::Counter& kept_;
    std::array<prometheus::Counter*, kReasonCount> dropped_{};
};

/// Registers everything at 0. Several may share a registry that merges. The registry outlives this.
/// Thread-safe.
struct Metrics {
    explicit Metrics(prometheus::Registry& registry);

    [[nodiscard]] ProtocolCounters& of(Protocol protocol) {
        return protocols[static_cast<std::size_t>(protocol)];
    }
    /// Of scrapes and of remote write, the ways that bring exemplars.
    [[nodiscard]] ExemplarCounters& exemplars_of(Protocol protocol) {
        return protocol == Protocol::kScrape ? scraped_exemplars : sent_exemplars;
    }
    /// The gauges and counters of a source or scrape job exist from here until remove_source().
    void add_source(const std::string& source);
    void remove_source(const std::string& source);

    prometheus::Family<prometheus::Gauge>& source_up;  ///< By source: 1 when all its targets are.
    prometheus::Family<prometheus::Gauge>& source_duration;     ///< By source: the newest scrape's.
    prometheus::Family<prometheus::Counter>& scrapes;           ///< By source.
    prometheus::Family<prometheus::Counter>& scrape_failures;   ///< By source.
    prometheus::Family<prometheus::Counter>& query_notes;       ///< By source and kind.
    prometheus::Family<prometheus::Counter>& periods_given_up;  ///< By source.
    prometheus::Family<prometheus::Gauge>& periods_pending;     ///< By source.
    prometheus::Counter& store_failures;      ///< Appends that storage refused whole.
    prometheus::Counter& push_repeats;        ///< Requests whose Idempotency-Key was known.
    prometheus::Counter& histograms_refused;  ///< Native ones, of remote write.
    prometheus::Counter& metadata_dropped;    ///< Statements that MetadataTable did not take.
    prometheus::Counter& statsd_datagrams;
    prometheus::Counter& statsd_lines;
    prometheus::Family<prometheus::Counter>& statsd_bad_lines;          ///< By reason.
    prometheus::Family<prometheus::Counter>& statsd_dropped_datagrams;  ///< By reason.
    std::array<ProtocolCounters, kProtocolCount> protocols;
    ExemplarCounters scraped_exemplars;
    ExemplarCounters sent_exemplars;
};

/// Values of the label `kind` of kpid_source_query_notes_total.
inline constexpr const char* kNoteWarning = "warning";
inline constexpr const char* kNoteInfo = "info";
inline constexpr const char* kNotePartial = "partial";
/// Values of the label `reason` of kpid_statsd_datagrams_dropped_total.
inline constexpr const char* kDroppedQueueFull = "queue_full";
inline constexpr const char* kDroppedTruncated = "truncated";
inline constexpr const char* kDroppedKernel = "kernel";
/// Values of the label `reason` of kpid_statsd_lines_refused_total beside wire::StatsdReason's.
inline constexpr const char* kStatsdSeriesLimit = "series_limit";
inline constexpr const char* kStatsdOtherKind = "other_kind";

}  // namespace kpid::ingest
