#pragma once
// How far the log of samples is passed on: what of it is settled.

#include <cstddef>
#include <cstdint>
#include <deque>

namespace kpid::notify {

/// Pieces of the log in the order they were read, each with its samples that are not settled yet.
/// A position is settled when every sample before it was acknowledged, given up or left out. As
/// many pieces are kept as have unsettled samples, or lie behind one that has. Not thread-safe.
class RemoteProgress {
public:
    explicit RemoteProgress(std::uint64_t position) : settled_(position) {}

    /// A piece that ends at `next`, which never falls, of which `samples` are on their way. Its
    /// number; numbers count up by one, but a piece without samples has none of its own.
    std::uint64_t add(std::uint64_t next, std::size_t samples);
    /// One sample of the piece is settled.
    void settle(std::uint64_t piece);

    /// Everything before it is settled.
    [[nodiscard]] std::uint64_t settled() const { return settled_; }
    /// Samples that are not.
    [[nodiscard]] std::size_t outstanding() const { return outstanding_; }
    /// The number that the next piece gets.
    [[nodiscard]] std::uint64_t next_piece() const { return first_ + pieces_.size(); }

private:
    struct Piece {
        std::uint64_t next = 0;
        std::size_t outstanding = 0;
    };
    std::uint64_t settled_;
    std::uint64_t first_ = 0;  // the number of pieces_.front()
    std::deque<Piece> pieces_;
    std::size_t outstanding_ = 0;
};

}  // namespace kpid::notify
