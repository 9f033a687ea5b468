// Cuts groups into parts and puts them together. The first part begins with a line of three
// numbers: parts, bytes of the id, bytes of the state; id and state follow.
#include "notify/stored_group.h"

#include "kpid/base/hash.h"
#include "notify/state_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace kpid::notify {
namespace {

constexpr std::size_t kHeaderBytesMax = 64;

std::string stem_of(std::string_view group_id) {
    const std::string id(group_id);
    return fmt::format("{}{:016x}{:016x}/", kGroupPrefix, hash_bytes(id), hash_bytes("2\n" + id));
}

std::string part_key(const std::string& stem, std::size_t part) {
    return fmt::format("{}{:06}", stem, part);
}

struct Header {
    std::size_t parts = 0;
    std::size_t id_bytes = 0;
    std::size_t state_bytes = 0;
    std::size_t size = 0;  // of the line itself
};

std::optional<Header> read_header(std::string_view text) {
    const std::size_t end = text.substr(0, kHeaderBytesMax).find('\n');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    std::array<std::size_t, 3> numbers{};
    const char* at = text.data();
    const char* const line_end = text.data() + end;
    for (std::size_t& number : numbers) {
        const auto [next, error] = std::from_chars(at, line_end, number);
        if (error != std::errc{}) {
            return std::nullopt;
        }
        at = next == line_end ? next : next + 1;
    }
    return Header{numbers[0], numbers[1], numbers[2], end + 1};
}

using Entry = std::pair<std::string, std::string>;

// One group's entries, in order of part; false when they are not whole.
bool read_one(std::span<const Entry> entries, StoredGroups& groups) {
    const auto header = read_header(entries.front().second);
    if (!header || header->parts != entries.size()) {
        return false;
    }
    std::string text;
    for (const Entry& entry : entries) {
        text += entry.second;
    }
    text.erase(0, header->size);
    if (text.size() < header->id_bytes || text.size() - header->id_bytes != header->state_bytes) {
        return false;
    }
    std::string id = text.substr(0, header->id_bytes);
    if (part_key(stem_of(id), 0) != entries.front().first) {
        return false;
    }
    groups.parts[id] = entries.size();
    groups.states.emplace_back(std::move(id), text.substr(header->id_bytes));
    return true;
}

}  // namespace

GroupWrites write_stored_group(std::string_view group_id, const std::optional<std::string>& state,
                               std::size_t parts_before, std::size_t part_bytes) {
    const std::string stem = stem_of(group_id);
    GroupWrites result;
    if (state) {
        const std::size_t bytes = kHeaderBytesMax + group_id.size() + state->size();
        result.parts = (bytes + part_bytes - 1) / part_bytes;
        std::string text = fmt::format("{} {} {}", result.parts, group_id.size(), state->size());
        // Blanks make the header's size constant, so that the number of parts does not depend on
        // itself.
        text.resize(kHeaderBytesMax - 1, ' ');
        text += '\n';
        text += group_id;
        text += *state;
        for (std::size_t part = 0; part < result.parts; ++part) {
            result.writes.push_back(
                {part_key(stem, part), text.substr(part * part_bytes, part_bytes)});
        }
    }
    for (std::size_t part = result.parts; part < parts_before; ++part) {
        result.writes.push_back({part_key(stem, part), std::nullopt});
    }
    return result;
}

StoredGroups read_stored_groups(std::span<const Entry> entries) {
    StoredGroups groups;
    while (!entries.empty()) {
        const std::string_view first = entries.front().first;
        const std::string_view stem = first.substr(0, first.find_last_of('/') + 1);
        const auto next = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
            return !entry.first.starts_with(stem);
        });
        const auto count = static_cast<std::size_t>(next - entries.begin());
        if (!read_one(entries.first(count), groups)) {
            groups.damaged.emplace_back(first);
        }
        entries = entries.subspan(count);
    }
    return groups;
}

}  // namespace kpid::notify
