#pragma once
// Text files that may be packed with gzip. "-" is standard input or output.

#include "kpid/base/result.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace kpid::ctl {

/// zlib's file.
struct GzipClose {
    void operator()(void* file) const;
};

/// Reads lines of a plain or packed file. Blocks.
class LineReader {
public:
    static constexpr std::size_t kLineBytesMax = 1024 * 1024;

    /// kUnavailable when the file cannot be opened.
    [[nodiscard]] static Result<LineReader> open(const std::string& path);
    /// The next line without its newline, valid until the next call; nothing at the end.
    /// kUnavailable when reading fails, the packed data is damaged or cut, or a line is too long.
    [[nodiscard]] Result<std::optional<std::string_view>> next();

private:
    LineReader(std::string path, std::unique_ptr<void, GzipClose> file)
        : path_(std::move(path)), file_(std::move(file)) {}

    std::string path_;
    std::unique_ptr<void, GzipClose> file_;
    std::string buffer_;
    std::size_t begin_ = 0;  ///< Of what was not given out yet.
    bool at_end_ = false;
};

/// Writes a file, packed when its name ends with ".gz". It has its name only once it is finished:
/// until then it is `<path>.part`. Blocks.
class TextWriter {
public:
    [[nodiscard]] static Result<TextWriter> create(const std::string& path);
    [[nodiscard]] Result<void> write(std::string_view text);
    [[nodiscard]] Result<void> finish();

private:
    TextWriter(std::string path, std::unique_ptr<void, GzipClose> file)
        : path_(std::move(path)), file_(std::move(file)) {}

    std::string path_;
    std::unique_ptr<void, GzipClose> file_;
};

}  // namespace kpid::ctl
