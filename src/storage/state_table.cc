#include "storage/state_table.h"

#include "kpid/storage/options.h"

#include <fmt/format.h>

namespace kpid::storage {

Result<void> StateTable::check(std::span<const model::StateWrite> writes) {
    for (const model::StateWrite& write : writes) {
        if (write.key.empty() || write.key.size() > kStateKeyBytesMax) {
            return invalid_argument(fmt::format("a state key has {} bytes; allowed are 1 to {}",
                                                write.key.size(), kStateKeyBytesMax));
        }
        if (write.value && write.value->size() > kStateValueBytesMax) {
            return invalid_argument(fmt::format("the state value has {} bytes; the limit is {}",
                                                write.value->size(), kStateValueBytesMax));
        }
    }
    return {};
}

void StateTable::apply(std::span<const model::StateWrite> writes) {
    const MutexLock lock(mutex_);
    for (const model::StateWrite& write : writes) {
        if (write.value) {
            entries_.insert_or_assign(write.key, *write.value);
        } else {
            entries_.erase(write.key);
        }
    }
}

std::optional<std::string> StateTable::get(std::string_view key) const {
    const MutexLock lock(mutex_);
    const auto place = entries_.find(key);
    return place == entries_.end() ? std::nullopt : std::optional(place->second);
}

std::vector<std::pair<std::string, std::string>> StateTable::scan(std::string_view prefix,
                                                                  std::size_t limit) const {
    std::vector<std::pair<std::string, std::string>> found;
    const MutexLock lock(mutex_);
    for (auto place = entries_.lower_bound(prefix);
         place != entries_.end() && place->first.starts_with(prefix) && found.size() < limit;
         ++place) {
        found.emplace_back(place->first, place->second);
    }
    return found;
}

std::size_t StateTable::size() const {
    const MutexLock lock(mutex_);
    return entries_.size();
}

}  // namespace kpid::storage
