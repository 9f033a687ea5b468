#pragma once
// How RocksDB is set up: one budget of memory for all tables, and each table as it is used. Only
// rocks_*.cc include this.

#include "storage/rocks_events.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <memory>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// The family of the format's version.
inline constexpr std::string_view kFormatFamily = "default";

/// What a database borrows from its log and the next one takes over.
struct RocksParts {
    std::shared_ptr<RocksCounters> counters = std::make_shared<RocksCounters>();
    std::shared_ptr<RocksDropRule> drop_rule = std::make_shared<RocksDropRule>();
    /// Blocks, and the files' indexes and filters. Null until options have been made.
    std::shared_ptr<rocksdb::Cache> cache;
};

/// With the mode in which a damaged write-ahead log is read.
[[nodiscard]] rocksdb::DBOptions database_options(const RocksParts& parts,
                                                  rocksdb::WALRecoveryMode recovery);

/// "default", then a family for each of kLogTables. Makes the cache.
[[nodiscard]] std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(RocksParts& parts);

}  // namespace kpid::storage
