#include "storage/definition.h"

#include "kpid/base/same_text.h"
#include "storage/byte_reader.h"

#include <algorithm>
#include <utility>

namespace kpid::storage {
namespace {

// Version 1 was one series alone, each text with its size.
constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kHeadBytes = 2;  // version, count
static_assert(kDefinitionBlockMax < 0x80, "the count is one byte");

// The first number of a label: both texts follow; or, with the place of a label in the set before
// times two, that label; or one more, its name, and the value follows.
constexpr std::uint64_t kBoth = 0;
constexpr std::uint64_t kSameLabel = 1;
constexpr std::uint64_t kSameName = 2;

Result<std::string_view> read_text(ByteReader& reader) {
    KPID_TRY(const std::uint64_t size, reader.varint());
    return reader.text(size);
}

Result<model::LabelView> read_label(ByteReader& reader, std::uint8_t version,
                                    std::span<const model::LabelView> before) {
    std::uint64_t head = kBoth;
    if (version > 1) {
        KPID_TRY(head, reader.varint());
    }
    model::LabelView label;
    if (head == kBoth) {
        KPID_TRY(label.name, read_text(reader));
        KPID_TRY(label.value, read_text(reader));
        return label;
    }
    const std::uint64_t place = (head - kSameLabel) / 2;
    if (place >= before.size()) {
        return damaged_entry("a label that the set before has not");
    }
    label = before[static_cast<std::size_t>(place)];
    if ((head - kSameLabel) % 2 != 0) {
        KPID_TRY(label.value, read_text(reader));
    }
    return label;
}

}  // namespace

void DefinitionWriter::clear() {
    blocks_.clear();
    before_.clear();
    count_ = 0;
}

std::string& DefinitionWriter::block_of(SeriesId series) {
    const bool follows = !blocks_.empty() && count_ < kDefinitionBlockMax &&
                         blocks_.back().first.value() + count_ == series.value();
    if (!follows) {
        constexpr std::size_t kUsualBytes = 1024;
        DefinitionBytes& block = blocks_.emplace_back();
        block.first = series;
        block.bytes.reserve(kUsualBytes);
        block.bytes.assign(kHeadBytes, static_cast<char>(kVersion));
        before_.clear();
        count_ = 0;
    }
    ++count_;
    std::string& bytes = blocks_.back().bytes;
    bytes[1] = static_cast<char>(count_);
    return bytes;
}

DefinitionWriter::Written DefinitionWriter::add_label(std::string& out,
                                                      const model::LabelView& label,
                                                      std::size_t guess) const {
    const auto text = [&out](std::size_t at, std::size_t size) {
        return std::string_view(out).substr(at, size);
    };
    Written written;
    const auto put_value = [&] {
        put_varint(out, label.value.size());
        written.value = out.size();
        written.value_size = label.value.size();
        out.append(label.value);
    };
    if (guess < before_.size()) {
        const Written& other = before_[guess];
        if (same_text(text(other.name, other.name_size), label.name)) {
            const bool same = same_text(text(other.value, other.value_size), label.value);
            written = other;
            put_varint(out, (same ? kSameLabel : kSameName) + 2 * guess);
            if (!same) {
                put_value();
            }
            return written;
        }
    }
    put_varint(out, kBoth);
    put_varint(out, label.name.size());
    written.name = out.size();
    written.name_size = label.name.size();
    out.append(label.name);
    put_value();
    return written;
}

void DefinitionWriter::add(SeriesId series, std::span<const model::LabelView> labels) {
    std::string& out = block_of(series);
    put_varint(out, labels.size());
    if (labels.empty()) {
        return;
    }
    written_.clear();
    std::size_t guess = 0;
    for (const model::LabelView& label : labels) {
        // Both sets are in order of name.
        while (guess < before_.size() &&
               std::string_view(out).substr(before_[guess].name, before_[guess].name_size) <
                   label.name) {
            ++guess;
        }
        written_.push_back(add_label(out, label, guess));
    }
    std::swap(before_, written_);
}

std::vector<DefinitionBytes> DefinitionWriter::finish() {
    std::vector<DefinitionBytes> blocks = std::move(blocks_);
    clear();
    return blocks;
}

Result<void> decode_definitions(std::string_view bytes, DefinitionBlock& block) {
    block.labels_.clear();
    block.ends_.clear();
    ByteReader reader(bytes);
    KPID_TRY(const std::uint8_t version, reader.version(kVersion));
    std::uint8_t count = 1;
    if (version > 1) {
        KPID_TRY(count, reader.byte());
    }
    if (count == 0 || count > kDefinitionBlockMax) {
        return damaged_entry("a block without series, or with too many");
    }
    std::size_t before = 0;  // where the set before begins
    for (std::size_t i = 0; i < count; ++i) {
        KPID_TRY(const std::uint64_t label_count, reader.varint());
        if (label_count > kDefinitionLabelsMax || label_count > reader.remaining()) {
            return damaged_entry("more labels than bytes");
        }
        const std::size_t begin = block.labels_.size();
        for (std::uint64_t j = 0; j < label_count; ++j) {
            const std::span<const model::LabelView> others =
                std::span(block.labels_).subspan(before, begin - before);
            KPID_TRY(const model::LabelView label, read_label(reader, version, others));
            const bool follows =
                block.labels_.size() == begin || block.labels_.back().name < label.name;
            if (label.name.empty() || label.value.empty() || !follows) {
                return damaged_entry("labels empty or out of order");
            }
            block.labels_.push_back(label);
        }
        before = label_count > 0 ? begin : before;
        block.ends_.push_back(block.labels_.size());
    }
    return reader.end();
}

Result<std::optional<DefinitionBytes>> find_definitions(const Log& log, SeriesId series) {
    // Under number 0 stands the storage's own entry.
    const std::uint64_t number = series.value();
    const std::uint64_t begin =
        number < kDefinitionBlockMax ? 1 : number - (kDefinitionBlockMax - 1);
    std::optional<DefinitionBytes> found;
    KPID_CHECK_OK(log.scan(LogTable::kSeries, encode_key(begin), encode_key(number + 1),
                           [&found](std::string_view key, std::string_view value) -> Result<bool> {
                               KPID_TRY(const std::uint64_t first, decode_key(key));
                               found = DefinitionBytes{SeriesId(first), std::string(value)};
                               return true;
                           }));
    return found;
}

}  // namespace kpid::storage
