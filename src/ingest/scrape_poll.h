#pragma once
// Polls one scrape target.

#include "ingest/poll_task.h"
#include "ingest/scrape_decoder.h"
#include "ingest/scrape_target.h"
#include "kpid/base/mutex.h"

#include <array>
#include <memory>
#include <string>

namespace kpid::ingest {

/// Prometheus' scrape: one GET, one append, with `up`, `scrape_duration_seconds`,
/// `scrape_samples_scraped`, `scrape_samples_post_metric_relabeling` and `scrape_series_added`.
class ScrapePoll final : public PollTask {
public:
    /// A body's size where body_size_limit gives none.
    static constexpr std::size_t kBodyBytesMax = 256U << 20U;

    ScrapePoll(Environment& environment, std::shared_ptr<const config::ScrapeConfig> config,
               ScrapeTarget target);

    [[nodiscard]] net::Task<Result<void>> poll(Timestamp at) override;
    [[nodiscard]] Result<void> end(Timestamp at) override;
    [[nodiscard]] MetadataList metadata() const override;

private:
    static constexpr std::size_t kReportCount = 5;

    [[nodiscard]] net::HttpClientRequest make_request() const;
    [[nodiscard]] Result<void> take(const Result<net::HttpClientResponse>& answer, Timestamp at,
                                    MonoTime started);
    [[nodiscard]] Result<void> decode(const Result<net::HttpClientResponse>& answer, Timestamp at,
                                      DecodedScrape& scrape);
    [[nodiscard]] Result<wire::ExpositionFormat> format_of(
        const net::HttpClientResponse& answer) const;
    [[nodiscard]] Result<model::AppendResult> append(const DecodedScrape& scrape,
                                                     std::size_t own_count);
    void keep_metadata();
    void keep_exemplars(DecodedScrape& scrape, Timestamp at);
    void add_reports(const DecodedScrape& scrape, bool up, Timestamp at, MonoTime started,
                     std::vector<model::SeriesSample>& samples) const;

    const std::shared_ptr<const config::ScrapeConfig> config_;
    const ScrapeTarget target_;
    std::array<model::Labels, kReportCount> report_labels_;
    std::array<model::SeriesHandle, kReportCount> report_handles_{};
    ScrapeDecoder decoder_;
    mutable Mutex metadata_mutex_;
    MetadataList metadata_ KPID_GUARDED_BY(metadata_mutex_);
};

}  // namespace kpid::ingest
