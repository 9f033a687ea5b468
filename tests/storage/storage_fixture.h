#pragma once
// Words for tests of storage: samples, appends and what is read back, in one line each.

#include "kpid/model/appender.h"
#include "kpid/model/reader.h"
#include "kpid/storage/storage.h"
#include "support/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kpid::storage {

inline constexpr Timestamp kNow{1'800'000'000'000};

inline model::Labels named(std::string_view name) {
    return {{model::kMetricName, name}};
}

inline model::SeriesSample sample_of(std::string_view name, Timestamp time, double value) {
    return {named(name), time, value};
}

/// Each sample as "labels time value", the time in milliseconds after kNow, the value's bits when
/// not a number.
inline std::vector<std::string> read_all(const model::Reader& reader,
                                         std::vector<model::Matcher> matchers = {},
                                         model::TimeRange range = {}) {
    std::vector<std::string> lines;
    const auto selected = reader.select(matchers, range, {});
    EXPECT_TRUE(selected.has_value());
    for (const model::SeriesColumns& columns : *selected) {
        for (std::size_t i = 0; i < columns.times.size(); ++i) {
            const double value = columns.values[i];
            const std::string text = value != value
                                         ? fmt::format("{:x}", std::bit_cast<std::uint64_t>(value))
                                         : fmt::format("{}", value);
            lines.push_back(fmt::format("{} {} {}", columns.labels.to_string(),
                                        columns.times[i].ms() - kNow.ms(), text));
        }
    }
    return lines;
}

inline Result<model::AppendResult> append_to(model::Appender& appender,
                                             std::vector<model::SeriesSample> samples,
                                             std::vector<model::StateWrite> state = {},
                                             Timestamp now = kNow) {
    return appender.append({.samples = samples, .state = state, .now = now});
}

using Lines = std::vector<std::string>;

/// A storage in a folder of its own that can be closed and opened again.
class StorageTest : public ::testing::Test {
protected:
    void SetUp() override { reopen(); }

    void reopen() {
        storage_.reset();
        options_.path = folder_.file("data");
        auto opened = Storage::open(options_);
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        storage_ = *std::move(opened);
    }
    /// The reasons and messages of what was refused, "index reason: message".
    Lines append(std::vector<model::SeriesSample> samples, Timestamp now = kNow,
                 model::AppendOrigin origin = model::AppendOrigin::kExternal) {
        const auto result = storage_->append({.samples = samples, .origin = origin, .now = now});
        EXPECT_TRUE(result.has_value()) << result.error().message;
        Lines lines;
        for (const model::Rejection& rejection : result->rejected) {
            lines.push_back(fmt::format("{} {}: {}", rejection.index,
                                        model::to_string(rejection.reason), rejection.message));
        }
        EXPECT_EQ(result->accepted + lines.size(), samples.size());
        return lines;
    }
    Lines read(std::vector<model::Matcher> matchers = {}) {
        return read_all(*storage_, std::move(matchers));
    }

    testing::TemporaryFolder folder_;
    StorageOptions options_;
    std::unique_ptr<Storage> storage_;
};

}  // namespace kpid::storage
