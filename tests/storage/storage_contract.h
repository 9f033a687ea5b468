#pragma once
// What every implementation of model's storage interfaces promises. Instantiate with a Maker: a
// type with `make()`, which gives an object that is Appender, Reader and StateStore at once.

#include "kpid/model/sample.h"
#include "storage/storage_fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <utility>

namespace kpid::storage {

template <class Maker>
class StorageContract : public ::testing::Test {
protected:
    using Lines = std::vector<std::string>;
    Maker maker_;
    decltype(maker_.make()) storage_ = maker_.make();
};
TYPED_TEST_SUITE_P(StorageContract);

inline Timestamp at(int milliseconds) {
    return kNow + Duration(milliseconds);
}

TYPED_TEST_P(StorageContract, ReadsWhatWasAppendedInOrderOfLabelsAndTime) {
    const auto result = append_to(
        *this->storage_,
        {sample_of("b", at(0), 1), sample_of("a", at(-5), 3), sample_of("a", at(-10), 2)});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->accepted, 3U);
    EXPECT_TRUE(result->rejected.empty());
    EXPECT_EQ(read_all(*this->storage_), (Lines{"a -10 2", "a -5 3", "b 0 1"}));
}

TYPED_TEST_P(StorageContract, InsertsALateSampleInItsPlace) {
    ASSERT_TRUE(append_to(*this->storage_, {sample_of("a", at(-9), 1)}).has_value());
    ASSERT_TRUE(append_to(*this->storage_, {sample_of("a", at(-3), 3)}).has_value());
    ASSERT_TRUE(append_to(*this->storage_, {sample_of("a", at(-6), 2), sample_of("a", at(-12), 0)})
                    .has_value());
    EXPECT_EQ(read_all(*this->storage_), (Lines{"a -12 0", "a -9 1", "a -6 2", "a -3 3"}));
}

TYPED_TEST_P(StorageContract, AcceptsARepetitionAndRefusesAnotherValue) {
    ASSERT_TRUE(append_to(*this->storage_, {sample_of("a", at(0), 1)}).has_value());
    const auto result =
        append_to(*this->storage_, {sample_of("a", at(0), 1), sample_of("a", at(0), 2)});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->accepted, 1U);
    ASSERT_EQ(result->rejected.size(), 1U);
    EXPECT_EQ(result->rejected[0].index, 1U);
    EXPECT_EQ(result->rejected[0].reason, model::RejectReason::kDuplicateTimestamp);
    EXPECT_EQ(read_all(*this->storage_), (Lines{"a 0 1"}));
}

TYPED_TEST_P(StorageContract, KeepsTheFirstOfTwoValuesInOneBatch) {
    const auto result =
        append_to(*this->storage_, {sample_of("a", at(0), 7), sample_of("a", at(-1), 1),
                                    sample_of("a", at(0), 8), sample_of("a", at(0), 7)});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->accepted, 3U);
    ASSERT_EQ(result->rejected.size(), 1U);
    EXPECT_EQ(result->rejected[0].index, 2U);
    EXPECT_EQ(read_all(*this->storage_), (Lines{"a -1 1", "a 0 7"}));
}

TYPED_TEST_P(StorageContract, ComparesAndKeepsValuesBitwise) {
    const double stale = model::stale_marker();
    const double nan = std::bit_cast<double>(model::kNormalNanBits);
    ASSERT_TRUE(append_to(*this->storage_, {sample_of("a", at(0), stale),
                                            sample_of("a", at(1), nan), sample_of("a", at(2), 0.0)})
                    .has_value());
    const auto result = append_to(
        *this->storage_,
        {sample_of("a", at(0), stale), sample_of("a", at(1), stale), sample_of("a", at(2), -0.0)});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->accepted, 1U);
    EXPECT_EQ(result->rejected.size(), 2U);
    EXPECT_EQ(read_all(*this->storage_),
              (Lines{"a 0 7ff0000000000002", "a 1 7ff8000000000001", "a 2 0"}));
}

TYPED_TEST_P(StorageContract, SelectsByMatchersAndRange) {
    const auto series = [](std::string_view name, std::string_view job, int time) {
        return model::SeriesSample{{{model::kMetricName, name}, {"job", job}}, at(time), 1};
    };
    ASSERT_TRUE(append_to(*this->storage_, {series("up", "a", 0), series("up", "b", 1),
                                            series("up", "", 2), series("down", "a", 3)})
                    .has_value());
    struct Case {
        std::string name;
        model::MatchType type;
        std::string label;
        std::string value;
        Lines want;
    };
    const std::vector<Case> cases{
        {"equal",
         model::MatchType::kEqual,
         "job",
         "a",
         {R"(down{job="a"} 3 1)", R"(up{job="a"} 0 1)"}},
        {"absent", model::MatchType::kEqual, "job", "", {"up 2 1"}},
        {"not equal", model::MatchType::kNotEqual, "job", "a", {"up 2 1", R"(up{job="b"} 1 1)"}},
        {"regexp", model::MatchType::kRegexp, "__name__", "d.*|x", {R"(down{job="a"} 3 1)"}},
        {"regexp of the absent",
         model::MatchType::kRegexp,
         "job",
         "b|",
         {"up 2 1", R"(up{job="b"} 1 1)"}},
        {"not regexp", model::MatchType::kNotRegexp, "job", "a|", {R"(up{job="b"} 1 1)"}},
        {"unknown value", model::MatchType::kEqual, "job", "z", {}},
        {"unknown label", model::MatchType::kRegexp, "nothing", ".+", {}},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const auto matcher = model::Matcher::make(one.type, one.label, one.value);
        ASSERT_TRUE(matcher.has_value());
        EXPECT_EQ(read_all(*this->storage_, {*matcher}), one.want);
    }
    EXPECT_EQ(read_all(*this->storage_, {model::Matcher::equal("__name__", "up"),
                                         model::Matcher::equal("job", "b")}),
              (Lines{R"(up{job="b"} 1 1)"}));
    EXPECT_EQ(read_all(*this->storage_, {}, {at(1), at(2)}),
              (Lines{"up 2 1", R"(up{job="b"} 1 1)"}));
    EXPECT_EQ(read_all(*this->storage_, {}, {at(2), at(1)}), Lines{});
}

TYPED_TEST_P(StorageContract, VisitsWhatItSelects) {
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(append_to(*this->storage_, {sample_of(fmt::format("m{}", i % 7), at(i), i)}));
    }
    const std::vector<model::Matcher> matchers{
        *model::Matcher::make(model::MatchType::kRegexp, model::kMetricName, "m[1-5]")};
    const model::TimeRange range{at(3), at(37)};
    const auto selected = this->storage_->select(matchers, range, {});
    ASSERT_TRUE(selected.has_value());
    std::map<model::Labels, std::pair<std::vector<Timestamp>, std::vector<double>>> visited;
    const auto take = [&visited](model::SeriesColumns& series) -> Result<void> {
        const bool is_first =
            visited.try_emplace(series.labels, series.times, series.values).second;
        return is_first ? Result<void>() : internal_error("twice");
    };
    ASSERT_TRUE(this->storage_->visit(matchers, range, {.samples_max = 6}, take).has_value());
    ASSERT_EQ(visited.size(), selected->size());
    for (const model::SeriesColumns& series : *selected) {
        EXPECT_EQ(visited[series.labels].first, series.times);
        EXPECT_EQ(visited[series.labels].second, series.values);
    }
    const auto stop = [](model::SeriesColumns&) -> Result<void> { return invalid_argument("no"); };
    EXPECT_EQ(this->storage_->visit(matchers, range, {}, stop).error().code,
              Code::kInvalidArgument);
}

TYPED_TEST_P(StorageContract, RefusesAnAnswerAboveTheLimitOfSamples) {
    ASSERT_TRUE(append_to(*this->storage_, {sample_of("a", at(0), 1), sample_of("a", at(1), 1),
                                            sample_of("b", at(0), 1)})
                    .has_value());
    EXPECT_TRUE(this->storage_->select({}, {}, {.samples_max = 3}).has_value());
    const auto refused = this->storage_->select({}, {}, {.samples_max = 2});
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
}

TYPED_TEST_P(StorageContract, ListsSeriesLabelNamesAndValues) {
    const model::Labels a{{model::kMetricName, "up"}, {"job", "z"}};
    const model::Labels b{{model::kMetricName, "up"}, {"zone", "x"}, {"job", "y"}};
    ASSERT_TRUE(append_to(*this->storage_, {{a, at(0), 1}, {b, at(9), 1}}).has_value());
    const auto series = this->storage_->series({}, {});
    ASSERT_TRUE(series.has_value());
    EXPECT_EQ(*series, (std::vector<model::Labels>{b, a}));
    EXPECT_EQ(*this->storage_->label_names({}, {}), (Lines{"__name__", "job", "zone"}));
    EXPECT_EQ(*this->storage_->label_values("job", {}, {}), (Lines{"y", "z"}));
    EXPECT_EQ(*this->storage_->label_values("none", {}, {}), Lines{});
    const std::vector<model::Matcher> matchers{model::Matcher::equal("job", "z")};
    EXPECT_EQ(*this->storage_->label_names(matchers, {}), (Lines{"__name__", "job"}));
    EXPECT_EQ(*this->storage_->label_values("job", {}, {at(5), at(10)}), (Lines{"y"}));
}

TYPED_TEST_P(StorageContract, KeepsStateInOrderOfKeys) {
    const std::vector<model::StateWrite> writes{
        {"t/b", "2"}, {"t/a", "1"}, {"t/c", "3"}, {"u/a", ""}, {"t/b", std::nullopt}};
    ASSERT_TRUE(this->storage_->write(writes).has_value());
    EXPECT_EQ(*this->storage_->get("t/a"), "1");
    EXPECT_EQ(*this->storage_->get("t/b"), std::nullopt);
    EXPECT_EQ(*this->storage_->get("u/a"), "");
    using Entries = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(*this->storage_->scan("t/", 10), (Entries{{"t/a", "1"}, {"t/c", "3"}}));
    EXPECT_EQ(*this->storage_->scan("t/", 1), (Entries{{"t/a", "1"}}));
    EXPECT_EQ(*this->storage_->scan("x", 10), Entries{});
}

TYPED_TEST_P(StorageContract, StoresAllOfABatchOrNothingWhereThatIsAsked) {
    auto& storage = *this->storage_;
    const auto append_whole = [&](std::vector<model::SeriesSample> samples) {
        const std::vector<model::StateWrite> state{{"key", "value"}};
        return storage
            .append({.samples = samples, .state = state, .now = kNow, .all_or_nothing = true})
            .value();
    };
    ASSERT_TRUE(append_to(storage, {sample_of("a", kNow, 1)}));
    // Against what is stored, and within the batch.
    for (const std::string_view clash : {"a", "b"}) {
        SCOPED_TRACE(clash);
        const model::AppendResult refused = append_whole(
            {sample_of("b", kNow, 1), sample_of("c", kNow, 1), sample_of(clash, kNow, 2)});
        EXPECT_EQ(refused.accepted, 0U);
        ASSERT_EQ(refused.rejected.size(), 1U);
        EXPECT_EQ(refused.rejected[0].index, 2U);
        EXPECT_EQ(read_all(storage), Lines{"a 0 1"});
        EXPECT_EQ(storage.get("key").value(), std::nullopt);
        EXPECT_EQ(storage.series({}, {}).value().size(), 1U);
    }
    EXPECT_EQ(append_whole({sample_of("b", kNow, 1), sample_of("a", kNow, 1)}).accepted, 2U);
    EXPECT_EQ(read_all(storage), (Lines{"a 0 1", "b 0 1"}));
    EXPECT_EQ(storage.get("key").value(), "value");
}

TYPED_TEST_P(StorageContract, StoresTheStateOfABatchWithItsSamples) {
    const auto result =
        append_to(*this->storage_, {sample_of("a", at(0), 1)}, {{"t/key", "value"}});
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(read_all(*this->storage_), (Lines{"a 0 1"}));
    EXPECT_EQ(*this->storage_->get("t/key"), "value");
}

TYPED_TEST_P(StorageContract, HandlesLeadToTheirSeries) {
    std::vector<model::SeriesHandle> handles(3);
    for (int round = 0; round < 3; ++round) {
        std::vector<model::SeriesSample> samples{sample_of("a", at(round), 10 + round),
                                                 sample_of("b", at(round), 20 + round),
                                                 sample_of("c", at(round), 30 + round)};
        // The order may change, and not all need be known.
        std::rotate(samples.begin(), samples.begin() + round, samples.end());
        std::rotate(handles.begin(), handles.begin() + (round == 0 ? 0 : 1), handles.end());
        handles[static_cast<std::size_t>(round)] = {};
        const auto result =
            this->storage_->append({.samples = samples, .handles = handles, .now = kNow});
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ(result->accepted, 3U);
        for (const model::SeriesHandle& handle : handles) {
            EXPECT_NE(handle, model::SeriesHandle());
        }
    }
    EXPECT_EQ(read_all(*this->storage_), (Lines{"a 0 10", "a 1 11", "a 2 12", "b 0 20", "b 1 21",
                                                "b 2 22", "c 0 30", "c 1 31", "c 2 32"}));
}

REGISTER_TYPED_TEST_SUITE_P(StorageContract, HandlesLeadToTheirSeries, VisitsWhatItSelects,
                            StoresAllOfABatchOrNothingWhereThatIsAsked,
                            ReadsWhatWasAppendedInOrderOfLabelsAndTime,
                            InsertsALateSampleInItsPlace, AcceptsARepetitionAndRefusesAnotherValue,
                            KeepsTheFirstOfTwoValuesInOneBatch, ComparesAndKeepsValuesBitwise,
                            SelectsByMatchersAndRange, RefusesAnAnswerAboveTheLimitOfSamples,
                            ListsSeriesLabelNamesAndValues, KeepsStateInOrderOfKeys,
                            StoresTheStateOfABatchWithItsSamples);

}  // namespace kpid::storage
