// Plain and packed files, line by line.

#include "ctl/text_file.h"

#include "support/temporary_folder.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace kpid::ctl {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
    Result<LineReader> reader = LineReader::open(path);
    EXPECT_TRUE(reader.has_value());
    std::vector<std::string> lines;
    for (;;) {
        const auto line = reader->next();
        EXPECT_TRUE(line.has_value()) << (line ? "" : line.error().message);
        if (!line || !*line) {
            return lines;
        }
        lines.emplace_back(**line);
    }
}

std::string bytes_of(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

class TextFile : public ::testing::Test {
protected:
    void write(const std::string& path, std::string_view text) {
        Result<TextWriter> writer = TextWriter::create(path);
        ASSERT_TRUE(writer.has_value()) << writer.error().message;
        ASSERT_TRUE(writer->write(text).has_value());
        EXPECT_FALSE(std::filesystem::exists(path));
        ASSERT_TRUE(writer->finish().has_value());
        EXPECT_FALSE(std::filesystem::exists(path + ".part"));
    }
    testing::TemporaryFolder folder_;
    const std::string plain_ = folder_.file("a.txt");
    const std::string packed_ = folder_.file("a.txt.gz");
};

TEST_F(TextFile, ReadsWhatWasWritten) {
    std::string text = "first\n\n" + std::string(700'000, 'x') + "\n";
    for (int i = 0; i < 100'000; ++i) {
        text += std::to_string(i) + "\n";
    }
    text += "no newline";
    write(plain_, text);
    write(packed_, text);
    EXPECT_EQ(bytes_of(plain_), text);
    EXPECT_LT(bytes_of(packed_).size(), text.size() / 2);
    const std::vector<std::string> lines = lines_of(plain_);
    ASSERT_EQ(lines.size(), 100'004U);
    EXPECT_EQ(lines[0], "first");
    EXPECT_EQ(lines[1], "");
    EXPECT_EQ(lines[2].size(), 700'000U);
    EXPECT_EQ(lines.back(), "no newline");
    EXPECT_EQ(lines_of(packed_), lines);
}

TEST_F(TextFile, SaysWhatIsWrong) {
    EXPECT_FALSE(LineReader::open(folder_.file("none")).has_value());
    EXPECT_FALSE(TextWriter::create(folder_.file("none/a")).has_value());
    write(plain_, std::string(2 * LineReader::kLineBytesMax, 'x'));
    EXPECT_FALSE(LineReader::open(plain_)->next().has_value());
}

TEST_F(TextFile, NoticesAPackedFileThatWasCut) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += std::to_string(i * 7919) + "\n";
    }
    write(packed_, text);
    std::filesystem::resize_file(packed_, std::filesystem::file_size(packed_) / 2);
    Result<LineReader> reader = LineReader::open(packed_);
    ASSERT_TRUE(reader.has_value());
    Result<std::optional<std::string_view>> line = reader->next();
    while (line && *line) {
        line = reader->next();
    }
    EXPECT_FALSE(line.has_value());
}

}  // namespace
}  // namespace kpid::ctl
