// Random series and matchers against a brute force over all label sets.

#include "storage/postings_index_fixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

namespace kpid::storage {
namespace {

class PostingsIndexProperty : public PostingsIndexTest {
protected:
    std::uint64_t pick(std::uint64_t count) { return random_() % count; }

    // Few names and values, so that everything meets.
    model::Labels random_labels() {
        model::LabelsBuilder labels;
        for (const char* name : {"__name__", "a", "b", "c"}) {
            switch (pick(4)) {
                case 0:
                    break;
                case 1:
                    labels.set(name, fmt::format("w{}", pick(200)));
                    break;
                default:
                    labels.set(name, fmt::format("v{}", pick(3)));
            }
        }
        return labels.build();
    }

    model::Matcher random_matcher() {
        static const std::vector<std::string> kPatterns{
            "",        "v1",     "v1|v2",     "v0|w7|none",   ".*",    ".+",     "v.*",
            "w1.*",    "w.+",    "(v1|)",     ".*1",          "[vw]1", "v[0-2]", "(?i)V1",
            "w(1|2).", "(v.*)?", "w[0-9]+",   "(w1.*|v0)",    "v1.*|", "x.*",    "none",
            "w\\d",    "[^v].*", "v0?|w1?2?", "(v|w)(1|2)?.*"};
        static const std::vector<std::string> kNames{"__name__", "a", "b", "c", "absent"};
        const auto type = static_cast<model::MatchType>(pick(4));
        const std::string& name = kNames[pick(kNames.size())];
        if (type == model::MatchType::kEqual || type == model::MatchType::kNotEqual) {
            static const std::vector<std::string> kValues{"", "v0", "v1", "v2", "w5", "none"};
            return matcher(type, name, kValues[pick(kValues.size())]);
        }
        return matcher(type, name, kPatterns[pick(kPatterns.size())]);
    }

    std::vector<model::Matcher> random_matchers() {
        std::vector<model::Matcher> matchers;
        for (std::uint64_t i = pick(5); i > 0; --i) {
            matchers.push_back(random_matcher());
        }
        return matchers;
    }

    void change() {
        if (expected_.empty() || pick(100) < growth_) {
            // Also by hashes that collide.
            const model::Labels labels = random_labels();
            const bool known = index_.find(labels).has_value();
            const SeriesRef ref = add(labels);
            EXPECT_EQ(index_.labels(ref), labels);
            if (!known && pick(2) == 0) {
                index_.add_alias(ref, pick(20));
            }
            return;
        }
        auto gone = expected_.begin();
        std::advance(gone, static_cast<std::ptrdiff_t>(pick(expected_.size())));
        removed_.emplace_back(gone->first);
        remove(removed_.back());
        if (pick(10) == 0) {
            index_.release(removed_);
            removed_.clear();
        }
    }

    void check() {
        const auto matchers = random_matchers();
        std::string text;
        for (const model::Matcher& one : matchers) {
            text += one.to_string() + " ";
        }
        SCOPED_TRACE(text);
        const std::vector<SeriesRef> want = expected_refs(matchers);
        ASSERT_EQ(index_.resolve(matchers).refs(), want);
        std::set<std::string> names;
        std::set<std::string> values;
        for (const SeriesRef ref : want) {
            for (const model::Label& label : expected_.at(ref.value())) {
                names.insert(label.name);
                if (label.name == "a") {
                    values.insert(label.value);
                }
            }
        }
        const std::size_t limit = pick(2) == 0 ? 0 : pick(4) + 1;
        check_strings(index_.label_names(matchers, limit), names, limit);
        check_strings(index_.label_values("a", matchers, limit), values, limit);
    }

    static void check_strings(const PostingsIndex::Strings& got, const std::set<std::string>& all,
                              std::size_t limit) {
        std::vector<std::string> want(all.begin(), all.end());
        const bool truncated = limit != 0 && want.size() > limit;
        if (truncated) {
            want.resize(limit);
        }
        ASSERT_EQ(got.strings, want);
        ASSERT_EQ(got.truncated, truncated);
    }

    void check_lookups() {
        for (const auto& [ref, labels] : expected_) {
            ASSERT_EQ(index_.find(labels), SeriesRef(ref));
            ASSERT_EQ(index_.labels(SeriesRef(ref)), labels);
        }
        ASSERT_EQ(index_.size(), expected_.size());
        const auto cardinality = index_.cardinality(1000);
        std::map<std::string, std::uint64_t> pairs;
        for (const auto& [ref, labels] : expected_) {
            for (const model::Label& label : labels) {
                ++pairs[label.name + "=" + label.value];
            }
        }
        ASSERT_EQ(cardinality.label_pairs, pairs.size());
        for (const auto& [name, count] : cardinality.series_by_label_pair) {
            ASSERT_EQ(count, pairs[name]) << name;
        }
    }

    std::mt19937_64 random_;
    std::uint64_t growth_ = 60;
    std::vector<SeriesRef> removed_;
};

TEST_F(PostingsIndexProperty, AnswersAsBruteForceDoes) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SCOPED_TRACE(fmt::format("seed {}", seed));
        random_.seed(seed);
        for (int step = 0; step < 1500 && !HasFatalFailure(); ++step) {
            // Grows, shrinks, and grows again, past the forms of postings.
            growth_ = step % 600 < 400 ? 85 : 25;
            change();
            if (step % 5 == 0) {
                check();
            }
            if (step % 250 == 0) {
                check_lookups();
            }
        }
        check_lookups();
        std::vector<SeriesRef> rest;
        for (const auto& [ref, labels] : expected_) {
            rest.emplace_back(ref);
        }
        EXPECT_EQ(index_.remove(rest), rest.size());
        expected_.clear();
        rest.insert(rest.end(), removed_.begin(), removed_.end());
        removed_.clear();
        index_.release(rest);
        EXPECT_EQ(index_.reclaim(), 0U);
        EXPECT_EQ(index_.size(), 0U);
        EXPECT_EQ(index_.cardinality(1).label_names, 0U);
    }
}

}  // namespace
}  // namespace kpid::storage
