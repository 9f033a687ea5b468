#pragma once
// From the text of a scrape to samples under their final labels.

#include "config/sources.h"
#include "ingest/exemplar_table.h"
#include "ingest/series_book.h"
#include "kpid/base/hash.h"
#include "kpid/base/result.h"
#include "kpid/model/labels.h"
#include "kpid/model/metadata.h"
#include "kpid/model/sample.h"
#include "kpid/wire/exposition.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace kpid::ingest {

/// An exemplar that came with a sample.
struct ScrapedExemplar {
    std::size_t sample = 0;  ///< Index into the samples.
    Exemplar exemplar;
};

/// What one scrape gave. Counts are Prometheus': of a text that failed, up to where it failed; of
/// one beyond sample_limit all there are.
struct DecodedScrape {
    std::vector<model::SeriesSample> samples;
    std::vector<SeriesBook::Series*> series;  ///< series[i] is that of samples[i].
    std::vector<ScrapedExemplar> exemplars;
    std::size_t scraped = 0;   ///< Samples in the text.
    std::size_t kept = 0;      ///< After metric_relabel_configs.
    std::size_t added = 0;     ///< Series that were not known.
    std::size_t repeated = 0;  ///< Second samples of a series; not taken.
};

/// Decodes the scrapes of one target. What a series' text comes to is remembered by its bytes, so
/// that a known series costs one look-up. Not thread-safe: one user at a time.
class ScrapeDecoder final : private wire::ExpositionSink {
public:
    /// `config` stays alive with this; `labels` are the target's; `book` is borrowed.
    ScrapeDecoder(std::shared_ptr<const config::ScrapeConfig> config, model::Labels labels,
                  SeriesBook& book);

    /// Reads a text within the book's round. On an error (a bad line, a limit) the round is void.
    [[nodiscard]] Result<void> decode(std::string_view text, wire::ExpositionFormat format,
                                      Timestamp at, DecodedScrape& out);

    /// What the newest text said of its metrics, in its order; beyond these limits nothing is kept.
    static constexpr std::size_t kFamiliesMax = 10'000;
    static constexpr std::size_t kHelpBytesMax = 4096;
    [[nodiscard]] const std::vector<model::MetricMetadata>& metadata() const { return metadata_; }
    /// Whether the newest text said something else of them than the one before.
    [[nodiscard]] bool metadata_changed() const { return metadata_changed_; }

private:
    struct Known {
        model::MetricType type = model::MetricType::kUnknown;
        std::uint64_t seen = 0;
        SeriesBook::Series* series = nullptr;  // null: dropped by relabelling
    };

    Result<void> on_sample(const wire::SampleEvent& sample) override;
    Result<void> on_metadata(const wire::MetadataEvent& statement) override;
    [[nodiscard]] Result<Known*> find(const wire::SampleEvent& sample);
    [[nodiscard]] Result<SeriesBook::Series*> resolve(const wire::SampleEvent& sample);
    [[nodiscard]] std::optional<model::Labels> final_labels(const wire::SampleEvent& sample) const;
    [[nodiscard]] bool is_kept(const wire::SampleEvent& sample) const;
    [[nodiscard]] Result<void> check_limits(const model::Labels& labels) const;

    const std::shared_ptr<const config::ScrapeConfig> config_;
    const model::Labels labels_;
    SeriesBook& book_;
    StringMap<Known> known_;  // by the bytes of name and braces
    std::vector<model::MetricMetadata> metadata_;
    std::size_t families_ = 0;  // How many of these the text that is read has named already.
    bool metadata_changed_ = false;
    // Of the call that runs.
    Timestamp at_;
    DecodedScrape* out_ = nullptr;
    bool limit_exceeded_ = false;  // What follows is counted only.
};

}  // namespace kpid::ingest
