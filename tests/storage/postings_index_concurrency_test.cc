// One writer, many readers: every answer is right for the series that stay.

#include "storage/postings_index_fixture.h"

#include <fmt/format.h>

#include <atomic>
#include <random>
#include <thread>

namespace kpid::storage {
namespace {

class PostingsIndexConcurrency : public PostingsIndexTest {
protected:
    static constexpr std::size_t kStaying = 400;

    static model::Labels staying(std::size_t i) {
        return {
            {"__name__", "stays"}, {"i", std::to_string(i)}, {"half", i % 2 == 0 ? "even" : "odd"}};
    }

    // Series come and go, and their numbers are used again.
    void churn(int rounds) {
        std::mt19937_64 random(1);
        for (int round = 0; round < rounds; ++round) {
            std::vector<SeriesRef> refs;
            for (int i = 0; i < 100; ++i) {
                const std::string name = random() % 2 == 0 ? "comes" : "goes";
                const model::Labels labels{
                    {"__name__", name}, {"i", fmt::format("{}-{}", round, i)}, {name, "x"}};
                const auto views = views_of(labels);
                const auto added =
                    index_.add({.labels = views, .hash = labels.hash(), .id = SeriesId(1)});
                ASSERT_TRUE(added.has_value());
                refs.push_back(added->ref);
                index_.add_alias(added->ref, random());
            }
            ASSERT_EQ(index_.remove(refs), refs.size());
            index_.release(refs);
        }
    }

    // What passes by may be among the answer only if it matches.
    void expect_all_match(const std::vector<model::Matcher>& matchers, std::size_t staying_count) {
        const PostingsIndex::Pin pin = index_.pin();
        const std::vector<SeriesRef> found = index_.resolve(matchers).refs();
        std::size_t stay = 0;
        index_.visit(found, [&](SeriesRef, SeriesId, const StoredLabels& labels) {
            for (const model::Matcher& one : matchers) {
                ASSERT_TRUE(one.matches(labels.get(one.name()))) << labels.labels().to_string();
            }
            stay += labels.get("__name__") == "stays" ? 1U : 0U;
        });
        ASSERT_EQ(stay, staying_count);
    }

    void read() {
        expect_all_match({}, kStaying);
        expect_all_match({equal("__name__", "stays"), not_equal("half", "odd")}, kStaying / 2);
        expect_all_match({not_equal("__name__", "comes")}, kStaying);
        expect_all_match({equal("comes", ""), not_equal("goes", "x")}, kStaying);
        expect_all_match({equal("goes", "x"), unlike("__name__", "com.*")}, 0);
        expect_all_match({like("i", "[0-9]+"), unlike("i", ".*-.*")}, kStaying);
        expect_all_match({like("i", "1.*"), like("half", "e.*|o.*")}, 111);
        ASSERT_EQ(index_.find(staying(7)), SeriesRef(7));
        ASSERT_EQ(index_.label_values("half", {}).strings,
                  (std::vector<std::string>{"even", "odd"}));
        ASSERT_GE(index_.label_names({}).strings.size(), 3U);
        ASSERT_GE(index_.cardinality(3).series, kStaying);
        ASSERT_GT(index_.bytes().total(), 0U);
    }
};

TEST_F(PostingsIndexConcurrency, ReadersSeeWhatStaysWhileOthersComeAndGo) {
    for (std::size_t i = 0; i < kStaying; ++i) {
        add(staying(i));
    }
    std::atomic<bool> running = true;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < 3; ++reader) {
        readers.emplace_back([this, &running] {
            while (running && !HasFatalFailure()) {
                read();
            }
        });
    }
    churn(150);
    running = false;
    for (std::thread& reader : readers) {
        reader.join();
    }
    EXPECT_EQ(index_.reclaim(), 0U);
    EXPECT_EQ(index_.size(), kStaying);
}

}  // namespace
}  // namespace kpid::storage
