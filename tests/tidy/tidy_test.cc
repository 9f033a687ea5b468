// The house rules that a compiler does not know: the order of the rooms, the bans, sizes, top
// comments, and that every test is listed. Reads the source tree as text.

#include "support/source_dir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace kpid {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
    std::string path;  // relative to the top
    std::vector<std::string> lines;

    [[nodiscard]] bool in(std::string_view folder) const { return path.starts_with(folder); }
    [[nodiscard]] bool is_header() const { return path.ends_with(".h"); }
};

std::vector<SourceFile> read_tree() {
    const fs::path top = kpid::testing::source_dir();
    std::vector<SourceFile> files;
    for (const char* folder : {"include", "src", "tests"}) {
        for (const auto& entry : fs::recursive_directory_iterator(top / folder)) {
            const std::string extension = entry.path().extension();
            if (extension != ".h" && extension != ".cc") {
                continue;
            }
            SourceFile file{fs::relative(entry.path(), top).string(), {}};
            std::ifstream in(entry.path());
            for (std::string line; std::getline(in, line);) {
                file.lines.push_back(line);
            }
            files.push_back(std::move(file));
        }
    }
    std::sort(files.begin(), files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    return files;
}

const std::vector<SourceFile>& tree() {
    static const std::vector<SourceFile> kFiles = read_tree();
    return kFiles;
}

// The floor of each room: an include goes to a lower floor only, or stays in its room.
const std::map<std::string, int, std::less<>> kFloors{
    {"base", 0},   {"model", 1},    {"wire", 2},   {"storage", 2}, {"promql", 3},
    {"kpi", 3},    {"alerting", 3}, {"config", 4}, {"net", 4},     {"ingest", 5},
    {"notify", 5}, {"evaluate", 6}, {"http", 7},   {"app", 8},     {"ctl", 8},
};

std::string room_of(const std::string& path) {
    for (const char* prefix : {"include/kpid/", "src/"}) {
        if (path.starts_with(prefix)) {
            const std::string rest = path.substr(std::string_view(prefix).size());
            return rest.substr(0, rest.find('/'));
        }
    }
    return "";
}

void expect_none(const std::vector<std::string>& findings) {
    for (const std::string& finding : findings) {
        ADD_FAILURE() << finding;
    }
}

TEST(Tidy, IncludesPointUpTheHouse) {
    const std::regex include(R"(^\s*#include\s+[<"](?:kpid/)?([a-z]+)/)");
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        const std::string room = room_of(file.path);
        if (!kFloors.contains(room)) {
            continue;
        }
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            std::smatch match;
            if (!std::regex_search(file.lines[i], match, include)) {
                continue;
            }
            const auto target = kFloors.find(match[1].str());
            if (target != kFloors.end() && target->first != room &&
                target->second >= kFloors.at(room)) {
                findings.push_back(file.path + ":" + std::to_string(i + 1) + ": " + room +
                                   " includes " + target->first);
            }
        }
    }
    expect_none(findings);
}

struct Ban {
    std::string pattern;
    std::vector<std::string> allowed;  // path prefixes
    std::string why;
};

const std::vector<Ban>& bans() {
    static const std::vector<Ban> kBans{
        {R"(system_clock::now|steady_clock::now)",
         {"src/base/", "src/net/", "tests/bench/", "tests/e2e/"},
         "time comes from a Clock"},
        {R"(\bsleep_for\b|\busleep\(|[^_]\bsleep\()",
         {"tests/bench/", "tests/e2e/"},
         "wait on Timers, drive tests by a manual clock"},
        {R"(\bsteady_timer\b)", {"src/net/"}, "timers are net::Timers"},
        {R"(\bstd::rand\b|[^_a-z.]rand\(\))", {}, "one seeded generator a run"},
        {R"(asio::detached)", {}, "work is started by TaskGroup::spawn"},
        {R"(^using namespace (?!std::chrono_literals))", {"tests/"}, "names are written out"},
        {R"(#include <boost/beast)", {"src/net/"}, "only net knows Beast"},
        {R"(#include <boost/asio)", {"src/net/", "tests/"}, "only net knows Asio"},
        {R"(#include <yaml-cpp)", {"src/config/"}, "only config knows yaml-cpp"},
        {R"(#include <rocksdb)", {"src/storage/", "tests/storage/"}, "only storage knows RocksDB"},
        {R"(#include <curl)", {"src/net/"}, "only net knows curl"},
        {R"(GTEST_SKIP|DISABLED_)", {}, "every test runs"},
    };
    return kBans;
}

TEST(Tidy, BannedWordsStandOnlyWhereTheyMay) {
    std::vector<std::string> findings;
    for (const Ban& ban : bans()) {
        const std::regex pattern(ban.pattern);
        for (const SourceFile& file : tree()) {
            const bool allowed = std::any_of(ban.allowed.begin(), ban.allowed.end(),
                                             [&](const std::string& p) { return file.in(p); });
            if (allowed || file.in("tests/tidy/")) {
                continue;
            }
            for (std::size_t i = 0; i < file.lines.size(); ++i) {
                if (std::regex_search(file.lines[i], pattern)) {
                    findings.push_back(file.path + ":" + std::to_string(i + 1) + ": " + ban.why);
                }
            }
        }
    }
    expect_none(findings);
}

TEST(Tidy, LibraryHeadersOfAdaptersStayOutOfHeaders) {
    const std::regex pattern(R"(#include <(boost/beast|yaml-cpp|rocksdb|curl)/)");
    // An adapter of several files has headers of its own that no other file includes.
    const std::regex adapter_include(R"(#include ["]storage/rocks_)");
    const std::regex rocksdb(R"(#include <rocksdb/)");
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        const bool is_adapter = file.path.starts_with("src/storage/rocks_");
        for (const std::string& line : file.lines) {
            const bool is_own = is_adapter && std::regex_search(line, rocksdb);
            const bool leaks = file.is_header() && !is_own && std::regex_search(line, pattern);
            if (leaks || (!is_adapter && std::regex_search(line, adapter_include))) {
                findings.push_back(file.path + ": " + line);
            }
        }
    }
    expect_none(findings);
}

TEST(Tidy, ThePureCoreKnowsNoThreadsAndNoSockets) {
    const std::regex pattern(R"(#include <(thread|sys/socket\.h|netinet|spdlog))");
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        const std::string room = room_of(file.path);
        // storage owns its committer thread, base the log's sink.
        if (!kFloors.contains(room) || kFloors.at(room) > 3 || room == "storage" ||
            room == "base") {
            continue;
        }
        for (const std::string& line : file.lines) {
            if (std::regex_search(line, pattern)) {
                findings.push_back(file.path + ": " + line);
            }
        }
    }
    expect_none(findings);
}

TEST(Tidy, FilesAreOfAReadableSize) {
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        const std::size_t lines_max = file.in("tests/") ? 700 : file.is_header() ? 250 : 500;
        if (file.lines.size() > lines_max) {
            findings.push_back(file.path + ": " + std::to_string(file.lines.size()) +
                               " lines; at most " + std::to_string(lines_max));
        }
    }
    expect_none(findings);
}

std::size_t code_points(const std::string& line) {
    return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    }));
}

TEST(Tidy, LinesFitAHundredColumns) {
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const bool data = file.lines[i].find("R\"") != std::string::npos ||
                              file.lines[i].find("http") != std::string::npos;
            if (code_points(file.lines[i]) > 100 && !data && !file.in("tests/")) {
                findings.push_back(file.path + ":" + std::to_string(i + 1) + ": over 100 columns");
            }
        }
    }
    expect_none(findings);
}

TEST(Tidy, HeadersBeginWithPragmaOnceAndSayWhatTheyAre) {
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        if (!file.is_header()) {
            continue;
        }
        const bool fine = file.lines.size() > 2 && file.lines[0] == "#pragma once" &&
                          file.lines[1].starts_with("//");
        if (!fine) {
            findings.push_back(file.path +
                               ": wants #pragma once and a comment that says what it is");
        }
    }
    expect_none(findings);
}

TEST(Tidy, EveryTestIsListedInItsCMakeLists) {
    std::vector<std::string> findings;
    const fs::path top = kpid::testing::source_dir();
    for (const SourceFile& file : tree()) {
        const fs::path path = file.path;
        const std::string name = path.filename().string();
        if (!file.in("tests/") || !(name.ends_with("_test.cc") || name.ends_with("_fuzz.cc") ||
                                    name.ends_with("_bench.cc"))) {
            continue;
        }
        std::string lists;
        for (const auto& entry : fs::directory_iterator((top / path).parent_path())) {
            const std::string list = entry.path().filename().string();
            if (list == "CMakeLists.txt" || list.ends_with(".cmake")) {
                std::ifstream in(entry.path());
                std::stringstream text;
                text << in.rdbuf();
                lists += text.str();
            }
        }
        if (lists.find(name) == std::string::npos) {
            findings.push_back(file.path + ": not listed in a CMakeLists.txt beside it");
        }
    }
    expect_none(findings);
}

TEST(Tidy, EveryRoomHasAReadme) {
    for (const auto& [room, floor] : kFloors) {
        EXPECT_TRUE(fs::exists(kpid::testing::source_dir() / "src" / room / "README.md")) << room;
    }
}

TEST(Tidy, TestNamesHaveNoUnderscores) {
    const std::regex pattern(R"(^TEST(_[FP])?\((\w+),\s*(\w+)\))");
    std::vector<std::string> findings;
    for (const SourceFile& file : tree()) {
        for (const std::string& line : file.lines) {
            std::smatch match;
            if (file.in("tests/") && std::regex_search(line, match, pattern) &&
                (match[2].str() + match[3].str()).find('_') != std::string::npos) {
                findings.push_back(file.path + ": " + match[0].str());
            }
        }
    }
    expect_none(findings);
}

}  // namespace
}  // namespace kpid
