// Kills a writing process at random moments: what it had acknowledged is there.

#include "storage/storage_fixture.h"

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

constexpr int kRounds = 8;
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

TEST(StorageCrash, LosesNothingThatWasAcknowledged) {
    const std::uint64_t seed = 20'270'115;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 random(seed);
    const testing::TemporaryFolder folder;
    const std::string path = folder.file("data");
    std::map<std::string, std::map<std::int64_t, bool>> acknowledged;  // thread -> index
    for (int round = 0; round < kRounds; ++round) {
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
            const std::vector<model::Matcher> matchers{model::Matcher::equal("thread", name)};
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
