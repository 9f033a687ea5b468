#pragma once
// Which series a source has, so that those that go are marked stale.

#include "kpid/base/time.h"
#include "kpid/model/appender.h"
#include "kpid/model/labels.h"
#include "kpid/model/sample.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace kpid::ingest {

/// Operation: one round per poll: begin_round(), mark() for each sample, then commit() when the
/// round is good or fail() when it is not; both give stale markers for the series that ended.
/// Series that stay away for kRoundsKept rounds are forgotten. Not thread-safe: one user at a time.
class SeriesBook {
public:
    static constexpr std::uint64_t kRoundsKept = 2;

    /// One series. Its address holds until the round that forgets it.
    struct Series {
        std::uint64_t seen = 0;  ///< The newest round it was in.
        bool tracked = false;    ///< In that round: gets a stale marker when it ends.
        bool live = false;       ///< Its newest stored sample is tracked and no marker.
        const model::Labels* labels = nullptr;
        model::SeriesHandle handle = {};  ///< The storage's.
    };

    void begin_round();
    [[nodiscard]] std::uint64_t round() const { return round_; }
    /// The series with these labels; `added` is set when the book did not know it.
    [[nodiscard]] Series& enter(const model::Labels& labels, bool& added);
    /// It has a sample in this round; false when it has one already.
    [[nodiscard]] bool mark(Series& series, bool tracked) const;

    /// The round is good: markers at `at` for those that were live and were not in it.
    void commit(Timestamp at, std::vector<model::SeriesSample>& markers);
    /// The round is void: markers for all that were live.
    void fail(Timestamp at, std::vector<model::SeriesSample>& markers);
    /// The storage refused the series' sample.
    static void refuse(Series& series) { series.live = false; }

    [[nodiscard]] std::size_t size() const { return series_.size(); }

private:
    void forget_old();

    std::uint64_t round_ = 0;
    // Node-based: addresses of entries hold.
    std::unordered_map<model::Labels, Series, model::LabelsHash> series_;
};

}  // namespace kpid::ingest
