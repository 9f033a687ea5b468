// A bounded map from family to metadata.
#include "ingest/metadata_table.h"

#include "kpid/base/json_writer.h"

namespace kpid::ingest {

bool MetadataTable::put_one(const wire::RemoteWriteMetadata& statement) {
    const auto found = families_.find(statement.family);
    const bool is_known = found != families_.end();
    if (is_known && found->second.type == statement.type && found->second.help == statement.help &&
        found->second.unit == statement.unit) {
        return true;
    }
    if (statement.family.empty() || !is_valid_utf8(statement.family) ||
        !is_valid_utf8(statement.help) || !is_valid_utf8(statement.unit)) {
        return false;
    }
    const std::size_t old_size =
        is_known ? found->second.help.size() + found->second.unit.size() : 0;
    const std::size_t new_size =
        statement.help.size() + statement.unit.size() + (is_known ? 0 : statement.family.size());
    const std::size_t bytes = bytes_ - old_size + new_size;
    if (bytes > kBytesMax || (!is_known && families_.size() >= kFamiliesMax)) {
        return false;
    }
    model::MetricMetadata& place =
        is_known ? found->second : families_[std::string(statement.family)];
    place.family = statement.family;
    place.type = statement.type;
    place.help = statement.help;
    place.unit = statement.unit;
    bytes_ = bytes;
    return true;
}

std::size_t MetadataTable::put(std::span<const wire::RemoteWriteMetadata> statements) {
    if (statements.empty()) {
        return 0;
    }
    std::size_t dropped = 0;
    const MutexLock lock(mutex_);
    for (const wire::RemoteWriteMetadata& statement : statements) {
        if (!put_one(statement)) {
            ++dropped;
        }
    }
    return dropped;
}

std::vector<model::MetricMetadata> MetadataTable::list(std::string_view family,
                                                       std::size_t limit) const {
    std::vector<model::MetricMetadata> found;
    const MutexLock lock(mutex_);
    if (!family.empty()) {
        const auto place = families_.find(family);
        if (place != families_.end()) {
            found.push_back(place->second);
        }
        return found;
    }
    for (const auto& [name, metadata] : families_) {
        if (limit != 0 && found.size() >= limit) {
            break;
        }
        found.push_back(metadata);
    }
    return found;
}

}  // namespace kpid::ingest
