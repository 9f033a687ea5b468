#pragma once
// What an operator does to a storage.

#include "kpid/base/result.h"
#include "kpid/model/matcher.h"
#include "kpid/model/reader.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kpid::model {

/// A name and a number, of a list of the largest.
struct NamedCount {
    std::string name;
    std::uint64_t count = 0;
    bool operator==(const NamedCount&) const = default;
};

/// Where the series are, as Prometheus' status/tsdb shows it. Lists in descending order of count,
/// then by name.
struct StorageCardinality {
    std::uint64_t series = 0;
    std::uint64_t label_names = 0;
    std::uint64_t label_pairs = 0;
    std::uint64_t chunks = 0;
    Timestamp oldest = Timestamp::max();  ///< Of all samples; max() and min() when there are none.
    Timestamp newest = Timestamp::min();
    std::vector<NamedCount> series_by_metric_name;
    std::vector<NamedCount> values_by_label_name;
    std::vector<NamedCount> value_bytes_by_label_name;
    std::vector<NamedCount> series_by_label_pair;  ///< "name=value"
};

/// Thread-safe. All of it blocks: worker threads only.
class StorageAdmin {
public:
    virtual ~StorageAdmin() = default;
    /// Deletes the samples in the range of every series that all `matchers` match; durable and no
    /// longer readable when it returns. Returns how many series lost samples. kInvalidArgument
    /// without matchers; kUnavailable.
    [[nodiscard]] virtual Result<std::size_t> delete_series(std::span<const Matcher> matchers,
                                                            TimeRange range) = 0;
    /// Gives the disk back what deleted samples took.
    [[nodiscard]] virtual Result<void> clean_tombstones() = 0;
    /// A copy of everything acknowledged so far, from which a stopped kpid can start: the folder
    /// `snapshots/<name>` below the storage's path; hard links where the file system has them.
    /// Returns the name. `now` names it.
    [[nodiscard]] virtual Result<std::string> snapshot(Timestamp now) = 0;
    /// The `top` entries of each list.
    [[nodiscard]] virtual StorageCardinality cardinality(std::size_t top) const = 0;
};

}  // namespace kpid::model
