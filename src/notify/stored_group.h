#pragma once
// Groups of the dispatcher in the state store: ids of any length, states of any size.

#include "kpid/base/result.h"
#include "kpid/model/state_store.h"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kpid::notify {

/// The store bounds keys and values; a group's id holds label values and its state all its alerts.
/// So the key is a hash of the id, and the value is cut into parts of at most this many bytes.
inline constexpr std::size_t kGroupPartBytes = std::size_t{8} << 20U;

/// The writes that replace a stored group of `parts_before` parts (0: none) by `state`, or erase
/// it.
struct GroupWrites {
    std::vector<model::StateWrite> writes;
    std::size_t parts = 0;  ///< The group has from now on.
};
[[nodiscard]] GroupWrites write_stored_group(std::string_view group_id,
                                             const std::optional<std::string>& state,
                                             std::size_t parts_before,
                                             std::size_t part_bytes = kGroupPartBytes);

struct StoredGroups {
    std::vector<std::pair<std::string, std::string>> states;  ///< By group id.
    std::map<std::string, std::size_t> parts;                 ///< By group id.
    std::vector<std::string> damaged;                         ///< Keys that do not read.
};
/// Puts the entries of a scan of kGroupPrefix together again.
[[nodiscard]] StoredGroups read_stored_groups(
    std::span<const std::pair<std::string, std::string>> entries);

}  // namespace kpid::notify
