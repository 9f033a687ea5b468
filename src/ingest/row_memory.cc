// Compares the rows of a round with those of the round before.
#include "ingest/row_memory.h"

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

namespace kpid::ingest {

RowMemory::RowMemory(model::MetricKinds kinds, model::MetricKind otherwise)
    : kinds_(std::move(kinds)), otherwise_(otherwise) {
}

bool RowMemory::is_event(const model::Labels& labels) const {
    const auto declared = kinds_.find(labels.metric_name());
    const model::MetricKind kind = declared != kinds_.end() ? declared->second : otherwise_;
    return kind == model::MetricKind::kEvent;
}

// Rows are in order of time. The number of those that went.
std::size_t RowMemory::keep_last_of_each_instant(std::vector<Row>& rows) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + 1 == rows.size() || rows[i + 1].time != rows[i].time) {
            rows[kept++] = rows[i];
        }
    }
    const std::size_t went = rows.size() - kept;
    rows.resize(kept);
    return went;
}

// Both are in order of time; each known row stands for one row of this round.
void RowMemory::add_news(const model::Labels& labels, std::vector<Row>& rows,
                         std::vector<Row> known, News& news) {
    std::size_t from = 0;
    for (Row& row : rows) {
        while (from < known.size() && known[from].time < row.time) {
            ++from;
        }
        bool is_known = false;
        for (std::size_t i = from; i < known.size() && known[i].time == row.time && !is_known;
             ++i) {
            is_known = std::bit_cast<std::uint64_t>(known[i].value) ==
                       std::bit_cast<std::uint64_t>(row.value);
            if (is_known) {
                std::swap(known[i], known[from]);
                ++from;
            }
        }
        if (!is_known) {
            row.news = news.samples.size();
            news.samples.push_back({labels, row.time, row.value});
        }
    }
}

std::map<std::string, model::TimeRange> RowMemory::unknown_events(
    std::span<const model::SeriesSample> rows) const {
    std::map<std::string, model::TimeRange> ranges;
    for (const model::SeriesSample& row : rows) {
        const std::string_view metric = row.labels.metric_name();
        if (!is_event(row.labels) || recalled_.contains(metric)) {
            continue;
        }
        const model::TimeRange here{row.time, row.time};
        model::TimeRange& range = ranges.try_emplace(std::string(metric), here).first->second;
        range.start = std::min(range.start, row.time);
        range.end = std::max(range.end, row.time);
    }
    return ranges;
}

void RowMemory::recall(const std::string& metric, std::span<const model::SeriesColumns> stored) {
    recalled_.insert(metric);
    for (const model::SeriesColumns& series : stored) {
        std::vector<Row>& rows = known_[series.labels];
        rows.clear();
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            rows.push_back({series.times[i], series.values[i], std::nullopt});
        }
    }
}

RowMemory::News RowMemory::begin(std::span<const model::SeriesSample> rows, Timestamp at) {
    News news;
    round_.clear();
    for (const model::SeriesSample& row : rows) {
        round_[row.labels].push_back({row.time, row.value, std::nullopt});
    }
    const bool repeats = repeated_at_ == Timestamp::min() || at - repeated_at_ >= kRepeatAfter;
    if (repeats) {
        repeated_at_ = at;
    }
    for (auto& [labels, series] : round_) {
        std::stable_sort(series.begin(), series.end(),
                         [](const Row& a, const Row& b) { return a.time < b.time; });
        const bool event = is_event(labels);
        if (!event) {
            news.repeated += keep_last_of_each_instant(series);
        }
        const auto known = known_.find(labels);
        const bool compares = known != known_.end() && (event || !repeats);
        add_news(labels, series, compares ? std::move(known->second) : std::vector<Row>(), news);
    }
    known_.clear();
    return news;
}

void RowMemory::commit(const std::vector<model::Rejection>& rejected) {
    std::vector<std::size_t> refused;
    refused.reserve(rejected.size());
    for (const model::Rejection& rejection : rejected) {
        refused.push_back(rejection.index);  // In order.
    }
    remember([&refused](std::size_t news) {
        return std::binary_search(refused.begin(), refused.end(), news);
    });
}

void RowMemory::undo() {
    remember([](std::size_t) { return true; });
}

template <class WasRefused>
void RowMemory::remember(const WasRefused& was_refused) {
    std::size_t count = 0;
    for (auto& [labels, series] : round_) {
        std::erase_if(series, [&](const Row& row) { return row.news && was_refused(*row.news); });
        count += series.size();
        if (count > kRowsMax) {
            series.clear();
        }
        for (Row& row : series) {
            row.news.reset();
        }
    }
    known_ = std::exchange(round_, {});
}

}  // namespace kpid::ingest
