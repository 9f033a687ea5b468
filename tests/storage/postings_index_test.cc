#include "storage/postings_index.h"

#include "storage/postings_index_fixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>

namespace kpid::storage {
namespace {

using Texts = std::vector<std::string>;
using Counts = std::vector<PostingsIndex::Count>;

TEST_F(PostingsIndexTest, AddsASetOnce) {
    const model::Labels labels{{"__name__", "up"}, {"job", "api"}};
    const SeriesRef ref = add(labels);
    EXPECT_EQ(add(labels), ref);
    EXPECT_EQ(index_.size(), 1U);
    EXPECT_EQ(index_.labels(ref), labels);
    EXPECT_EQ(index_.id(ref), SeriesId(1));
    EXPECT_EQ(index_.find(labels), ref);
    EXPECT_EQ(index_.find(labels.with("job", "web")), std::nullopt);
    EXPECT_EQ(index_.find(labels.without("job")), std::nullopt);
}

TEST_F(PostingsIndexTest, HashesAsLabelSetsDo) {
    const model::Labels large{{"a", std::string(3000, 'x')}, {"b", "y"}};
    for (const model::Labels& labels : {model::Labels(), model::Labels{{"a", "b"}}, large}) {
        EXPECT_EQ(hash_labels(views_of(labels)), labels.hash());
    }
}

TEST_F(PostingsIndexTest, RefusesSetsThatAreNotInOrder) {
    const std::vector<std::vector<LabelView>> bad{
        {{"b", "1"}, {"a", "1"}}, {{"a", "1"}, {"a", "2"}}, {{"a", ""}}};
    for (const auto& labels : bad) {
        const auto added = index_.add({.labels = labels, .hash = 1, .id = SeriesId(1)});
        ASSERT_FALSE(added.has_value());
        EXPECT_EQ(added.error().code, Code::kInvalidArgument);
    }
    EXPECT_EQ(index_.size(), 0U);
}

TEST_F(PostingsIndexTest, AFailedAddLeavesNothingBehind) {
    const std::string large(RecordArena::kRecordBytesMax + 1, 'x');
    const std::vector<LabelView> labels{{"a", "1"}, {"b", large}};
    const auto before = index_.bytes();
    const auto added = index_.add({.labels = labels, .hash = 1, .id = SeriesId(1)});
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().code, Code::kResourceExhausted);
    EXPECT_EQ(index_.size(), 0U);
    EXPECT_TRUE(index_.label_names({}).strings.empty());
    EXPECT_LE(index_.bytes().total(), before.total() + 4096);
    EXPECT_EQ(add({{"a", "1"}}).value(), 0U);
}

// Two hashes that the table of hashes cannot tell apart.
std::pair<std::uint64_t, std::uint64_t> colliding_hashes() {
    std::mt19937_64 random(1);
    std::map<TagTable::Tag, std::uint64_t> seen;
    while (true) {
        const std::uint64_t hash = random();
        const auto [place, is_new] = seen.emplace(TagTable::tag_of(hash), hash);
        if (!is_new) {
            return {place->second, hash};
        }
    }
}

TEST_F(PostingsIndexTest, ACollisionNeverMixesTwoSeries) {
    const auto [hash, other] = colliding_hashes();
    std::vector<SeriesRef> refs;
    for (std::size_t i = 0; i < 50; ++i) {
        refs.push_back(add({{"i", std::to_string(i)}}, i % 2 == 0 ? hash : other));
    }
    EXPECT_EQ(index_.size(), 50U);
    const auto find = [this, any = hash](std::size_t i) {
        const std::string value = std::to_string(i);
        const std::vector<LabelView> labels{{"i", value}};
        return index_.find(labels, any);
    };
    for (std::size_t i = 0; i < 50; ++i) {
        EXPECT_EQ(find(i), refs[i]);
    }
    EXPECT_EQ(find(50), std::nullopt);
    remove_and_release(refs[20]);
    EXPECT_EQ(find(20), std::nullopt);
    EXPECT_EQ(find(21), refs[21]);
}

TEST_F(PostingsIndexTest, FindsByRawEncodingsThatAreVerified) {
    const SeriesRef a = add({{"n", "a"}});
    const SeriesRef b = add({{"n", "b"}});
    constexpr std::uint64_t kRaw = 7;
    // Two encodings with one hash.
    EXPECT_TRUE(index_.add_alias(a, kRaw));
    EXPECT_TRUE(index_.add_alias(a, kRaw));
    EXPECT_TRUE(index_.add_alias(b, kRaw));
    const auto find = [this](std::string_view value) {
        return index_.find_if(
            kRaw, [value](const StoredLabels& stored) { return stored.get("n") == value; });
    };
    EXPECT_EQ(find("a"), a);
    EXPECT_EQ(find("b"), b);
    EXPECT_EQ(find("c"), std::nullopt);
    EXPECT_TRUE(index_.add_alias(a, kRaw + 1));
    EXPECT_FALSE(index_.add_alias(a, kRaw + 2));
    remove_and_release(a);
    EXPECT_EQ(find("a"), std::nullopt);
    EXPECT_EQ(find("b"), b);
}

TEST_F(PostingsIndexTest, FindsManyAtOnce) {
    constexpr std::size_t kCount = 3000;
    std::vector<model::Labels> sets;
    std::vector<std::uint64_t> hashes;
    for (std::size_t i = 0; i < kCount; ++i) {
        sets.push_back({{"__name__", "m"}, {"i", std::to_string(i)}});
        hashes.push_back(sets.back().hash());
        if (i % 3 != 0) {
            add(sets.back());
        }
    }
    std::size_t next = 0;
    index_.find_all(
        hashes,
        [&sets](std::size_t i, std::span<const LabelView> stored) {
            return stored[1].value == sets[i].get("i");
        },
        [&](std::size_t i, std::optional<SeriesRef> ref) {
            EXPECT_EQ(i, next++);
            EXPECT_EQ(ref.has_value(), i % 3 != 0);
            EXPECT_EQ(ref, index_.find(sets[i]));
        });
    EXPECT_EQ(next, kCount);
}

TEST_F(PostingsIndexTest, AddsManyAtOnce) {
    const std::vector<LabelView> first{{"a", "1"}};
    const std::vector<LabelView> bad{{"a", ""}};
    std::vector<PostingsIndex::NewSeries> series;
    for (int i = 0; i < 200; ++i) {
        series.push_back({.labels = i == 150 ? bad : first, .hash = 1, .id = SeriesId(9)});
    }
    std::vector<Result<PostingsIndex::Added>> added(series.size());
    index_.add_all(series, added);
    EXPECT_TRUE(added[0]->is_new);
    EXPECT_FALSE(added[199]->is_new);
    EXPECT_EQ(added[199]->ref, added[0]->ref);
    EXPECT_FALSE(added[150].has_value());
    EXPECT_EQ(index_.size(), 1U);
}

TEST_F(PostingsIndexTest, RemovedSeriesAreReadableUntilReleased) {
    const model::Labels labels{{"job", "api"}};
    const SeriesRef ref = add(labels);
    remove(ref);
    EXPECT_EQ(index_.remove({&ref, 1}), 0U);
    EXPECT_EQ(index_.find(labels), std::nullopt);
    EXPECT_TRUE(index_.resolve({}).empty());
    EXPECT_TRUE(index_.label_values("job", {}).strings.empty());
    EXPECT_TRUE(index_.label_names({}).strings.empty());
    EXPECT_EQ(index_.labels(ref), labels);
    // A new series with these labels is another one.
    const SeriesRef again = add(labels);
    EXPECT_NE(again, ref);
    index_.release({&ref, 1});
    EXPECT_EQ(index_.labels(again), labels);
    EXPECT_EQ(add({{"job", "web"}}), ref);
}

TEST_F(PostingsIndexTest, ReadersKeepNumbersFromBeingUsedAgain) {
    const SeriesRef ref = add({{"job", "api"}});
    {
        const PostingsIndex::Pin pin = index_.pin();
        remove_and_release(ref);
        EXPECT_EQ(index_.reclaim(), 1U);
        EXPECT_EQ(index_.labels(ref).get("job"), "api");
        EXPECT_NE(add({{"job", "web"}}), ref);
        // One that began after the release holds nothing back.
        const PostingsIndex::Pin later = index_.pin();
    }
    EXPECT_EQ(index_.reclaim(), 0U);
    EXPECT_EQ(add({{"job", "db"}}), ref);
}

class PostingsIndexMatchers : public PostingsIndexTest {
protected:
    PostingsIndexMatchers() {
        for (const char* job : {"api", "web", ""}) {
            for (int i = 1; i <= 3; ++i) {
                add({{"__name__", "up"}, {"job", job}, {"host", fmt::format("h{}", i)}});
            }
        }
        add({{"__name__", "down"}, {"job", "api"}});
    }
};

TEST_F(PostingsIndexMatchers, ResolvesAsPrometheusDoes) {
    const std::vector<std::vector<model::Matcher>> cases{
        {},
        {equal("__name__", "up")},
        {equal("__name__", "up"), equal("job", "web")},
        {equal("__name__", "none")},
        {equal("none", "x")},
        {equal("none", "")},
        {equal("job", "")},
        {not_equal("job", "")},
        {not_equal("job", "api")},
        {not_equal("none", "x")},
        {not_equal("none", "")},
        {like("job", "api|web")},
        {like("job", "api|")},
        {like("job", "")},
        {like("job", ".*")},
        {like("job", ".+")},
        {like("job", "a.*")},
        {like("job", "ap")},
        {like("job", "(a.*)?")},
        {like("host", "h[12]"), unlike("host", "h2")},
        {unlike("job", "api|web")},
        {unlike("job", "api|")},
        {unlike("job", "")},
        {unlike("job", ".*")},
        {unlike("job", ".+")},
        {unlike("job", "a.*")},
        {unlike("job", "(w.*)?")},
        {like("host", ".*1|.*2"), equal("job", "")},
        {unlike("host", ".*1"), not_equal("job", "web"), like("__name__", "u.*")},
        {equal("job", "api"), equal("job", "web")},
    };
    for (const auto& matchers : cases) {
        std::string text;
        for (const model::Matcher& one : matchers) {
            text += one.to_string() + " ";
        }
        SCOPED_TRACE(text);
        EXPECT_EQ(index_.resolve(matchers).refs(), expected_refs(matchers));
    }
}

TEST_F(PostingsIndexMatchers, NamesLabelsAndValuesOfWhatMatches) {
    EXPECT_EQ(index_.label_names({}).strings, (Texts{"__name__", "host", "job"}));
    const std::vector down{equal("__name__", "down")};
    EXPECT_EQ(index_.label_names(down).strings, (Texts{"__name__", "job"}));
    EXPECT_EQ(index_.label_values("job", {}).strings, (Texts{"api", "web"}));
    EXPECT_EQ(index_.label_values("job", down).strings, (Texts{"api"}));
    EXPECT_EQ(index_.label_values("host", down).strings, Texts{});
    EXPECT_EQ(index_.label_values("none", {}).strings, Texts{});
    const std::vector up{equal("__name__", "up")};
    EXPECT_EQ(index_.label_values("host", up).strings, (Texts{"h1", "h2", "h3"}));
}

TEST_F(PostingsIndexMatchers, LimitsKeepTheFirstInOrder) {
    const auto names = index_.label_names({}, 2);
    EXPECT_EQ(names.strings, (Texts{"__name__", "host"}));
    EXPECT_TRUE(names.truncated);
    EXPECT_FALSE(index_.label_names({}, 3).truncated);
    for (int i = 9999; i >= 1000; --i) {
        add({{"wide", std::to_string(i)}});
    }
    const auto values = index_.label_values("wide", {}, 3);
    EXPECT_EQ(values.strings, (Texts{"1000", "1001", "1002"}));
    EXPECT_TRUE(values.truncated);
    const auto all = index_.label_values("wide", {});
    EXPECT_EQ(all.strings.size(), 9000U);
    EXPECT_FALSE(all.truncated);
    EXPECT_TRUE(std::is_sorted(all.strings.begin(), all.strings.end()));
}

TEST_F(PostingsIndexMatchers, CountsTheLargest) {
    const auto all = index_.cardinality(10);
    EXPECT_EQ(all.series, 10U);
    EXPECT_EQ(all.label_names, 3U);
    EXPECT_EQ(all.label_pairs, 7U);
    EXPECT_EQ(all.series_by_metric_name, (Counts{{"up", 9}, {"down", 1}}));
    EXPECT_EQ(all.values_by_label_name, (Counts{{"host", 3}, {"__name__", 2}, {"job", 2}}));
    EXPECT_EQ(all.value_bytes_by_label_name, (Counts{{"__name__", 22}, {"job", 21}, {"host", 18}}));
    EXPECT_EQ(all.series_by_label_pair.front(), (PostingsIndex::Count{"__name__=up", 9}));
    const auto top = index_.cardinality(2);
    EXPECT_EQ(top.series_by_label_pair, (Counts{{"__name__=up", 9}, {"job=api", 4}}));
    EXPECT_TRUE(index_.cardinality(0).series_by_label_pair.empty());
}

}  // namespace
}  // namespace kpid::storage
