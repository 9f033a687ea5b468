// Kills a writing process at random moments: what it had acknowledged is there.

#include "storage/storage_fixture.h"
#include "support/effort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace kpid::storage {
namespace {

constexpr std::int64_t kRoundLength = 1'000'000;

/// Starts the writer, reads about `lines` acknowledgements, kills it, then reads what is left in
/// the pipe.
std::string run_until_killed(const std::string& path, std::int64_t start, std::size_t lines) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    const std::string start_text = std::to_string(start);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        ::execl(KPID_CRASH_WRITER, "crash_writer", path.c_str(), start_text.c_str(), nullptr);
        ::_exit(127);
    }
    ::close(ends[1]);
    std::string text;
    char buffer[4096];
    std::size_t seen = 0;
    bool killed = false;
    for (;;) {
        const ssize_t count = ::read(ends[0], buffer, sizeof(buffer));
        if (count <= 0) {
            break;
        }
        const std::string_view part(buffer, static_cast<std::size_t>(count));
        text.append(part);
        seen += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
        if (seen >= lines && !killed) {
            ::kill(child, SIGKILL);
            killed = true;
        }
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return text;
}

model::SeriesColumns read_one(const Storage& storage, std::string_view name,
                              std::string_view thread) {
    const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", name),
                                               model::Matcher::equal("thread", thread)};
    const auto selected = storage.select(matchers, {}, {});
    EXPECT_TRUE(selected.has_value());
    return selected->empty() ? model::SeriesColumns() : selected->at(0);
}

/// Late samples, totals and events that came with the acknowledged indices.
void expect_others(const Storage& storage, const std::string& thread,
                   const std::map<std::int64_t, bool>& indices, int round) {
    const model::SeriesColumns late = read_one(storage, "late", thread);
    const model::SeriesColumns events = read_one(storage, "event", thread);
    const model::SeriesColumns totals = read_one(storage, "total", thread);
    ASSERT_TRUE(std::is_sorted(late.times.begin(), late.times.end()));
    ASSERT_TRUE(std::is_sorted(events.values.begin(), events.values.end()));
    std::map<std::int64_t, std::int64_t> newest;  // by the start of their round
    for (const auto& [index, yes] : indices) {
        const auto at =
            std::lower_bound(late.times.begin(), late.times.end(), Timestamp(index ^ 63));
        ASSERT_TRUE(at != late.times.end() && at->ms() == (index ^ 63)) << index;
        ASSERT_EQ(late.values[static_cast<std::size_t>(at - late.times.begin())],
                  static_cast<double>(index));
        const auto event = std::lower_bound(events.values.begin(), events.values.end(),
                                            static_cast<double>(index));
        ASSERT_TRUE(event != events.values.end() && *event == static_cast<double>(index)) << index;
        newest[index / kRoundLength * kRoundLength] = index;
    }
    // Unacknowledged is at most one of each round.
    ASSERT_LE(late.times.size(), indices.size() + static_cast<std::size_t>(round) + 1);
    ASSERT_LE(events.times.size(), indices.size() + static_cast<std::size_t>(round) + 1);
    for (const auto& [start, index] : newest) {
        const auto at =
            std::lower_bound(totals.times.begin(), totals.times.end(), Timestamp(start));
        ASSERT_TRUE(at != totals.times.end() && at->ms() == start);
        const double value = totals.values[static_cast<std::size_t>(at - totals.times.begin())];
        ASSERT_TRUE(value == static_cast<double>(index) || value == static_cast<double>(index + 1))
            << value << " " << index;
    }
}

TEST(StorageCrash, LosesNothingThatWasAcknowledged) {
    const std::uint64_t seed = 20'270'115;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const testing::TemporaryFolder folder;
    const std::string path = folder.file("data");
    std::map<std::string, std::map<std::int64_t, bool>> acknowledged;  // thread -> index
    const auto rounds = static_cast<int>(testing::effort(10, 100));
    for (int round = 0; round < rounds; ++round) {
        SCOPED_TRACE(fmt::format("round {}", round));
        const std::int64_t start = (round + 1) * kRoundLength;
        std::istringstream lines(run_until_killed(path, start, 1 + random() % 3000));
        std::map<std::string, std::int64_t> newest;
        std::string thread;
        std::int64_t index = 0;
        while (lines >> thread >> index) {
            acknowledged[thread][index] = true;
            newest[thread] = index;
        }
        const auto opened = Storage::open({.path = path});
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        for (const auto& [name, indices] : acknowledged) {
            const std::vector<model::Matcher> matchers{model::Matcher::equal("__name__", "crash"),
                                                       model::Matcher::equal("thread", name)};
            const auto selected = (*opened)->select(matchers, {}, {});
            ASSERT_TRUE(selected.has_value());
            ASSERT_EQ(selected->size(), 1U);
            std::map<std::int64_t, double> stored;
            for (std::size_t i = 0; i < selected->at(0).times.size(); ++i) {
                stored[selected->at(0).times[i].ms()] = selected->at(0).values[i];
            }
            for (const auto& [wanted, yes] : indices) {
                ASSERT_TRUE(stored.contains(wanted)) << name << " " << wanted;
                ASSERT_EQ(stored[wanted], static_cast<double>(wanted));
            }
            // Unacknowledged is at most the one that each thread had under way in each round.
            ASSERT_LE(stored.size(), indices.size() + static_cast<std::size_t>(round) + 1);
        }
        for (const auto& [name, indices] : acknowledged) {
            expect_others(**opened, name, indices, round);
        }
        for (const auto& [name, wanted] : newest) {
            const auto state = (*opened)->get("crash/" + name);
            ASSERT_TRUE(state.has_value() && state->has_value());
            // The state of a batch goes with its samples.
            EXPECT_GE(std::stoll(**state), wanted);
            EXPECT_LE(std::stoll(**state), wanted + 1);
        }
    }
}

}  // namespace
}  // namespace kpid::storage
