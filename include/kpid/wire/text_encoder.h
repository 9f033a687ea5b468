#pragma once
// Writes metric families in Prometheus' text format 0.0.4 or OpenMetrics 1.0.

#include "kpid/base/time.h"
#include "kpid/model/labels.h"
#include "kpid/model/metadata.h"
#include "kpid/model/sample.h"
#include "kpid/wire/exposition.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::wire {

/// One sample of a family. Its name is the family's name and `suffix` ("_total", "_bucket", "_sum",
/// …).
struct EncodedSample {
    std::string suffix;
    model::Labels labels;  ///< A metric name among them is left out.
    double value = 0;
    std::optional<Timestamp> time;
};

/// `name` is the family's as OpenMetrics has it: a counter's without `_total`, which its samples
/// carry as suffix. In text, where the convention is the other way, the encoder writes the TYPE
/// line of a counter with its samples' full name.
struct MetricFamily {
    std::string name;
    std::string help;  ///< No HELP line when empty.
    model::MetricType type = model::MetricType::kUnknown;
    std::string unit;  ///< OpenMetrics only.
    std::vector<EncodedSample> samples;
};

/// How names that are not classic are written: in the quoted form, which readers of classic names
/// refuse, or escaped with underscores.
enum class NameEscaping { kAllowUtf8, kUnderscores };

/// Appends one family. Numbers are the shortest that read back the same.
void encode_family(const MetricFamily& family, ExpositionFormat format, NameEscaping escaping,
                   std::string& out);
/// All families; OpenMetrics ends with `# EOF`.
[[nodiscard]] std::string encode_exposition(std::span<const MetricFamily> families,
                                            ExpositionFormat format,
                                            NameEscaping escaping = NameEscaping::kAllowUtf8);

/// Appends the line that begins an OpenMetrics family of unknown type, which any sample may be in.
void encode_unknown_type(std::string_view name, std::string& out);
/// Appends samples of one series as OpenMetrics lines, each with its time: values[i] at times[i].
/// Stale markers are left out: the format has none.
void encode_series(const model::Labels& labels, std::span<const Timestamp> times,
                   std::span<const double> values, std::string& out);

/// Appends the line that begins a family of the text format whose type nobody knows.
void encode_untyped(std::string_view name, std::string& out);
/// Appends a line of the text format. Labels stay in their order, those with an empty value too.
void encode_text_sample(std::string_view name, std::span<const model::LabelView> labels,
                        const model::Sample& sample, std::string& out);

}  // namespace kpid::wire
