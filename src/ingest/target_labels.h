#pragma once
// How the labels of a source meet the labels of its samples.

#include "kpid/model/labels.h"

namespace kpid::ingest {

/// What happens to a sample's label that the source has too. kSourceWins: the sample's moves to
/// `exported_<name>` (with further prefixes until that is free); kSampleWins: honor_labels.
enum class LabelClash { kSourceWins, kSampleWins };

/// The sample's labels with the source's, as Prometheus joins them.
[[nodiscard]] model::Labels join_labels(const model::Labels& sample, const model::Labels& source,
                                        LabelClash clash);

/// `labels` under a metric name.
[[nodiscard]] model::Labels named(std::string_view metric, const model::Labels& labels);

}  // namespace kpid::ingest
