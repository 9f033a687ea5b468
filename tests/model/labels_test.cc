#include "kpid/model/labels.h"

#include <gtest/gtest.h>

namespace kpid::model {
namespace {

TEST(Labels, AreSortedUniqueAndWithoutEmptyValues) {
    const Labels labels{{"b", "2"}, {"a", "1"}, {"c", ""}, {"b", "3"}};
    ASSERT_EQ(labels.size(), 2U);
    EXPECT_EQ(labels.begin()->name, "a");
    EXPECT_EQ(labels.get("b"), "3");
    EXPECT_FALSE(labels.has("c"));
    EXPECT_EQ(labels, Labels::from({{"b", "1"}, {"a", "1"}, {"b", "3"}, {"c", ""}}));
}

TEST(Labels, HashTellsSplitsOfTheSameBytesApart) {
    EXPECT_NE(Labels({{"ab", "c"}}).hash(), Labels({{"a", "bc"}}).hash());
    EXPECT_EQ(Labels({{"a", "1"}, {"b", "2"}}).hash(), Labels({{"b", "2"}, {"a", "1"}}).hash());
}

TEST(Labels, PrintAsPrometheusPrintsAMetric) {
    EXPECT_EQ(Labels().to_string(), "{}");
    EXPECT_EQ(Labels({{"__name__", "up"}}).to_string(), "up");
    EXPECT_EQ(Labels({{"__name__", "up"}, {"job", "a\"b"}}).to_string(), "up{job=\"a\\\"b\"}");
    EXPECT_EQ(Labels({{"__name__", "a.b"}, {"x.y", "1"}}).to_string(), "{\"a.b\", \"x.y\"=\"1\"}");
}

TEST(Labels, OrderIsLabelByLabel) {
    EXPECT_LT(Labels({{"a", "1"}}), Labels({{"a", "2"}}));
    EXPECT_LT(Labels({{"a", "1"}}), Labels({{"a", "1"}, {"b", "1"}}));
    EXPECT_LT(Labels(), Labels({{"a", "1"}}));
}

TEST(LabelsBuilder, SetsErasesAndKeepsTheBase) {
    const Labels base{{"a", "1"}, {"b", "2"}};
    EXPECT_EQ(LabelsBuilder(base).set("a", "").set("c", "3").build(),
              Labels({{"b", "2"}, {"c", "3"}}));
    EXPECT_EQ(base.get("a"), "1");
}

}  // namespace
}  // namespace kpid::model
