// Classic histograms.

#include "promql/classic_histogram.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kpid::promql {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Counts that differ relatively less than this differ by rounding alone.
constexpr double kSmallDelta = 1e-12;

void sort_and_coalesce(std::vector<Bucket>& buckets) {
    std::sort(buckets.begin(), buckets.end(),
              [](const Bucket& a, const Bucket& b) { return a.upper_bound < b.upper_bound; });
    std::size_t kept = 0;
    for (std::size_t i = 1; i < buckets.size(); ++i) {
        if (buckets[i].upper_bound == buckets[kept].upper_bound) {
            buckets[kept].count += buckets[i].count;
        } else {
            buckets[++kept] = buckets[i];
        }
    }
    buckets.resize(std::min(buckets.size(), kept + 1));
}

bool nearly_equal(double a, double b) {
    if (a == b) {
        return true;
    }
    const double sum = std::abs(a) + std::abs(b);
    const double difference = std::abs(a - b);
    constexpr double kSmallest = std::numeric_limits<double>::min();
    if (a == 0 || b == 0 || sum < kSmallest) {
        return difference < kSmallDelta * kSmallest;
    }
    return difference / std::fmin(sum, std::numeric_limits<double>::max()) < kSmallDelta;
}

// Raises counts that are below the one before, and notes where that was more than rounding.
void make_monotonic(std::vector<Bucket>& buckets, BucketQuantile& note) {
    double highest = buckets.front().count;
    for (Bucket& bucket : buckets) {
        if (nearly_equal(highest, bucket.count)) {
            bucket.count = highest;
        } else if (bucket.count < highest) {
            note.bucket_min = note.forced_monotonic ? note.bucket_min : bucket.upper_bound;
            note.bucket_max = bucket.upper_bound;  // The bounds ascend.
            note.difference_max = std::max(note.difference_max, highest - bucket.count);
            note.forced_monotonic = true;
            bucket.count = highest;
        } else {
            highest = bucket.count;
        }
    }
}

// The quantile within monotonic buckets that end in +Inf.
double quantile_within(double q, const std::vector<Bucket>& buckets) {
    const double observations = buckets.back().count;
    if (buckets.size() < 2 || observations == 0) {
        return std::nan("");
    }
    double rank = q * observations;
    const auto last = buckets.end() - 1;
    const auto bucket = std::partition_point(
        buckets.begin(), last, [rank](const Bucket& b) { return !(b.count >= rank); });
    if (bucket == last) {
        return (last - 1)->upper_bound;
    }
    if (bucket == buckets.begin() && bucket->upper_bound <= 0) {
        return bucket->upper_bound;
    }
    double start = 0;
    double count = bucket->count;
    if (bucket != buckets.begin()) {
        start = (bucket - 1)->upper_bound;
        count -= (bucket - 1)->count;
        rank -= (bucket - 1)->count;
    }
    return start + (bucket->upper_bound - start) * (rank / count);
}

// How many observations are at most `value`.
double count_below(double value, const std::vector<Bucket>& buckets) {
    if (value == -kInfinity) {
        return 0;
    }
    const auto bucket = std::find_if(buckets.begin(), buckets.end(),
                                     [value](const Bucket& b) { return value <= b.upper_bound; });
    if (bucket->upper_bound == value) {
        return bucket->count;
    }
    const bool is_first = bucket == buckets.begin();
    const double below = is_first ? 0 : (bucket - 1)->count;
    if (is_first && bucket->upper_bound <= 0) {
        return bucket->count;  // The bucket begins at -Inf: nothing in it lies above `value`.
    }
    const double start = is_first ? 0 : (bucket - 1)->upper_bound;
    if (value <= start || bucket->upper_bound == kInfinity) {
        return below;
    }
    return below + (bucket->count - below) * (value - start) / (bucket->upper_bound - start);
}

}  // namespace

BucketQuantile bucket_quantile(double q, std::vector<Bucket> buckets) {
    const double nan = std::nan("");
    if (std::isnan(q)) {
        return {nan};
    }
    if (q < 0 || q > 1) {
        return {q < 0 ? -kInfinity : kInfinity};
    }
    sort_and_coalesce(buckets);
    if (buckets.empty() || buckets.back().upper_bound != kInfinity) {
        return {nan};
    }
    BucketQuantile answer;
    make_monotonic(buckets, answer);
    answer.value = quantile_within(q, buckets);
    return answer;
}

double bucket_fraction(double lower, double upper, std::vector<Bucket> buckets) {
    sort_and_coalesce(buckets);
    if (buckets.empty() || buckets.back().upper_bound != kInfinity) {
        return std::nan("");
    }
    const double count = buckets.back().count;
    if (count == 0 || std::isnan(lower) || std::isnan(upper)) {
        return std::nan("");
    }
    if (lower >= upper) {
        return 0;
    }
    // Counts that are not cumulative may rise above the whole.
    return (std::min(count_below(upper, buckets), count) -
            std::min(count_below(lower, buckets), count)) /
           count;
}

}  // namespace kpid::promql
