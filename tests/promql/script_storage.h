#pragma once
// What test scripts load: floats in memory, and a note of every sample of a kind that is not stored
// yet.

#include "kpid/model/reader.h"
#include "support/memory_storage.h"

namespace kpid::promql::testing {

/// A reader that refuses, as kUnsupported, whatever would see native histograms or start
/// timestamps.
class ScriptStorage final : public model::Reader {
public:
    void put(const model::Labels& labels, Timestamp time, double value) {
        floats_.put(labels, time, value);
    }
    /// This series has something at this time that floats cannot hold.
    void note_unsupported(const model::Labels& labels, Timestamp time) {
        unsupported_.put(labels, time, 0);
    }
    void clear() {
        floats_.clear();
        unsupported_.clear();
    }

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        KPID_TRY(const auto beyond, unsupported_.series(matchers, range));
        if (!beyond.empty()) {
            return unsupported("native histograms and start timestamps are not supported yet");
        }
        return floats_.select(matchers, range, options);
    }
    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return floats_.series(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return floats_.label_names(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override {
        return floats_.label_values(name, matchers, range);
    }

private:
    kpid::testing::MemoryStorage floats_;
    kpid::testing::MemoryStorage unsupported_;
};

}  // namespace kpid::promql::testing
