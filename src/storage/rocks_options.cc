// How RocksDB is set up.
//
// Memory: the block cache (with the files' indexes and filters in it) and the write buffers are
// bounded together; what else RocksDB holds is a few MiB for open files and a running compaction.

#include "storage/rocks_options.h"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdint>

namespace kpid::storage {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kBlockCacheBytes = 32 * kMiB;
// A filter of a file with a million keys must fit in a shard.
constexpr int kBlockCacheShardBits = 2;
// All write buffers together: above it the fullest table is flushed.
constexpr std::size_t kWriteBuffersBytes = 20 * kMiB;
constexpr std::size_t kSamplesBufferBytes = 8 * kMiB;
constexpr std::size_t kBufferBytes = 4 * kMiB;
// Blocks of a buffer's memory: a table that is hardly written takes no more than one.
constexpr std::size_t kBufferPieceBytes = std::size_t{256} << 10;
constexpr std::uint64_t kWriteAheadBytesMax = 64 * kMiB;

constexpr std::size_t kBlockBytes = std::size_t{16} << 10;
constexpr double kFilterBitsPerKey = 10;
constexpr std::uint64_t kOpenLevelBytes = 512 * kMiB;
constexpr std::uint64_t kOpenFileBytes = 8 * kMiB;
constexpr int kOpenFilesBeforeCompaction = 8;
constexpr std::uint64_t kDropWithinSeconds = std::uint64_t{24} * 60 * 60;

constexpr int kOpenFilesMax = 256;
constexpr int kBackgroundJobsMax = 2;
constexpr std::size_t kCompactionReadBytes = std::size_t{256} << 10;
// Long writes are handed to the disk in pieces, so that a sync does not wait for all of one.
constexpr std::uint64_t kBytesPerWriteback = kMiB;

// RocksDB's own log file would be one more thing to fill the disk, and Debian's build ends the
// process when it cannot be written. Every failure comes back as a status or an event anyway.
class SilentLogger final : public rocksdb::Logger {
public:
    SilentLogger() : rocksdb::Logger(rocksdb::InfoLogLevel::HEADER_LEVEL) {}
    using rocksdb::Logger::Logv;
    void Logv(const char* /*format*/, va_list /*arguments*/) override {}
};

// The first of these that this RocksDB was built with.
rocksdb::CompressionType first_linked(std::initializer_list<rocksdb::CompressionType> wanted) {
    const std::vector<rocksdb::CompressionType> linked = rocksdb::GetSupportedCompressions();
    for (const rocksdb::CompressionType one : wanted) {
        if (std::find(linked.begin(), linked.end(), one) != linked.end()) {
            return one;
        }
    }
    return rocksdb::kNoCompression;
}

std::shared_ptr<rocksdb::TableFactory> table_factory(const RocksParts& parts, bool has_filter) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = parts.cache;
    table.block_size = kBlockBytes;
    table.cache_index_and_filter_blocks = true;
    table.cache_index_and_filter_blocks_with_high_priority = true;
    table.format_version = 5;
    if (has_filter) {
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
        table.optimize_filters_for_memory = true;
    }
    return std::shared_ptr<rocksdb::TableFactory>(rocksdb::NewBlockBasedTableFactory(table));
}

rocksdb::ColumnFamilyOptions common_options() {
    rocksdb::ColumnFamilyOptions options;
    options.write_buffer_size = kBufferBytes;
    options.arena_block_size = kBufferPieceBytes;
    options.level_compaction_dynamic_level_bytes = true;
    options.compression = first_linked({rocksdb::kLZ4Compression});
    return options;
}

rocksdb::ColumnFamilyOptions options_of(LogTable table, const RocksParts& parts) {
    rocksdb::ColumnFamilyOptions options = common_options();
    const bool is_looked_up = table == LogTable::kOpen || table == LogTable::kSeries;
    options.table_factory = table_factory(parts, is_looked_up);
    switch (table) {
        case LogTable::kSeries:
            break;
        case LogTable::kVersions:
        case LogTable::kState:
        case LogTable::kQuarantine:
            // Most of it rests in the last level.
            options.bottommost_compression =
                first_linked({rocksdb::kZSTD, rocksdb::kLZ4Compression});
            break;
        case LogTable::kChunks:
            // Chunks are compressed as far as pays.
            options.compression = rocksdb::kNoCompression;
            break;
        case LogTable::kOpen:
            // All of it is written anew time and again: one level, rewritten as seldom as can be.
            options.max_bytes_for_level_base = kOpenLevelBytes;
            options.target_file_size_base = kOpenFileBytes;
            options.level0_file_num_compaction_trigger = kOpenFilesBeforeCompaction;
            break;
        case LogTable::kSamples:
            // Written once, read at a start, erased from the front: whole files go then
            // (RocksLog::drop_erased_files), and merging them would be work for nothing.
            options.write_buffer_size = kSamplesBufferBytes;
            options.compression = rocksdb::kNoCompression;
            options.disable_auto_compactions = true;
            break;
    }
    const bool drops =
        table == LogTable::kChunks || table == LogTable::kVersions || table == LogTable::kOpen;
    if (drops) {
        options.compaction_filter_factory =
            std::make_shared<RocksDropFilterFactory>(table, parts.drop_rule);
        options.periodic_compaction_seconds = kDropWithinSeconds;
    }
    return options;
}

}  // namespace

rocksdb::DBOptions database_options(const RocksParts& parts, rocksdb::WALRecoveryMode recovery) {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.paranoid_checks = true;
    options.max_total_wal_size = kWriteAheadBytesMax;
    options.wal_recovery_mode = recovery;
    options.write_buffer_manager =
        std::make_shared<rocksdb::WriteBufferManager>(kWriteBuffersBytes);
    // One writes.
    options.allow_concurrent_memtable_write = false;
    options.max_open_files = kOpenFilesMax;
    // Opening starts so many threads a family, though there is little to open.
    options.max_file_opening_threads = 1;
    options.max_background_jobs = kBackgroundJobsMax;
    options.compaction_readahead_size = kCompactionReadBytes;
    options.bytes_per_sync = kBytesPerWriteback;
    // Readers do not wait for files to be removed.
    options.avoid_unnecessary_blocking_io = true;
    options.info_log = std::make_shared<SilentLogger>();
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.listeners.push_back(std::make_shared<RocksEvents>(parts.counters));
    return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_descriptors(RocksParts& parts) {
    parts.cache = rocksdb::NewLRUCache(kBlockCacheBytes, kBlockCacheShardBits);
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    rocksdb::ColumnFamilyOptions format = common_options();
    format.table_factory = table_factory(parts, false);
    descriptors.emplace_back(std::string(kFormatFamily), format);
    for (const LogTable table : kLogTables) {
        descriptors.emplace_back(family_name(table), options_of(table, parts));
    }
    return descriptors;
}

}  // namespace kpid::storage
