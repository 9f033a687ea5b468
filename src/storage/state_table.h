#pragma once
// The small state in memory: what readers of the state store see.

#include "kpid/base/mutex.h"
#include "kpid/base/result.h"
#include "kpid/model/state_store.h"

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::storage {

/// Ordered keys and values. Thread-safe; changed by the committer only.
class StateTable {
public:
    /// kInvalidArgument for an empty key, or a key or value above its limit.
    [[nodiscard]] static Result<void> check(std::span<const model::StateWrite> writes);

    void apply(std::span<const model::StateWrite> writes);
    [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> scan(std::string_view prefix,
                                                                        std::size_t limit) const;
    [[nodiscard]] std::size_t size() const;

private:
    mutable Mutex mutex_;
    std::map<std::string, std::string, std::less<>> entries_ KPID_GUARDED_BY(mutex_);
};

}  // namespace kpid::storage
