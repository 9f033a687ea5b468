#pragma once
// What senders say of metric families: type, help, unit.

#include "kpid/base/mutex.h"
#include "kpid/model/metadata.h"
#include "kpid/wire/remote_write.h"

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::ingest {

/// The newest statement about each family, in memory: senders repeat theirs (Prometheus each
/// minute), so that a restart costs no more than that. Thread-safe.
class MetadataTable {
public:
    /// Beyond these what is new is not kept; what is known may still change.
    static constexpr std::size_t kFamiliesMax = 50'000;
    static constexpr std::size_t kBytesMax = std::size_t{16} << 20U;  ///< Names, helps and units.

    /// Returns how many found no room or have a name or text that is not UTF-8.
    std::size_t put(std::span<const wire::RemoteWriteMetadata> statements);

    /// In order of name; of one family only unless `family` is empty; at most `limit`, 0 for all.
    [[nodiscard]] std::vector<model::MetricMetadata> list(std::string_view family,
                                                          std::size_t limit) const;

private:
    [[nodiscard]] bool put_one(const wire::RemoteWriteMetadata& statement) KPID_REQUIRES(mutex_);

    mutable Mutex mutex_;
    std::map<std::string, model::MetricMetadata, std::less<>> families_ KPID_GUARDED_BY(mutex_);
    std::size_t bytes_ KPID_GUARDED_BY(mutex_) = 0;
};

}  // namespace kpid::ingest
