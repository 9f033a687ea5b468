// Files by zlib, which reads plain ones too.
#include "ctl/text_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <unistd.h>

namespace kpid::ctl {
namespace {

constexpr std::size_t kReadBytes = std::size_t{256} * 1024;
constexpr std::string_view kStandard = "-";
constexpr std::string_view kPacked = ".gz";
constexpr std::string_view kUnfinished = ".part";

gzFile file_of(const std::unique_ptr<void, GzipClose>& file) {
    return static_cast<gzFile>(file.get());
}

Error file_error(const std::string& path, std::string_view why) {
    return unavailable(fmt::format("{}: {}", path == kStandard ? "standard input" : path, why));
}

std::string system_failure() {
    return std::generic_category().message(errno);
}

std::string last_failure(gzFile file) {
    int code = Z_OK;
    const char* text = gzerror(file, &code);
    return code == Z_ERRNO ? system_failure() : text;
}

}  // namespace

void GzipClose::operator()(void* file) const {
    gzclose(static_cast<gzFile>(file));
}

Result<LineReader> LineReader::open(const std::string& path) {
    errno = 0;
    gzFile file = path == kStandard ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path.c_str(), "rb");
    if (file == nullptr) {
        return file_error(path, system_failure());
    }
    return LineReader(path, std::unique_ptr<void, GzipClose>(file));
}

Result<std::optional<std::string_view>> LineReader::next() {
    for (;;) {
        const std::size_t end = buffer_.find('\n', begin_);
        if (end != std::string::npos) {
            const std::string_view line(buffer_.data() + begin_, end - begin_);
            begin_ = end + 1;
            return std::optional(line);
        }
        if (at_end_) {
            const std::string_view line(buffer_.data() + begin_, buffer_.size() - begin_);
            begin_ = buffer_.size();
            return line.empty() ? std::optional<std::string_view>() : std::optional(line);
        }
        buffer_.erase(0, begin_);
        begin_ = 0;
        if (buffer_.size() > kLineBytesMax) {
            return file_error(path_, fmt::format("a line is longer than {} bytes", kLineBytesMax));
        }
        const std::size_t had = buffer_.size();
        buffer_.resize(had + kReadBytes);
        const int count = gzread(file_of(file_), buffer_.data() + had, kReadBytes);
        buffer_.resize(had + static_cast<std::size_t>(std::max(count, 0)));
        // At the end zlib says of what was cut only here.
        int code = Z_OK;
        gzerror(file_of(file_), &code);
        if (count < 0 || (count == 0 && code != Z_OK && code != Z_STREAM_END)) {
            return file_error(path_, last_failure(file_of(file_)));
        }
        at_end_ = count == 0;
    }
}

Result<TextWriter> TextWriter::create(const std::string& path) {
    errno = 0;
    const bool packed = path.ends_with(kPacked);
    const char* mode = packed ? "wb" : "wbT";
    gzFile file = path == kStandard ? gzdopen(dup(STDOUT_FILENO), mode)
                                    : gzopen((path + std::string(kUnfinished)).c_str(), mode);
    if (file == nullptr) {
        return unavailable(fmt::format("{}: {}", path, system_failure()));
    }
    return TextWriter(path, std::unique_ptr<void, GzipClose>(file));
}

Result<void> TextWriter::write(std::string_view text) {
    while (!text.empty()) {
        const std::size_t part = std::min(text.size(), kReadBytes);
        if (gzwrite(file_of(file_), text.data(), static_cast<unsigned>(part)) <= 0) {
            return unavailable(fmt::format("{}: {}", path_, last_failure(file_of(file_))));
        }
        text.remove_prefix(part);
    }
    return {};
}

Result<void> TextWriter::finish() {
    errno = 0;
    if (gzclose(static_cast<gzFile>(file_.release())) != Z_OK) {
        return unavailable(fmt::format("{}: {}", path_, system_failure()));
    }
    const std::string unfinished = path_ + std::string(kUnfinished);
    if (path_ != kStandard && std::rename(unfinished.c_str(), path_.c_str()) != 0) {
        return unavailable(fmt::format("{}: {}", path_, system_failure()));
    }
    return {};
}

}  // namespace kpid::ctl
