// Pieces from oldest to newest.
#include "notify/remote_progress.h"

#include "kpid/base/assert.h"

namespace kpid::notify {

std::uint64_t RemoteProgress::add(std::uint64_t next, std::size_t samples) {
    const std::uint64_t piece = next_piece();
    if (samples > 0) {
        pieces_.push_back({.next = next, .outstanding = samples});
        outstanding_ += samples;
    } else if (pieces_.empty()) {
        settled_ = next;
    } else {
        // Settled with the piece before it: however much of the log is left out costs nothing.
        pieces_.back().next = next;
    }
    return piece;
}

void RemoteProgress::settle(std::uint64_t piece) {
    // Only numbers that add() gave out come back, each as often as its piece has samples.
    KPID_ASSERT(piece >= first_ && piece - first_ < pieces_.size());
    Piece& settled = pieces_[static_cast<std::size_t>(piece - first_)];
    KPID_ASSERT(settled.outstanding > 0);
    --settled.outstanding;
    --outstanding_;
    while (!pieces_.empty() && pieces_.front().outstanding == 0) {
        settled_ = pieces_.front().next;
        pieces_.pop_front();
        ++first_;
    }
}

}  // namespace kpid::notify
