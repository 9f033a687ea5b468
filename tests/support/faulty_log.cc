// A storage log in memory that fails as it is told.

#include "support/faulty_log.h"

#include <algorithm>

namespace kpid::testing {
namespace {

std::size_t bytes_of(const std::map<std::string, std::string, std::less<>>& table) {
    std::size_t bytes = 0;
    for (const auto& [key, value] : table) {
        bytes += key.size() + value.size();
    }
    return bytes;
}

void flip(std::string& bytes, std::size_t bit) {
    bytes[bit / 8] =
        static_cast<char>(static_cast<unsigned char>(bytes[bit / 8]) ^ (1U << (bit % 8)));
}

}  // namespace

FaultyDisk::Tables FaultyDisk::no_entries() {
    Tables tables;
    for (std::shared_ptr<Table>& table : tables) {
        table = std::make_shared<Table>();
    }
    return tables;
}

void FaultyDisk::apply(Tables& tables, const storage::LogBatch& batch) {
    const auto own = [&tables](storage::LogTable which) -> Table& {
        std::shared_ptr<Table>& table = tables[static_cast<std::size_t>(which)];
        if (table.use_count() > 1) {
            table = std::make_shared<Table>(*table);
        }
        return *table;
    };
    for (const storage::LogErasure& erasure : batch.erasures) {
        if (erasure.begin < erasure.end) {
            Table& table = own(erasure.table);
            table.erase(table.lower_bound(erasure.begin), table.lower_bound(erasure.end));
        }
    }
    for (const storage::LogEntry& entry : batch.entries) {
        if (entry.value) {
            own(entry.table).insert_or_assign(entry.key, *entry.value);
        } else {
            own(entry.table).erase(entry.key);
        }
    }
}

void FaultyDisk::set_plan(const FaultPlan& plan) {
    const MutexLock lock(mutex_);
    if (plan.forgets_unsynced && !plan_.forgets_unsynced) {
        durable_ = tables_;
        unsynced_.clear();
    }
    plan_ = plan;
    random_.seed(plan.seed);
}

void FaultyDisk::wipe() {
    const MutexLock lock(mutex_);
    tables_ = no_entries();
    durable_ = no_entries();
    unsynced_.clear();
    damaged_.clear();
    fault_ = Fault::kNone;
    plan_ = FaultPlan{};
}

void FaultyDisk::put(storage::LogTable table, const std::string& key, const std::string& value) {
    const MutexLock lock(mutex_);
    storage::LogBatch batch;
    batch.entries.push_back({table, key, value});
    apply(tables_, batch);
    apply(durable_, batch);
}

void FaultyDisk::turn_bit(storage::LogTable table, const std::string& key, std::size_t bit) {
    const MutexLock lock(mutex_);
    for (Tables* tables : {&tables_, &durable_}) {
        std::shared_ptr<Table>& one = (*tables)[static_cast<std::size_t>(table)];
        const auto entry = one->find(key);
        if (entry != one->end() && !entry->second.empty()) {
            std::string value = entry->second;
            flip(value, bit % (value.size() * 8));
            storage::LogBatch batch;
            batch.entries.push_back({table, key, std::move(value)});
            apply(*tables, batch);
        }
    }
}

void FaultyDisk::power_cut() {
    const MutexLock lock(mutex_);
    std::uniform_int_distribution<std::size_t> some(0, unsynced_.size());
    unsynced_.resize(some(random_));
    for (const storage::LogBatch& batch : unsynced_) {
        apply(durable_, batch);
    }
    unsynced_.clear();
    tables_ = durable_;
}

bool FaultyDisk::chance(double probability) {
    if (probability <= 0) {
        return false;
    }
    const bool happens = std::uniform_real_distribution<double>(0, 1)(random_) < probability;
    faults_ += happens ? 1 : 0;
    return happens;
}

bool FaultyDisk::is_full(const storage::LogBatch& batch) const {
    if (plan_.bytes_max == 0) {
        return false;
    }
    std::size_t bytes = 0;
    for (const std::shared_ptr<Table>& table : tables_) {
        bytes += bytes_of(*table);
    }
    for (const storage::LogEntry& entry : batch.entries) {
        bytes += entry.value ? entry.key.size() + entry.value->size() : 0;
    }
    return bytes > plan_.bytes_max;
}

Result<void> FaultyDisk::write(const storage::LogBatch& batch, bool sync) {
    const MutexLock lock(mutex_);
    while (held_) {
        holding_ = true;
        changed_.notify_all();
        changed_.wait(mutex_);
    }
    holding_ = false;
    synced_ = sync;
    if (fault_ == Fault::kRefuse || chance(plan_.write_refused) || is_full(batch)) {
        return unavailable("no space left on device");
    }
    apply(tables_, batch);
    for (const storage::LogEntry& entry : batch.entries) {
        damaged_.erase({entry.table, entry.key});
    }
    if (plan_.forgets_unsynced) {
        unsynced_.push_back(batch);
    }
    if (fault_ == Fault::kLoseAnswer || chance(plan_.write_answer_lost)) {
        return unavailable("input/output error");
    }
    if (sync) {
        for (const storage::LogBatch& one : unsynced_) {
            apply(durable_, one);
        }
        unsynced_.clear();
    }
    return {};
}

Result<std::shared_ptr<FaultyDisk::Table>> FaultyDisk::begin_read(storage::LogTable table) {
    const MutexLock lock(mutex_);
    if (chance(plan_.read_unavailable)) {
        return unavailable("input/output error");
    }
    return table_of(table);
}

bool FaultyDisk::read_fails(double probability, storage::LogTable table, const std::string& key) {
    if (!chance(probability)) {
        return false;
    }
    const std::pair place{table, key};
    if (plan_.reads_well_again && read_wrongly_ == place) {
        read_wrongly_ = {};
        return false;
    }
    read_wrongly_ = place;
    return true;
}

Result<std::optional<std::string>> FaultyDisk::read(storage::LogTable table, const std::string& key,
                                                    const std::string& value) {
    const MutexLock lock(mutex_);
    if (damaged_.contains({table, key}) || read_fails(plan_.read_damaged, table, key)) {
        return Error{Code::kDataLoss, "block checksum mismatch"};
    }
    std::string copy = value;
    if (!copy.empty() && plan_.flipped_table.value_or(table) == table &&
        read_fails(plan_.bit_flipped, table, key)) {
        flip(copy, std::uniform_int_distribution<std::size_t>(0, copy.size() * 8 - 1)(random_));
    }
    return std::optional<std::string>(std::move(copy));
}

storage::LogOpener FaultyDisk::opener() {
    return [this](const std::string& path) -> Result<std::unique_ptr<storage::Log>> {
        const MutexLock lock(mutex_);
        const auto snapshot = snapshots_.find(path);
        FaultyDisk& disk = snapshot == snapshots_.end() ? *this : *snapshot->second;
        return std::unique_ptr<storage::Log>(std::make_unique<FaultyLog>(disk));
    };
}

Result<void> FaultyLog::scan(storage::LogTable table, std::string_view begin, std::string_view end,
                             const storage::LogVisitor& visitor) const {
    KPID_TRY(std::shared_ptr<FaultyDisk::Table> entries, disk_.begin_read(table));
    const auto visit_all = [&]() -> Result<void> {
        for (auto entry = entries->lower_bound(begin);
             entry != entries->end() && (end.empty() || entry->first < end); ++entry) {
            KPID_TRY(const auto value, disk_.read(table, entry->first, entry->second));
            KPID_TRY(const bool more, visitor(entry->first, *value));
            if (!more) {
                break;
            }
        }
        return {};
    };
    auto visited = visit_all();
    disk_.end_read(std::move(entries));
    return visited;
}

Result<std::optional<std::string>> FaultyLog::get(storage::LogTable table,
                                                  std::string_view key) const {
    KPID_TRY(std::shared_ptr<FaultyDisk::Table> entries, disk_.begin_read(table));
    const auto entry = entries->find(key);
    Result<std::optional<std::string>> value = std::optional<std::string>();
    if (entry != entries->end()) {
        value = disk_.read(table, entry->first, entry->second);
    }
    disk_.end_read(std::move(entries));
    return value;
}

Result<void> FaultyLog::snapshot(const std::string& folder) {
    const MutexLock lock(disk_.mutex_);
    if (disk_.fault_ != FaultyDisk::Fault::kNone || disk_.snapshots_.contains(folder)) {
        return unavailable("the snapshot exists, or the disk fails");
    }
    auto copy = std::make_unique<FaultyDisk>();
    for (const storage::LogTable table : storage::kLogTables) {
        for (const auto& [key, value] : *disk_.table_of(table)) {
            copy->put(table, key, value);
        }
    }
    disk_.snapshots_.emplace(folder, std::move(copy));
    return {};
}

Result<void> FaultyLog::tidy(storage::LogTable table) {
    const MutexLock lock(disk_.mutex_);
    if (!disk_.drop_rule_) {
        return {};
    }
    storage::LogBatch batch;
    for (const auto& [key, value] : *disk_.table_of(table)) {
        if (disk_.drop_rule_(table, key, value)) {
            batch.entries.push_back({table, key, std::nullopt});
        }
    }
    FaultyDisk::apply(disk_.tables_, batch);
    FaultyDisk::apply(disk_.durable_, batch);
    return {};
}

storage::LogStats FaultyLog::stats() const {
    const MutexLock lock(disk_.mutex_);
    storage::LogStats stats;
    for (std::size_t i = 0; i < storage::kLogTables.size(); ++i) {
        stats.table_bytes[i] = bytes_of(*disk_.tables_[i]);
    }
    return stats;
}

}  // namespace kpid::testing
