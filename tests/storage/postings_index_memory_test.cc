// What the index takes: counted right, small, and given back.

#include "storage/postings_index_fixture.h"

#include <fmt/format.h>
#include <malloc.h>

#if defined(__SANITIZE_ADDRESS__)
// The compiler's package leaves the header out.
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace kpid::storage {
namespace {

std::size_t heap_bytes() {
#if defined(__SANITIZE_ADDRESS__)
    return __sanitizer_get_current_allocated_bytes();
#else
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

class PostingsIndexMemory : public PostingsIndexTest {
protected:
    // Labels that all share, that many share, and that one has.
    static model::Labels labels_of(std::size_t i) {
        return {{"__name__", fmt::format("metric_{}", i / 100 % 50)},
                {"env", "prod"},
                {"instance", fmt::format("10.0.{}.{}:9100", i / 256, i % 256)},
                {"job", fmt::format("svc{}", i % 97)},
                {"pair", fmt::format("p{}", i / 2)},
                {"dozen", fmt::format("d{}", i / 12)}};
    }

    void expect_counted(std::size_t heap_before) {
        const auto heap = static_cast<double>(heap_bytes() - heap_before);
        const auto counted = static_cast<double>(index_.bytes().total() - sizeof(TagTable) * 2);
        EXPECT_NEAR(counted / heap, 1.0, 0.1) << counted << " counted, " << heap << " on the heap";
    }
};

TEST_F(PostingsIndexMemory, IsCountedWithinATenth) {
    constexpr std::size_t kSeries = 20'000;
    std::vector<SeriesRef> refs;
    refs.reserve(kSeries);
    const std::size_t before = heap_bytes();
    for (std::size_t i = 0; i < kSeries; ++i) {
        const model::Labels labels = labels_of(i);
        const auto views = views_of(labels);
        const auto added = index_.add({.labels = views, .hash = labels.hash(), .id = SeriesId(i)});
        ASSERT_TRUE(added.has_value());
        refs.push_back(added->ref);
    }
    expect_counted(before);
    const PostingsIndex::Bytes bytes = index_.bytes();
    EXPECT_LE(bytes.total(), 250 * kSeries);
    EXPECT_LE(bytes.hashes - sizeof(TagTable), 16 * kSeries);
    // Half of them, scattered.
    std::vector<SeriesRef> gone;
    for (std::size_t i = 0; i < kSeries; i += 2) {
        gone.push_back(refs[i]);
    }
    EXPECT_EQ(index_.remove(gone), gone.size());
    index_.release(gone);
    expect_counted(before + gone.capacity() * sizeof(SeriesRef));
}

// Many waves of series, each of other strings: the index takes what one wave needs.
TEST_F(PostingsIndexMemory, ChurnGivesItBack) {
    constexpr std::size_t kSeries = 1000;
    std::size_t first = 0;
    for (std::size_t wave = 0; wave < 6; ++wave) {
        std::vector<SeriesRef> refs;
        for (std::size_t i = 0; i < kSeries; ++i) {
            refs.push_back(add({{"__name__", fmt::format("m{}", i % 50)},
                                {"pod", fmt::format("pod-{}-{}", wave, i)},
                                {fmt::format("name{}", wave), "x"}}));
            index_.add_alias(refs.back(), wave * kSeries + i);
        }
        EXPECT_LE(refs.back().value(), 2 * kSeries);
        const std::size_t bytes = index_.bytes().total();
        first = wave == 0 ? bytes : first;
        EXPECT_LE(bytes, first + first / 10) << "wave " << wave;
        EXPECT_EQ(index_.remove(refs), refs.size());
        index_.release(refs);
    }
    EXPECT_EQ(index_.size(), 0U);
    EXPECT_TRUE(index_.label_names({}).strings.empty());
    EXPECT_LE(index_.bytes().total(), first / 4);
}

}  // namespace
}  // namespace kpid::storage
