#pragma once
// Stored series as one OpenMetrics text, made piece by piece.

#include "kpid/base/result.h"
#include "kpid/model/reader.h"

#include <cstddef>
#include <string>
#include <vector>

namespace kpid::http {

/// Walks over the series that one of the sets of matchers matches: metric by metric in order of
/// name, within it series by series, within it by time. Each metric is a family of unknown type,
/// with times; stale markers are left out; `# EOF` ends it. Memory: the samples of one read, the
/// names of the metrics, and the label sets of one metric that is too large to be read at once.
/// What is appended meanwhile may be in it or not. Blocks for the store; not thread-safe.
class SeriesExport {
public:
    /// Samples of one read; a metric, and then a series, with more is read in parts.
    static constexpr std::size_t kReadSamplesMax = 500'000;
    /// About how long a piece is.
    static constexpr std::size_t kPieceBytes = std::size_t{256} * 1024;

    /// Borrows the reader. No sets: nothing matches.
    SeriesExport(const model::Reader& reader, std::vector<std::vector<model::Matcher>> sets,
                 model::TimeRange range, std::size_t read_samples_max = kReadSamplesMax)
        : reader_(reader),
          sets_(std::move(sets)),
          range_(range),
          read_samples_max_(read_samples_max) {}

    /// The next piece; empty after the last. An error ends the export.
    [[nodiscard]] Result<std::string> next();

private:
    using Matchers = std::vector<model::Matcher>;

    [[nodiscard]] Result<void> find_names();
    /// Reads until there is something to write, or all is read.
    [[nodiscard]] Result<void> read_more();
    [[nodiscard]] Result<void> read_metric();
    [[nodiscard]] Result<void> list_series(const std::string& name);
    [[nodiscard]] Result<void> read_part();
    void write_some(std::string& out);
    [[nodiscard]] bool has_read() const { return series_at_ < read_.size(); }

    const model::Reader& reader_;
    const std::vector<Matchers> sets_;
    const model::TimeRange range_;
    const std::size_t read_samples_max_;

    bool begun_ = false;
    bool ended_ = false;
    std::vector<std::string> names_;
    std::size_t name_at_ = 0;
    std::string family_;  ///< Whose TYPE line was written last.
    /// What was read and is not written yet.
    std::vector<model::SeriesColumns> read_;
    std::size_t series_at_ = 0;
    std::size_t sample_at_ = 0;
    /// Of a metric too large for one read: its series and label names, and the parts of the time
    /// range that are still to be read of the series at alone_at_, the earliest last.
    std::vector<model::Labels> alone_;
    std::vector<std::string> label_names_;
    std::size_t alone_at_ = 0;
    std::vector<model::TimeRange> parts_;
};

}  // namespace kpid::http
