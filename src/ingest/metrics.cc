// Registers ingest's metrics.
#include "ingest/metrics.h"

#include "kpid/wire/statsd.h"

#include <utility>

namespace kpid::ingest {
namespace {

using Counters = prometheus::Family<prometheus::Counter>;
using Gauges = prometheus::Family<prometheus::Gauge>;

Counters& counters(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

constexpr const char* kRejectedName = "kpid_ingest_rejected_total";
constexpr const char* kRejectedHelp = "Samples refused, by the way they came and why.";

Gauges& gauges(prometheus::Registry& registry, const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

template <std::size_t... kIndexes>
std::array<ProtocolCounters, kProtocolCount> make_protocols(prometheus::Registry& registry,
                                                            std::index_sequence<kIndexes...>) {
    Counters& samples =
        counters(registry, "kpid_ingest_samples_total", "Samples taken in, by the way they came.");
    Counters& rejected = counters(registry, kRejectedName, kRejectedHelp);
    return {ProtocolCounters(samples, rejected, static_cast<Protocol>(kIndexes))...};
}

ExemplarCounters make_exemplars(prometheus::Registry& registry, Protocol protocol) {
    return {
        counters(registry, "kpid_ingest_exemplars_total", "Exemplars kept, by the way they came."),
        counters(registry, "kpid_ingest_exemplars_dropped_total",
                 "Exemplars not kept, by the way they came and why."),
        protocol};
}

}  // namespace

const char* to_string(ExemplarDrop reason) {
    switch (reason) {
        case ExemplarDrop::kInvalidLabels:
            return "invalid_labels";
        case ExemplarDrop::kTooLong:
            return "too_long";
        case ExemplarDrop::kOutOfOrder:
            return "out_of_order";
        case ExemplarDrop::kTooFarInFuture:
            return "too_far_in_future";
    }
    return "unknown";
}

const char* to_string(Protocol protocol) {
    switch (protocol) {
        case Protocol::kScrape:
            return "scrape";
        case Protocol::kHost:
            return "host";
        case Protocol::kDemo:
            return "demo";
        case Protocol::kHttpJson:
            return "http_json";
        case Protocol::kPromql:
            return "promql";
        case Protocol::kStatsd:
            return "statsd";
        case Protocol::kPush:
            return "push";
        case Protocol::kText:
            return "text";
        case Protocol::kRemoteWrite:
            return "remote_write";
        case Protocol::kImport:
            return "import";
    }
    return "unknown";
}

ProtocolCounters::ProtocolCounters(Counters& samples, Counters& rejected, Protocol protocol)
    : samples_(samples.Add({{"protocol", to_string(protocol)}})),
      malformed_(rejected.Add({{"protocol", to_string(protocol)}, {"reason", kRejectedMalformed}})),
      repeated_(rejected.Add({{"protocol", to_string(protocol)}, {"reason", kRejectedRepeated}})) {
    for (std::size_t i = 0; i < kReasonCount; ++i) {
        const auto reason = model::to_string(static_cast<model::RejectReason>(i));
        reasons_[i] =
            &rejected.Add({{"protocol", to_string(protocol)}, {"reason", std::string(reason)}});
    }
}

void ProtocolCounters::count(const model::AppendResult& result) {
    count_accepted(result.accepted);
    for (const model::Rejection& rejection : result.rejected) {
        count_rejected(rejection.reason);
    }
}

ExemplarCounters::ExemplarCounters(Counters& kept, Counters& dropped, Protocol protocol)
    : kept_(kept.Add({{"protocol", to_string(protocol)}})) {
    for (std::size_t i = 0; i < kReasonCount; ++i) {
        dropped_[i] = &dropped.Add({{"protocol", to_string(protocol)},
                                    {"reason", to_string(static_cast<ExemplarDrop>(i))}});
    }
}

Metrics::Metrics(prometheus::Registry& registry)
    : source_up(gauges(registry, "kpid_source_up",
                       "1 when the newest scrape of every target of the source went well.")),
      source_duration(gauges(registry, "kpid_source_scrape_duration_seconds",
                             "How long the newest scrape of the source took.")),
      scrapes(counters(registry, "kpid_source_scrapes_total", "Scrapes of the source.")),
      scrape_failures(counters(registry, "kpid_source_scrape_failures_total",
                               "Scrapes of the source that gave nothing.")),
      query_notes(
          counters(registry, "kpid_source_query_notes_total",
                   "Warnings, infos and partial answers of the server that a source asks.")),
      periods_given_up(counters(registry, "kpid_source_periods_given_up_total",
                                "Closed periods that the server of a source did not answer for.")),
      periods_pending(gauges(registry, "kpid_source_periods_pending",
                             "Closed periods that the server of a source has not answered yet.")),
      store_failures(counters(registry, "kpid_ingest_store_failures_total",
                              "Batches that the storage could not take.")
                         .Add({})),
      push_repeats(counters(registry, "kpid_ingest_push_repeats_total",
                            "Pushes whose Idempotency-Key was known already.")
                       .Add({})),
      histograms_refused(counters(registry, kRejectedName, kRejectedHelp)
                             .Add({{"protocol", to_string(Protocol::kRemoteWrite)},
                                   {"reason", kRejectedHistogram}})),
      metadata_dropped(counters(registry, "kpid_ingest_metadata_dropped_total",
                                "Metadata of metrics that found no room or was not UTF-8.")
                           .Add({})),
      statsd_datagrams(
          counters(registry, "kpid_statsd_datagrams_total", "StatsD datagrams received.").Add({})),
      statsd_lines(
          counters(registry, "kpid_statsd_lines_total", "StatsD events understood.").Add({})),
      statsd_bad_lines(counters(registry, "kpid_statsd_lines_refused_total",
                                "StatsD lines and events not taken, by reason.")),
      statsd_dropped_datagrams(counters(registry, "kpid_statsd_datagrams_dropped_total",
                                        "StatsD datagrams lost, by reason.")),
      protocols(make_protocols(registry, std::make_index_sequence<kProtocolCount>())),
      scraped_exemplars(make_exemplars(registry, Protocol::kScrape)),
      sent_exemplars(make_exemplars(registry, Protocol::kRemoteWrite)) {
    using wire::StatsdReason;
    for (const StatsdReason reason :
         {StatsdReason::kMalformed, StatsdReason::kBadValue, StatsdReason::kBadType,
          StatsdReason::kBadRate, StatsdReason::kBadTags, StatsdReason::kLimit}) {
        statsd_bad_lines.Add({{"reason", std::string(wire::to_string(reason))}});
    }
    statsd_bad_lines.Add({{"reason", kStatsdSeriesLimit}});
    statsd_bad_lines.Add({{"reason", kStatsdOtherKind}});
    for (const char* reason : {kDroppedQueueFull, kDroppedTruncated, kDroppedKernel}) {
        statsd_dropped_datagrams.Add({{"reason", reason}});
    }
}

void Metrics::add_source(const std::string& source) {
    source_up.Add({{"source", source}});
    source_duration.Add({{"source", source}});
    scrapes.Add({{"source", source}});
    scrape_failures.Add({{"source", source}});
}

void Metrics::remove_source(const std::string& source) {
    source_up.Remove(&source_up.Add({{"source", source}}));
    source_duration.Remove(&source_duration.Add({{"source", source}}));
    scrapes.Remove(&scrapes.Add({{"source", source}}));
    scrape_failures.Remove(&scrape_failures.Add({{"source", source}}));
    for (const char* kind : {kNoteWarning, kNoteInfo, kNotePartial}) {
        query_notes.Remove(&query_notes.Add({{"source", source}, {"kind", kind}}));
    }
    periods_given_up.Remove(&periods_given_up.Add({{"source", source}}));
    periods_pending.Remove(&periods_pending.Add({{"source", source}}));
}

}  // namespace kpid::ingest
