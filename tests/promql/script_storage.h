#pragma once
// What test scripts load: floats in memory, and a note of every sample of a kind that is not stored
// yet.

#include "kpid/model/reader.h"
#include "promql/script.h"
#include "support/memory_storage.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::promql::testing {

/// What a query is refused with, as kUnsupported, that would see native histograms.
inline constexpr std::string_view kSeesNativeHistograms = "native histograms are loaded";

/// A reader of the floats that scripts load.
class ScriptStorage final : public model::Reader {
public:
    void load(const LoadCommand& command) {
        std::map<model::Labels, const LoadCommand::Series*> last;  // Of two lines of one series.
        for (const LoadCommand::Series& series : command.series) {
            last[series.description.labels] = &series;
        }
        for (const LoadCommand::Series& series : command.series) {
            const model::Labels& labels = series.description.labels;
            if (last[labels] != &series) {
                continue;
            }
            const std::optional<model::Labels> fused =
                command.with_nhcb ? fused_labels(labels) : std::nullopt;
            Timestamp time;
            for (const SequenceValue& item : series.description.values) {
                if (!item.omitted) {
                    (item.histogram ? histograms_ : floats_).put(labels, time, item.value);
                    if (series.has_start_times) {
                        start_times_.put(labels, time, 0);
                    }
                    if (fused) {
                        histograms_.put(*fused, time, 0);
                    }
                }
                time += command.step;
            }
        }
    }
    void clear() {
        floats_.clear();
        histograms_.clear();
        start_times_.clear();
    }

    /// What reads from now on looks at the newest sample of a series in its range alone: what is
    /// older may be anything.
    void set_only_newest_seen(bool only) { only_newest_seen_ = only; }

    /// Whether any of these series has start timestamps, at any time.
    [[nodiscard]] bool has_start_times(std::span<const model::Matcher> matchers) const {
        const auto series = start_times_.series(matchers, {});
        return series && !series->empty();
    }

    [[nodiscard]] Result<std::vector<model::SeriesColumns>> select(
        std::span<const model::Matcher> matchers, model::TimeRange range,
        const model::ReadOptions& options) const override {
        KPID_TRY(const auto histograms, histograms_.select(matchers, range, {}));
        KPID_TRY(auto floats, floats_.select(matchers, range, options));
        std::map<model::Labels, Timestamp> newest;
        for (const model::SeriesColumns& series : floats) {
            newest[series.labels] = series.times.back();
        }
        for (const model::SeriesColumns& series : histograms) {
            const auto known = newest.find(series.labels);
            const bool hidden =
                only_newest_seen_ && known != newest.end() && known->second >= series.times.back();
            if (!hidden) {
                return unsupported(std::string(kSeesNativeHistograms));
            }
        }
        return floats;
    }
    [[nodiscard]] Result<std::vector<model::Labels>> series(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return floats_.series(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_names(
        std::span<const model::Matcher> matchers, model::TimeRange range) const override {
        return floats_.label_names(matchers, range);
    }
    [[nodiscard]] Result<std::vector<std::string>> label_values(
        std::string_view name, std::span<const model::Matcher> matchers,
        model::TimeRange range) const override {
        return floats_.label_values(name, matchers, range);
    }

private:
    // The native histogram that `load_with_nhcb` makes of a classic one's series.
    static std::optional<model::Labels> fused_labels(const model::Labels& labels) {
        const std::string_view name = labels.metric_name();
        for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
            if (name.ends_with(suffix)) {
                return labels.without("le").with(model::kMetricName,
                                                 name.substr(0, name.size() - suffix.size()));
            }
        }
        return std::nullopt;
    }

    bool only_newest_seen_ = false;
    kpid::testing::MemoryStorage floats_;
    kpid::testing::MemoryStorage histograms_;   // Times only.
    kpid::testing::MemoryStorage start_times_;  // Times only.
};

}  // namespace kpid::promql::testing
