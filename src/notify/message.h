#pragma once
// A message of the outbox: one body for one webhook, and what became of it.

#include "kpid/base/clock.h"
#include "kpid/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::notify {

enum class MessageState { kPending, kDelivered, kFailed, kDropped };
/// "pending", "delivered", "failed", "dropped".
[[nodiscard]] std::string_view to_string(MessageState state);
[[nodiscard]] Result<MessageState> parse_message_state(std::string_view text);

/// One attempt to deliver: an HTTP status, or 0 and why there was none.
struct Attempt {
    Timestamp time;
    unsigned code = 0;
    std::string error;
};

struct MessageAlert {
    std::string fingerprint;
    std::string status;  ///< "firing" or "resolved".
    std::string name;    ///< Its label alertname; empty in what an older kpid stored.
};

/// What is stored before it is sent. `id` is the webhook-id: the same over all attempts and
/// restarts.
struct Message {
    static constexpr std::size_t kAttemptsKept = 20;  ///< The newest; older ones are only counted.

    std::string id;
    std::string notification_id;  ///< The dispatcher's; shared by the webhooks of one receiver.
    std::string group_id;
    std::string receiver;
    std::size_t webhook = 0;  ///< Which of the receiver's.
    std::string body;  ///< The bytes to be signed and sent. Empty once it is not needed any more.
    Timestamp created;
    MessageState state = MessageState::kPending;
    /// The first attempt since it was made or put back, and how many there were since.
    std::optional<Timestamp> tried_since;
    std::uint64_t attempt_count = 0;
    std::vector<Attempt> attempts;
    std::vector<MessageAlert> alerts;
    MonoTime cause_accepted_at{};  ///< Not stored.
};

/// Versioned JSON for the state store.
[[nodiscard]] std::string encode_message(const Message& message);
/// kDataLoss when it is damaged or of a newer version.
[[nodiscard]] Result<Message> decode_message(std::string_view json);

}  // namespace kpid::notify
