#pragma once
// Selections that are read again and again.

#include "kpid/model/kept_selection.h"
#include "storage/kept_window.h"
#include "storage/storage_core.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace kpid::storage {

/// Remembers the series until one comes or goes anywhere in the store, and of each the samples of
/// the last range and what came after them. A call then costs a look at each series, and what was
/// appended since.
///
/// Read as by Storage::visit() each time, and not remembered: series with rows of versions, those
/// with more than kWindowSamplesMax samples in the range, ranges that end long before the newest
/// sample, what was known at another time, and everything beyond StorageOptions::kept_samples_max.
class KeptSeriesSelection final : public model::KeptSelection {
public:
    /// The core outlives it.
    KeptSeriesSelection(const Storage::Core& core, std::vector<model::Matcher> matchers);
    ~KeptSeriesSelection() override;
    KeptSeriesSelection(const KeptSeriesSelection&) = delete;
    KeptSeriesSelection& operator=(const KeptSeriesSelection&) = delete;

    [[nodiscard]] Result<void> visit(model::TimeRange range, const model::ReadOptions& options,
                                     const model::SeriesViewVisitor& take) override;
    [[nodiscard]] std::uint64_t generation() const override { return generation_; }

    static constexpr std::size_t kWindowSamplesMax = 1024;

private:
    struct Kept {
        const MemorySeries* series = nullptr;
        SeriesId id{0};
        model::Labels labels;
        KeptWindow window;
        bool is_kept = false;  // else the window is empty and the rest means nothing
        std::uint32_t rewrites = 0;
        Timestamp complete_from;  // Nothing of the series from here to `seen` is missing.
        Timestamp seen;           // Its newest sample then, wherever it lies.
    };

    // Series that are brought up to date and then shown: few enough to stay in the processor's
    // cache.
    static constexpr std::size_t kBlock = 64;
    struct Block {
        std::array<model::TimeRange, kBlock> ranges;
        std::array<bool, kBlock> is_ready{};
    };

    // What a series and its labels take beside its samples, counted as these.
    static constexpr std::size_t kSamplesPerSeries = 40;

    [[nodiscard]] bool has_room_for(std::size_t series) const;
    void hold(std::size_t samples);
    void give_back(std::size_t samples);
    [[nodiscard]] Result<void> visit_plainly(const SeriesIndex::Selection& selection,
                                             model::TimeRange range,
                                             const model::ReadOptions& options,
                                             const model::SeriesViewVisitor& take);
    void find_series(const SeriesIndex::Selection& selection, std::uint64_t changes);
    void catch_up(std::size_t begin, std::size_t end, Block& block);
    [[nodiscard]] bool catch_up(Kept& kept, model::TimeRange range);
    [[nodiscard]] Result<void> read_anew(Kept& kept, model::TimeRange range,
                                         const model::ReadOptions& options,
                                         const model::SeriesViewVisitor& take, std::size_t place);
    [[nodiscard]] Result<void> read_plainly(const Kept& kept, model::TimeRange range,
                                            const model::ReadOptions& options, std::size_t limit);
    [[nodiscard]] bool remember(Kept& kept, model::TimeRange range, std::uint32_t rewrites,
                                Timestamp seen);
    [[nodiscard]] Result<void> show(const KeptWindow::Columns& columns, const Kept& kept,
                                    const model::ReadOptions& options,
                                    const model::SeriesViewVisitor& take, std::size_t place);
    [[nodiscard]] bool append(Kept& kept, const SampleColumns& columns);
    void forget(Kept& kept);

    const Storage::Core& core_;
    const std::vector<model::Matcher> matchers_;
    std::vector<Kept> series_;  // In order of their refs.
    bool is_found_ = false;
    std::uint64_t changes_ = 0;  // Of the index, when the series were found.
    std::uint64_t generation_ = 0;
    std::size_t held_ = 0;  // Its share of the core's kept_samples.
    SampleColumns fresh_;   // For their memory.
    model::SeriesColumns columns_;
};

}  // namespace kpid::storage
