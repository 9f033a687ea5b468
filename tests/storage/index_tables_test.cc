// The tables below the series index: postings, hash table, records, slots, labels.

#include "storage/label_table.h"
#include "storage/postings.h"
#include "storage/record_arena.h"
#include "storage/slot_table.h"
#include "storage/tag_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace kpid::storage {
namespace {

std::vector<std::uint32_t> numbers(const RefSet& set) {
    std::vector<std::uint32_t> found;
    for (const SeriesRef ref : set.refs()) {
        found.push_back(ref.value());
    }
    return found;
}

RefSet set_of(const std::set<std::uint32_t>& refs) {
    RefSet set;
    for (const std::uint32_t ref : refs) {
        set.add(SeriesRef(ref));
    }
    return set;
}

TEST(Postings, HoldsWhatASetHoldsInEveryForm) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random(seed);
        // Up, past the forms, and down again.
        Postings postings;
        std::set<std::uint32_t> wanted;
        for (const bool adds : {true, false}) {
            for (int step = 0; step < 300; ++step) {
                const auto ref = static_cast<std::uint32_t>(
                    random() % 4 == 0 ? kSeriesRefMax - random() % 50 : random() % 100);
                if ((random() % 5 != 0) == adds) {
                    ASSERT_EQ(postings.add(SeriesRef(ref)), wanted.insert(ref).second);
                } else {
                    ASSERT_EQ(postings.remove(SeriesRef(ref)), wanted.erase(ref) == 1);
                }
                ASSERT_EQ(postings.size(), wanted.size());
                ASSERT_EQ(postings.empty(), wanted.empty());
                ASSERT_EQ(postings.contains(SeriesRef(ref)), wanted.contains(ref));
                const std::vector<std::uint32_t> list(wanted.begin(), wanted.end());
                ASSERT_EQ(numbers(postings.to_set()), list);
            }
        }
    }
}

TEST(Postings, JoinsWithSets) {
    for (const std::size_t count : {0U, 1U, 2U, 3U, 64U, 65U, 1000U}) {
        SCOPED_TRACE(count);
        Postings postings;
        std::set<std::uint32_t> mine;
        for (std::uint32_t i = 0; i < count; ++i) {
            postings.add(SeriesRef(i * 3));
            mine.insert(i * 3);
        }
        std::set<std::uint32_t> other;
        for (std::uint32_t i = 2; i < 500; i += 2) {
            other.insert(i);
        }
        std::set<std::uint32_t> both;
        std::set<std::uint32_t> rest;
        std::set<std::uint32_t> all = mine;
        for (const std::uint32_t ref : other) {
            (mine.contains(ref) ? both : rest).insert(ref);
            all.insert(ref);
        }
        RefSet set = set_of(other);
        EXPECT_EQ(postings.intersects(set), !both.empty());
        postings.intersect_into(set);
        EXPECT_EQ(numbers(set), numbers(set_of(both)));
        set = set_of(other);
        postings.subtract_from(set);
        EXPECT_EQ(numbers(set), numbers(set_of(rest)));
        set = set_of(other);
        std::vector<SeriesRef> few;
        postings.collect(set, few);
        set.add_all(few);
        EXPECT_EQ(numbers(set), numbers(set_of(all)));
    }
}

TEST(Postings, OneAndTwoSeriesTakeNoHeap) {
    Postings postings;
    EXPECT_EQ(sizeof(postings), 8U);
    postings.add(SeriesRef(0));
    postings.add(SeriesRef(kSeriesRefMax));
    EXPECT_EQ(postings.bytes(), 0U);
    postings.add(SeriesRef(7));
    EXPECT_GT(postings.bytes(), 0U);
    EXPECT_LE(postings.bytes(), 32U);
    postings.remove(SeriesRef(0));
    EXPECT_EQ(postings.bytes(), 0U);
    Postings moved = std::move(postings);
    EXPECT_TRUE(moved.contains(SeriesRef(kSeriesRefMax)));
}

// Few tags, so that entries share tags and crowd each other's places.
TEST(TagTable, FindsEveryEntryOfEveryTag) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random(seed);
        TagTable table;
        std::set<std::pair<TagTable::Tag, std::uint32_t>> wanted;
        const auto random_tag = [&random] {
            const auto part = static_cast<std::uint32_t>(random() % 2) << 24;
            return part | static_cast<std::uint32_t>(random() % 40 * 0x60000 % 0x1000000 + 1);
        };
        for (int step = 0; step < 4000; ++step) {
            const TagTable::Tag tag = random_tag();
            const auto number = static_cast<std::uint32_t>(random() % 8);
            const bool is_there = wanted.contains({tag, number});
            const std::uint32_t found =
                table.find(tag, [number](std::uint32_t other) { return other == number; });
            ASSERT_EQ(found, is_there ? number : TagTable::kNone);
            if (!is_there && (random() % 2 == 0 || step < 1000)) {
                table.insert(tag, number);
                wanted.emplace(tag, number);
            } else {
                ASSERT_EQ(table.erase(tag, number), is_there);
                wanted.erase({tag, number});
            }
            ASSERT_EQ(table.size(), wanted.size());
        }
    }
}

TEST(TagTable, TakesFewBytesAnEntryAndGivesThemBack) {
    TagTable table;
    const std::size_t empty = table.bytes();
    std::mt19937_64 random(1);
    std::vector<TagTable::Tag> tags;
    for (std::uint32_t i = 0; i < 50'000; ++i) {
        tags.push_back(TagTable::tag_of(random()));
        table.insert(tags.back(), i);
        if (i > 10'000) {
            ASSERT_LE(table.bytes() - empty, i * std::size_t{15});
        }
    }
    for (std::uint32_t i = 0; i < tags.size(); ++i) {
        ASSERT_TRUE(table.erase(tags[i], i));
    }
    EXPECT_EQ(table.size(), 0U);
    EXPECT_LE(table.bytes(), empty + 128 * std::size_t{1024});
    EXPECT_NE(TagTable::tag_of(0), 0U);
}

TEST(RecordArena, KeepsRecordsWhileOthersComeAndGo) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        std::mt19937_64 random(seed);
        RecordArena arena;
        struct Record {
            RecordArena::Place place;
            std::string text;
        };
        std::map<std::uint32_t, Record> records;
        std::size_t bytes_most = 0;
        for (std::uint32_t step = 0; step < 30'000; ++step) {
            if (records.empty() || random() % 100 < (step / 5000 % 2 == 0 ? 70 : 30)) {
                const std::size_t size = random() % 500 == 0 ? 100'000 : random() % 60;
                std::string text(size, static_cast<char>('a' + step % 26));
                const RecordArena::Place place = arena.add(step, size);
                std::copy(text.begin(), text.end(), arena.data(place));
                records[step] = {place, std::move(text)};
            } else {
                auto gone = records.lower_bound(static_cast<std::uint32_t>(random() % (step + 1)));
                gone = gone == records.end() ? records.begin() : gone;
                const RecordArena::Place place = gone->second.place;
                records.erase(gone);
                arena.remove(place, [&records](std::uint32_t owner, RecordArena::Place moved) {
                    records.at(owner).place = moved;
                });
            }
            bytes_most = std::max(bytes_most, arena.bytes());
            ASSERT_LE(arena.bytes(), 2 * arena.live_bytes() + 4 * RecordArena::kChunkBytes);
        }
        for (const auto& [owner, record] : records) {
            ASSERT_EQ(arena.read(record.place), record.text);
        }
        while (!records.empty()) {
            const RecordArena::Place place = records.begin()->second.place;
            records.erase(records.begin());
            arena.remove(place, [&records](std::uint32_t owner, RecordArena::Place moved) {
                records.at(owner).place = moved;
            });
        }
        EXPECT_EQ(arena.live_bytes(), 0U);
        EXPECT_LT(arena.bytes(), bytes_most / 10);
    }
}

TEST(RecordArena, RefusesARecordThatIsTooLarge) {
    RecordArena arena;
    EXPECT_EQ(arena.add(1, RecordArena::kRecordBytesMax + 1), RecordArena::kNowhere);
    EXPECT_EQ(arena.live_bytes(), 0U);
}

TEST(SlotTable, UsesTheLowestPageAgainAndGivesEmptyOnesBack) {
    SlotTable<int> table;
    constexpr std::uint32_t kCount = 5 * SlotTable<int>::kPageSlots;
    for (std::uint32_t i = 0; i < kCount; ++i) {
        ASSERT_EQ(table.add(), i);
        table[i] = static_cast<int>(i);
    }
    const std::size_t full = table.bytes();
    table.remove(3);
    table.remove(kCount - 1);
    EXPECT_FALSE(table.has(3));
    EXPECT_EQ(table.add(), 3U);
    EXPECT_EQ(table[3], 0);
    EXPECT_EQ(table.add(), kCount - 1);
    for (std::uint32_t i = 100; i < kCount; ++i) {
        table.remove(i);
    }
    EXPECT_EQ(table.size(), 100U);
    EXPECT_EQ(table.end(), SlotTable<int>::kPageSlots);
    EXPECT_LT(table.bytes(), full / 4);
    EXPECT_FALSE(table.has(kCount));
    EXPECT_EQ(table[99], 99);
}

TEST(LabelTable, CountsTheSetsThatHoldALabel) {
    LabelTable labels;
    const auto first = labels.acquire({"job", "api"});
    const auto second = labels.acquire({"job", "api"});
    const auto other = labels.acquire({"job", "web"});
    ASSERT_TRUE(first && second && other);
    EXPECT_EQ(*first, *second);
    EXPECT_NE(*first, *other);
    EXPECT_NE(*labels.acquire({"team", "api"}), *first);
    EXPECT_EQ(labels.name(*first), "job");
    EXPECT_EQ(labels.value(*first), "api");
    const auto job = labels.find_name("job");
    ASSERT_TRUE(job);
    labels.release(*first);
    EXPECT_EQ(labels.find(*job, "api"), first);
    labels.release(*first);
    EXPECT_EQ(labels.find(*job, "api"), std::nullopt);
    labels.release(*other);
    EXPECT_EQ(labels.find_name("job"), std::nullopt);
    EXPECT_EQ(labels.name_count(), 1U);
}

TEST(LabelTable, ListsValuesThatSomeSeriesHas) {
    LabelTable labels;
    const LabelRef api = *labels.acquire({"job", "api"});
    const LabelRef web = *labels.acquire({"job", "web"});
    const NameRef job = *labels.find_name("job");
    EXPECT_TRUE(labels.values_of(job).empty());
    labels.add_series(api, SeriesRef(1));
    labels.add_series(web, SeriesRef(2));
    labels.add_series(web, SeriesRef(3));
    EXPECT_EQ(labels.values_of(job), (std::vector{api, web}));
    EXPECT_EQ(labels.series(job).size(), 3U);
    labels.remove_series(api, SeriesRef(1));
    EXPECT_EQ(labels.values_of(job), (std::vector{web}));
    labels.remove_series(web, SeriesRef(2));
    labels.remove_series(web, SeriesRef(3));
    EXPECT_TRUE(labels.values_of(job).empty());
    EXPECT_TRUE(labels.series(job).empty());
    EXPECT_EQ(labels.value(web), "web");
}

TEST(LabelTable, RefusesAValueThatIsTooLarge) {
    LabelTable labels;
    const std::string large(RecordArena::kRecordBytesMax + 1, 'x');
    EXPECT_EQ(labels.acquire({"job", large}), std::nullopt);
    EXPECT_EQ(labels.find_name("job"), std::nullopt);
}

}  // namespace
}  // namespace kpid::storage
