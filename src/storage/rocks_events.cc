// What RocksDB's own threads call.

#include "storage/rocks_events.h"

namespace kpid::storage {
namespace {

class DropFilter final : public rocksdb::CompactionFilter {
public:
    DropFilter(LogTable table, std::shared_ptr<const LogDropRule> rule)
        : table_(table), rule_(std::move(rule)) {}

    bool Filter(int /*level*/, const rocksdb::Slice& key, const rocksdb::Slice& value,
                std::string* /*new_value*/, bool* /*value_changed*/) const override {
        return (*rule_)(table_, key.ToStringView(), value.ToStringView());
    }
    [[nodiscard]] const char* Name() const override { return "kpid.drop"; }

private:
    const LogTable table_;
    const std::shared_ptr<const LogDropRule> rule_;
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> RocksDropFilterFactory::CreateCompactionFilter(
    const rocksdb::CompactionFilter::Context& /*context*/) {
    std::shared_ptr<const LogDropRule> rule = rule_->get();
    if (rule == nullptr || !*rule) {
        return nullptr;
    }
    return std::make_unique<DropFilter>(table_, std::move(rule));
}

void RocksEvents::OnBackgroundError(rocksdb::BackgroundErrorReason reason,
                                    rocksdb::Status* status) {
    ++counters_->background_errors_total;
    if (reason == rocksdb::BackgroundErrorReason::kCompaction && status->IsCorruption()) {
        *status = rocksdb::Status::OK();
    }
}

void RocksEvents::OnCompactionCompleted(rocksdb::DB* /*database*/,
                                        const rocksdb::CompactionJobInfo& job) {
    counters_->compaction_written_bytes_total += job.stats.total_output_bytes;
    if (!job.status.IsCorruption()) {
        return;
    }
    for (std::size_t i = 0; i < kLogTables.size(); ++i) {
        if (job.cf_name == to_string(kLogTables[i])) {
            counters_->damaged_tables |= 1U << i;
        }
    }
}

}  // namespace kpid::storage
