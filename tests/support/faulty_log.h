#pragma once
// A storage log whose disk fails when the test says so.

#include "kpid/base/mutex.h"
#include "kpid/storage/log.h"

#include <map>
#include <memory>
#include <string>

namespace kpid::testing {

/// The disk under a FaultyLog: outlives the storages that are opened on it, as a disk does.
/// Thread-safe.
class FaultyDisk {
public:
    enum class Fault {
        kNone,
        kRefuse,      ///< Nothing of the batch is written: a full disk.
        kLoseAnswer,  ///< All of it is written, yet the call fails: a failed sync.
    };

    void set_fault(Fault fault) {
        const MutexLock lock(mutex_);
        fault_ = fault;
    }
    /// A new disk: empty and sound.
    void wipe() {
        const MutexLock lock(mutex_);
        tables_.clear();
        fault_ = Fault::kNone;
    }
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
    [[nodiscard]] std::size_t entries(storage::LogTable table) const {
        const MutexLock lock(mutex_);
        const auto place = tables_.find(table);
        return place == tables_.end() ? 0 : place->second.size();
    }
    [[nodiscard]] bool last_write_was_synced() const {
        const MutexLock lock(mutex_);
        return synced_;
    }
    void put(storage::LogTable table, const std::string& key, const std::string& value) {
        const MutexLock lock(mutex_);
        tables_[table][key] = value;
    }

    /// For Storage::open. Borrows this disk.
    [[nodiscard]] storage::LogOpener opener();

private:
    friend class FaultyLog;

    mutable Mutex mutex_;
    CondVar changed_;
    Fault fault_ KPID_GUARDED_BY(mutex_) = Fault::kNone;
    bool held_ KPID_GUARDED_BY(mutex_) = false;
    bool holding_ KPID_GUARDED_BY(mutex_) = false;
    bool synced_ KPID_GUARDED_BY(mutex_) = false;
    std::map<storage::LogTable, std::map<std::string, std::string>> tables_ KPID_GUARDED_BY(mutex_);
};

/// Keeps the promises of storage::Log on a FaultyDisk.
class FaultyLog final : public storage::Log {
public:
    explicit FaultyLog(FaultyDisk& disk) : disk_(disk) {}

    [[nodiscard]] Result<void> write(const storage::LogBatch& batch, bool sync) override {
        const MutexLock lock(disk_.mutex_);
        while (disk_.held_) {
            disk_.holding_ = true;
            disk_.changed_.notify_all();
            disk_.changed_.wait(disk_.mutex_);
        }
        disk_.holding_ = false;
        disk_.synced_ = sync;
        if (disk_.fault_ == FaultyDisk::Fault::kRefuse) {
            return unavailable("no space left on device");
        }
        for (const storage::LogErasure& erasure : batch.erasures) {
            auto& table = disk_.tables_[erasure.table];
            table.erase(table.lower_bound(erasure.begin), table.lower_bound(erasure.end));
        }
        for (const storage::LogEntry& entry : batch.entries) {
            if (entry.value) {
                disk_.tables_[entry.table][entry.key] = *entry.value;
            } else {
                disk_.tables_[entry.table].erase(entry.key);
            }
        }
        if (disk_.fault_ == FaultyDisk::Fault::kLoseAnswer) {
            return unavailable("input/output error");
        }
        return {};
    }

    [[nodiscard]] Result<void> replay(const storage::LogVisitor& visitor) override {
        const MutexLock lock(disk_.mutex_);
        for (const auto& [table, entries] : disk_.tables_) {
            for (const auto& [key, value] : entries) {
                KPID_CHECK_OK(visitor(table, key, value));
            }
        }
        return {};
    }

private:
    FaultyDisk& disk_;
};

inline storage::LogOpener FaultyDisk::opener() {
    return [this](const std::string&) -> Result<std::unique_ptr<storage::Log>> {
        return std::unique_ptr<storage::Log>(std::make_unique<FaultyLog>(*this));
    };
}

}  // namespace kpid::testing
