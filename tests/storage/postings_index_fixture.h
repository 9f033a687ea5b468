#pragma once
// A series index under test and the plainest one there can be beside it.

#include "storage/postings_index.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::storage {

class PostingsIndexTest : public ::testing::Test {
protected:
    static std::vector<LabelView> views_of(const model::Labels& labels) {
        std::vector<LabelView> views;
        for (const model::Label& label : labels) {
            views.push_back({label.name, label.value});
        }
        return views;
    }

    SeriesRef add(const model::Labels& labels) { return add(labels, labels.hash()); }
    SeriesRef add(const model::Labels& labels, std::uint64_t hash) {
        const auto views = views_of(labels);
        const auto added = index_.add({.labels = views, .hash = hash, .id = SeriesId(next_id_)});
        EXPECT_TRUE(added.has_value());
        if (added->is_new) {
            ++next_id_;
            expected_[added->ref.value()] = labels;
        }
        return added->ref;
    }
    void remove(SeriesRef ref) {
        EXPECT_EQ(index_.remove({&ref, 1}), 1U);
        expected_.erase(ref.value());
    }
    void remove_and_release(SeriesRef ref) {
        remove(ref);
        index_.release({&ref, 1});
    }

    static model::Matcher matcher(model::MatchType type, std::string_view name,
                                  std::string_view value) {
        return *model::Matcher::make(type, name, value);
    }
    static model::Matcher equal(std::string_view name, std::string_view value) {
        return matcher(model::MatchType::kEqual, name, value);
    }
    static model::Matcher not_equal(std::string_view name, std::string_view value) {
        return matcher(model::MatchType::kNotEqual, name, value);
    }
    static model::Matcher like(std::string_view name, std::string_view value) {
        return matcher(model::MatchType::kRegexp, name, value);
    }
    static model::Matcher unlike(std::string_view name, std::string_view value) {
        return matcher(model::MatchType::kNotRegexp, name, value);
    }

    std::vector<std::string> select(std::vector<model::Matcher> matchers) {
        std::vector<std::string> found;
        for (const SeriesRef ref : index_.resolve(matchers).refs()) {
            found.push_back(index_.labels(ref).to_string());
        }
        std::sort(found.begin(), found.end());
        return found;
    }

    /// What resolve() should give, by trying each series.
    [[nodiscard]] std::vector<SeriesRef> expected_refs(
        std::span<const model::Matcher> matchers) const {
        std::vector<SeriesRef> refs;
        for (const auto& [ref, labels] : expected_) {
            if (model::matches_all(matchers, labels)) {
                refs.emplace_back(ref);
            }
        }
        return refs;
    }

    PostingsIndex index_;
    std::map<std::uint32_t, model::Labels> expected_;
    std::uint64_t next_id_ = 1;
};

}  // namespace kpid::storage
