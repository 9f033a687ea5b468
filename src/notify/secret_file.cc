// Reads small files.
#include "notify/secret_file.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace kpid::notify {
namespace {

constexpr std::size_t kSecretFileBytesMax = 64 * 1024;

}  // namespace

Result<std::string> read_secret_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text(kSecretFileBytesMax, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) {
        return unavailable(fmt::format("cannot read {}", path));
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    constexpr const char* kBlanks = " \t\r\n";
    text.erase(text.find_last_not_of(kBlanks) + 1);
    text.erase(0, text.find_first_not_of(kBlanks));
    if (text.empty()) {
        return unavailable(fmt::format("{} is empty", path));
    }
    return text;
}

}  // namespace kpid::notify
