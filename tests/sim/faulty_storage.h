#pragma once
// A storage whose disk fails, and that outlives the process that writes to it.

#include "support/memory_storage.h"

#include <vector>

namespace kpid::testing {

/// MemoryStorage behind a disk with faults. Thread-safe.
class FaultyStorage final : public model::Appender, public model::Reader, public model::StateStore {
public:
    enum class Fault {
        kNone,
        kRefuse,      ///< Nothing is written: a full disk.
        kLoseAnswer,  ///< It is written, yet the call fails: a failed sync.
    };
    void set_fault(Fault fault) { fault_ = fault; }
    void set_observer(model::AppendObserver* observer) { observer_ = observer; }

    [[nodiscard]] Result<model::AppendResult> append(const model::AppendBatch& batch) override {
        const Fault fault = fault_;
        if (fault == Fault::kRefuse) {
            return failure();
        }
        Result<model::AppendResult> result = memory_.append(batch);
        if (fault == Fault::kLoseAnswer) {
            return failure();
        }
        if (result && observer_ != nullptr) {
            observer_->on_append(batch, *result);
        }
        return result;
    }
    void declare_kinds(const model::MetricKinds& kinds) override { memory_.declare_kinds(kinds); }
    [[nodiscard]] Result<void> write(std::span<const model::StateWrite> writes) override {
        const Fault fault = fault_;
        if (fault == Fault::kRefuse) {
            return failure();
        }
        const Result<void> written = memory_.write(writes);
        return fault == Fault::kLoseAnswer ? Result<void>(failure()) : written;
    }

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        return memory_.select(matchers, range, options);
    }
    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return memory_.series(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return memory_.label_names(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override {
        return memory_.label_values(name, matchers, range);
    }
    [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) const override {
        return memory_.get(key);
    }
    [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> scan(
        std::string_view prefix, std::size_t limit) const override {
        return memory_.scan(prefix, limit);
    }

private:
    [[nodiscard]] static Error failure() { return unavailable("the disk does not answer"); }

    MemoryStorage memory_;
    std::atomic<Fault> fault_ = Fault::kNone;
    model::AppendObserver* observer_ = nullptr;
};

}  // namespace kpid::testing
