// How many series a second the index takes, what each costs, and how fast they are found again.
// Not a google-benchmark: a million series are added once and everything else asks about them.
//
// usage: series_index_bench [SERIES=1000000]

#include "kpid/base/hash.h"
#include "storage/postings_index.h"

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

namespace kpid::storage {
namespace {

constexpr std::size_t kBatch = 2000;  // as remote write sends them
constexpr std::size_t kLabels = 6;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::size_t resident_bytes() {
    std::ifstream in("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    in >> total >> resident;
    return resident * 4096;
}

std::size_t heap_bytes() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// The label sets of the remote-write generator's mixed data.
class LabelSet {
public:
    explicit LabelSet(std::size_t i)
        : texts_{fmt::format("kpi_metric_{}", i / 100 % 500), fmt::format("{}", i % 100),
                 fmt::format("10.{}.{}.{}:9100", i >> 16 & 255, i >> 8 & 255, i & 255),
                 fmt::format("svc{}", i % 97)} {}

    [[nodiscard]] std::array<LabelView, kLabels> views() const {
        return {{{"__name__", texts_[0]},
                 {"env", "prod"},
                 {"idx", texts_[1]},
                 {"instance", texts_[2]},
                 {"job", texts_[3]},
                 {"region", "eu-west-1"}}};
    }

private:
    std::array<std::string, 4> texts_;
};

// A batch as a decoder leaves it: views into one buffer, and the bytes of each set in one piece.
class Batch {
public:
    Batch(std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
            sets_.emplace_back(i);
        }
        for (const LabelSet& set : sets_) {
            views_.push_back(set.views());
            std::string raw;
            for (const LabelView& label : views_.back()) {
                raw += fmt::format("\n{}{}", label.name, label.value);
            }
            raw_.push_back(std::move(raw));
        }
    }

    [[nodiscard]] std::size_t size() const { return sets_.size(); }
    [[nodiscard]] std::span<const LabelView> labels(std::size_t i) const { return views_[i]; }
    [[nodiscard]] const std::string& raw(std::size_t i) const { return raw_[i]; }

private:
    std::vector<LabelSet> sets_;
    std::vector<std::array<LabelView, kLabels>> views_;
    std::vector<std::string> raw_;
};

template <class Work>
double timed(Work&& work) {
    const double begin = cpu_seconds();
    work();
    return cpu_seconds() - begin;
}

void add_all(PostingsIndex& index, std::size_t count, bool with_alias) {
    double seconds = 0;
    double alias_seconds = 0;
    std::uint64_t id = 0;
    const std::size_t heap_before = heap_bytes();
    const std::size_t resident_before = resident_bytes();
    for (std::size_t begin = 0; begin < count; begin += kBatch) {
        const Batch batch(begin, std::min(count, begin + kBatch));
        std::vector<Result<PostingsIndex::Added>> added(batch.size());
        seconds += timed([&] {
            std::vector<PostingsIndex::NewSeries> series;
            for (std::size_t i = 0; i < batch.size(); ++i) {
                const auto labels = batch.labels(i);
                series.push_back({labels, hash_labels(labels), SeriesId(++id)});
            }
            index.add_all(series, added);
        });
        alias_seconds += !with_alias ? 0 : timed([&] {
            for (std::size_t i = 0; i < batch.size(); ++i) {
                index.add_alias(added[i]->ref, hash_bytes(batch.raw(i)));
            }
        });
    }
    const auto series = static_cast<double>(index.size());
    const PostingsIndex::Bytes bytes = index.bytes();
    const auto each = [series](std::size_t size) { return static_cast<double>(size) / series; };
    fmt::print("add            {:>12.0f} series/CPU s ({:.2f} s), with a raw hash each {:.0f}/s\n",
               series / seconds, seconds, series / (seconds + alias_seconds));
    fmt::print(
        "bytes a series {:>12.1f}: labels {:.1f}, sets {:.1f}, hashes {:.1f}, postings {:.1f}\n",
        each(bytes.total()), each(bytes.labels), each(bytes.series), each(bytes.hashes),
        each(bytes.postings));
    const std::size_t heap = heap_bytes() - heap_before;
    fmt::print(
        "heap           {:>12.1f} bytes a series (counted / heap: {:.3f}), resident {:.1f}\n",
        each(heap), static_cast<double>(bytes.total()) / static_cast<double>(heap),
        each(resident_bytes() - resident_before));
}

// Known series, batches in random order, as many as there are series.
void find_all(const PostingsIndex& index, std::size_t count) {
    std::vector<std::size_t> begins;
    for (std::size_t begin = 0; begin + kBatch <= count; begin += kBatch) {
        begins.push_back(begin);
    }
    std::mt19937_64 random(1);
    std::shuffle(begins.begin(), begins.end(), random);
    double one_by_one = 0;
    double together = 0;
    double raw_together = 0;
    std::size_t found = 0;
    for (const std::size_t begin : begins) {
        const Batch batch(begin, begin + kBatch);
        // Alternately first, since the one before warms the caches for the next.
        const auto sorted_lookups = [&] {
            one_by_one += timed([&] {
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    const auto labels = batch.labels(i);
                    found += index.find(labels, hash_labels(labels)).has_value() ? 1U : 0U;
                }
            });
        };
        const auto batched = [&](bool raw) {
            return timed([&] {
                std::vector<std::uint64_t> hashes;
                for (std::size_t i = 0; i < batch.size(); ++i) {
                    hashes.push_back(raw ? hash_bytes(batch.raw(i)) : hash_labels(batch.labels(i)));
                }
                index.find_all(
                    hashes,
                    [&](std::size_t i, std::span<const LabelView> stored) {
                        return std::ranges::equal(stored, batch.labels(i));
                    },
                    [&](std::size_t, std::optional<SeriesRef> ref) {
                        found += ref.has_value() ? 1U : 0U;
                    });
            });
        };
        const std::size_t turn = begin / kBatch % 3;
        if (turn == 0) {
            sorted_lookups();
        } else if (turn == 1) {
            together += batched(false);
        } else {
            raw_together += batched(true);
        }
    }
    const auto rate = [&](std::size_t turn, double seconds) {
        std::size_t batches = 0;
        for (const std::size_t begin : begins) {
            batches += begin / kBatch % 3 == turn ? 1U : 0U;
        }
        return static_cast<double>(batches * kBatch) / seconds;
    };
    fmt::print(
        "find           {:>12.0f} /CPU s one by one, {:.0f} in batches of {}, {:.0f} by raw hash "
        "({} found)\n",
        rate(0, one_by_one), rate(1, together), kBatch, rate(2, raw_together), found);
}

void resolve(const PostingsIndex& index, const std::vector<std::vector<std::string>>& matchers) {
    std::vector<model::Matcher> parsed;
    std::string text;
    for (const auto& matcher : matchers) {
        const auto type = matcher[1] == "="    ? model::MatchType::kEqual
                          : matcher[1] == "!=" ? model::MatchType::kNotEqual
                          : matcher[1] == "=~" ? model::MatchType::kRegexp
                                               : model::MatchType::kNotRegexp;
        parsed.push_back(*model::Matcher::make(type, matcher[0], matcher[2]));
        text += (text.empty() ? "" : ", ") + parsed.back().to_string();
    }
    std::vector<double> times;
    std::size_t size = 0;
    for (int round = 0; round < 5; ++round) {
        times.push_back(timed([&] { size = index.resolve(parsed).refs().size(); }));
    }
    std::sort(times.begin(), times.end());
    fmt::print("resolve        {:>12.3f} ms, {:>7} series: {{{}}}\n", times[2] * 1e3, size, text);
}

// How long the writer takes for one series while readers run the costliest of the above.
void add_beside_readers(PostingsIndex& index, int reader_count) {
    constexpr std::size_t kAdds = 2000;
    std::atomic<bool> running = true;
    std::atomic<std::size_t> answers = 0;
    std::vector<std::thread> readers;
    for (int reader = 0; reader < reader_count; ++reader) {
        readers.emplace_back([&index, &running, &answers] {
            const auto matcher =
                *model::Matcher::make(model::MatchType::kRegexp, "instance", "10.*7:9100");
            while (running) {
                (void)index.resolve({&matcher, 1});
                ++answers;
            }
        });
    }
    std::vector<double> times;
    std::vector<SeriesRef> refs;
    while (reader_count > 0 && answers == 0) {
        std::this_thread::yield();
    }
    for (std::size_t i = 0; i < kAdds; ++i) {
        const std::string value = fmt::format("later-{}", i);
        const std::array<LabelView, 2> labels{{{"__name__", "later"}, {"instance", value}}};
        const auto begin = std::chrono::steady_clock::now();
        const auto added = index.add({labels, hash_labels(labels), SeriesId(i)});
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        times.push_back(taken.count());
        refs.push_back(added->ref);
        std::this_thread::yield();
    }
    running = false;
    for (std::thread& reader : readers) {
        reader.join();
    }
    index.remove(refs);
    index.release(refs);
    std::sort(times.begin(), times.end());
    fmt::print("one add        {:>12.1f} us p50, {:.1f} p90, {:.1f} p99, beside {} readers\n",
               times[kAdds / 2] * 1e6, times[kAdds * 9 / 10] * 1e6, times[kAdds * 99 / 100] * 1e6,
               reader_count);
}

int run(std::size_t count) {
    PostingsIndex index;
    add_all(index, count, true);
    find_all(index, count);
    find_all(index, count);
    resolve(index, {{"__name__", "=", "kpi_metric_7"}});
    resolve(index, {{"instance", "=", "10.1.2.3:9100"}});
    resolve(index, {{"__name__", "=", "kpi_metric_7"}, {"idx", "=", "42"}, {"env", "=", "prod"}});
    resolve(index, {{"__name__", "=", "kpi_metric_7"}, {"instance", "=~", "10\\.1\\..*"}});
    resolve(index, {{"__name__", "=~", "kpi_metric_(7|8|9)"}, {"job", "!=", "svc3"}});
    resolve(index, {{"__name__", "=~", "kpi_metric_1.*"}, {"region", "!=", ""}});
    resolve(index, {{"job", "!~", "svc1.*"}});
    resolve(index, {{"instance", "=~", "10\\.1\\..*"}});
    resolve(index, {{"instance", "=~", "10.*7:9100"}});
    resolve(index, {{"env", "=", "prod"}, {"absent", "=", ""}});
    const double values = timed([&] { (void)index.label_values("instance", {}, 100); });
    const double cardinality = timed([&] { (void)index.cardinality(10); });
    const double bytes = timed([&] { (void)index.bytes(); });
    fmt::print(
        "label_values(instance, limit 100) {:.1f} ms, cardinality {:.1f} ms, bytes {:.1f} ms\n",
        values * 1e3, cardinality * 1e3, bytes * 1e3);
    add_beside_readers(index, 0);
    add_beside_readers(index, 1);
    std::vector<SeriesRef> refs = index.resolve({}).refs();
    const double removed = timed([&] {
        index.remove(refs);
        index.release(refs);
    });
    fmt::print("remove         {:>12.0f} series/CPU s, {} bytes stay counted\n",
               static_cast<double>(count) / removed, index.bytes().total());
    return index.size() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace kpid::storage

int main(int argc, char** argv) {
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
    return kpid::storage::run(count);
}
