#include "kpid/model/classic_names.h"

#include <gtest/gtest.h>

namespace kpid::model {
namespace {

TEST(ClassicNames, HaveAnUnderscoreForEachCharacterThatIsNot) {
    EXPECT_EQ(to_classic_label_name("a b"), "a_b");
    EXPECT_EQ(to_classic_label_name("a:b"), "a_b");
    EXPECT_EQ(to_classic_label_name("größe"), "gr__e");
    EXPECT_EQ(to_classic_label_name("☃9"), "_9");
    EXPECT_EQ(to_classic_label_name("9a"), "_a");
    EXPECT_EQ(to_classic_label_name(""), "_");
    EXPECT_EQ(to_classic_label_name("A_z9"), "A_z9");
    EXPECT_EQ(to_classic_metric_name("a:b.c"), "a:b_c");
}

TEST(ClassicNames, OfASetStayUnique) {
    const Labels classic{{"a", "1"}, {"__name__", "not a classic.name"}};
    EXPECT_EQ(with_classic_names(classic), classic);
    const Labels labels{{"a b", "1"}, {"a_b", "2"}, {"a.b", "3"}, {"c", "4"}};
    EXPECT_EQ(with_classic_names(labels),
              (Labels{{"a_b", "2"}, {"a_b_", "1"}, {"a_b__", "3"}, {"c", "4"}}));
}

}  // namespace
}  // namespace kpid::model
