#pragma once
// Reads what scrapes and text pushes carry: Prometheus' text format 0.0.4 and OpenMetrics 1.0.

#include "kpid/base/result.h"
#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/metadata.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

enum class ExpositionFormat { kText, kOpenMetrics };

/// kScrape reads what Prometheus' scrape loop reads. kStrict holds the text to every rule of its
/// format: families declared once and before their samples, known types, a final newline (text);
/// for OpenMetrics also the rules of each type, no interleaving, times that do not go back.
enum class Strictness { kScrape, kStrict };

/// What to send as `Accept` when scraping: OpenMetrics first, then text, then anything.
inline constexpr std::string_view kScrapeAccept =
    "application/openmetrics-text;version=1.0.0;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
/// The Content-Types of what text_encoder.h writes.
inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view kUtf8TextContentType =
    "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
inline constexpr std::string_view kUtf8OpenMetricsContentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
inline constexpr std::string_view kOpenMetricsContentType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The format a scrape answer's Content-Type names. An empty one is text 0.0.4, as in Prometheus 2;
/// an unknown type (HTML, JSON, protobuf), version or charset is kUnsupported: `received
/// unsupported Content-Type "text/html"`.
[[nodiscard]] Result<ExpositionFormat> exposition_format_of(std::string_view content_type);

struct ExpositionOptions {
    /// Limits of every text; beyond one the whole text is refused.
    static constexpr std::size_t kLineBytesMax = 1024 * 1024;
    static constexpr std::size_t kLabelsMax = 512;
    /// Label names and values of an OpenMetrics exemplar together, in code points.
    static constexpr std::size_t kExemplarCodePointsMax = 128;

    ExpositionFormat format = ExpositionFormat::kText;
    Strictness strictness = Strictness::kScrape;
};

/// One label as it stands in the text.
struct RawLabel {
    std::string_view name;   ///< Between the quotes when it was quoted.
    std::string_view value;  ///< Between the quotes, escapes not resolved.
    bool name_has_escapes = false;
    bool value_has_escapes = false;
    /// `le` of a histogram or `quantile` of a summary: written in its canonical form by labels().
    bool is_bound = false;
};

struct RawExemplar {
    std::span<const RawLabel> labels;
    double value = 0;
    std::optional<Timestamp> time;

    /// The labels as a set.
    [[nodiscard]] model::Labels build_labels() const;
};

/// One sample. Every view is valid during the call that delivers it, `series`, `name` and the
/// labels' views as long as the text.
struct SampleEvent {
    /// The bytes of name and braces: equal bytes under an equal `type` are equal labels, so that a
    /// scraper may keep the Labels it built by these bytes.
    std::string_view series;
    std::string_view name;  ///< The metric's name; escapes not resolved when it was quoted.
    bool name_has_escapes = false;
    std::span<const RawLabel> labels;  ///< In the order of the text, without the name.
    double value = 0;                  ///< NaN is model::kNormalNanBits.
    std::optional<Timestamp> time;
    /// The type its family was declared with; kUnknown when it was not.
    model::MetricType type = model::MetricType::kUnknown;
    /// An OpenMetrics `_created` sample (value: seconds since 1970): a scraper leaves it out.
    bool is_created = false;
    const RawExemplar* exemplar = nullptr;
    std::size_t line = 0;  ///< From 1.

    /// Name and labels as a set: escapes resolved, empty values left out, `le` and `quantile` of
    /// histograms and summaries in canonical form ("1" and "1e0" are "1.0"), as Prometheus 3 has
    /// them.
    [[nodiscard]] model::Labels build_labels() const;
};

/// One HELP, TYPE or UNIT line. Views are valid during the call.
struct MetadataEvent {
    enum class Kind { kHelp, kType, kUnit };
    Kind kind = Kind::kHelp;
    std::string_view family;
    model::MetricType type = model::MetricType::kUnknown;  ///< kType
    std::string_view text;                                 ///< kHelp, kUnit; escapes resolved.
    std::size_t line = 0;
};

/// Receives what is read, in order. An error from it ends the reading and is given back as it is.
class ExpositionSink {
public:
    virtual ~ExpositionSink() = default;
    virtual Result<void> on_sample(const SampleEvent& sample) = 0;
    virtual Result<void> on_metadata(const MetadataEvent&) { return {}; }
};

/// Reads a whole text. On an error (kInvalidArgument, "line 3: …") the sink has seen what stood
/// before it: a caller that must take all or nothing collects first. Pure; `text` is borrowed for
/// the call.
[[nodiscard]] Result<void> read_exposition(std::string_view text, const ExpositionOptions& options,
                                           ExpositionSink& sink);

struct ParsedExemplar {
    model::Labels labels;
    double value = 0;
    std::optional<Timestamp> time;
};

struct ParsedSample {
    model::Labels labels;
    double value = 0;
    std::optional<Timestamp> time;
    model::MetricType type = model::MetricType::kUnknown;
    bool is_created = false;
    std::optional<ParsedExemplar> exemplar;
    std::size_t line = 0;
};

struct ParsedExposition {
    std::vector<ParsedSample> samples;
    std::vector<model::MetricMetadata> metadata;  ///< In order of first mention.
};

/// Reads a whole text into vectors; nothing on an error.
[[nodiscard]] Result<ParsedExposition> parse_exposition(std::string_view text,
                                                        const ExpositionOptions& options);

/// A float as OpenMetrics writes bounds: "1.0", "0.25", "1e+06", "+Inf".
[[nodiscard]] std::string format_bound(double bound);

}  // namespace kpid::wire
