#pragma once
// Quantiles and fractions of classic histograms: cumulative counts by upper bound.

#include <vector>

namespace kpid::promql {

struct Bucket {
    double upper_bound = 0;  ///< The label `le`.
    double count = 0;        ///< Observations up to the bound, those of the buckets below included.
};

struct BucketQuantile {
    double value = 0;
    bool forced_monotonic = false;  ///< Counts that went down were raised.
    double bucket_min = 0;          ///< The lowest and the highest bound where that was done,
    double bucket_max = 0;
    double difference_max = 0;  ///< and by how much at most.
};

/// The q-quantile, linear within buckets. NaN without a +Inf bucket, with fewer than two different
/// buckets or no observations. `buckets` in any order, not empty, perhaps with equal bounds, which
/// are added up.
[[nodiscard]] BucketQuantile bucket_quantile(double q, std::vector<Bucket> buckets);

/// The share of observations between two values, linear within buckets; observations in a bucket
/// without a finite width count only where the bound itself is infinite.
[[nodiscard]] double bucket_fraction(double lower, double upper, std::vector<Bucket> buckets);

}  // namespace kpid::promql
