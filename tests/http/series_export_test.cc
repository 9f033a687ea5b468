// What is exported: order, families, bounded reads.

#include "http/series_export.h"

#include "kpid/wire/exposition.h"
#include "support/memory_storage.h"

#include <gtest/gtest.h>

namespace kpid::http {
namespace {

using model::Labels;
using model::Matcher;

// Counts what each read gave.
class CountingReader final : public model::Reader {
public:
    explicit CountingReader(const model::Reader& inner) : inner_(inner) {}

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        auto answer = inner_.select(matchers, range, options);
        std::size_t count = 0;
        for (const model::SeriesColumns& series :
             answer.value_or(std::vector<model::SeriesColumns>())) {
            count += series.times.size();
        }
        largest = std::max(largest, count);
        return answer;
    }
    [[nodiscard]] Result<std::vector<Labels>> series(std::span<const Matcher> matchers,
                                                     model::TimeRange range) const override {
        return inner_.series(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const Matcher> matchers, model::TimeRange range) const override {
        return inner_.label_names(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const Matcher> matchers,
        model::TimeRange range) const override {
        return inner_.label_values(name, matchers, range);
    }
    mutable std::size_t largest = 0;

private:
    const model::Reader& inner_;
};

class SeriesExportTest : public ::testing::Test {
protected:
    void put(const Labels& labels, std::int64_t ms, double value) {
        storage_.put(labels, Timestamp(ms), value);
    }
    [[nodiscard]] std::string text(std::vector<std::vector<Matcher>> sets,
                                   model::TimeRange range = {},
                                   std::size_t read_max = SeriesExport::kReadSamplesMax) {
        SeriesExport series(reader_, std::move(sets), range, read_max);
        std::string all;
        for (;;) {
            const Result<std::string> piece = series.next();
            EXPECT_TRUE(piece.has_value()) << (piece ? "" : piece.error().message);
            if (!piece || piece->empty()) {
                return all;
            }
            EXPECT_LT(piece->size(), 2 * SeriesExport::kPieceBytes);
            all += *piece;
        }
    }
    static std::vector<std::vector<Matcher>> named(std::string_view name) {
        return {{Matcher::equal("__name__", name)}};
    }
    static std::vector<Matcher> all() {
        return {*Matcher::make(model::MatchType::kNotEqual, "__name__", "")};
    }

    testing::MemoryStorage storage_;
    CountingReader reader_{storage_};
};

TEST_F(SeriesExportTest, WritesFamiliesInOrderWithTimes) {
    put({{"__name__", "b"}, {"x", "2"}}, 1500, 1);
    put({{"__name__", "b"}, {"x", "1"}}, 2000, 2);
    put({{"__name__", "b"}, {"x", "1"}}, 1000, 3);
    put({{"__name__", "a_total"}}, 1000, 4);
    EXPECT_EQ(text({all()}),
              "# TYPE a_total unknown\n"
              "a_total 4 1\n"
              "# TYPE b unknown\n"
              "b{x=\"1\"} 3 1\n"
              "b{x=\"1\"} 2 2\n"
              "b{x=\"2\"} 1 1.5\n"
              "# EOF\n");
}

TEST_F(SeriesExportTest, LeavesOutWhatIsNotAskedFor) {
    put({{"__name__", "a"}}, 1000, 1);
    put({{"__name__", "a"}}, 2000, 2);
    put({{"__name__", "a"}}, 3000, 3);
    put({{"__name__", "b"}}, 2000, 4);
    EXPECT_EQ(text(named("a"), {Timestamp(1500), Timestamp(2500)}),
              "# TYPE a unknown\na 2 2\n# EOF\n");
    EXPECT_EQ(text(named("none")), "# EOF\n");
    EXPECT_EQ(text(named("a"), {Timestamp(2), Timestamp(1)}), "# EOF\n");
}

TEST_F(SeriesExportTest, WritesASeriesOnceThatSeveralSelectorsMatch) {
    put({{"__name__", "a"}, {"x", "1"}}, 1000, 1);
    put({{"__name__", "a"}, {"x", "2"}}, 1000, 2);
    EXPECT_EQ(text({{Matcher::equal("x", "2")}, {Matcher::equal("__name__", "a")}}),
              "# TYPE a unknown\na{x=\"1\"} 1 1\na{x=\"2\"} 2 1\n# EOF\n");
}

TEST_F(SeriesExportTest, ReadsAPartAfterTheOtherOfWhatIsLarge) {
    for (int i = 0; i < 100; ++i) {
        put({{"__name__", "a"}}, 1000 * i, i);
        put({{"__name__", "a"}, {"x", "1"}}, 1000 * i, i);
        put({{"__name__", "a"}, {"x", "1"}, {"y", "2"}}, 1'000'000'000LL * i, i);
    }
    put({{"__name__", "b"}}, 5, 5);
    const std::string whole = text({all()});
    EXPECT_EQ(reader_.largest, 300U);
    reader_.largest = 0;
    EXPECT_EQ(text({all()}, {}, 7), whole);
    EXPECT_LE(reader_.largest, 7U);
    EXPECT_EQ(text({all(), {Matcher::equal("x", "1")}}, {}, 120), whole);
    const auto read = wire::parse_exposition(whole, {.format = wire::ExpositionFormat::kOpenMetrics,
                                                     .strictness = wire::Strictness::kStrict});
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->samples.size(), 301U);
}

TEST_F(SeriesExportTest, MakesPiecesOfBoundedSize) {
    for (int i = 0; i < 20'000; ++i) {
        put({{"__name__", "a"}, {"long", std::string(50, 'x')}}, 1000 * i, i);
    }
    EXPECT_GT(text(named("a")).size(), 4 * SeriesExport::kPieceBytes);
}

}  // namespace
}  // namespace kpid::http
