#pragma once
// What is wrong with the files of a database that does not open. Only rocks_*.cc include this.

#include "kpid/base/result.h"

#include <rocksdb/status.h>

#include <string>

namespace kpid::storage {

/// kDataLoss when the folder has a database's files and lacks the one that it begins with: RocksDB
/// would make a new one in their place.
[[nodiscard]] Result<void> check_has_current(const std::string& path);
/// When the manifest's end is torn as after a power cut, or a record's head is damaged, which looks
/// the same, RocksDB goes back to what stands before and deletes files that only the rest names:
/// this links all files into a folder beside them and says so. Empty when the end is whole; a cut
/// between two records is not seen.
[[nodiscard]] Result<std::string> rescue_if_torn(const std::string& path);
/// Whether a database that was open here has lost its write-ahead log. A snapshot has none.
[[nodiscard]] bool lacks_write_ahead_log(const std::string& path);
/// Whether RocksDB's refusal means damage, and not that files cannot be had now.
[[nodiscard]] bool is_damage(const rocksdb::Status& status);
/// RocksDB's words, the files that are damaged, and the way out.
[[nodiscard]] std::string describe_damage(const std::string& path, const rocksdb::Status& status);

}  // namespace kpid::storage
