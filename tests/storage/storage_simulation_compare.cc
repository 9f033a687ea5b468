// How the storage and its model are compared.

#include "storage/storage_simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace kpid::storage {
namespace {

std::string text_of(const model::SeriesColumns& columns, std::size_t at) {
    return fmt::format("{} at {}", columns.values[at], columns.times[at].ms());
}

std::string summary(const model::SeriesColumns& columns) {
    return fmt::format("{} with {} samples, the first {}", columns.labels.to_string(),
                       columns.times.size(), text_of(columns, 0));
}

// Where two answers part, for people.
std::string difference(const model::SeriesColumns& got, const model::SeriesColumns& want) {
    std::size_t at = 0;
    while (at < got.times.size() && at < want.times.size() && got.times[at] == want.times[at] &&
           same_value(got.values[at], want.values[at])) {
        ++at;
    }
    return fmt::format("{}: of {} and {} samples number {} is {}, not {}", got.labels.to_string(),
                       got.times.size(), want.times.size(), at,
                       at < got.times.size() ? text_of(got, at) : "missing",
                       at < want.times.size() ? text_of(want, at) : "there");
}

}  // namespace

bool StorageSimulation::same(const std::vector<model::SeriesColumns>& got,
                             const std::vector<model::SeriesColumns>& want,
                             const std::string& what) const {
    if (std::equal(got.begin(), got.end(), want.begin(), want.end(), equal)) {
        return true;
    }
    std::string text;
    for (std::size_t i = 0; i < std::max(got.size(), want.size()) && text.empty(); ++i) {
        if (i >= got.size() || i >= want.size() || got[i].labels != want[i].labels) {
            text = fmt::format("{}, not {}", i < got.size() ? summary(got[i]) : "no series",
                               i < want.size() ? summary(want[i]) : "no series");
        } else if (!equal(got[i], want[i])) {
            text = difference(got[i], want[i]);
        }
    }
    ADD_FAILURE() << what << ": " << text;
    return false;
}

void StorageSimulation::compare_some() {
    const std::vector<model::Matcher> matchers = some_matchers();
    const model::TimeRange range = some_range();
    std::optional<Timestamp> known_at;
    if (once_in(3)) {
        known_at = some_time(now_ - options_.retention, now_);
    }
    const std::vector<model::SeriesColumns> want = model_->select(matchers, range, known_at);
    std::size_t count = 0;
    for (const model::SeriesColumns& columns : want) {
        count += columns.times.size();
    }
    const bool is_bounded = once_in(5);
    const std::size_t limit =
        is_bounded ? pick(2 * count + 2) : std::numeric_limits<std::size_t>::max();
    const auto got =
        storage_->select(matchers, range, {.samples_max = limit, .known_at = known_at});
    if (!got && got.error().code == Code::kUnavailable) {
        return;
    }
    const std::string what =
        fmt::format("from {} to {} known at {}", range.start.ms(), range.end.ms(),
                    known_at ? std::to_string(known_at->ms()) : "the end");
    if (!got) {
        EXPECT_EQ(got.error().code, Code::kResourceExhausted) << got.error().message;
        // Rows that are not known yet, or not any more, count too.
        EXPECT_TRUE(is_bounded) << what << ": " << got.error().message;
        return;
    }
    EXPECT_LE(count, limit) << what;
    (void)same(*got, want, what);
    compare_names(matchers, range);
}

// A few selections live long, and are asked for ranges that mostly move forward.
void StorageSimulation::compare_kept() {
    constexpr std::size_t kKeptMax = 4;
    if (kept_.size() < kKeptMax) {
        KeptRead read{.matchers = some_matchers(), .span = interval_ * (1 + pick(1500))};
        read.selection = storage_->keep(read.matchers);
        kept_.push_back(std::move(read));
    } else if (once_in(50)) {
        kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(pick(kept_.size())));
        return;
    }
    KeptRead& read = kept_[pick(kept_.size())];
    const Timestamp end = now_ + interval_ * static_cast<std::int64_t>(pick(3));
    const model::TimeRange range =
        once_in(8) ? some_range() : model::TimeRange{end - read.span, end};
    std::vector<model::SeriesColumns> got;
    std::set<std::size_t> places;
    const auto visited = read.selection->visit(
        range, {}, [&got, &places](const model::SeriesView& series) -> Result<void> {
            EXPECT_TRUE(places.insert(series.place).second);
            got.push_back({series.labels,
                           {series.times.begin(), series.times.end()},
                           {series.values.begin(), series.values.end()}});
            return {};
        });
    if (!visited) {
        EXPECT_EQ(visited.error().code, Code::kUnavailable) << visited.error().message;
        return;
    }
    std::sort(got.begin(), got.end(),
              [](const auto& a, const auto& b) { return a.labels < b.labels; });
    (void)same(got, model_->select(read.matchers, range),
               fmt::format("kept, from {} to {}", range.start.ms(), range.end.ms()));
}

void StorageSimulation::compare_names(std::span<const model::Matcher> matchers,
                                      model::TimeRange range) {
    const auto got = storage_->series(matchers, range);
    ASSERT_TRUE(got.has_value());
    // To the store's precision: it may name more.
    for (const model::SeriesColumns& columns : model_->select(matchers, range)) {
        EXPECT_TRUE(std::binary_search(got->begin(), got->end(), columns.labels))
            << columns.labels.to_string();
    }
    for (const model::Labels& labels : *got) {
        EXPECT_TRUE(model::matches_all(matchers, labels) && model_->series.contains(labels))
            << labels.to_string();
    }
    const auto jobs = storage_->label_values("job", matchers, range);
    std::set<std::string> want;
    for (const model::Labels& labels : *got) {
        want.emplace(labels.get("job"));
    }
    EXPECT_EQ(*jobs, std::vector<std::string>(want.begin(), want.end()));
}

void StorageSimulation::compare_all(const Storage& storage) {
    const auto got = storage.select({}, {}, {});
    ASSERT_TRUE(got.has_value()) << got.error().message;
    if (!same(*got, model_->select({}, {}), "all")) {
        return;
    }
    const Timestamp known_at = some_time(now_ - options_.retention, now_);
    const auto known = storage.select({}, {}, {.known_at = known_at});
    ASSERT_TRUE(known.has_value()) << known.error().message;
    (void)same(*known, model_->select({}, {}, known_at), fmt::format("known at {}", known_at.ms()));
}

// What is counted up and down must not pass below zero.
void StorageSimulation::compare_stats() {
    constexpr std::uint64_t kMuch = std::uint64_t{1} << 40U;
    const StorageStats stats = storage_->stats();
    EXPECT_LT(stats.samples_in_memory, kMuch);
    EXPECT_LT(stats.sample_bytes_in_memory, kMuch);
    EXPECT_LT(stats.sealed_bytes_in_memory, kMuch);
    EXPECT_LE(stats.sealed_bytes_in_memory, stats.sample_bytes_in_memory);
    EXPECT_EQ(stats.read_failures_total, 0U);
    EXPECT_EQ(stats.quarantined_total, 0U);
}

}  // namespace kpid::storage
