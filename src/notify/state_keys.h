#pragma once
// Where delivery keeps its state in the state store.

#include "notify/message.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace kpid::notify {

inline constexpr std::string_view kGroupPrefix = "notify/group/";
inline constexpr std::string_view kOutboxPrefix = "notify/outbox/";
inline constexpr std::string_view kHistoryPrefix = "notify/history/";
inline constexpr std::string_view kRemoteWritePrefix = "notify/remote_write/";

[[nodiscard]] inline std::string outbox_key(const std::string& id) {
    return std::string(kOutboxPrefix) + id;
}
/// In order of creation.
[[nodiscard]] inline std::string history_key(const Message& message) {
    return fmt::format("{}{:020}/{}", kHistoryPrefix, message.created.ms(), message.id);
}

}  // namespace kpid::notify
