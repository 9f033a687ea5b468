#pragma once
// The bytes that define series, in blocks of neighbours (grammar in README.md).

#include "kpid/base/result.h"
#include "kpid/model/labels.h"
#include "kpid/storage/log.h"
#include "storage/record.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kpid::storage {

/// Series of one block at most.
inline constexpr std::size_t kDefinitionBlockMax = 32;
/// Labels of one series that are read back.
inline constexpr std::size_t kDefinitionLabelsMax = 65'536;

/// Definitions of series with consecutive numbers; stands under the first of them.
struct DefinitionBytes {
    SeriesId first{0};
    std::string bytes;
};

/// Writes label sets of series with ascending numbers. What a set has in common with the one before
/// is written once a block: series that come together mostly differ in a label or two.
class DefinitionWriter {
public:
    /// `labels` are sorted by name. None: there is no such series, or no longer.
    void add(SeriesId series, std::span<const model::LabelView> labels);
    [[nodiscard]] bool empty() const { return blocks_.empty(); }
    void clear();
    /// All blocks; the writer is empty then.
    [[nodiscard]] std::vector<DefinitionBytes> finish();

private:
    /// Where a label of the set before lies in the block's bytes.
    struct Written {
        std::size_t name = 0;
        std::size_t name_size = 0;
        std::size_t value = 0;
        std::size_t value_size = 0;
    };

    [[nodiscard]] std::string& block_of(SeriesId series);
    [[nodiscard]] Written add_label(std::string& out, const model::LabelView& label,
                                    std::size_t guess) const;

    std::vector<DefinitionBytes> blocks_;
    std::size_t count_ = 0;  // series of the last block
    std::vector<Written> before_;
    std::vector<Written> written_;
};

/// What a block defines, as views into its bytes.
class DefinitionBlock {
public:
    [[nodiscard]] std::size_t size() const { return ends_.size(); }
    /// Of the series with the block's first number and `i` more; none when there is no such series.
    [[nodiscard]] std::span<const model::LabelView> labels(std::size_t i) const {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return std::span(labels_).subspan(begin, ends_[i] - begin);
    }

private:
    friend Result<void> decode_definitions(std::string_view bytes, DefinitionBlock& block);

    std::vector<model::LabelView> labels_;
    std::vector<std::size_t> ends_;
};

/// Replaces the block. kDataLoss when the bytes are not one whole block, kUnsupported when its
/// version is newer; then the block is not to be read.
[[nodiscard]] Result<void> decode_definitions(std::string_view bytes, DefinitionBlock& block);

/// The block of the table that may define the series: the last one that begins at it or close
/// before. Errors as Log::scan().
[[nodiscard]] Result<std::optional<DefinitionBytes>> find_definitions(const Log& log,
                                                                      SeriesId series);

}  // namespace kpid::storage
