// Rounds of series and their ends.
#include "ingest/series_book.h"

namespace kpid::ingest {

void SeriesBook::begin_round() {
    ++round_;
}

SeriesBook::Series& SeriesBook::enter(const model::Labels& labels, bool& added) {
    const auto [place, fresh] = series_.try_emplace(labels);
    if (fresh) {
        place->second.labels = &place->first;
    }
    added = fresh;
    return place->second;
}

bool SeriesBook::mark(Series& series, bool tracked) const {
    if (series.seen == round_) {
        return false;
    }
    series.seen = round_;
    series.tracked = tracked;
    return true;
}

void SeriesBook::commit(Timestamp at, std::vector<model::SeriesSample>& markers) {
    for (auto& [labels, series] : series_) {
        if (series.seen == round_) {
            series.live = series.tracked;
        } else if (series.live) {
            series.live = false;
            markers.push_back({labels, at, model::stale_marker()});
        }
    }
    forget_old();
}

void SeriesBook::fail(Timestamp at, std::vector<model::SeriesSample>& markers) {
    for (auto& [labels, series] : series_) {
        if (series.live) {
            series.live = false;
            markers.push_back({labels, at, model::stale_marker()});
        }
    }
    forget_old();
}

void SeriesBook::forget_old() {
    std::erase_if(series_, [this](const auto& entry) {
        return !entry.second.live && entry.second.seen + kRoundsKept < round_;
    });
}

}  // namespace kpid::ingest
