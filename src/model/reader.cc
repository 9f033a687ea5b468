#include "kpid/model/reader.h"

#include "kpid/model/kept_selection.h"

#include <utility>

namespace kpid::model {
namespace {

// Keeps nothing but the matchers.
class VisitedSelection final : public KeptSelection {
public:
    VisitedSelection(const Reader& reader, std::vector<Matcher> matchers)
        : reader_(reader), matchers_(std::move(matchers)) {}

    Result<void> visit(TimeRange range, const ReadOptions& options,
                       const SeriesViewVisitor& take) override {
        ++generation_;
        std::size_t place = 0;
        return reader_.visit(matchers_, range, options, [&](SeriesColumns& series) {
            return take({series.labels, series.times, series.values, place++});
        });
    }
    [[nodiscard]] std::uint64_t generation() const override { return generation_; }

private:
    const Reader& reader_;
    const std::vector<Matcher> matchers_;
    std::uint64_t generation_ = 0;
};

}  // namespace

std::unique_ptr<KeptSelection> Reader::keep(std::vector<Matcher> matchers) const {
    return std::make_unique<VisitedSelection>(*this, std::move(matchers));
}

Result<void> Reader::visit(std::span<const Matcher> matchers, TimeRange range,
                           const ReadOptions& options, const SeriesVisitor& take) const {
    ReadOptions unbounded = options;
    unbounded.samples_max = ReadOptions().samples_max;
    KPID_TRY(std::vector<SeriesColumns> selected, select(matchers, range, unbounded));
    for (SeriesColumns& series : selected) {
        if (series.times.size() > options.samples_max) {
            return resource_exhausted("a series has more samples than the selection may touch");
        }
        KPID_CHECK_OK(take(series));
    }
    return {};
}

}  // namespace kpid::model
