#pragma once
// Durable small state: alert states, the outbox, idempotency keys. Keys have a prefix per use.

#include "kpid/base/result.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::model {

/// One change: a value put, or the key erased when there is none.
struct StateWrite {
    std::string key;
    std::optional<std::string> value;
};

/// Ordered keys and values. Thread-safe. Keys begin with "<room>/<use>/" ("notify/outbox/…").
class StateStore {
public:
    virtual ~StateStore() = default;
    /// Durable when it returns, all or nothing. Blocks: never on an I/O thread.
    [[nodiscard]] virtual Result<void> write(std::span<const StateWrite> writes) = 0;
    /// The value, or nothing when the key is absent.
    [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
    /// All entries whose key starts with `prefix`, in order of key, at most `limit`.
    [[nodiscard]] virtual Result<std::vector<std::pair<std::string, std::string>>> scan(
        std::string_view prefix, std::size_t limit) const = 0;
};

}  // namespace kpid::model
