#pragma once
// Names for readers that know classic names only.

#include "kpid/model/labels.h"

#include <string>
#include <string_view>

namespace kpid::model {

/// The name with an underscore for every character that a classic name cannot hold, as Prometheus
/// escapes them ("a b" is a_b, "9" is _); a classic name stays as it is.
[[nodiscard]] std::string to_classic_metric_name(std::string_view name);
[[nodiscard]] std::string to_classic_label_name(std::string_view name);

/// The same values under classic names. Names stay unique: a name that is taken already gets
/// underscores behind it. A set of classic names comes back as it is.
[[nodiscard]] Labels with_classic_names(const Labels& labels);

}  // namespace kpid::model
