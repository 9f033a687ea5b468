#pragma once
// Words for tests of a log: entries and what is read back, in one line each.

#include "kpid/storage/log.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace kpid::storage {

using Entries = std::vector<std::string>;

inline LogBatch put_of(LogTable table, std::vector<std::pair<std::string, std::string>> entries) {
    LogBatch batch;
    for (auto& [key, value] : entries) {
        batch.entries.push_back({table, std::move(key), std::move(value)});
    }
    return batch;
}

inline LogBatch erasure_of(LogTable table, std::string begin, std::string end) {
    LogBatch batch;
    batch.erasures.push_back({table, std::move(begin), std::move(end)});
    return batch;
}

/// Each entry as "key=value".
inline Result<Entries> try_read_log(const Log& log, LogTable table, std::string_view begin = {},
                                    std::string_view end = {}) {
    Entries found;
    KPID_CHECK_OK(log.scan(table, begin, end,
                           [&found](std::string_view key, std::string_view value) -> Result<bool> {
                               found.push_back(std::string(key) + "=" + std::string(value));
                               return true;
                           }));
    return found;
}

inline Entries read_log(const Log& log, LogTable table, std::string_view begin = {},
                        std::string_view end = {}) {
    auto found = try_read_log(log, table, begin, end);
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return found.value_or(Entries{"unreadable"});
}

/// Nine digits, in order of number.
inline std::string key_of(std::size_t number) {
    std::string text = std::to_string(number);
    return std::string(9 - text.size(), '0') + text;
}

/// Text that no compressor shortens.
inline std::string noise(std::size_t bytes, std::uint64_t seed) {
    std::string text(bytes, '\0');
    for (char& one : text) {
        seed = seed * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        one = static_cast<char>(seed >> 56);
    }
    return text;
}

}  // namespace kpid::storage
