#pragma once
// Answers that are written piece by piece, so that a large one is never one text in memory.

#include "net/body_stream.h"
#include "net/http_message.h"
#include "net/worker_pool.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace kpid::http {

/// The large part of an answer: data that becomes text a little at a time.
class AnswerPart {
public:
    virtual ~AnswerPart() = default;
    /// Appends a little more: some points, or one label set. False at the end, when nothing was
    /// appended. Gives back the memory of what is written where it can.
    [[nodiscard]] virtual bool write_some(std::string& out) = 0;
};

/// A head, a part and a tail as one text in pieces. Not thread-safe.
class PiecewiseText {
public:
    /// A piece ends at the first step of its part that reaches this.
    static constexpr std::size_t kPieceBytes = std::size_t{64} * 1024;

    PiecewiseText(std::string head, std::unique_ptr<AnswerPart> part, std::string tail)
        : head_(std::move(head)), part_(std::move(part)), tail_(std::move(tail)) {}

    /// The next piece; empty after the last.
    [[nodiscard]] std::string next();
    /// No piece is left.
    [[nodiscard]] bool ended() const { return ended_; }

private:
    std::string head_;
    std::unique_ptr<AnswerPart> part_;
    std::string tail_;
    bool ended_ = false;
};

/// A 200 with this text: whole when it is one piece, else streamed, its pieces made on the pool (by
/// the connection's thread where the pool is busy). Makes the first piece. Borrows the pool.
[[nodiscard]] net::HttpResponse text_answer(std::string_view content_type, PiecewiseText text,
                                            net::WorkerPool& pool);

}  // namespace kpid::http
