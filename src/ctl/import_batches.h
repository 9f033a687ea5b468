#pragma once
// Cuts a text of samples into batches that the server can take one after the other.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::ctl {

enum class ImportFormat { kOpenMetrics, kTsdbDump };

/// What a text is, by its first line that is not empty: a dump begins with a label set that has a
/// label's name, `{__name__="up", …`; all else is OpenMetrics.
[[nodiscard]] ImportFormat guess_format(std::string_view first_line);

/// A request's body.
struct ImportBatch {
    std::string body;
    /// The number in the file of the body's first line; 0 where that line was put before the file's
    /// first.
    std::size_t first_line = 1;
    std::size_t lines = 0;  ///< Of the file.
};

/// Lines in, batches out. An OpenMetrics batch begins with the TYPE line that holds there, where
/// one does, and ends with `# EOF`, so that each is a text of its own.
class ImportBatches {
public:
    static constexpr std::size_t kBytesMax = std::size_t{4} * 1024 * 1024;
    static constexpr std::size_t kLinesMax = 20'000;

    explicit ImportBatches(ImportFormat format, std::size_t bytes_max = kBytesMax,
                           std::size_t lines_max = kLinesMax)
        : format_(format), bytes_max_(bytes_max), lines_max_(lines_max) {}

    /// Takes the next line, without its newline. A batch when one is full.
    [[nodiscard]] std::optional<ImportBatch> add(std::string_view line);
    /// What is left.
    [[nodiscard]] std::optional<ImportBatch> finish();
    /// True when the text ended as it should: OpenMetrics with `# EOF`.
    [[nodiscard]] bool is_whole() const { return format_ == ImportFormat::kTsdbDump || ended_; }

private:
    void begin();

    const ImportFormat format_;
    const std::size_t bytes_max_;
    const std::size_t lines_max_;
    std::size_t line_ = 0;  ///< The number of the newest line.
    std::string type_;      ///< The TYPE line that holds.
    bool ended_ = false;    ///< The newest line that is not empty was `# EOF`.
    ImportBatch batch_;
};

}  // namespace kpid::ctl
