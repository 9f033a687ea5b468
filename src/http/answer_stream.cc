// Pieces of text, and their way to the connection.
#include "http/answer_stream.h"

#include <utility>

namespace kpid::http {
namespace {

class TextStream final : public net::BodyStream {
public:
    TextStream(std::string first, PiecewiseText text, net::WorkerPool& pool)
        : first_(std::move(first)), text_(std::move(text)), pool_(pool) {}

    net::Task<Result<std::string>> next() override {
        if (!first_.empty()) {
            co_return std::exchange(first_, {});
        }
        Result<std::string> piece = co_await net::offload(pool_, [this] { return text_.next(); });
        if (!piece && piece.error().code == Code::kResourceExhausted) {
            piece = text_.next();  // a piece is short enough for any thread
        }
        co_return piece;
    }

private:
    std::string first_;
    PiecewiseText text_;
    net::WorkerPool& pool_;
};

}  // namespace

std::string PiecewiseText::next() {
    std::string out;
    if (ended_) {
        return out;
    }
    if (part_ != nullptr) {
        out.reserve(kPieceBytes + kPieceBytes / 8);
    }
    out += std::exchange(head_, {});
    while (part_ != nullptr && out.size() < kPieceBytes) {
        if (!part_->write_some(out)) {
            part_.reset();
        }
    }
    if (part_ == nullptr) {
        out += std::exchange(tail_, {});
        ended_ = true;
    }
    return out;
}

net::HttpResponse text_answer(std::string_view content_type, PiecewiseText text,
                              net::WorkerPool& pool) {
    std::string first = text.next();
    if (text.ended()) {
        first.shrink_to_fit();
        return net::make_response(200, content_type, std::move(first));
    }
    net::HttpResponse response = net::make_response(200, content_type, "");
    response.stream = std::make_shared<TextStream>(std::move(first), std::move(text), pool);
    return response;
}

}  // namespace kpid::http
