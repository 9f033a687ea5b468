// How many samples of known series the storage takes a CPU second and core, without HTTP: by the
// handles that it gave out, by labels, and by the bytes a sender names them with. CPU time is the
// process's, all threads together, so that items_per_second is per core.

#include "kpid/base/same_text.h"
#include "kpid/storage/storage.h"
#include "support/temporary_folder.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kpid::storage {
namespace {

constexpr Timestamp kStart{1'800'000'000'000};
constexpr Duration kStep{15'000};
constexpr std::size_t kSeries = 100'000;
constexpr std::size_t kBatchSize = 2'000;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs labels_of(std::size_t i) {
    constexpr std::size_t kIndexes = 100;
    constexpr std::size_t kJobs = 97;
    return {{"__name__", fmt::format("load_metric_{}", i / kIndexes)},
            {"env", "prod"},
            {"idx", std::to_string(i % kIndexes)},
            {"instance", fmt::format("10.0.{}.{}:9100", i >> 8U, i & 255U)},
            {"job", fmt::format("load_{}", i % kJobs)},
            {"region", "eu-west-1"}};
}

/// As a sender would write labels: each text with its size before it.
std::string bytes_of(const Pairs& labels) {
    std::string bytes;
    for (const auto& [name, value] : labels) {
        for (const std::string& text : {name, value}) {
            bytes += static_cast<char>(text.size());
            bytes += text;
        }
    }
    return bytes;
}

class SizedTextReader final : public model::LabelReader {
public:
    [[nodiscard]] Result<void> read(std::string_view bytes,
                                    std::vector<model::LabelView>& labels) const override {
        labels.clear();
        while (!bytes.empty()) {
            const std::string_view name = take(bytes);
            labels.push_back({name, take(bytes)});
        }
        return {};
    }

    [[nodiscard]] bool reads_as(std::string_view bytes,
                                std::span<const model::LabelView> labels) const override {
        for (const model::LabelView& label : labels) {
            if (!takes(bytes, label.name) || !takes(bytes, label.value)) {
                return false;
            }
        }
        return bytes.empty();
    }

private:
    static bool takes(std::string_view& bytes, std::string_view text) {
        return !bytes.empty() && same_text(take(bytes), text);
    }
    static std::string_view take(std::string_view& bytes) {
        const auto size = static_cast<std::size_t>(static_cast<unsigned char>(bytes.front()));
        const std::string_view text = bytes.substr(1, size);
        bytes.remove_prefix(1 + size);
        return text;
    }
};

/// Values of the remote-write load: counters, whole gauges, gauges in tenths.
class Values {
public:
    Values() {
        std::mt19937_64 random(1);
        for (std::int64_t& chance : chances_) {
            chance = static_cast<std::int64_t>(random() >> 1U);
        }
    }
    void step(std::size_t series, std::int64_t& tenths) {
        const std::int64_t chance = chances_[next_++ % chances_.size()];
        if (series % 4 < 2) {
            tenths += chance % 50 * 10;
        } else if (series % 4 == 2) {
            tenths += (chance % 3 - 1) * 10;
        } else {
            tenths += chance % 21 - 10;
        }
    }

private:
    // A number of its own a step, repeated late enough.
    std::array<std::int64_t, 65'537> chances_{};
    std::size_t next_ = 0;
};

enum class By { kHandles, kLabels, kRaw };

/// One batch after the other, all series in turn, a step later each time round.
class Load {
public:
    explicit Load(By by) : by_(by) {
        for (std::size_t i = 0; i < kSeries; ++i) {
            const Pairs pairs = labels_of(i);
            bytes_.push_back(bytes_of(pairs));
            std::vector<model::Label> labels;
            for (const auto& [name, value] : pairs) {
                labels.push_back({name, value});
            }
            named_.push_back({model::Labels::from(std::move(labels)), kStart, 0});
        }
        samples_.resize(kSeries);
        handles_.resize(kSeries);
        tenths_.assign(kSeries, 10'000);
        for (std::size_t i = 0; i < kSeries; ++i) {
            raw_series_.push_back({bytes_[i], {&samples_[i], 1}});
        }
    }

    /// Points into the load until the next call.
    model::AppendBatch next() {
        if (begin_ == kSeries) {
            begin_ = 0;
            time_ += kStep;
        }
        for (std::size_t i = begin_; i < begin_ + kBatchSize; ++i) {
            values_.step(i, tenths_[i]);
            const double value = static_cast<double>(tenths_[i]) / 10;
            if (by_ == By::kRaw) {
                samples_[i] = {time_, value};
            } else {
                named_[i].time = time_;
                named_[i].value = value;
            }
        }
        model::AppendBatch batch;
        if (by_ == By::kRaw) {
            batch.raw = std::span(raw_series_).subspan(begin_, kBatchSize);
            batch.label_reader = &reader_;
        } else {
            batch.samples = std::span(named_).subspan(begin_, kBatchSize);
            if (by_ == By::kHandles) {
                batch.handles = std::span(handles_).subspan(begin_, kBatchSize);
            }
        }
        batch.now = time_;
        begin_ += kBatchSize;
        return batch;
    }

private:
    const By by_;
    SizedTextReader reader_;
    Values values_;
    std::vector<std::string> bytes_;
    std::vector<model::SeriesSample> named_;
    std::vector<model::SeriesHandle> handles_;
    std::vector<model::Sample> samples_;
    std::vector<model::RawSeries> raw_series_;
    std::vector<std::int64_t> tenths_;
    Timestamp time_ = kStart;
    std::size_t begin_ = 0;
};

void append_known(benchmark::State& state, By by) {
    const testing::TemporaryFolder folder;
    auto storage = Storage::open({.path = folder.file("data")});
    if (!storage) {
        state.SkipWithError(storage.error().message.c_str());
        return;
    }
    Load load(by);
    const auto append = [&] {
        const auto result = (*storage)->append(load.next());
        if (!result || !result->rejected.empty()) {
            state.SkipWithError("a sample was refused");
        }
    };
    for (std::size_t i = 0; i < kSeries; i += kBatchSize) {
        append();
    }
    for (auto _ : state) {
        append();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatchSize));
}
BENCHMARK_CAPTURE(append_known, handles, By::kHandles)->MeasureProcessCPUTime()->MinTime(2);
BENCHMARK_CAPTURE(append_known, raw, By::kRaw)->MeasureProcessCPUTime()->MinTime(2);
BENCHMARK_CAPTURE(append_known, labels, By::kLabels)->MeasureProcessCPUTime()->MinTime(2);

}  // namespace
}  // namespace kpid::storage
