#pragma once
// A storage log in memory whose disk fails when the test says so, or as a seeded plan has it.

#include "kpid/base/mutex.h"
#include "kpid/storage/log.h"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace kpid::testing {

/// How often what goes wrong, from 0 to 1.
struct FaultPlan {
    std::uint64_t seed = 1;
    double write_refused = 0;      ///< Nothing of the batch is written.
    double write_answer_lost = 0;  ///< All of it is written, yet the call fails.
    double read_unavailable = 0;   ///< A scan or get fails and would succeed if tried again.
    double read_damaged = 0;       ///< The same with kDataLoss: a scan somewhere on its way.
    double bit_flipped = 0;        ///< A value that is read has one bit turned.
    /// Only values of this table have bits turned: beneath the log's own checksums damage of the
    /// others is read_damaged. None: of all.
    std::optional<storage::LogTable> flipped_table;
    /// What was just read wrongly is read well the next time.
    bool reads_well_again = false;
    std::size_t bytes_max = 0;      ///< Keys and values that fit on the disk; 0: all.
    bool forgets_unsynced = false;  ///< Lets power_cut() lose what was not synced.
};

/// The disk under a FaultyLog: outlives the storages that are opened on it, as a disk does.
/// Thread-safe.
class FaultyDisk {
public:
    enum class Fault {
        kNone,
        kRefuse,      ///< Nothing of the batch is written: a full disk.
        kLoseAnswer,  ///< All of it is written, yet the call fails: a failed sync.
    };

    /// All writes fare so from now on.
    void set_fault(Fault fault) {
        const MutexLock lock(mutex_);
        fault_ = fault;
    }
    /// Calls fare so from now on; begins the plan's sequence of chances.
    void set_plan(const FaultPlan& plan);
    /// A new disk: empty and sound.
    void wipe();
    /// Holds every write until release().
    void hold() {
        const MutexLock lock(mutex_);
        held_ = true;
    }
    void release() {
        const MutexLock lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }
    /// Waits until a write is being held.
    void wait_for_held_write() {
        const MutexLock lock(mutex_);
        while (!holding_) {
            changed_.wait(mutex_);
        }
    }
    /// With no log open: what was not synced is lost from some batch on, that batch and all later
    /// ones, since a torn one counts for nothing. Needs forgets_unsynced.
    void power_cut();
    /// Reading that entry is kDataLoss until it is written or erased.
    void damage(storage::LogTable table, const std::string& key) {
        const MutexLock lock(mutex_);
        damaged_.insert({table, key});
    }
    /// Turns a bit of the entry's value for good; `bit` is counted around its end.
    void turn_bit(storage::LogTable table, const std::string& key, std::size_t bit);
    /// What damage() did is undone.
    void heal() {
        const MutexLock lock(mutex_);
        damaged_.clear();
    }
    [[nodiscard]] bool is_damaged(storage::LogTable table, const std::string& key) const {
        const MutexLock lock(mutex_);
        return damaged_.contains({table, key}) && table_of(table)->contains(key);
    }
    [[nodiscard]] std::size_t entries(storage::LogTable table) const {
        const MutexLock lock(mutex_);
        return table_of(table)->size();
    }
    /// The table as the disk has it.
    [[nodiscard]] std::map<std::string, std::string, std::less<>> copy_of(
        storage::LogTable table) const {
        const MutexLock lock(mutex_);
        return *table_of(table);
    }
    [[nodiscard]] bool last_write_was_synced() const {
        const MutexLock lock(mutex_);
        return synced_;
    }
    [[nodiscard]] std::uint64_t faults_total() const {
        const MutexLock lock(mutex_);
        return faults_;
    }
    void put(storage::LogTable table, const std::string& key, const std::string& value);

    /// For Storage::open: this disk, or the snapshot that was made at that path. Borrows this disk.
    [[nodiscard]] storage::LogOpener opener();

private:
    friend class FaultyLog;
    using Table = std::map<std::string, std::string, std::less<>>;
    using Tables = std::array<std::shared_ptr<Table>, storage::kLogTables.size()>;

    static Tables no_entries();
    static void apply(Tables& tables, const storage::LogBatch& batch);

    [[nodiscard]] std::shared_ptr<Table> table_of(storage::LogTable table) const
        KPID_REQUIRES(mutex_) {
        return tables_[static_cast<std::size_t>(table)];
    }
    [[nodiscard]] bool chance(double probability) KPID_REQUIRES(mutex_);
    [[nodiscard]] bool is_full(const storage::LogBatch& batch) const KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<void> write(const storage::LogBatch& batch, bool sync);
    [[nodiscard]] bool read_fails(double probability, storage::LogTable table,
                                  const std::string& key) KPID_REQUIRES(mutex_);
    [[nodiscard]] Result<std::optional<std::string>> read(storage::LogTable table,
                                                          const std::string& key,
                                                          const std::string& value);
    [[nodiscard]] Result<std::shared_ptr<Table>> begin_read(storage::LogTable table);
    void end_read(std::shared_ptr<Table> entries) {
        const MutexLock lock(mutex_);
        entries.reset();
    }

    mutable Mutex mutex_;
    CondVar changed_;
    Fault fault_ KPID_GUARDED_BY(mutex_) = Fault::kNone;
    FaultPlan plan_ KPID_GUARDED_BY(mutex_);
    std::mt19937_64 random_ KPID_GUARDED_BY(mutex_);
    std::uint64_t faults_ KPID_GUARDED_BY(mutex_) = 0;
    bool held_ KPID_GUARDED_BY(mutex_) = false;
    bool holding_ KPID_GUARDED_BY(mutex_) = false;
    bool synced_ KPID_GUARDED_BY(mutex_) = false;
    // A table that somebody reads is copied before it is changed.
    Tables tables_ KPID_GUARDED_BY(mutex_) = no_entries();
    Tables durable_ KPID_GUARDED_BY(mutex_) = no_entries();
    std::vector<storage::LogBatch> unsynced_ KPID_GUARDED_BY(mutex_);
    std::set<std::pair<storage::LogTable, std::string>> damaged_ KPID_GUARDED_BY(mutex_);
    // What was read wrongly last.
    std::pair<storage::LogTable, std::string> read_wrongly_ KPID_GUARDED_BY(mutex_);
    storage::LogDropRule drop_rule_ KPID_GUARDED_BY(mutex_);
    std::map<std::string, std::unique_ptr<FaultyDisk>> snapshots_ KPID_GUARDED_BY(mutex_);
};

/// Keeps the promises of storage::Log on a FaultyDisk.
class FaultyLog final : public storage::Log {
public:
    explicit FaultyLog(FaultyDisk& disk) : disk_(disk) {}

    [[nodiscard]] Result<void> write(const storage::LogBatch& batch, bool sync) override {
        return disk_.write(batch, sync);
    }
    [[nodiscard]] Result<void> scan(storage::LogTable table, std::string_view begin,
                                    std::string_view end,
                                    const storage::LogVisitor& visitor) const override;
    [[nodiscard]] Result<std::optional<std::string>> get(storage::LogTable table,
                                                         std::string_view key) const override;
    [[nodiscard]] Result<void> snapshot(const std::string& folder) override;
    void set_drop_rule(storage::LogDropRule rule) override {
        const MutexLock lock(disk_.mutex_);
        disk_.drop_rule_ = std::move(rule);
    }
    [[nodiscard]] Result<void> tidy(storage::LogTable table) override;
    [[nodiscard]] storage::LogStats stats() const override;

private:
    FaultyDisk& disk_;
};

}  // namespace kpid::testing
